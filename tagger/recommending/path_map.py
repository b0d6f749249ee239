"""What files are called elsewhere: by a server, in a container, on a phone."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from tagger.errors import PlaylistError, printable
from tagger.files.paths import absolute


def behind_links(path: bytes) -> bytes:
    """Return a file by its real folder: what stands behind a ".." is found from there alone."""
    folder, name = os.path.split(path)
    return os.path.join(os.path.realpath(folder), name)  # noqa: PTH118


class PathMap:
    """Folders of this machine, and what another one calls them.

    Args:
        roots: {folder here: folder there}. Of several that hold a file the deepest counts. "" there
            names files from the folder on, as MPD does in its own folder of playlists.
    """

    def __init__(self, roots: Mapping[str, str]) -> None:
        here = {os.fsencode(absolute(Path(root))).rstrip(b"/"): roots[root] for root in roots}
        self._roots = dict(sorted(here.items(), key=lambda item: -len(item[0])))

    def __bool__(self) -> bool:
        """Return whether any folder is called otherwise."""
        return bool(self._roots)

    def there(self, path: Path) -> bytes:
        r"""Return what a file of this machine is called there.

        >>> PathMap({"/home/me/Music": "/music"}).there(Path("/home/me/Music/a/b.mp3"))
        b'/music/a/b.mp3'
        >>> PathMap({"/m": "Z:\\Music"}).there(Path("/m/a/b.mp3"))
        b'Z:\\Music\\a\\b.mp3'

        Raises:
            PlaylistError: It is in none of the folders.
        """
        named = os.fsencode(path)
        for name in (named, behind_links(named)):
            for here, there in self._roots.items():
                if name.startswith(here + b"/"):
                    return _joined(there, name[len(here) + 1 :])
        known = ", ".join(printable(Path(os.fsdecode(root or b"/"))) for root in self._roots)
        raise PlaylistError(f"path_map has no folder that holds it, only {known}", path)

    def here(self, name: bytes) -> Path | None:
        """Return the file of this machine that is called so there, or None.

        >>> PathMap({"/home/me/Music": "/music"}).here(b"/music/a/b.mp3")
        PosixPath('/home/me/Music/a/b.mp3')
        """
        for root, there in self._roots.items():
            start = _joined(there, b"")
            if start and name.startswith(start):
                rest = name[len(start) :]
                rest = rest.replace(b"\\", b"/") if _is_of_windows(there) else rest
                return Path(os.fsdecode(root + b"/" + rest))
        return None


def _is_of_windows(folder: str) -> bool:
    return "\\" in folder and "/" not in folder


def _joined(there: str, rest: bytes) -> bytes:
    separator = b"\\" if _is_of_windows(there) else b"/"
    start = os.fsencode(there).rstrip(b"/\\") + separator if there else b""
    return start + (rest.replace(b"/", b"\\") if separator == b"\\" else rest)
