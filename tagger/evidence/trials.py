"""How often each class of evidence names what the owner set: measured by leaving tracks out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np

from tagger.evidence.draws import surely_right
from tagger.evidence.leaving_out import MOST, Trials, trials_of
from tagger.evidence.library import Library

LEAST_TRIALS = 20
LEAST_ARTISTS = 5
_LEAST_AGREEING = 2  # to be believed without a rate of their own
BAR = 0.75  # three of four, as for all thresholds
TAKEN = 0.9  # for what two and more that agree say, where too little can be measured


class Kind(StrEnum):
    """Who says it."""

    ALBUM = "album"
    ARTIST = "artist"


class Rest(StrEnum):
    """What the artist's other albums say to it; of an artist, whether they all say it."""

    NOTHING = "nothing"
    AGREES = "agrees"
    CONTRADICTS = "contradicts"


class Class(NamedTuple):
    """A class of evidence.

    Args:
        kind: Who says it.
        n_agreeing: How many recordings agree: 1, 2, or 3 and more.
        rest: What the artist's other albums say to it.
    """

    kind: Kind
    n_agreeing: int
    rest: Rest


@dataclass(frozen=True, slots=True)
class Rate:
    """How often a class is right.

    Args:
        least: The share, as low as 19 of 20 draws of the artists have it at the least.
        share: The share itself.
        n_trials: Recordings that were left out.
        n_artists: Whose they are.
    """

    least: float
    share: float
    n_trials: int
    n_artists: int


def class_of(kind: Kind, n_agreeing: int, rest: Rest) -> Class:
    """Return the class of some evidence."""
    return Class(kind, min(n_agreeing, MOST), rest)


@dataclass(frozen=True, slots=True)
class Count:
    """How many recordings were left out, and of how many the right thing was said."""

    n_trials: int
    n_right: int

    @property
    def share(self) -> float:
        """The share that is right."""
        return self.n_right / self.n_trials


_Pool = tuple[Kind, int]  # all of a kind with so many witnesses or fewer


@dataclass(frozen=True, slots=True)
class Rates:
    """What each class is worth in a library.

    Args:
        measured: The classes of which enough could be left out.
        pooled: {(kind, n): that of all with so many witnesses or fewer}, where that is enough.
        seen: What was left out of each of these at all, be it too little for a rate.
    """

    measured: Mapping[Class, Rate]
    pooled: Mapping[_Pool, Rate]
    seen: Mapping[Class | _Pool, Count] = field(default_factory=dict)

    @property
    def are_measured(self) -> bool:
        """Whether the library holds enough to measure anything."""
        return bool(self.pooled)

    def confidence(self, one: Class) -> float:
        """Return how surely a class is right; 0 where nothing is to be believed of it.

        A class that is too rare is believed as all with so many witnesses or fewer are, and no
        more than it was right itself; where those are too rare as well, two that agree are
        believed, unless they were often wrong. None of this holds for a single witness, nor where
        something contradicts: what others are worth says nothing of those.
        """
        if one in self.measured:
            return self.measured[one].least
        if one.n_agreeing < _LEAST_AGREEING or one.rest is Rest.CONTRADICTS:
            return 0.0
        pool = (one.kind, one.n_agreeing)
        if pool in self.pooled:
            own = self.seen.get(one)
            return min(self.pooled[pool].least, own.share if own else 1.0)
        return 0.0 if self._is_doubtful(one) or self._is_doubtful(pool) else TAKEN

    def _is_doubtful(self, one: Class | _Pool) -> bool:
        """Return whether enough trials, by however few artists, were wrong too often."""
        seen = self.seen.get(one)
        return seen is not None and seen.n_trials >= LEAST_TRIALS and seen.share < BAR


def measure(library: Library, *, seed: int = 0) -> Rates:
    """Return what each class of evidence is worth in a library.

    Args:
        library: What persons have set.
        seed: Of the draws of artists.
    """
    trials = trials_of(library.observed())
    measured: dict[Class, Rate] = {}
    pooled: dict[_Pool, Rate] = {}
    seen: dict[Class | _Pool, Count] = {}
    for k, kind in enumerate(Kind):
        for n in range(1, MOST + 1):
            for r, rest in enumerate(Rest):
                one = Class(kind, n, rest)
                of_class = trials.of(k, n, r)
                _put(measured, one, of_class, seed)
                _count_in(seen, one, of_class)
            up_to = trials.up_to(k, n)
            _put(pooled, (kind, n), up_to, seed)
            _count_in(seen, (kind, n), up_to)
    return Rates(measured, pooled, seen)


def _put(rates: dict[Any, Rate], key: Class | _Pool, trials: Trials, seed: int) -> None:
    n_trials, n_artists = len(trials.is_right), len(np.unique(trials.artist))
    if n_trials < LEAST_TRIALS or n_artists < LEAST_ARTISTS:
        return
    is_right = trials.is_right.astype(np.bool_)
    least = surely_right(is_right, trials.artist, seed=seed)
    rates[key] = Rate(least, float(is_right.mean()), n_trials, n_artists)


def _count_in(seen: dict[Class | _Pool, Count], key: Class | _Pool, trials: Trials) -> None:
    if len(trials.is_right):
        seen[key] = Count(len(trials.is_right), int(trials.is_right.sum()))
