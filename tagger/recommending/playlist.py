"""Playlists as files: M3U8, in paths that a player on the same disk finds.

Source: the extended M3U that players read, in UTF-8; RFC 8216 calls it the basis of its own format.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import quote_from_bytes

from tagger.catalog import TrackRow
from tagger.errors import printable
from tagger.recommending.keeping import SEAL
from tagger.recommending.path_map import PathMap, behind_links

log = logging.getLogger(__name__)

_HEADER = "#EXTM3U"
_DRIVE = re.compile(rb"[A-Za-z]:\\|\\\\")  # C:\Music, \\nas\music


@dataclass(frozen=True, slots=True)
class Song:
    """A line of a playlist.

    Args:
        place: A file, or the address of a stream.
        artist, title, album: As its tags have them; "" where only its name is known.
        duration_s: How long it is, where that is known.
    """

    place: Path | str
    artist: str = ""
    title: str = ""
    album: str = ""
    duration_s: float | None = None

    @classmethod
    def of(cls, row: TrackRow) -> Self:
        """Return a track of the catalogue."""
        return cls(row.path, row.artist, row.title, row.tags.album, row.duration_s)

    @property
    def told(self) -> str:
        """What it is, for a person; "" where only its name is known."""
        return " - ".join(part for part in (self.artist, self.title) if part)


def m3u8(songs: Iterable[Song], folder: Path | None, path_map: PathMap | None = None) -> str:
    """Return a playlist.

    Args:
        songs: What it holds, in order.
        folder: Where the playlist is to lie: paths are relative to it. None: they are absolute.
        path_map: What files are called where the playlist is read, if not as here.

    Raises:
        PlaylistError: What a file is called there is not known.
    """
    base = None if folder is None else os.path.realpath(os.fsencode(folder))
    lines = [_HEADER, f"# {SEAL}"]
    for song in songs:
        line = _line(song.place, base, path_map)
        if line is None:
            log.warning("%s: left out, no line can hold its name", printable(Path(song.place)))
        else:
            lines += [_extinf(song), line]
    return "\n".join(lines) + "\n"


def _line(place: Path | str, base: bytes | None, path_map: PathMap | None) -> str | None:
    if isinstance(place, str):
        return place
    return elsewhere(path_map.there(place)) if path_map else entry(place, base)


def entry(path: Path, base: bytes | None) -> str:
    r"""Return the line that names a file.

    What a line of UTF-8 cannot hold, or a reader would take for something else, becomes a file://
    URI made from the name's bytes.

    >>> entry(Path("/music/b/#1.mp3"), b"/music/b"), entry(Path("/music/b/1.mp3"), b"/music/c")
    ('./#1.mp3', '../b/1.mp3')
    >>> entry(Path("/music/caf\udce9.mp3"), b"/music")
    'file:///music/caf%E9.mp3'
    """
    whole = os.fsencode(path)
    name = whole if base is None else os.path.relpath(behind_links(whole), base)
    return _as_line(name) or _uri(whole)


def elsewhere(name: bytes) -> str | None:
    r"""Return the line that names a file as another machine does; None where none can.

    >>> elsewhere(b"/music/caf\xe9.mp3"), elsewhere(b"Z:\\Music\\a.mp3")
    ('file:///music/caf%E9.mp3', 'Z:\\Music\\a.mp3')
    """
    if _DRIVE.match(name):
        return _decoded(name)
    return _as_line(name) or (_uri(name) if name.startswith(b"/") else None)


def _as_line(name: bytes) -> str | None:
    """Return a name as a line has it; None where no line of UTF-8 can."""
    text = _decoded(name)
    # A leading # is a comment, and what has a colon before any slash could be a URI.
    is_odd = text is not None and (text.startswith("#") or ":" in text.partition("/")[0])
    return f"./{text}" if is_odd else text


def _decoded(name: bytes) -> str | None:
    try:
        text = name.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if text.splitlines() == [text] and text == text.strip() else None


def uri_of(path: Path) -> str:
    r"""Return the file:// URI of a path, made from the bytes of its name.

    >>> uri_of(Path("/music/caf\udce9.mp3"))
    'file:///music/caf%E9.mp3'
    """
    return _uri(os.fsencode(path))


def _uri(path: bytes) -> str:
    return "file://" + quote_from_bytes(path)


def _extinf(song: Song) -> str:
    seconds = -1 if song.duration_s is None else round(song.duration_s)
    named = song.place if isinstance(song.place, str) else song.place.name
    return f"#EXTINF:{seconds},{_on_one_line(song.told) or printable(Path(named))}"


def _on_one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
