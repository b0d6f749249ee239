"""Sound and covers, made in a worker that may crash or hang: WAVs of what a network heard."""

from __future__ import annotations

import io
import resource
import wave
from pathlib import Path

import numpy as np

from tagger.errors import AudioDecodeError, TagReadError
from tagger.records import FloatArray
from tagger.review.media import Media, MediaTask

SAMPLE_RATE = 22_050  # of what is played: as much as most networks hear
_MOST_S = 8.0  # of each segment
_FADE_S = 0.02
_MOST_MEMORY = 2 << 30  # address space of a worker


def make(task: MediaTask) -> Media:
    """Return a cover, or a WAV of what was heard; in a worker, and never raises for a bad file."""
    return _sound(task) if task.segment_s else _cover(task.path)


def limit(_task: MediaTask) -> None:
    """Let a worker take no more memory than a sane file needs, and import what it will need."""
    import tagger.audio
    import tagger.tags.pictures  # noqa: F401

    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, resource.RLIM_INFINITY))


def _cover(path: Path) -> Media:
    from tagger.tags.pictures import cover_of

    found = cover_of(path)
    return Media(*found) if found else Media(why_none="it has no cover")


def _sound(task: MediaTask) -> Media:
    from tagger.audio import SegmentPlan, load_segments, load_waveform
    from tagger.tags import check_limits

    n_samples = round(task.segment_s * SAMPLE_RATE)
    try:
        check_limits(task.path)
        segments = load_segments(task.path, SegmentPlan(SAMPLE_RATE, n_samples, task.max_segments))
        parts = [_middle(one) for one in segments.waveforms[: len(segments.starts_s)]]
        if not parts:  # shorter than one segment: all there is
            parts = [load_waveform(task.path, SAMPLE_RATE, _MOST_S)[0]]
    except (AudioDecodeError, TagReadError) as exc:
        return Media(why_none=exc.reason)
    except MemoryError:
        return Media(why_none="there is not enough memory for it")
    return Media("audio/wav", _wav(np.concatenate([_faded(part) for part in parts])))


def _middle(waveform: FloatArray) -> FloatArray:
    n_most = round(_MOST_S * SAMPLE_RATE)
    start = max(0, (len(waveform) - n_most) // 2)
    return waveform[start : start + n_most]


def _faded(waveform: FloatArray) -> FloatArray:
    """Return a waveform that begins and ends softly, so that a join does not click."""
    n = min(round(_FADE_S * SAMPLE_RATE), len(waveform) // 2)
    faded = waveform.copy()
    ramp = np.linspace(0, 1, n, dtype=np.float32)
    faded[:n] *= ramp
    faded[len(faded) - n :] *= ramp[::-1]
    return faded


def _wav(waveform: FloatArray) -> bytes:
    """Return a WAV file of 16-bit mono."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes((np.clip(waveform, -1, 1) * 32767).astype("<i2").tobytes())
    return out.getvalue()
