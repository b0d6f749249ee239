"""Which tracks vote together: those of one folder, one album tag and one artist."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from tagger.errors import TagReadError
from tagger.evidence.names import artist_of
from tagger.files.names import is_audio_name
from tagger.records import TagsFound

AlbumKey = tuple[Path, str, str]
Folder = TypeVar("Folder", Path, bytes)

_N_READERS = 8  # that wait for the disk side by side
# Among more files than these an album is not looked for: one track of a folder with a hundred
# thousand would have all their tags read.
_MOST_BESIDE = 500


def album_key(path: Path, tags: TagsFound) -> AlbumKey | None:
    """Return what a track shares with those it votes with, or None if it votes alone.

    The artist is part of it: the tracks of a compilation have an album in common and little else,
    and letting them outvote each other would write wrong genres.

    >>> album_key(Path("/m/a/1.mp3"), TagsFound(album="Blue", artist="Joni"))
    (PosixPath('/m/a'), 'blue', 'joni')
    >>> album_key(Path("/m/a/1.mp3"), TagsFound(artist="Joni")) is None
    True
    """
    return album_in(path.parent, tags)


def album_in(folder: Folder, tags: TagsFound) -> tuple[Folder, str, str] | None:
    """Return the same where the folder is known already, however it is told."""
    album = tags.album.strip().casefold()
    if not album:
        return None
    return folder, album, artist_of(tags).casefold()


def on_albums(paths: Iterable[Path], n_tracks: int) -> set[Path]:
    """Return the tracks whose album has so many, by the files that lie on the disk.

    What a run covers, and in which portions it takes it, does not count: what is heard of a track
    must not depend on that.

    Args:
        paths: The tracks asked about.
        n_tracks: So many, or more.
    """
    own: dict[Path, list[Path]] = {}
    for path in paths:
        own.setdefault(path.parent, []).append(path)
    found: set[Path] = set()
    with ThreadPoolExecutor(_N_READERS) as readers:
        for folder, asked in own.items():
            beside = {*_tracks_in(folder), *asked}
            if n_tracks <= len(beside) <= _MOST_BESIDE:
                keys = dict(zip(beside, readers.map(_album_of, beside), strict=True))
                found |= _in_large_ones(asked, keys, n_tracks)
    return found


def _in_large_ones(
    asked: Collection[Path], keys: Mapping[Path, AlbumKey | None], n_tracks: int
) -> set[Path]:
    sizes = Counter(keys.values())
    return {path for path in asked if keys[path] is not None and sizes[keys[path]] >= n_tracks}


def _album_of(path: Path) -> AlbumKey | None:
    from tagger.tags import read_tags  # which mutagen comes with: who has the tags does without

    try:
        return album_key(path, read_tags(path))
    except TagReadError:
        return None


def _tracks_in(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if is_audio_name(entry.name)]
    except OSError:  # what cannot be looked at has no say
        return []
    return [folder / name for name in names]
