"""Albums and artists that bear several genres: told, since an owner may not have meant it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tagger.evidence.draws import IntArray
from tagger.evidence.leaving_out import Recordings, count_pairs, recordings
from tagger.evidence.library import Index, Library


@dataclass(frozen=True, slots=True)
class Mixture:
    """An album or an artist whose recordings bear several genres.

    Args:
        place: One of the files, by the caller's number.
        genres: (genres, how many recordings bear them), the commonest first.
    """

    place: int
    genres: tuple[tuple[tuple[str, ...], int], ...]

    @property
    def n_recordings(self) -> int:
        """How many recordings there are."""
        return sum(n for _, n in self.genres)

    @property
    def n_others(self) -> int:
        """How many are not called as the commonest are."""
        return self.n_recordings - self.genres[0][1]


def mixed_albums(library: Library) -> list[Mixture]:
    """Return the albums of several genres, those with the most tracks beside the commonest first.

    Args:
        library: What persons have set.
    """
    one = recordings(library.columns)
    return _sorted(_mixed(library, one, np.where(one.is_on_album > 0, one.album, -1)))


def mixed_artists(library: Library) -> list[Mixture]:
    """Return the artists of several genres, likewise."""
    one = recordings(library.columns)
    return _sorted(_mixed(library, one, one.artist))


def _sorted(found: Iterator[Mixture]) -> list[Mixture]:
    return sorted(found, key=lambda one: (-one.n_others, -one.n_recordings, one.place))


def _mixed(library: Library, one: Recordings, group: IntArray) -> Iterator[Mixture]:
    """Yield the mixed ones of groups (n,) of recordings; -1 is in none."""
    pairs, n_each = count_pairs(group + 1, one.value)
    numbers, n_values = np.unique(pairs[:, 0], return_counts=True)
    by_group, by_row, called = Index(pairs[:, 0]), Index(group), Index(library.columns.value)
    spelt: dict[int, tuple[str, ...]] = {}
    for number in numbers[(n_values > 1) & (numbers > 0)].tolist():
        rows = by_group.rows(number)
        rows = rows[np.argsort(-n_each[rows], kind="stable")]
        values = pairs[rows, 1].tolist()
        for value in values:
            if value not in spelt:
                spelt[value] = library.genres_of(called.rows(value))
        first = one.row[by_row.rows(number - 1)[0]]
        yield Mixture(
            place=int(library.columns.place[first]),
            genres=tuple(
                (spelt[value], n) for value, n in zip(values, n_each[rows].tolist(), strict=True)
            ),
        )
