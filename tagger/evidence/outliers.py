"""Which tracks stand alone: their genre against that of their album, or of their artist.

What is asked is what fills blanks: the rest of the album; where there is no rest, the artist's
other albums. A class of evidence that is wrong more often than right in this library doubts
nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from tagger.evidence.draws import BoolArray
from tagger.evidence.leaving_out import Trials, trials_of
from tagger.evidence.library import Index, Library
from tagger.evidence.trials import Class, Kind, Rates, Rest

_FEWEST_SAYING = 2  # of two tracks that differ neither stands alone
_TIMES = 4  # as many say otherwise as say the same, where any does
_LEAST_SURE = 0.5


@dataclass(frozen=True, slots=True)
class Lone:
    """A recording whose genre stands alone.

    Args:
        places: Its files, by the caller's numbers.
        kind: Against whom.
        genres: What the rest is called.
        confidence: How often such evidence is right in this library, at the least.
        n_agreeing: Recordings of the rest that say so.
        n_recordings: Recordings of the rest that say anything.
    """

    places: tuple[int, ...]
    kind: Kind
    genres: tuple[str, ...]
    confidence: float
    n_agreeing: int
    n_recordings: int


def lone_tracks(library: Library, rates: Rates) -> list[Lone]:
    """Return the recordings that stand alone, the surest first.

    Args:
        library: What persons have set.
        rates: What each class of evidence is worth there.
    """
    trials = trials_of(library)
    alone = trials.take(np.flatnonzero(_is_alone(trials)))
    found = [one for one in _told(alone, library, rates) if one.confidence > _LEAST_SURE]
    return sorted(found, key=lambda one: (-one.confidence, -one.n_agreeing, one.places))


def _is_alone(trials: Trials) -> BoolArray:
    is_by_artist = trials.kind == list(Kind).index(Kind.ARTIST)
    is_alone: BoolArray = (
        (trials.n_saying >= _FEWEST_SAYING)
        # Where a track is called what the rest is, as many are alike as say so.
        & (trials.n_alike * _TIMES <= trials.n_saying)
        & ~(is_by_artist & (trials.n_beside > 0))
    )
    return is_alone


def _told(alone: Trials, library: Library, rates: Rates) -> Iterator[Lone]:
    columns = library.columns
    copies, called = Index(columns.recording), Index(columns.value)
    kinds, rests = tuple(Kind), tuple(Rest)

    @cache
    def spelt(value: int) -> tuple[str, ...]:
        return library.genres_of(called.rows(value))

    for n, row in enumerate(alone.row.tolist()):
        kind = kinds[alone.kind[n]]
        files = copies.rows(int(columns.recording[row]))
        yield Lone(
            places=tuple(sorted(columns.place[files].tolist())),
            kind=kind,
            genres=spelt(int(alone.said[n])),
            confidence=rates.confidence(
                Class(kind, int(alone.n_agreeing[n]), rests[alone.rest[n]])
            ),
            n_agreeing=int(alone.n_saying[n]),
            n_recordings=int(alone.n_asked[n]),
        )
