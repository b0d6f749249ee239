"""Playlists as files: M3U8, in paths that a player on the same disk finds.

Source: the extended M3U that players read, in UTF-8; RFC 8216 calls it the basis of its own format.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote_from_bytes

from tagger.catalog import TrackRow
from tagger.errors import printable
from tagger.recommending.keeping import SEAL

_HEADER = "#EXTM3U"


def m3u8(rows: Iterable[TrackRow], folder: Path | None) -> str:
    """Return a playlist.

    Args:
        rows: Its tracks, in order.
        folder: Where the playlist is to lie: paths are relative to it. None: they are absolute.
    """
    base = None if folder is None else os.path.realpath(os.fsencode(folder))
    lines = [_HEADER, f"# {SEAL}"]
    for row in rows:
        lines += [_extinf(row), entry(row.path, base)]
    return "\n".join(lines) + "\n"


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
    name = whole if base is None else os.path.relpath(_behind_links(whole), base)
    try:
        text = name.decode("utf-8")
    except UnicodeDecodeError:
        return _uri(whole)
    if text.splitlines() != [text] or text != text.strip():
        return _uri(whole)
    # A leading # is a comment, and what has a colon before any slash could be a URI.
    return f"./{text}" if text.startswith("#") or ":" in text.partition("/")[0] else text


def _behind_links(path: bytes) -> bytes:
    """Return a file by its real folder: what stands behind a ".." is found from there alone."""
    folder, name = os.path.split(path)
    return os.path.join(os.path.realpath(folder), name)  # noqa: PTH118


def uri_of(path: Path) -> str:
    r"""Return the file:// URI of a path, made from the bytes of its name.

    >>> uri_of(Path("/music/caf\udce9.mp3"))
    'file:///music/caf%E9.mp3'
    """
    return _uri(os.fsencode(path))


def _uri(path: bytes) -> str:
    return "file://" + quote_from_bytes(path)


def _extinf(row: TrackRow) -> str:
    seconds = -1 if row.duration_s is None else round(row.duration_s)
    told = " - ".join(part for part in (row.artist, row.title) if part)
    return f"#EXTINF:{seconds},{_on_one_line(told) or printable(Path(row.path.name))}"


def _on_one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
