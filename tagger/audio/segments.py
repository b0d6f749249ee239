"""Segments of a track: where they lie, and their sound, decoded as sparingly as it can be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil, floor
from pathlib import Path

import numpy as np

from tagger.audio.packets import Placed, Stretch, frames_from
from tagger.audio.samples import FILTER_REACH, resampled, resampled_frames, to_mono
from tagger.audio.source import NOT_AUDIO, Sound, counted_duration_s, opened
from tagger.errors import AudioDecodeError
from tagger.reasons import Reason, ReasonCode
from tagger.records import FloatArray, Segments

# Samples turned to mono at once. A decoder fills the processor's caches, so that each NumPy call
# between two of its frames costs a twentieth of its work: by batches, decoding and downmix take
# a sixth less. Larger batches cost more again: beyond 128 KB each array is mapped afresh.
_BATCH = 16384

# Lost packets may add up to this much of a segment before it counts as damaged. Less than this
# cannot be seen in features whose hop is 46 ms.
_MAX_GAP_S = 0.05

# Two places this near are one, computed in two ways.
_SAME_PLACE_S = 1e-6


@dataclass(frozen=True)
class SegmentPlan:
    """Which stretches of each track the network is to hear.

    Args:
        sample_rate: Samples a second of the waveforms wanted.
        n_samples: Length of each, in samples at that rate.
        max_segments: How many at most; a short track gives fewer.
        n_fft: Samples a frame, where only frames with a pause between are looked at.
        hop_length: Samples from one frame to the next; 0 if all samples are looked at.
    """

    sample_rate: int
    n_samples: int
    max_segments: int
    n_fft: int = 0
    hop_length: int = 0

    @property
    def segment_s(self) -> float:
        """Length of each segment, seconds."""
        return self.n_samples / self.sample_rate

    def stretches(self, sample_rate: int) -> tuple[Stretch, ...]:
        """Return what of a segment is looked at, in samples at a file's own rate.

        >>> SegmentPlan(44100, 20000, 4).stretches(44100)
        (Stretch(begin=0, end=20000),)
        >>> SegmentPlan(44100, 20000, 4, 2000, 9000).stretches(44100)[1:]
        (Stretch(begin=9000, end=11000), Stretch(begin=18000, end=20000))
        """
        ratio = sample_rate / self.sample_rate
        n_samples = ceil(self.n_samples * ratio)
        if self.hop_length <= self.n_fft:
            return (Stretch(0, n_samples),)
        reach = 0 if ratio == 1 else ceil(FILTER_REACH * max(1.0, ratio))
        begins = range(0, self.n_samples - self.n_fft + 1, self.hop_length)
        spans = ((floor(at * ratio), ceil((at + self.n_fft) * ratio)) for at in begins)
        return tuple(Stretch(max(0, a - reach), min(b + reach, n_samples)) for a, b in spans)


def segment_starts(duration_s: float, segment_s: float, max_segments: int) -> tuple[float, ...]:
    """Return where segments begin: each in the middle of its own n-th of the track, seconds.

    They never overlap: a track too short for all of them gets fewer, and one shorter than a
    single segment gets none.

    >>> segment_starts(12.0, 2.0, 3)
    (1.0, 5.0, 9.0)
    >>> segment_starts(2.0, 2.0, 3)
    (0.0,)
    >>> segment_starts(1.9, 2.0, 3)
    ()
    """
    # Less than a sample, so that a length rounded to microseconds still counts as a fit.
    n_fitting = int(duration_s / segment_s + 1e-6)
    n_segments = min(max_segments, n_fitting)
    part_s = duration_s / n_segments if n_segments else 0.0
    return tuple(max(0.0, (i + 0.5) * part_s - segment_s / 2) for i in range(n_segments))


def planned_starts(
    duration_s: float, plan: SegmentPlan, heard_s: Sequence[float] = ()
) -> tuple[float, ...]:
    """Return where a plan's segments begin, but for those that overlap one heard before, seconds.

    A plan of three times as many has the segments of the first among its own.

    >>> few, many = (SegmentPlan(100, 100, n_segments) for n_segments in (1, 3))
    >>> planned_starts(6.0, many), planned_starts(6.0, many, planned_starts(6.0, few))
    ((0.5, 2.5, 4.5), (0.5, 4.5))
    """
    starts_s = segment_starts(duration_s, plan.segment_s, plan.max_segments)
    return tuple(at for at in starts_s if _overlaps_none(at, heard_s, plan.segment_s))


def _overlaps_none(start_s: float, others_s: Sequence[float], segment_s: float) -> bool:
    return all(abs(start_s - other_s) >= segment_s - _SAME_PLACE_S for other_s in others_s)


def load_segments(path: Path, plan: SegmentPlan, heard_s: Sequence[float] = ()) -> Segments:
    """Decode only the planned segments of a track, by seeking, and of them only what is looked at.

    Positions are exact in most formats. In an MP3 they are as good as its header's table, so
    that only the bytes needed are read: to 0.08 s at a constant bit rate, to about 1/200 of the
    track at a variable one. WMA is found to 0.1 s. What is looked at sounds
    bit for bit as in the whole track (AAC and Opus draw their noise anew, and Opus converges); what
    lies between may be 0.

    A stretch that is damaged, or lies beyond the true end of a truncated file, is never given: a
    neighbouring one takes its place, or there is one segment fewer. A track shorter than a
    segment gives waveforms of shape (0, n_samples) and its true length.

    Args:
        path: The file.
        plan: What is to be heard of it.
        heard_s: Where segments begin that were heard before; what overlaps them is left out.

    Raises:
        AudioDecodeError: Nothing in the file can be decoded.
    """
    with opened(path) as sound:
        planned = planned_starts(sound.duration_s, plan, heard_s)
        segments = _decode_segments(sound, plan, planned, heard_s, n_tries=1)
        if len(segments.starts_s) < max(1 - len(heard_s), len(planned)):
            counted = replace(sound, duration_s=counted_duration_s(sound))
            planned = planned_starts(counted.duration_s, plan, heard_s)
            segments = _decode_segments(counted, plan, planned, heard_s, n_tries=3)
            if not heard_s:
                _check_something_was_decoded(segments, plan, path)
        return segments


def load_waveform(
    path: Path, sample_rate: int | None = None, duration_s: float | None = None
) -> tuple[FloatArray, int]:
    """Decode a file from its beginning.

    Args:
        path: The file.
        sample_rate: Samples a second wanted; None keeps the file's own.
        duration_s: Give no more than this; None gives all.

    Returns:
        (n_samples,) float32 in [-1, 1], mono, and its sample rate.

    Raises:
        AudioDecodeError: Nothing in the file can be decoded.
    """
    with opened(path) as sound:
        n_wanted = None if duration_s is None else round(duration_s * sound.sample_rate)
        everything = (Stretch(0, n_wanted or _NO_END),)
        batches = _batches(frames_from(sound, 0.0, everything))
        parts = [to_mono([placed.frame for placed in batch]) for batch in batches]
        if not parts:
            raise AudioDecodeError(NOT_AUDIO, path)
        waveform = np.concatenate(parts)[:n_wanted]
        target_rate = sample_rate or sound.sample_rate
        return resampled(waveform, sound.sample_rate, target_rate), target_rate


_NO_END = 2**62


def _decode_segments(
    sound: Sound,
    plan: SegmentPlan,
    planned: Sequence[float],
    heard_s: Sequence[float],
    *,
    n_tries: int,
) -> Segments:
    """Decode the planned segments, leaving out those that cannot be had whole.

    Each is looked for at its own place, and with three tries also at the beginning and the end of
    its own part of the track, where it still overlaps no other of the plan; nor may it overlap one
    that was heard before.
    """
    n_parts = len(segment_starts(sound.duration_s, plan.segment_s, plan.max_segments))
    slack_s = sound.duration_s / max(1, n_parts) - plan.segment_s
    waveforms = np.zeros((len(planned), plan.n_samples), dtype=np.float32)
    starts_s: list[float] = []
    for planned_s in planned:
        places_s = (planned_s, planned_s - slack_s / 2, planned_s + slack_s / 2)[:n_tries]
        for start_s in places_s:
            if not _overlaps_none(start_s, heard_s, plan.segment_s):
                continue
            if _decode_segment(sound, start_s, plan, waveforms[len(starts_s)]):
                starts_s.append(start_s)
                break
            waveforms[len(starts_s)] = 0.0
    return Segments(waveforms[: len(starts_s)], tuple(starts_s), plan.sample_rate, sound.duration_s)


def _decode_segment(sound: Sound, start_s: float, plan: SegmentPlan, out: FloatArray) -> bool:
    """Fill ``out``, (n_samples,), with the sound from ``start_s`` on; say whether it is whole.

    What is not looked at may be left 0.
    """
    stretches = plan.stretches(sound.sample_rate)
    if sound.sample_rate == plan.sample_rate:
        return _fill(sound, start_s, stretches, out)
    n_source = ceil(plan.n_samples * sound.sample_rate / plan.sample_rate)
    source = np.zeros(n_source, dtype=np.float32)
    if not _fill(sound, start_s, stretches, source):
        return False
    rates = (sound.sample_rate, plan.sample_rate)
    if len(stretches) == 1:
        out[:] = resampled(source, *rates)[: len(out)]
    else:
        resampled_frames(source, *rates, plan.n_fft, plan.hop_length, out)
    return True


def _fill(sound: Sound, start_s: float, stretches: tuple[Stretch, ...], out: FloatArray) -> bool:
    """Fill ``out`` with sound at the file's own rate; say whether it is whole and sane."""
    max_gap = round(_MAX_GAP_S * sound.sample_rate)
    max_jitter = max(max_gap, round(sound.step_s * sound.sample_rate))
    is_filled = np.zeros(len(out), dtype=bool)
    position = -_NO_END
    for batch in _batches(frames_from(sound, start_s, stretches)):
        rest = to_mono([placed.frame for placed in batch])
        for frame, place in batch:
            part, rest = rest[: frame.samples], rest[frame.samples :]
            # Time stamps jitter by a few samples in some formats; the sound itself does not.
            begin = position if abs(place - position) <= max_jitter else place
            position = begin + frame.samples
            inside = slice(max(0, begin), max(0, position))
            out[inside] = part[max(0, -begin) :][: max(0, len(out) - inside.start)]
            is_filled[inside] = True
    n_missing = sum(int(np.count_nonzero(~is_filled[begin:end])) for begin, end in stretches)
    # A float file may hold NaN, which would make every probability NaN.
    is_sane = bool(np.isfinite(out.sum()))
    return is_sane and n_missing <= max_gap


def _batches(frames: Iterable[Placed]) -> Iterator[list[Placed]]:
    """Yield frames, as many at a time as are best turned to mono at once."""
    batch: list[Placed] = []
    n_samples = 0
    for placed in frames:
        batch.append(placed)
        n_samples += placed.frame.samples
        if n_samples >= _BATCH:
            yield batch
            batch, n_samples = [], 0
    if batch:
        yield batch


def _check_something_was_decoded(segments: Segments, plan: SegmentPlan, path: Path) -> None:
    """Tell a short track, which is fine, from one in which nothing can be decoded."""
    if not segments.duration_s:
        raise AudioDecodeError(NOT_AUDIO, path)
    if not segments.starts_s and segments.duration_s >= plan.segment_s:
        raise AudioDecodeError(Reason(ReasonCode.DAMAGED, {"needed_s": plan.segment_s}), path)
