"""What persons have set, to be asked by album and by artist.

Copies of a recording count once: FLAC and MP3 of an album are one witness.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from tagger.evidence.artists import Artists
from tagger.evidence.draws import IntArray
from tagger.evidence.names import Album


@dataclass(frozen=True, slots=True)
class Columns:
    """Files with a genre that a person set, (n,) each, as numbers.

    Args:
        place: The caller's number of the file.
        artist, album: Whose it is, and of what; -1 is none.
        value: Its genres, as one value.
        written: The same as they are spelt.
        recording: Which recording it holds.
        observation: Likewise, but recordings that one answer of the owner gave a genre are one.
    """

    place: IntArray
    artist: IntArray
    album: IntArray
    value: IntArray
    written: IntArray
    recording: IntArray
    observation: IntArray

    def take(self, rows: IntArray) -> Columns:
        """Return those rows only."""
        return Columns(*(getattr(self, column.name)[rows] for column in fields(self)))


class Word(NamedTuple):
    """What some recordings say together.

    Args:
        value: What more than half of them are called; -1 where no value is.
        n_agreeing: How many are.
        n_recordings: How many there are.
    """

    value: int
    n_agreeing: int
    n_recordings: int


_NOTHING = Word(-1, 0, 0)


class Library:
    """What persons have set.

    Args:
        columns: All files.
        artists: Tells artists apart, by number.
        albums: {album, its artist as ``Artists.who`` has it: its number}.
        values: By number.
        written: By number.
        by_folder: Places of files of which the folders tell artist or album.
    """

    def __init__(
        self,
        columns: Columns,
        *,
        artists: Artists,
        albums: Mapping[Album, int],
        values: Sequence[frozenset[str]],
        written: Sequence[tuple[str, ...]],
        by_folder: frozenset[int] = frozenset(),
    ) -> None:
        self.columns = columns
        self.values = values
        self.written = written
        self.by_folder = by_folder
        self._artists = artists
        self._albums = albums
        self._albums_asked: dict[int, _Voices] = {}
        self._artists_asked: dict[int, _Voices] = {}

    def without(self, places: Iterable[int]) -> Library:
        """Return the library without some files."""
        stay = ~np.isin(self.columns.place, list(places))
        return Library(
            self.columns.take(np.flatnonzero(stay)),
            artists=self._artists,
            albums=self._albums,
            values=self.values,
            written=self.written,
            by_folder=self.by_folder,
        )

    def observed(self) -> Library:
        """Return the library in which what the owner said once is there once.

        However many tracks an answer settles, it is one word: they cannot bear each other out.
        """
        return Library(
            replace(self.columns, recording=self.columns.observation),
            artists=self._artists,
            albums=self._albums,
            values=self.values,
            written=self.written,
            by_folder=self.by_folder,
        )

    def of_album(self, album: Album | None) -> Word:
        """Return what the tracks of an album say."""
        number = self._number_of(album)
        return self._album(number).word() if number >= 0 else _NOTHING

    def of_artist(self, artist: str, album: Album | None) -> Word:
        """Return what the tracks by an artist say that are not on an album as well."""
        number = self._artists.number(artist)
        if number < 0:
            return _NOTHING
        return self._artist(number).word(without=self._recordings_on(album))

    def rows_of(self, value: int, *, artist: str = "", album: Album | None = None) -> IntArray:
        """Return the files of an album that say something; or those by an artist on no such album.

        Args:
            value: What they say.
            artist: Whose other albums are asked; "" asks the album.
            album: The album.
        """
        columns, here = self.columns, self._number_of(album)
        if not artist:
            rows = self._by_album.rows(here)
        else:
            rows = self._by_artist.rows(self._artists.number(artist))
            rows = rows[~np.isin(columns.recording[rows], list(self._recordings_on(album)))]
        agreeing: IntArray = rows[columns.value[rows] == value]
        return agreeing

    def genres_of(self, rows: IntArray) -> tuple[str, ...]:
        """Return how some files' genres are spelt, most of them."""
        counts = Counter(self.written[n] for n in self.columns.written[rows])
        return min(counts, key=lambda genres: (-counts[genres], genres))

    def _number_of(self, album: Album | None) -> int:
        return -1 if album is None else self._albums.get(told_apart(album, self._artists), -1)

    def _recordings_on(self, album: Album | None) -> Collection[int]:
        number = self._number_of(album)
        return self._album(number).called.keys() if number >= 0 else ()

    def _album(self, number: int) -> _Voices:
        if number not in self._albums_asked:
            self._albums_asked[number] = _voices(self.columns, self._by_album.rows(number))
        return self._albums_asked[number]

    def _artist(self, number: int) -> _Voices:
        if number not in self._artists_asked:
            self._artists_asked[number] = _voices(self.columns, self._by_artist.rows(number))
        return self._artists_asked[number]

    @cached_property
    def _by_album(self) -> Index:
        return Index(self.columns.album)

    @cached_property
    def _by_artist(self) -> Index:
        return Index(self.columns.artist)


def told_apart(album: Album, artists: Artists) -> Album:
    """Return an album by whose it is: however the artist is spelt, and of two ids one."""
    return album._replace(artist=artists.who(album.artist))


class Index:
    """The rows of each number of a column."""

    def __init__(self, numbers: IntArray) -> None:
        self._order = np.argsort(numbers, kind="stable")
        self._sorted = numbers[self._order]

    def rows(self, number: int) -> IntArray:
        """Return the rows of a number."""
        begin, end = np.searchsorted(self._sorted, [number, number + 1])
        return self._order[begin:end]


@dataclass(frozen=True, slots=True)
class _Voices:
    """What each recording of an album or an artist is called.

    Args:
        called: {recording: its value}; -1 where its copies are of two minds.
        counts: {value: how many recordings}.
    """

    called: Mapping[int, int]
    counts: Counter[int]

    def word(self, without: Collection[int] = ()) -> Word:
        """Return what they say together, but for some recordings."""
        counts = self.counts
        if without:
            left_out = Counter(self.called.get(one, -1) for one in without)
            counts = Counter({value: n - left_out[value] for value, n in counts.items()})
        value, n_agreeing = _majority(counts)
        return Word(value, n_agreeing, counts.total())


def _voices(columns: Columns, rows: IntArray) -> _Voices:
    copies: dict[int, Counter[int]] = {}
    recording, value = columns.recording[rows].tolist(), columns.value[rows].tolist()
    for one, said in zip(recording, value, strict=True):
        copies.setdefault(one, Counter())[said] += 1
    called = {one: _majority(said)[0] for one, said in copies.items()}
    return _Voices(called, Counter(value for value in called.values() if value >= 0))


def _majority(counts: Counter[int]) -> tuple[int, int]:
    """Return the value that more than half have, and how many do; else -1 and 0.

    >>> _majority(Counter([4, 4, 5])), _majority(Counter([4, 5])), _majority(Counter())
    ((4, 2), (-1, 0), (-1, 0))
    """
    value, n = max(counts.items(), key=lambda item: item[1], default=(-1, 0))
    return (value, n) if 2 * n > counts.total() else (-1, 0)
