"""Sound and covers for the page, made on the way in worker processes that may crash or hang."""

from __future__ import annotations

import io
import resource
import threading
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tagger.errors import AudioDecodeError, TagReadError
from tagger.models.card import ModelCard
from tagger.records import FloatArray

SAMPLE_RATE = 22_050  # of what is played: as much as most networks hear
_MOST_S = 8.0  # of each segment
_MOST_SEGMENTS = 4
_FADE_S = 0.02
_TIMEOUT_S = 10.0
_MOST_MEMORY = 2 << 30  # address space of a worker


@dataclass(frozen=True, slots=True)
class MediaTask:
    """A file, and what is wanted of it.

    Args:
        path: The file.
        segment_s: Length of the segments that the network heard; 0 asks for the cover.
        max_segments: How many it hears at most.
    """

    path: Path
    segment_s: float = 0.0
    max_segments: int = 0


@dataclass(frozen=True, slots=True)
class Media:
    """What a browser is given, or why there is nothing.

    Args:
        media_type: Of the bytes; "" where there are none.
        data: The bytes.
        why_none: In words for a person.
    """

    media_type: str = ""
    data: bytes = b""
    why_none: str = ""


def make(task: MediaTask) -> Media:
    """Return a cover, or a WAV of what was heard; in a worker, and never raises for a bad file."""
    return _sound(task) if task.segment_s else _cover(task.path)


def limit(_task: MediaTask) -> None:
    """Let a worker take no more memory than a sane file needs, and import what it will need."""
    import tagger.audio
    import tagger.tags.pictures  # noqa: F401

    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, resource.RLIM_INFINITY))


class MediaMaker:
    """Asks the workers, one task at a time: the page has one listener.

    Args:
        card: Of the model whose segments are played.
    """

    def __init__(self, card: ModelCard) -> None:
        self._card = card
        self._turn = threading.Lock()

    def sound(self, path: Path) -> Media:
        """Return what the network heard of a file, as a WAV."""
        n_segments = min(_MOST_SEGMENTS, self._card.max_segments)
        return self._made(MediaTask(path, self._card.segment_s, n_segments))

    def cover(self, path: Path) -> Media:
        """Return a file's front cover."""
        return self._made(MediaTask(path))

    def warm_up(self) -> None:
        """Start the workers, so that the first sound need not wait for them."""
        self.cover(Path("/nonexistent"))

    def _made(self, task: MediaTask) -> Media:
        from tagger.hearing.pool import LocalWorkers, Lost

        with self._turn:
            workers = LocalWorkers(1)
            (made,) = workers.map_unordered(make, [task], timeout_s=_TIMEOUT_S, prepare=limit)
        return Media(why_none=str(made.reason)) if isinstance(made, Lost) else made


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
