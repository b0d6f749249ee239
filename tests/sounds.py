"""Sound files of every kind for the tests, made on the spot: tones, chirps, noise, silence.

The container and codec follow from the file name's ending, so that ``make_tone(folder / "a.opus")``
is all that a test needs to say. Only what soundfile and PyAV's own wheels can encode is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import soundfile
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

# One ending for each format that an encoder is at hand for.
FORMATS = (
    *(".mp3", ".flac", ".ogg", ".opus", ".m4a", ".wav", ".aiff"),
    *(".aac", ".tta", ".wv", ".wma"),
)

_FF_QP2LAMBDA = 118  # libav counts an encoder's quality in these units
_SOUNDFILE_SUBTYPES = {
    ".wav": "PCM_16",
    ".flac": "PCM_16",
    ".aif": "PCM_16",
    ".aiff": "PCM_16",
    ".aifc": "PCM_16",
    ".ogg": "VORBIS",
    ".oga": "VORBIS",
}
_PYAV_CODECS = {
    ".mp3": ("mp3", "libmp3lame", "fltp"),
    ".opus": ("ogg", "libopus", "flt"),
    ".m4a": ("ipod", "aac", "fltp"),
    ".m4b": ("ipod", "aac", "fltp"),
    ".mp4": ("mp4", "aac", "fltp"),
    ".aac": ("adts", "aac", "fltp"),
    ".tta": ("tta", "tta", "s16"),
    ".wv": ("wv", "wavpack", "fltp"),
    ".wma": ("asf", "wmav2", "fltp"),
}


@dataclass(frozen=True)
class Encoding:
    """How a lossy file is encoded; lossless formats heed none of it.

    Args:
        bit_rate: Bits a second, for a constant (MP3) or average rate.
        quality: LAME's V scale, 0 best to 9 worst: a variable rate in place of ``bit_rate``.
        has_xing: Whether an MP3 begins with the frame that tells its length.
        moov_first: Whether an MP4 begins with its index, as files made for the web do.
    """

    bit_rate: int = 128_000
    quality: int | None = None
    has_xing: bool = True
    moov_first: bool = False


CBR = Encoding()
VBR = Encoding(quality=2)
CBR_WITHOUT_XING = Encoding(has_xing=False)
VBR_WITHOUT_XING = Encoding(quality=2, has_xing=False)


def tone(
    duration_s: float, sample_rate: int = 44100, frequency_hz: float = 440.0, gain: float = 0.5
) -> FloatArray:
    """Return a sine, (n_samples,) float32."""
    time_s = _times_s(duration_s, sample_rate)
    return np.asarray(gain * np.sin(2 * np.pi * frequency_hz * time_s), dtype=np.float32)


def chirp(
    duration_s: float,
    sample_rate: int = 44100,
    start_hz: float = 200.0,
    end_hz: float = 8000.0,
    gain: float = 0.5,
) -> FloatArray:
    """Return a sine whose pitch rises evenly, so that its pitch tells the time; (n_samples,)."""
    time_s = _times_s(duration_s, sample_rate)
    slope = (end_hz - start_hz) / (2 * duration_s)
    phase = 2 * np.pi * (start_hz * time_s + slope * time_s**2)
    return np.asarray(gain * np.sin(phase), dtype=np.float32)


def noise(duration_s: float, sample_rate: int = 44100, gain: float = 0.1) -> FloatArray:
    """Return white noise, always the same; (n_samples,) float32."""
    n_samples = round(duration_s * sample_rate)
    values = np.random.default_rng(0).standard_normal(n_samples, dtype=np.float32)
    return np.asarray(np.clip(gain * values, -1, 1), dtype=np.float32)


def silence(duration_s: float, sample_rate: int = 44100) -> FloatArray:
    """Return zeros, (n_samples,) float32."""
    return np.zeros(round(duration_s * sample_rate), dtype=np.float32)


def pitch_hz(waveform: FloatArray, sample_rate: int) -> float:
    """Return the loudest frequency of a waveform, to within a few hertz."""
    spectrum = np.abs(np.fft.rfft(waveform * np.hanning(len(waveform))))
    return float(np.argmax(spectrum)) * sample_rate / len(waveform)


def make_tone(
    path: Path,
    duration_s: float = 3.0,
    sample_rate: int = 44100,
    frequency_hz: float = 440.0,
    n_channels: int = 2,
    encoding: Encoding = CBR,
) -> Path:
    """Write a sine to ``path`` in the format that its ending names, and return the path."""
    waveform = tone(duration_s, sample_rate, frequency_hz)
    return write_sound(path, np.tile(waveform, (n_channels, 1)), sample_rate, encoding)


def make_chirp(
    path: Path,
    duration_s: float = 10.0,
    sample_rate: int = 44100,
    n_channels: int = 2,
    encoding: Encoding = CBR,
) -> Path:
    """Write a rising chirp to ``path`` in the format that its ending names; return the path."""
    waveform = chirp(duration_s, sample_rate)
    return write_sound(path, np.tile(waveform, (n_channels, 1)), sample_rate, encoding)


def write_sound(
    path: Path, waveform: FloatArray, sample_rate: int = 44100, encoding: Encoding = CBR
) -> Path:
    """Write (n_channels, n_samples) or (n_samples,) float32 to ``path``, and return the path.

    Opus knows 8, 12, 16, 24 and 48 kHz only: give one of those.
    """
    channels = np.atleast_2d(waveform)
    ending = path.suffix.lower()
    if ending in _PYAV_CODECS:
        _write_with_pyav(path, channels, sample_rate, encoding)
    else:
        subtype = _SOUNDFILE_SUBTYPES[ending]
        form = {".wav": "WAV", ".flac": "FLAC", ".ogg": "OGG", ".oga": "OGG"}.get(ending, "AIFF")
        with soundfile.SoundFile(
            bytes(path), "w", sample_rate, len(channels), subtype=subtype, format=form
        ) as file:
            # In pieces: libsndfile's Vorbis encoder overflows its stack on one long write.
            for start in range(0, channels.shape[1], sample_rate):
                file.write(channels[:, start : start + sample_rate].T)
    return path


def write_with(path: Path, codec: str, waveform: FloatArray, sample_rate: int = 44100) -> Path:
    """Write (n_samples,) float32 in mono by an encoder of that name; return the path."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=sample_rate)
        assert isinstance(stream, av.AudioStream)
        stream.codec_context.layout = "mono"
        for frame in _frames(np.atleast_2d(waveform), sample_rate, "fltp", "mono"):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def _write_with_pyav(
    path: Path, channels: FloatArray, sample_rate: int, encoding: Encoding
) -> None:
    """Encode (n_channels, n_samples) with the codec of the file's ending."""
    form, codec, sample_format = _PYAV_CODECS[path.suffix.lower()]
    options = {"write_xing": str(int(encoding.has_xing))} if form == "mp3" else {}
    if form == "tta":
        options["fflags"] = "+bitexact"  # Else FFmpeg names itself in an APE tag.
    if encoding.moov_first:
        options["movflags"] = "+faststart"
    layout = {1: "mono", 2: "stereo", 3: "2.1", 4: "quad", 6: "5.1"}[len(channels)]
    with av.open(str(path), "w", format=form, options=options) as container:
        stream = container.add_stream(codec, rate=sample_rate)
        assert isinstance(stream, av.AudioStream)
        stream.codec_context.layout = layout
        stream.codec_context.format = sample_format
        if encoding.quality is None:
            stream.codec_context.bit_rate = encoding.bit_rate
        else:
            stream.codec_context.options = {
                "flags": "+qscale",
                "global_quality": str(encoding.quality * _FF_QP2LAMBDA),
            }
        for frame in _frames(channels, sample_rate, sample_format, layout):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _frames(
    channels: FloatArray, sample_rate: int, sample_format: str, layout: str
) -> list[av.AudioFrame]:
    """Cut (n_channels, n_samples) into frames of a second with their time stamps."""
    frames = []
    for start in range(0, channels.shape[1], sample_rate):
        part = np.ascontiguousarray(channels[:, start : start + sample_rate])
        packed = part if sample_format == "fltp" else np.ascontiguousarray(part.T).reshape(1, -1)
        if sample_format == "s16":
            packed = (packed * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(packed, format=sample_format, layout=layout)
        frame.sample_rate = sample_rate
        frame.pts = start
        frames.append(frame)
    return frames


def _times_s(duration_s: float, sample_rate: int) -> NDArray[np.float64]:
    """Return when each sample of a sound of that length falls, seconds."""
    return np.arange(round(duration_s * sample_rate), dtype=np.float64) / sample_rate
