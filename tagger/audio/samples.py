"""Decoded frames to one waveform: any sample format and any channels to mono float32."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from math import ceil, gcd
from typing import Any, cast

import numpy as np
import soxr  # type: ignore[import-untyped]
from av.audio.frame import AudioFrame
from av.audio.plane import AudioPlane
from numpy.typing import NDArray

from tagger.records import FloatArray

# FFmpeg's sample formats: NumPy type, value of silence, value of full scale.
_SAMPLE_FORMATS: dict[str, tuple[np.dtype[Any], float, float]] = {
    "u8": (np.dtype(np.uint8), 128.0, 128.0),
    "s16": (np.dtype(np.int16), 0.0, 2.0**15),
    "s32": (np.dtype(np.int32), 0.0, 2.0**31),
    "s64": (np.dtype(np.int64), 0.0, 2.0**63),
    "flt": (np.dtype(np.float32), 0.0, 1.0),
    "dbl": (np.dtype(np.float64), 0.0, 1.0),
}


# Beyond this the resampler's filter hears nothing: samples at the lower of the two rates.
FILTER_REACH = 256


def to_mono(frames: list[AudioFrame]) -> FloatArray:
    """Return the mean of the channels of consecutive frames, (n_samples,) float32 in [-1, 1]."""
    # Files that were joined may change their kind half-way.
    parts = [_downmix(list(run)) for _, run in groupby(frames, key=_kind)]
    mono = parts[0] if len(parts) == 1 else np.concatenate(parts)
    return _clip(mono)


def _kind(frame: AudioFrame) -> tuple[str, int]:
    """Return a frame's sample format and number of channels."""
    return frame.format.name, frame.layout.nb_channels


def _downmix(frames: list[AudioFrame]) -> FloatArray:
    """Return the mean of the channels of frames of one kind, (n_samples,) float32.

    Channels are added one by one: ``mean`` over the two columns of stereo is forty times slower.
    Planes are asked for by number: PyAV's own ``planes`` reads on behind the last of eight or more.
    """
    format_name, n_channels = _kind(frames[0])
    dtype, silence, full_scale = _SAMPLE_FORMATS[format_name.removesuffix("p")]
    if frames[0].format.is_planar:
        views = [
            [_view(AudioPlane(f, n), dtype, f.samples) for n in range(n_channels)] for f in frames
        ]
        channels = [np.concatenate(views_of_one) for views_of_one in zip(*views, strict=True)]
    else:
        views_packed = [_view(f.planes[0], dtype, f.samples * n_channels) for f in frames]
        channels = list(np.concatenate(views_packed).reshape(-1, n_channels).T)
    mono = channels[0].astype(np.float32, copy=False)  # a view of what was just copied
    for channel in channels[1:]:
        np.add(mono, channel, mono, dtype=np.float32, casting="same_kind")
    if silence:
        mono -= silence * n_channels
    mono *= 1 / (full_scale * n_channels)
    return mono


# PyAV's stubs leave out that a plane is a buffer.
_view = cast(Callable[[AudioPlane, np.dtype[Any], int], NDArray[Any]], np.frombuffer)


def resampled(waveform: FloatArray, from_rate: int, to_rate: int) -> FloatArray:
    """Return (n_samples,) float32 at another sample rate."""
    if from_rate == to_rate:
        return waveform
    return _clip(np.asarray(soxr.resample(waveform, from_rate, to_rate), dtype=np.float32))


def resampled_frames(
    waveform: FloatArray,
    from_rate: int,
    to_rate: int,
    n_fft: int,
    hop_length: int,
    out: FloatArray,
) -> None:
    """Fill ``out`` with a waveform at another sample rate, but only where its frames lie.

    Short stretches are laid end to end, each around a frame and beginning where samples of both
    rates fall together, and resampled at once: what meets at the seams is not heard in a frame.

    Args:
        waveform: (n_samples,) float32.
        from_rate: Its samples a second.
        to_rate: Those wanted.
        n_fft: Samples a frame, at ``to_rate``.
        hop_length: Samples from one frame to the next, at ``to_rate``.
        out: (n_samples,) float32; the rest of it is left as it is or filled as well.
    """
    common = gcd(from_rate, to_rate)
    n_from, n_to = from_rate // common, to_rate // common  # samples of a block: an equal time
    reach = ceil(FILTER_REACH * max(1.0, to_rate / from_rate))
    n_blocks = ceil((n_fft + 2 * reach) / n_to) + 1
    if n_blocks * n_to >= hop_length:
        out[:] = resampled(waveform, from_rate, to_rate)[: len(out)]
        return
    begins = np.arange(0, len(out) - n_fft + 1, hop_length)
    first_blocks = np.maximum(0, (begins - reach) // n_to)
    padded = np.pad(waveform, (0, n_blocks * n_from))
    stretches = np.lib.stride_tricks.sliding_window_view(padded, n_blocks * n_from)
    laid_out = stretches[first_blocks * n_from].ravel()
    heard = resampled(laid_out, from_rate, to_rate).reshape(len(begins), n_blocks * n_to)
    for stretch, begin, block in zip(heard, begins, first_blocks, strict=True):
        out[begin : begin + n_fft] = stretch[begin - block * n_to :][:n_fft]


def _clip(waveform: FloatArray) -> FloatArray:
    """Keep a waveform within [-1, 1], in place, as a player's output stage does.

    Lossy decoders overshoot full scale on loud music, and so do resamplers at steep edges.
    """
    return np.clip(waveform, -1, 1, out=waveform)
