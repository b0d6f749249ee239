"""What the owner's own tags say of the tracks of a run.

What a file says counts as long as stat(2) knows it again. How they are gathered is
``tagger.tagging.gathering``'s business.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from tagger.evidence.folders import Held, Reading, readings_of
from tagger.evidence.library import Library
from tagger.evidence.names import Album
from tagger.evidence.trials import Kind, Rates, measure
from tagger.evidence.weighing import Said, weigh
from tagger.evidence.witnesses import About, Witnesses, about
from tagger.records import AudioFile, TagsFound
from tagger.tagging.decision import GenrePolicy, follows

_ENOUGH = 50  # files that stand as they did make what a thousand say sure enough
_MOST_ASKED = 1000  # artists on albums whose word is kept: the walk goes album by album


@dataclass
class Places:
    """Where the witnesses are, and how they stood: their length and time of change."""

    _folders: list[str] = field(default_factory=list)
    _numbers: dict[str, int] = field(default_factory=dict)
    _names: list[str] = field(default_factory=list)
    _columns: tuple[array[int], ...] = field(
        default_factory=lambda: (array("q"), array("q"), array("q"))
    )

    def __len__(self) -> int:
        return len(self._names)

    def add(self, file: AudioFile) -> None:
        """Note a file; its number is how many there were before."""
        folder, _, name = os.fspath(file.path).rpartition(os.sep)
        number = self._numbers.setdefault(folder, len(self._folders))
        if number == len(self._folders):
            self._folders.append(folder)
        self._names.append(name)
        values = (number, file.size_bytes, file.mtime_ns)
        for column, value in zip(self._columns, values, strict=True):
            column.append(value)

    def stands(self, place: int) -> bool:
        """Return whether a file is there and has the length and time of change that it had."""
        folder, size_bytes, mtime_ns = (column[place] for column in self._columns)
        try:
            status = os.stat(f"{self._folders[folder]}{os.sep}{self._names[place]}")  # noqa: PTH116
        except OSError:
            return False
        return (status.st_size, status.st_mtime_ns) == (size_bytes, mtime_ns)


class Whose(NamedTuple):
    """Whose a track is, and of what.

    Args:
        artist, album: By its tags.
        told: {what its folders tell, by a layout: whose it is then}, as pairs.
    """

    artist: str
    album: Album | None
    told: tuple[tuple[Reading, str, Album | None], ...] = ()


def whose(path: Path, tags: TagsFound) -> Whose:
    """Return all that may say whose a track is."""
    one = about(path, tags)
    told = ((reading, about(path, reading.told(tags))) for reading in readings_of(path, tags))
    return Whose(
        one.artist, one.album, tuple((reading, of.artist, of.album) for reading, of in told)
    )


class Ours(NamedTuple):
    """A genre of ours, and all that says whether it follows the owner's tags."""

    whose: Whose
    genres: tuple[str, ...]
    is_by_evidence: bool


class Testimony:
    """What the owner's tags say of tracks, as long as the files that say so stand as they did.

    Args:
        library: What persons have set.
        places: Where that stands.
        kinds: Who is asked.
        rates: What each class of evidence is worth; measured unless it is given.
        ours: How many files of the run bear a genre of ours, by all that counts for one.
        held: How folders are named here, where they may tell artist or album.
    """

    def __init__(
        self,
        library: Library,
        places: Places,
        kinds: Collection[Kind],
        rates: Rates | None = None,
        ours: Mapping[Ours, int] | None = None,
        held: Held | None = None,
    ) -> None:
        self._library = library
        self._places = places
        self._kinds = kinds
        self._layout = held
        self._asked: dict[tuple[str, Album | None, bool], Said | None] = {}
        self._ours = ours or {}
        self.rates = measure(library) if rates is None else rates

    @classmethod
    def none(cls) -> Testimony:
        """Return that of a library in which nobody has set anything."""
        return cls(Witnesses().library(), Places(), (), Rates({}, {}))

    def said(self, path: Path, tags: TagsFound) -> Said | None:
        """Return what the owner's tags say of a track."""
        return self._said_of(whose(path, tags)) if self._kinds else None

    def n_following(self, policy: GenrePolicy) -> int:
        """Return how many genres of ours would become what the tags say now: so many at most.

        A surer sound, or that a person took them back, may keep some of them as they are.
        """
        return sum(
            n
            for one, n in self._ours.items()
            if follows(
                self._said_of(one.whose),
                one.genres,
                policy,
                was_evidence=one.is_by_evidence,
            )
        )

    def _said_of(self, one: Whose) -> Said | None:
        asked = one.artist, one.album, False
        layout = self._layout
        for reading, artist, album in one.told if layout else ():
            if layout is not None and layout.holds(reading.layout, reading.base):
                asked = artist, album, True
        if asked not in self._asked:
            if len(self._asked) >= _MOST_ASKED:
                self._asked.clear()
            self._asked[asked] = self._weighed(*asked)
        return self._asked[asked]

    def _weighed(self, artist: str, album: Album | None, is_told: bool) -> Said | None:
        track = About(artist, album, title="", ids=("", ""))
        said = weigh(track, self._library, self.rates, self._kinds)
        if said is None or self._layout is None:
            return said
        if not (is_told or self._library.by_folder.intersection(said.places)):
            return said
        # Both must hold: what the folders tell, and what is said of whom they name.
        return replace(said, confidence=said.confidence * self._layout.least, by_folder=True)

    def drop_changed(self, said: Iterable[Said]) -> bool:
        """Leave out witnesses that do not stand as they did; return whether there are any.

        Tracks of an album share what is said. Of many witnesses the first that stand are enough.
        """
        shared = {id(one): one for one in said}.values()
        changed = {place for one in shared for place in self._changed(one)}
        if changed:
            self._library = self._library.without(changed)
            self._asked.clear()
        return bool(changed)

    def _changed(self, said: Said) -> Iterator[int]:
        n_standing = 0
        for place in said.places:
            if not self._places.stands(place):
                yield place
                continue
            n_standing += 1
            if n_standing == _ENOUGH:
                return
