"""Sound and covers for the page, made on the way in worker processes that may crash or hang."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from tagger.errors import WorkersError
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


_NOTHING = None, Media()


def in_a_worker(task: MediaTask) -> Media:
    """Carry a task out in a worker process."""
    from tagger.hearing.pool import LocalWorkers, Lost
    from tagger.review.playing import limit, make

    workers = LocalWorkers(1)
    try:
        (made,) = workers.map_unordered(make, [task], timeout_s=_TIMEOUT_S, prepare=limit)
    except WorkersError as exc:
        return Media(why_none=str(exc))
    return Media(why_none=str(made.reason)) if isinstance(made, Lost) else made


class MediaMaker:
    """Asks the workers, one task at a time: the page has one listener.

    Args:
        card: Of the model whose segments are played.
        make: Carries a task out.
    """

    def __init__(self, card: ModelCard, make: Callable[[MediaTask], Media] = in_a_worker) -> None:
        self._card = card
        self._make = make
        self._turn = threading.Lock()
        self._ready: tuple[Path | None, Media] = _NOTHING  # made before it was asked for
        self._wanted: SimpleQueue[Path] = SimpleQueue()
        self._ahead = threading.Thread(target=self._make_ahead, name="sound", daemon=True)

    def sound(self, path: Path) -> Media:
        """Return what the network heard of a file, as a WAV."""
        with self._turn:
            made_for, made = self._ready
            self._ready = _NOTHING
            return made if made_for == path else self._make(self._sound_of(path))

    def cover(self, path: Path) -> Media:
        """Return a file's front cover."""
        with self._turn:
            return self._make(MediaTask(path))

    def warm_up(self) -> None:
        """Start the workers, so that the first sound need not wait for them."""
        self.cover(Path("/nonexistent"))

    def prepare(self, path: Path) -> None:
        """Make the sound of a file ahead: it will most likely be asked for next."""
        self._wanted.put(path)
        with suppress(RuntimeError):  # it runs already
            self._ahead.start()

    def _make_ahead(self) -> None:
        while True:
            path = self._wanted.get()
            if self._wanted.empty():  # else the owner has gone on already
                with self._turn:
                    self._ready = path, self._make(self._sound_of(path))

    def _sound_of(self, path: Path) -> MediaTask:
        return MediaTask(path, self._card.segment_s, min(_MOST_SEGMENTS, self._card.max_segments))
