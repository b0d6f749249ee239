"""Which files a playlist names: anybody's, in any of the ways in which players write them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote_to_bytes

from tagger.catalog import Reader
from tagger.errors import PlaylistError, os_reason
from tagger.recommending.path_map import PathMap

_BOM = b"\xef\xbb\xbf"
_ADDRESS = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]+://")
_FILE = b"file://"
_LONGEST = 1 << 26  # bytes: lines for half a million tracks


def places_in(playlist: Path, path_map: PathMap | None = None) -> list[Path | str]:
    """Return what a playlist names, in its order: files, and addresses of streams.

    Args:
        playlist: M3U or M3U8; names are bytes, as those of files are.
        path_map: What files are called in it, if not as here.

    Raises:
        PlaylistError: It cannot be read, or is no list of names.
    """
    try:
        data = _text_of(playlist)
    except OSError as exc:
        raise PlaylistError(f"cannot be read: {os_reason(exc)}", playlist) from exc
    if data is None:
        raise PlaylistError("is no playlist", playlist)
    folder = os.path.realpath(os.fsencode(playlist.parent))
    return [_place(line, folder, path_map) for line in _lines(data)]


def _text_of(file: Path) -> bytes | None:
    """Return what stands in a file; None if that is no text, without waiting or reading on."""
    if file.exists() and not file.is_file():  # a pipe says nothing, a device does not end
        return None
    with file.open("rb") as opened:
        text = opened.read(_LONGEST + 1)
    return None if b"\0" in text or len(text) > _LONGEST else text


def _lines(data: bytes) -> Iterator[bytes]:
    for line in re.split(rb"[\r\n]+", data.removeprefix(_BOM)):
        name = line.strip()
        if name and not name.startswith(b"#"):
            yield name


def _place(name: bytes, folder: bytes, path_map: PathMap | None) -> Path | str:
    if name.startswith(_FILE):
        name = unquote_to_bytes(name[len(_FILE) :])
    elif _ADDRESS.match(name):
        return name.decode("utf-8", "replace")
    mapped = path_map.here(name) if path_map else None
    return mapped or Path(os.fsdecode(os.path.normpath(os.path.join(folder, name))))  # noqa: PTH118


def as_catalogued(reader: Reader, path: Path) -> Path | None:
    """Return what the catalogue calls a file, whatever links lead to it; None if it has none."""
    if reader.track_at(path) is not None:
        return path
    real = os.path.realpath(path)
    same = (one for one in reader.paths_named(path.name) if os.path.realpath(one) == real)
    return next(same, None)
