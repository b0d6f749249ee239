"""Sound and covers for the page, made on the way in worker processes that may crash or hang."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

from tagger.models.card import ModelCard

_MOST_SEGMENTS = 4
_TIMEOUT_S = 10.0


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
        from tagger.review.playing import limit, make

        with self._turn:
            workers = LocalWorkers(1)
            (made,) = workers.map_unordered(make, [task], timeout_s=_TIMEOUT_S, prepare=limit)
        return Media(why_none=str(made.reason)) if isinstance(made, Lost) else made
