"""What folders tell of files whose tags name no artist or no album, if they tell it rightly here.

Most libraries keep one layout. Each is held against the files whose tags say both: a layout is
believed as often as the folders name what those tags name, at the least, and below the folders
where it does.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tagger.evidence.draws import surely_right
from tagger.evidence.names import (
    artist_key,
    artist_of,
    is_nobody,
    is_various,
    title_of_album,
    without_disc,
)
from tagger.evidence.trials import BAR, LEAST_ARTISTS, LEAST_TRIALS
from tagger.records import TagsFound

_YEAR = r"(?:19|20)\d{2}"
_YEAR_FIRST = re.compile(rf"^(?:[\[(]{_YEAR}[\])]\s*[-–]?|{_YEAR}\s*[-–])\s*(?=\S)")
_YEAR_LAST = re.compile(rf"(?<=\S)\s*[\[(]{_YEAR}[\])]$")
_ONLY_YEAR = re.compile(_YEAR)


class Layout(Enum):
    """How folders are named; a year beside the album counts for nothing."""

    NESTED = "Artist/Album"
    JOINED = "Artist - Album"


class Reading(NamedTuple):
    """What a file's folder tells by a layout.

    Args:
        layout: That.
        base: The folder in which those that are named so lie.
        artist, album: As they are spelt there.
    """

    layout: Layout
    base: str
    artist: str
    album: str

    def told(self, tags: TagsFound) -> TagsFound:
        """Return tags with what they do not name themselves."""
        artist = tags.artist if artist_of(tags) else self.artist
        return replace(tags, artist=artist, album=tags.album.strip() or self.album)


def readings_of(path: Path, tags: TagsFound) -> tuple[Reading, ...]:
    """Return what the folders of a file may tell besides its tags; () where these say it all.

    What the tags do name must stand in the folders as well.

    >>> [one.artist for one in readings_of(Path("/m/Joni/1971 - Blue/1.mp3"), TagsFound())]
    ['Joni']
    >>> readings_of(Path("/m/Joni/Blue/1.mp3"), TagsFound(artist="Sparks"))
    ()
    """
    album = tags.album.strip()
    if album and tags.artist.strip():  # the usual case, told without asking who the artist is
        return ()
    artist = artist_of(tags)
    if (artist and album) or is_various(tags.album_artist, "".join(tags.mb_album_artists)):
        return ()
    return tuple(
        one
        for one in _readings(_folder_of(path))
        if (not artist or artist_key(artist) == artist_key(one.artist))
        and (not album or title_of_album(album) == title_of_album(one.album))
    )


def _folder_of(path: Path) -> str:
    return os.fspath(path).rpartition(os.sep)[0]


@lru_cache(maxsize=1 << 10)  # of one album after the other
def _readings(folder: str) -> tuple[Reading, ...]:
    return tuple(_read(folder))


def _read(folder: str) -> Iterator[Reading]:
    parent, name = os.path.split(without_disc(folder))
    above, artist = os.path.split(parent)
    joined, _, album = name.partition(" - ")
    for one in (
        Reading(Layout.NESTED, above, artist, without_year(name)),
        Reading(Layout.JOINED, parent, joined.strip(), without_year(album.strip())),
    ):
        if one.album and not is_nobody(one.artist) and not _ONLY_YEAR.fullmatch(one.artist):
            yield one


def without_year(title: str) -> str:
    """Return an album's title without a year before or after it.

    >>> [without_year(one) for one in ("1971 - Blue", "(1971) Blue", "Blue [1971]", "1999 X")]
    ['Blue', 'Blue', 'Blue', '1999 X']
    """
    return _YEAR_LAST.sub("", _YEAR_FIRST.sub("", title))


@dataclass(frozen=True, slots=True)
class Held:
    """A layout that folders hold to in a library.

    Args:
        layout: That.
        least: How often they name what tags name, as low as 19 of 20 draws of the artists have it.
        bases: The folders below which they do.
    """

    layout: Layout
    least: float
    bases: frozenset[str]

    def holds(self, layout: Layout, base: str) -> bool:
        """Return whether what folders there tell by a layout is to be believed."""
        return layout is self.layout and base in self.bases

    def told(self, readings: Iterable[Reading]) -> Reading | None:
        """Return which of some readings is to be believed."""
        return next((one for one in readings if self.holds(one.layout, one.base)), None)


_Named = tuple[str, str, str, str, tuple[str, ...]]
"""A folder, and what names artist and album in tags there, as ``_trials`` takes them."""


class Layouts:
    """Counts how often folders name what the tags of the files in them name.

    A walk gives it every file, and few runs ask: what an album's files have in common is counted,
    and judged only then.
    """

    def __init__(self) -> None:
        self._n_files: dict[_Named, int] = {}
        self._n: dict[tuple[Layout, str, str], int] = {}
        self._n_right: dict[tuple[Layout, str, str], int] = {}

    def take(self, path: Path, tags: TagsFound) -> None:
        """Take a file that bears a person's genre."""
        if tags.album:
            named = (
                _folder_of(path),
                tags.artist,
                tags.album,
                tags.album_artist,
                tags.mb_album_artists,
            )
            self._n_files[named] = self._n_files.get(named, 0) + 1

    def _judge(self) -> None:
        """Count what was taken since by layout, folder and artist."""
        for named, n_files in self._n_files.items():
            for key, is_right in _trials(*named):
                self._n[key] = self._n.get(key, 0) + n_files
                self._n_right[key] = self._n_right.get(key, 0) + n_files * is_right
        self._n_files.clear()

    def surest(self, *, seed: int = 0) -> Held | None:
        """Return the layout that holds; None where none does, or too little is known."""
        self._judge()
        found = [one for layout in Layout if (one := self._held(layout, seed)) is not None]
        return max(found, key=lambda one: one.least, default=None)

    def _held(self, layout: Layout, seed: int) -> Held | None:
        keys = sorted((key for key in self._n if key[0] is layout), key=lambda key: key[1:])
        artists = np.unique([key[2] for key in keys], return_inverse=True)[1]
        n = np.array([self._n[key] for key in keys], np.int64)
        n_right = np.array([self._n_right[key] for key in keys], np.int64)
        if n.sum() < LEAST_TRIALS or len(np.unique(artists)) < LEAST_ARTISTS:
            return None
        trials = np.repeat(artists, n)
        place = np.arange(len(trials)) - np.repeat(np.cumsum(n) - n, n)
        least = surely_right(place < np.repeat(n_right, n), trials, seed=seed)
        if least < BAR:
            return None
        bases: dict[str, list[int]] = {}
        for (_, base, _), one, right in zip(keys, n.tolist(), n_right.tolist(), strict=True):
            counts = bases.setdefault(base, [0, 0])
            counts[0] += one
            counts[1] += right
        good = frozenset(base for base, (one, right) in bases.items() if right >= BAR * one)
        return Held(layout, least, good)


def _trials(
    folder: str, artist: str, album: str, album_artist: str, album_artist_ids: tuple[str, ...]
) -> tuple[tuple[tuple[Layout, str, str], bool], ...]:
    """Return, of each layout, what a folder is counted by and whether it names what tags name."""
    tags = TagsFound(
        artist=artist,
        album=album,
        album_artist=album_artist,
        mb_album_artists=album_artist_ids,
    )
    artist = artist_of(tags)
    if not artist or is_various(album_artist, "".join(album_artist_ids)):
        return ()
    key, title = artist_key(artist), title_of_album(album)
    return tuple(
        (
            (one.layout, one.base, key),
            artist_key(one.artist) == key and title_of_album(one.album) == title,
        )
        for one in _readings(folder)
    )
