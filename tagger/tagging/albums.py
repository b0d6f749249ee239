"""Which tracks vote together: those of one folder, one album tag and one artist."""

from __future__ import annotations

from pathlib import Path

from tagger.evidence.names import artist_of
from tagger.records import TagsFound

AlbumKey = tuple[Path, str, str]


def album_key(path: Path, tags: TagsFound) -> AlbumKey | None:
    """Return what a track shares with those it votes with, or None if it votes alone.

    The artist is part of it: the tracks of a compilation have an album in common and little else,
    and letting them outvote each other would write wrong genres.

    >>> album_key(Path("/m/a/1.mp3"), TagsFound(album="Blue", artist="Joni"))
    (PosixPath('/m/a'), 'blue', 'joni')
    >>> album_key(Path("/m/a/1.mp3"), TagsFound(artist="Joni")) is None
    True
    """
    album = tags.album.strip().casefold()
    if not album:
        return None
    return path.parent, album, artist_of(tags).casefold()
