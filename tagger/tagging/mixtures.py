"""Albums of which some tracks get one genre and others bear, or get, a different one."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tagger.errors import plain, printable
from tagger.evidence.names import Album, artist_key, release_of
from tagger.evidence.witnesses import value_of
from tagger.records import Status, TrackResult

_WRITES = (Status.WRITTEN, Status.PLANNED, Status.PREDICTED)


@dataclass
class _Genres:
    """What an album's tracks are called.

    Args:
        first: One of them.
        artists: Whom they are by.
        standing: Genres that stood there and stay, and how many tracks have them.
        new: Those of this run.
    """

    first: TrackResult
    artists: set[str] = field(default_factory=set)
    standing: Counter[tuple[str, ...]] = field(default_factory=Counter)
    new: Counter[tuple[str, ...]] = field(default_factory=Counter)

    def add(self, result: TrackResult) -> None:
        """Take a track."""
        if result.tags is not None:
            self.artists.add(artist_key(result.tags.artist))
        if value_of(result.genres):
            is_new = result.status in _WRITES
            (self.new if is_new else self.standing)[result.genres] += 1

    @property
    def are_several(self) -> bool:
        """Whether this run makes it an album of several genres, or of more than it had."""
        new, standing = (set(map(value_of, some)) for some in (self.new, self.standing))
        return len(new) > 1 or bool(standing and new - standing)

    def line(self) -> str:
        """Return that in words."""
        tags = self.first.tags
        assert tags is not None, "it has an album"
        whose = plain(tags.album_artist or (tags.artist if len(self.artists) == 1 else ""))
        by = f" by {whose}" if whose else ""
        parts = [f"{_counted(self.new)} of this run"]
        parts += [f"{_counted(self.standing)} that stood there"] if self.standing else []
        where = printable(self.first.path.parent)
        return f"several genres on {plain(tags.album)}{by}: {' beside '.join(parts)} ({where})"


def mixtures(results: Iterable[TrackResult]) -> Iterator[str]:
    """Yield a line for each album that a run has left with genres that differ.

    Args:
        results: Of whole folders.
    """
    albums: dict[Album, _Genres] = {}
    for result in results:
        if result.genres and result.tags is not None:
            album = release_of(os.fspath(result.path.parent), result.tags)
            if album is not None:
                albums.setdefault(album, _Genres(result)).add(result)
    yield from (one.line() for one in albums.values() if one.are_several)


def _counted(genres: Counter[tuple[str, ...]]) -> str:
    ranked = sorted(genres.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{plain(', '.join(one))} {n}" for one, n in ranked)
