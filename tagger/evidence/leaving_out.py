"""What would be said of each recording if nothing were set for it, or for its whole album.

One track is left out at a time, with all its copies, to see what the rest of its album says; and
one album at a time, to see what the artist's other albums say. Each recording stands for its copies
and is on one album here, so that no copy of it can speak for it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tagger.evidence.draws import BoolArray, IntArray
from tagger.evidence.library import Columns, Library
from tagger.evidence.names import tells_of_no_artist

MOST = 3  # recordings that agree are told apart up to so many
_WIDE = 1 << 31  # two numbers below it make one of 62 bits


@dataclass(frozen=True, slots=True)
class Trials:
    """What was said of recordings that were left out, (n,) each.

    Args:
        kind, n_agreeing, rest: The class, by number.
        is_right: Whether the owner says the same.
        artist: Whose it is.
        row: The library's row of its first copy.
        said: What was said.
        n_saying, n_asked, n_alike: Recordings that say so, that were asked, and that are called
            what it is called itself.
        n_beside: Other recordings on its album.
    """

    kind: IntArray
    n_agreeing: IntArray
    rest: IntArray
    is_right: IntArray
    artist: IntArray
    row: IntArray
    said: IntArray
    n_saying: IntArray
    n_asked: IntArray
    n_alike: IntArray
    n_beside: IntArray

    def joined(self, others: Trials) -> Trials:
        """Return these and others."""
        return Trials(
            *(
                np.concatenate([getattr(self, name), getattr(others, name)])
                for name in self.__dataclass_fields__
            )
        )

    def take(self, rows: IntArray) -> Trials:
        """Return those rows only."""
        return Trials(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))

    def of(self, kind: int, n: int, rest: int) -> Trials:
        """Return those of one class."""
        is_of = (self.kind == kind) & (self.n_agreeing == n) & (self.rest == rest)
        return self.take(np.flatnonzero(is_of))

    def up_to(self, kind: int, n: int) -> Trials:
        """Return those of a kind with so many witnesses or fewer."""
        return self.take(np.flatnonzero((self.kind == kind) & (self.n_agreeing <= n)))


def trials_of(library: Library) -> Trials:
    """Return what would be said of each recording if nothing were set for it, or its album."""
    alone = recordings(library.columns)
    kept = [not tells_of_no_artist(value) for value in library.values]
    elsewhere = _elsewhere(alone)
    return _by_album(alone, elsewhere).joined(
        _by_artist(alone, elsewhere, np.array(kept, np.bool_))
    )


@dataclass(frozen=True, slots=True)
class Recordings:
    """Each recording once, (n,).

    Args:
        artist: Whose it is; -1 is nobody's.
        album: The one it is on; of one that no tag puts on an album, a number of its own.
        value: What most of its copies are called.
        group: Whom it is drawn with: its artist, or else its album.
        is_on_album: Whether a tag puts it on an album.
        row: The library's row of its first copy.
    """

    artist: IntArray
    album: IntArray
    value: IntArray
    group: IntArray
    is_on_album: IntArray
    row: IntArray


def recordings(columns: Columns) -> Recordings:
    """Return each recording once, but for those whose copies are of two minds."""
    _, first, of_row = np.unique(columns.recording, return_index=True, return_inverse=True)
    value, _, is_clear = _commonest(of_row, columns.value, len(first))
    n_albums = int(columns.album.max(initial=-1)) + 1
    album = np.arange(len(first)) + n_albums
    np.minimum.at(album, of_row, np.where(columns.album < 0, album[of_row], columns.album))
    artist = columns.artist[first]
    group = np.where(artist < 0, album + int(artist.max(initial=0)) + 1, artist)
    is_on_album = (album < n_albums).astype(np.int64)
    every = (artist, album, value, group, is_on_album, first)
    return Recordings(*(column[is_clear] for column in every))


def _commonest(
    group: IntArray, value: IntArray, n_groups: int
) -> tuple[IntArray, IntArray, BoolArray]:
    """Return each group's commonest value, how many have it, and whether more than half do."""
    pairs, n_each = count_pairs(group, value)
    order = np.lexsort((-n_each, pairs[:, 0]))
    begins = np.searchsorted(pairs[order, 0], np.arange(n_groups))
    best = order[begins]
    n_all = np.bincount(group, minlength=n_groups)
    return pairs[best, 1], n_each[best], 2 * n_each[best] > n_all


def count_pairs(first: IntArray, second: IntArray) -> tuple[IntArray, IntArray]:
    """Return the pairs that there are, (n, 2), in order, and how often each is there."""
    codes, n_each = np.unique(first * _WIDE + second, return_counts=True)
    return np.column_stack([codes // _WIDE, codes % _WIDE]), n_each


def _by_album(one: Recordings, elsewhere: _Elsewhere) -> Trials:
    """Return what albums say of tracks that are left out."""
    said, n_agreeing = _rest_of_album(one)
    rest = np.where(elsewhere.n_all == 0, 0, np.where(elsewhere.value == said, 1, 2))
    rows = np.flatnonzero(said >= 0)
    n_beside = _n_with(one.album) - 1
    return Trials(
        kind=np.zeros(len(rows), np.int64),
        n_agreeing=np.minimum(n_agreeing, MOST)[rows],
        rest=rest[rows],
        is_right=(said == one.value)[rows].astype(np.int64),
        artist=one.group[rows],
        row=one.row[rows],
        said=said[rows],
        n_saying=n_agreeing[rows],
        n_asked=n_beside[rows],
        n_alike=_n_with(one.album, one.value)[rows] - 1,
        n_beside=n_beside[rows],
    )


def _n_with(*columns: IntArray) -> IntArray:
    """Return how many rows hold what each row holds (n,).

    Args:
        columns: (n,) each, of numbers from -1 on.

    >>> _n_with(np.array([4, 4, 5]), np.array([1, 2, 1])).tolist()
    [1, 1, 1]
    """
    group = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        _, group = np.unique(group * _WIDE + column, return_inverse=True)
    n_with: IntArray = np.bincount(group)[group]
    return n_with


def _rest_of_album(one: Recordings) -> tuple[IntArray, IntArray]:
    """Return what the majority of a recording's album is called without it, and how many are."""
    said = np.full(len(one.album), -1, np.int64)
    n_said = np.zeros(len(one.album), np.int64)
    if not len(said):
        return said, n_said
    pairs, n_each = count_pairs(one.album, one.value)
    n_all = np.bincount(one.album)[one.album] - 1
    order = np.lexsort((-n_each, pairs[:, 0]))
    ranked = pairs[order]
    begins = np.searchsorted(ranked[:, 0], one.album)
    for rank in range(2):  # where the commonest loses a voice, it may be the second
        at = np.minimum(begins + rank, len(order) - 1)
        is_there = ranked[at, 0] == one.album
        n_left = n_each[order][at] - (ranked[at, 1] == one.value)
        is_majority = is_there & (2 * n_left > n_all)
        said = np.where(is_majority, ranked[at, 1], said)
        n_said = np.where(is_majority, n_left, n_said)
    return said, n_said


@dataclass(frozen=True, slots=True)
class _Elsewhere:
    """What an artist's other albums say of a recording, (n,) each.

    Args:
        value: What most are called; -1 where no value is.
        n_agreeing: How many are.
        n_all: How many there are.
    """

    value: IntArray
    n_agreeing: IntArray
    n_all: IntArray


def _by_artist(one: Recordings, elsewhere: _Elsewhere, is_kept: BoolArray) -> Trials:
    """Return what an artist's other albums say of tracks whose whole album is left out."""
    rows = np.flatnonzero(elsewhere.value >= 0)
    rows = rows[is_kept[elsewhere.value[rows]]]
    is_unanimous = elsewhere.n_agreeing == elsewhere.n_all
    return Trials(
        kind=np.ones(len(rows), np.int64),
        n_agreeing=np.minimum(elsewhere.n_agreeing, MOST)[rows],
        rest=np.where(is_unanimous, 1, 2)[rows],
        is_right=(elsewhere.value == one.value)[rows].astype(np.int64),
        artist=one.group[rows],
        row=one.row[rows],
        said=elsewhere.value[rows],
        n_saying=elsewhere.n_agreeing[rows],
        n_asked=elsewhere.n_all[rows],
        n_alike=(_n_with(one.artist, one.value) - _n_with(one.artist, one.album, one.value))[rows],
        n_beside=_n_with(one.album)[rows] - 1,
    )


def _elsewhere(one: Recordings) -> _Elsewhere:
    """Return what each recording's artist is called on other albums."""
    nothing = np.zeros(len(one.artist), np.int64)
    rows = np.flatnonzero(one.artist >= 0)
    if not len(rows):
        return _Elsewhere(nothing - 1, nothing, nothing)
    codes = one.artist[rows] * _WIDE + one.album[rows]
    albums, of_row, n_here = np.unique(codes, return_inverse=True, return_counts=True)
    artist = albums // _WIDE
    n_out = np.bincount(one.artist[rows])[artist] - n_here
    value, n_most = _most_elsewhere(one.artist[rows], one.value[rows], artist, of_row)
    is_majority = 2 * n_most > n_out
    found = _Elsewhere(nothing - 1, nothing.copy(), nothing.copy())
    found.value[rows] = np.where(is_majority, value, -1)[of_row]
    found.n_agreeing[rows] = np.where(is_majority, n_most, 0)[of_row]
    found.n_all[rows] = n_out[of_row]
    return found


def _most_elsewhere(
    artist: IntArray, value: IntArray, artist_of_album: IntArray, album: IntArray
) -> tuple[IntArray, IntArray]:
    """Return the commonest value of an artist without each of the albums, and how many have it.

    Args:
        artist: (n,) of each recording.
        value: (n,) likewise.
        artist_of_album: (n_albums,).
        album: (n,) of each recording.
    """
    n_values = int(value.max()) + 1
    pairs, n_artist = count_pairs(artist, value)
    codes = pairs[:, 0] * n_values + pairs[:, 1]
    here, n_here = count_pairs(album, value)
    in_all = np.searchsorted(codes, artist_of_album[here[:, 0]] * n_values + here[:, 1])
    n_left = n_artist[in_all] - n_here
    # Of the values that are on the album as well, the one of which most is left.
    order = np.lexsort((-n_left, here[:, 0]))
    best = order[np.searchsorted(here[order, 0], np.arange(len(artist_of_album)))]
    found, n_found = here[best, 1], n_left[best]
    # Of the others, the commonest: the artist's are gone through, the commonest first.
    ranked = np.lexsort((-n_artist, pairs[:, 0]))
    begins = np.searchsorted(pairs[ranked, 0], artist_of_album)
    is_here = here[:, 0] * n_values + here[:, 1]
    open_ = np.arange(len(artist_of_album))
    for rank in range(len(ranked)):
        at = begins[open_] + rank
        open_, at = open_[at < len(ranked)], at[at < len(ranked)]
        is_own = pairs[ranked[at], 0] == artist_of_album[open_]
        open_, at = open_[is_own], ranked[at[is_own]]
        if not len(open_):
            break
        is_new = ~np.isin(open_ * n_values + pairs[at, 1], is_here)
        ahead = is_new & (n_artist[at] > n_found[open_])
        found[open_[ahead]], n_found[open_[ahead]] = pairs[at[ahead], 1], n_artist[at[ahead]]
        open_ = open_[~is_new]
    return found, n_found
