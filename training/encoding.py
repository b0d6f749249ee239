"""Sound into files and out of them again, whole and in all its channels, through PyAV.

For corpora, and for hearing what an encoder does to a track. The tagger itself only reads, and
reads segments: that is ``tagger.audio``.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from numpy.typing import NDArray

from tagger.errors import AudioDecodeError

SAMPLE_RATE = 44_100

Channels = NDArray[np.float32]  # (n_channels, n_samples) at SAMPLE_RATE, one channel or two


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a file is written.

    Args:
        codec: FFmpeg's name of the encoder.
        sample_format: FFmpeg's name of what it takes.
        muxer: FFmpeg's name of the container.
        sample_rate: Samples a second in the file.
        bit_rate: Bits a second; None leaves it to the encoder.
        options: Of the encoder.
        muxer_options: Of the container.
    """

    codec: str
    sample_format: str
    muxer: str
    sample_rate: int = SAMPLE_RATE
    bit_rate: int | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    muxer_options: Mapping[str, str] = field(default_factory=dict)


def load_stereo(path: Path) -> Channels:
    """Return a whole recording in two channels, in [-1, 1] as the tagger hears it.

    Raises:
        AudioDecodeError: it cannot be decoded.
    """
    resampler = av.AudioResampler("fltp", "stereo", SAMPLE_RATE)
    try:
        with av.open(str(path)) as container:
            frames = [f for frame in container.decode(audio=0) for f in resampler.resample(frame)]
            frames += resampler.resample(None)
    except (av.error.FFmpegError, IndexError) as exc:  # IndexError: no sound in it
        raise AudioDecodeError(f"cannot be decoded as a whole: {exc}", path) from exc
    if not frames:
        raise AudioDecodeError("no sound in it can be decoded", path)
    sound: Channels = np.concatenate([frame.to_ndarray() for frame in frames], axis=1)
    return np.clip(sound, -1, 1, out=sound)  # lossy decoders overshoot on loud music


def encode(
    sound: Channels, encoding: Encoding, path: Path, tags: Mapping[str, str] | None = None
) -> None:
    """Write a sound, with tags by FFmpeg's names."""
    with opened(path, encoding, tags) as container:
        stream = add_stream(container, encoding, n_channels=len(sound))
        for packet in packets_of(sound, encoding, stream):
            container.mux_one(packet)


def opened(
    target: Path | io.BytesIO, encoding: Encoding, tags: Mapping[str, str] | None = None
) -> OutputContainer:
    """Return a container to write packets into."""
    file = str(target) if isinstance(target, Path) else target
    container = av.open(file, "w", format=encoding.muxer, options=dict(encoding.muxer_options))
    container.metadata.update(tags or {})
    return container


def add_stream(container: OutputContainer, encoding: Encoding, n_channels: int = 2) -> AudioStream:
    """Add a stream to a container, of one channel or two."""
    options = dict(encoding.options)
    stream = container.add_stream(encoding.codec, rate=encoding.sample_rate, options=options)
    assert isinstance(stream, AudioStream)
    stream.codec_context.layout = _layout(n_channels)
    stream.codec_context.format = encoding.sample_format
    if encoding.bit_rate is not None:
        stream.codec_context.bit_rate = encoding.bit_rate
    return stream


def packets_of(
    sound: Channels, encoding: Encoding, stream: AudioStream
) -> Iterator[av.Packet[Any]]:
    """Yield a sound's packets as a stream encodes them."""
    layout = _layout(len(sound))
    resampler = av.AudioResampler(encoding.sample_format, layout, encoding.sample_rate)
    for frame in _frames(sound, layout):
        for resampled in resampler.resample(frame):
            yield from stream.encode(resampled)
    for resampled in resampler.resample(None):
        yield from stream.encode(resampled)
    yield from stream.encode(None)


def _layout(n_channels: int) -> str:
    return {1: "mono", 2: "stereo"}[n_channels]


def _frames(sound: Channels, layout: str) -> Iterator[av.AudioFrame]:
    for start in range(0, sound.shape[1], SAMPLE_RATE):
        part = np.ascontiguousarray(sound[:, start : start + SAMPLE_RATE])
        frame = av.AudioFrame.from_ndarray(part, "fltp", layout)
        frame.sample_rate, frame.pts = SAMPLE_RATE, start
        yield frame
