"""The tracks whose genre a person set: the owner's own word, told file by file.

A witness costs some dozens of bytes, so that all of a large library can be held. Nothing that is
asked of it depends on the order in which the files were told.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from tagger.evidence.artists import Artists, identity, marks_of
from tagger.evidence.draws import IntArray
from tagger.evidence.folders import Held, Layout, Reading
from tagger.evidence.library import Columns, Library, told_apart
from tagger.evidence.names import (
    Album,
    album_of,
    artist_id_of,
    artist_key,
    artist_of,
    is_nobody,
    title_key,
)
from tagger.genre_text import FILLER_KEYS, are_among, key_of
from tagger.records import TagsFound

Value = frozenset[str]
"""A set of genres as one value: the keys of those that say something."""

_Name = TypeVar("_Name", bound=Hashable)
_NONE = -1
_COLUMNS = ("place", "artist", "album", "written", "answer", "folder")
_SPREAD = -7046029254386353131  # 2 ** 64 over the golden ratio: multiples of it differ in all bits


class About(NamedTuple):
    """Which track a file is.

    Args:
        artist: Who its artist is, as ``artists.identity`` has it; "" where that is none.
        album: Its album, or None.
        title: What its recording is called, as a key.
        ids: Its recording's MusicBrainz id and its ISRC; "" where it has none.
    """

    artist: str
    album: Album | None
    title: str
    ids: tuple[str, str]


def about(path: Path, tags: TagsFound) -> About:
    """Return which track a file is, by its tags and its folder.

    >>> about(Path("/m/a/1.mp3"), TagsFound(album="Blue", artist="Joni", title="Carey"))
    About(artist='joni', album=Album(folder='/m/a', title='blue', artist='joni'), \
title='carey', ids=('', ''))
    """
    folder, _, name = os.fspath(path).rpartition(os.sep)
    artist, album = _whose(
        folder, tags.artist, tags.album, tags.album_artist, tags.mb_artists, tags.mb_album_artists
    )
    return About(
        artist,
        album,
        title=title_key(tags.title) or title_key(os.path.splitext(name)[0]),  # noqa: PTH122
        ids=(tags.mb_recording, tags.isrc),
    )


@lru_cache(maxsize=1 << 10)  # of one album after the other
def _whose(
    folder: str,
    artist: str,
    album: str,
    album_artist: str,
    mb_artists: tuple[str, ...],
    mb_album_artists: tuple[str, ...],
) -> tuple[str, Album | None]:
    tags = TagsFound(
        artist=artist,
        album=album,
        album_artist=album_artist,
        mb_artists=mb_artists,
        mb_album_artists=mb_album_artists,
    )
    name, musicbrainz_id = artist_of(tags), artist_id_of(tags)
    is_none = is_nobody(name, musicbrainz_id)
    artist = "" if is_none else identity(artist_key(name), musicbrainz_id)
    return artist, album_of(folder, tags)


def value_of(genres: Iterable[str]) -> Value:
    """Return a set of genres as one value.

    >>> value_of(["Hip-Hop", "Jazz"]) == value_of(["jazz", "hip hop"]), value_of(["Other"])
    (True, frozenset())
    """
    return frozenset(map(key_of, genres)) - FILLER_KEYS - {""}


class Witnesses:
    """Takes the files with a genre that a person set, and gives the library that they make.

    Args:
        treat_as_blank: Genres that count as none.
    """

    def __init__(self, treat_as_blank: Sequence[str] = ()) -> None:
        self._treat_as_blank = treat_as_blank
        self._artists: dict[Hashable, int] = {}
        self._marks: set[str] = set()
        self._albums: dict[Hashable, int] = {}
        self._titles: set[tuple[str, str]] = set()  # folder and title of each
        self._written: dict[Hashable, int] = {}
        self._told: dict[tuple[str, ...], int] = {}  # as they stand in files
        self._readings: dict[tuple[Layout, str], int] = {}
        self._columns = {name: array("q") for name in _COLUMNS}
        # What two copies of a recording have in common; of two that differ, 64 bits of a hash do.
        self._ids = tuple(array("q") for _ in range(3))

    def __len__(self) -> int:
        return len(self._columns["place"])

    def add(
        self,
        place: int,
        track: About,
        genres: Sequence[str],
        *,
        answer: int = _NONE,
        reading: Reading | None = None,
    ) -> bool:
        """Take a file; return whether it says anything, and of anyone.

        A file of which the folders may tell more than its tags is given once by its tags, and once
        by each reading of these: which of them counts is known when all are there.

        Args:
            place: The caller's number of the file.
            track: Which it is.
            genres: Those that a person set.
            answer: The number of the answer that gave them, if one in a review did; -1 is none.
            reading: What its folders tell, if that is not what its tags say alone.
        """
        written = self._number_of(tuple(genres))
        if written == _NONE or not (track.artist or track.album):
            return False
        columns = self._columns
        columns["place"].append(place)
        if track.artist not in self._artists:
            self._marks.update(marks_of(track.artist))
        columns["artist"].append(_number(self._artists, track.artist) if track.artist else _NONE)
        columns["album"].append(_number(self._albums, track.album) if track.album else _NONE)
        if track.album:
            self._titles.add(track.album[:2])
        columns["written"].append(written)
        columns["answer"].append(answer)
        told_by = reading[:2] if reading else None
        columns["folder"].append(_number(self._readings, told_by) if told_by else _NONE)
        for column, text in zip(self._ids, (track.title, *track.ids), strict=True):
            # An artist tells recordings apart once it is known who that is.
            whose = None if track.artist else track.album
            column.append(hash((whose, text)) if text else _NONE)
        return True

    def speak_of(self, artist: str, album: Album | None) -> bool:
        """Return whether any file may be by an artist, or of an album."""
        if album is not None and album[:2] in self._titles:
            return True
        return not self._marks.isdisjoint(marks_of(artist))

    def _number_of(self, genres: tuple[str, ...]) -> int:
        """Return the number of what some genres say of the music; -1 is nothing."""
        if genres not in self._told:
            telling = tuple(
                genre
                for genre in genres
                if value_of([genre]) and not are_among([genre], self._treat_as_blank)
            )
            self._told[genres] = _number(self._written, telling) if telling else _NONE
        return self._told[genres]

    def library(self, held: Held | None = None) -> Library:
        """Return what all say together.

        Args:
            held: How folders are named here, where they may tell artist or album.
        """
        written: list[Any] = list(self._written)
        values: dict[Value, int] = {}
        of_written = [values.setdefault(value_of(genres), len(values)) for genres in written]
        identities: list[Any] = list(self._artists)
        named: list[Any] = list(self._albums)
        artists = Artists([*identities, *(album.artist for album in named)])
        new_artist = np.array([*map(artists.number, identities), _NONE], np.int64)
        # Numbers that follow the names, as those of artists do.
        albums, new_album = _sorted([told_apart(album, artists) for album in named])
        columns = {name: np.array(column, np.int64) for name, column in self._columns.items()}
        ids = [np.array(column, np.int64) for column in self._ids]
        by_folder: frozenset[int] = frozenset()
        if self._readings:
            rows, by_folder = self._counting(columns, held)
            columns = {name: column[rows] for name, column in columns.items()}
            ids = [column[rows] for column in ids]
        artist = new_artist[columns["artist"]]
        value = np.array(of_written, np.int64)[columns["written"]]
        recording = _joined(*(_of(artist, column) for column in ids))
        return Library(
            Columns(
                place=columns["place"],
                artist=artist,
                album=new_album[columns["album"]],
                value=value,
                written=columns["written"],
                recording=recording,
                observation=_joined(recording, _said_at_once(columns["answer"], value)),
            ),
            artists=artists,
            albums=albums,
            values=tuple(values),
            written=tuple(written),
            by_folder=by_folder,
        )

    def _counting(
        self, columns: Mapping[str, IntArray], held: Held | None
    ) -> tuple[IntArray, frozenset[int]]:
        """Return the rows that count, each file once, and the files that folders tell of."""
        believed = [
            n for (layout, base), n in self._readings.items() if held and held.holds(layout, base)
        ]
        is_told = np.isin(columns["folder"], believed)
        told = np.unique(columns["place"][is_told])
        is_plain = (columns["folder"] == _NONE) & ~np.isin(columns["place"], told)
        return np.flatnonzero(is_told | is_plain), frozenset(told.tolist())


def _number(known: dict[_Name, int], name: _Name) -> int:
    return known.setdefault(name, len(known))


def _sorted(names: Sequence[Album]) -> tuple[dict[Album, int], IntArray]:
    """Return the number of each name, in order, and that of each place; at the end that of none."""
    numbers = {name: n for n, name in enumerate(sorted(set(names)))}
    return numbers, np.array([*(numbers[name] for name in names), _NONE], np.int64)


def _of(artist: IntArray, found: IntArray) -> IntArray:
    """Return ids (n,) that are told apart by artist (n,) as well; -1 stays no id."""
    return np.where(found == _NONE, _NONE, found ^ (artist * _SPREAD))


def _said_at_once(answer: IntArray, value: IntArray) -> IntArray:
    """Return what files (n,) have in common to which one answer gave the same; -1 is none."""
    n_values = int(value.max(initial=0)) + 1
    return np.where(answer == _NONE, _NONE, answer * n_values + value)


def _joined(*ids: IntArray) -> IntArray:
    """Return the number of each file's recording (n,): those with an id in common have one.

    Args:
        ids: (n,) each; -1 is no id.

    >>> _joined(np.array([7, 7, 8, 9]), np.array([-1, 5, 5, -1])).tolist()
    [0, 0, 0, 3]
    """
    label = np.arange(len(ids[0]), dtype=np.int64)
    groups = [
        (rows, np.unique(one[rows], return_inverse=True)[1])
        for one in ids
        if len(rows := np.flatnonzero(one != _NONE))
    ]
    while True:
        before = label.copy()
        for rows, group in groups:
            least = np.full(group.max() + 1, len(label))
            np.minimum.at(least, group, label[rows])
            label[rows] = least[group]
        if np.array_equal(label, before):
            return label
