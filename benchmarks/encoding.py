"""Sound files for the corpus: how each format is written, and how MP3s are put together fast.

Owns encoding and muxing. What sounds in the files is for ``benchmarks.make_corpus``.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from numpy.typing import NDArray

SAMPLE_RATE = 44_100
MP3_FRAME = 1152  # samples in a packet of an MP3 at this rate

Stereo = NDArray[np.float32]  # (2, n_samples)


@dataclass(frozen=True, slots=True)
class Encoding:
    """How one format is written, as collections have it."""

    codec: str
    sample_format: str
    sample_rate: int = SAMPLE_RATE
    bit_rate: int | None = None


ENCODINGS = {
    "mp3": Encoding("libmp3lame", "fltp", bit_rate=192_000),
    "flac": Encoding("flac", "s16"),
    "m4a": Encoding("aac", "fltp", bit_rate=192_000),
    "opus": Encoding("libopus", "flt", sample_rate=48_000, bit_rate=128_000),
    "wav": Encoding("pcm_s16le", "s16"),
}

# The room behind an ID3 tag that most taggers leave, so that a genre fits in place.
_MUXER_OPTIONS = {"mp3": {"id3v2_version": "3", "metadata_header_padding": "2048"}}


def load_stereo(path: Path) -> Stereo:
    """Return a whole recording, (2, n_samples) float32 at 44.1 kHz."""
    resampler = av.AudioResampler("fltp", "stereo", SAMPLE_RATE)
    with av.open(str(path)) as container:
        frames = [f for frame in container.decode(audio=0) for f in resampler.resample(frame)]
    frames += resampler.resample(None)
    return np.concatenate([frame.to_ndarray() for frame in frames], axis=1)


def encode(sound: Stereo, format_: str, path: Path, tags: Mapping[str, str]) -> None:
    """Write a sound with its tags, in one of ENCODINGS."""
    with _opened(path, format_, tags) as container:
        for packet in _encoded(sound, format_, _stream(container, format_)):
            container.mux_one(packet)


def encode_mp3_packets(sound: Stereo) -> list[bytes]:
    """Return a sound as MP3 packets of 1152 samples that need nothing before the first."""
    with _opened(io.BytesIO(), "mp3", {}) as container:
        stream = _stream(container, "mp3")
        return [bytes(packet) for packet in _encoded(sound, "mp3", stream)]


def write_mp3(packets: Iterable[bytes], path: Path, tags: Mapping[str, str]) -> None:
    """Write packets as an MP3 with tags, padding and a Xing header."""
    with _opened(path, "mp3", tags) as container:
        stream = _stream(container, "mp3")
        for i, content in enumerate(packets):
            packet = av.Packet(content)
            packet.stream = stream
            packet.time_base = Fraction(1, SAMPLE_RATE)
            packet.pts = packet.dts = i * MP3_FRAME
            packet.duration = MP3_FRAME
            container.mux_one(packet)


def _opened(target: Path | io.BytesIO, format_: str, tags: Mapping[str, str]) -> OutputContainer:
    file = str(target) if isinstance(target, Path) else target
    muxer = {"m4a": "ipod"}.get(format_, format_)
    container = av.open(file, "w", format=muxer, options=_MUXER_OPTIONS.get(format_, {}))
    container.metadata.update(tags)
    return container


def _stream(container: OutputContainer, format_: str) -> AudioStream:
    encoding = ENCODINGS[format_]
    # LAME's fastest search: twice as fast to encode, and no different to decode.
    options = {"compression_level": "7"} if format_ == "mp3" else {}
    stream = container.add_stream(encoding.codec, rate=encoding.sample_rate, options=options)
    assert isinstance(stream, AudioStream)
    stream.codec_context.layout = "stereo"
    stream.codec_context.format = encoding.sample_format
    if encoding.bit_rate is not None:
        stream.codec_context.bit_rate = encoding.bit_rate
    return stream


def _encoded(sound: Stereo, format_: str, stream: AudioStream) -> Iterator[av.Packet[Any]]:
    encoding = ENCODINGS[format_]
    resampler = av.AudioResampler(encoding.sample_format, "stereo", encoding.sample_rate)
    for frame in _frames(sound):
        for resampled in resampler.resample(frame):
            yield from stream.encode(resampled)
    for resampled in resampler.resample(None):
        yield from stream.encode(resampled)
    yield from stream.encode(None)


def _frames(sound: Stereo) -> Iterator[av.AudioFrame]:
    for start in range(0, sound.shape[1], SAMPLE_RATE):
        part = np.ascontiguousarray(sound[:, start : start + SAMPLE_RATE])
        frame = av.AudioFrame.from_ndarray(part, "fltp", "stereo")
        frame.sample_rate, frame.pts = SAMPLE_RATE, start
        yield frame
