"""Learning while the owner answers, in a process of its own: the page never waits for it."""

from __future__ import annotations

import logging
import multiprocessing
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from tagger.errors import CatalogError, TaggerError, how_to_install
from tagger.genre_list import ANY, GenreList
from tagger.review.apart import leave_interrupts

if TYPE_CHECKING:  # the page stands without numpy and SQLAlchemy
    from tagger.learning.examples import IntArray
    from tagger.records import FloatArray

log = logging.getLogger(__name__)

EVERY = 5  # answers
_NEEDED = ("sklearn", "threadpoolctl")
_MISSING = "with scikit-learn it would learn from your answers as well: " + how_to_install(
    "scikit-learn"
)
Ranked = Sequence[tuple[str, float]]


class Likely(Mapping[int, Ranked]):
    """What was learned of many tracks, in little memory: {track_id: genres, likeliest first}.

    Args:
        names: The genres.
        track_ids: (n,) the tracks.
        likeliest: (n, n_most) the numbers of each one's genres.
        probabilities: (n, n_most) theirs.
    """

    def __init__(
        self,
        names: Sequence[str],
        track_ids: IntArray,
        likeliest: IntArray,
        probabilities: FloatArray,
    ) -> None:
        order = track_ids.argsort()
        self._names = tuple(names)
        self._track_ids = track_ids[order]
        self._likeliest = likeliest[order].astype("u2")
        self._probabilities = probabilities[order].astype("f4")

    def __getitem__(self, track_id: int) -> Ranked:
        row = int(self._track_ids.searchsorted(track_id))
        if row == len(self._track_ids) or self._track_ids[row] != track_id:
            raise KeyError(track_id)
        names = (self._names[n] for n in self._likeliest[row].tolist())
        return tuple(zip(names, self._probabilities[row].tolist(), strict=True))

    def __iter__(self) -> Iterator[int]:
        return iter(self._track_ids.tolist())

    def __len__(self) -> int:
        return len(self._track_ids)


@dataclass(frozen=True, slots=True)
class Told:
    """What the learning process tells.

    Args:
        n_observations: Tags and answers that it was learned from; 0 where there is too little.
        likely: {track_id: genres with their probabilities, likeliest first}.
        sure: The tracks whose genre is so likely that it might be filled.
    """

    n_observations: int = 0
    likely: Mapping[int, Ranked] = field(default_factory=dict)
    sure: frozenset[int] = frozenset()


def learn(
    location: str | Path, track_ids: Sequence[int], share: float, genre_list: GenreList = ANY
) -> Told | None:
    """Return what the owner's tags and answers say of some tracks; runs in its own process.

    Args:
        location: The catalogue.
        track_ids: Of the tracks.
        share: That is hoped to be right of what might be filled.
        genre_list: The owner's, in whose words genres are learned.

    Returns:
        None: the catalogue cannot be read now.
    """
    from tagger.catalog import Catalog
    from tagger.learning.reviewing import opinion_on

    try:
        with Catalog.open(location, create=False, read_only=True) as catalog:
            found = opinion_on(catalog, track_ids, share=share, genre_list=genre_list)
    except CatalogError as exc:  # others keep it busy: what was learned before stays
        log.info("nothing is learned: %s", exc)
        return None
    except TaggerError as exc:  # too little yet
        log.info("nothing is learned: %s", exc)
        return Told()
    likely = Likely(found.names, found.track_ids, found.likeliest, found.probabilities)
    is_sure = found.probabilities[:, 0] >= found.least
    return Told(found.n_observations, likely, frozenset(found.track_ids[is_sure].tolist()))


@dataclass
class Learner:
    """Learns anew after every few answers; what it has learned comes by itself.

    Args:
        location: The catalogue.
        asked: Gives the tracks that are still to be asked about.
        take: Given what was learned.
        share: Gives what is hoped to be right of what might be filled.
        genre_list: The owner's, in whose words genres are learned.
    """

    location: str | Path
    asked: Callable[[], Sequence[int]]
    take: Callable[[Told], None]
    share: Callable[[], float]
    genre_list: GenreList = ANY
    n_observations: int = 0
    _n_waiting: int = EVERY  # what is tagged already is learned from at once
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _is_over: bool = False
    _thread: threading.Thread | None = None

    @property
    def why_not(self) -> str:
        """What would make it learn, or "" if it does."""
        return "" if can_learn() else _MISSING

    def start(self) -> None:
        """Begin, if what learning needs is installed."""
        if not self.why_not:
            self._thread = threading.Thread(target=self._run, name="learning", daemon=True)
            self._thread.start()

    def answered(self) -> None:
        """Say that one more answer was given."""
        with self._changed:
            self._n_waiting += 1
            self._changed.notify()

    def undone(self) -> None:
        """Say that an answer was taken back: what was learned from it is to be forgotten now."""
        with self._changed:
            self._n_waiting += EVERY
            self._changed.notify()

    def finish(self) -> None:
        """Learn no more."""
        with self._changed:
            self._is_over = True
            self._changed.notify()

    def _run(self) -> None:
        # Spawned, not forked: this process has threads.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=context, initializer=leave_interrupts) as process:
            while self._wait():
                try:
                    asked = (self.location, self.asked(), self.share(), self.genre_list)
                    told = process.submit(learn, *asked).result()
                except BrokenProcessPool:
                    log.warning("the process that learns has died; suggestions stay as they are")
                    return
                if told is not None:
                    self.n_observations = told.n_observations
                    self.take(told)

    def _wait(self) -> bool:
        """Wait for enough answers; return False when it is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_over or self._n_waiting >= EVERY)
            self._n_waiting = 0
            return not self._is_over


def can_learn() -> bool:
    """Return whether what learning needs is installed; it is not imported here."""
    return all(map(find_spec, _NEEDED))
