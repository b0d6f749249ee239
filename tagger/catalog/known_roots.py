"""The roots of a catalogue, and which of them a path belongs to; no database is needed for that."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tagger.files.paths import absolute

SLASH = b"/"
AFTER_SLASH = b"0"  # the byte after "/": what lies in a folder sorts between the two


class Place(NamedTuple):
    """A file's root and its path below it."""

    root_id: int
    relative: bytes


class KnownRoots:
    """Roots by their number."""

    def __init__(self, paths: Mapping[int, bytes]) -> None:
        self._paths = dict(paths)
        self._ids = {path: root_id for root_id, path in paths.items()}
        self._by_folder: dict[bytes, tuple[int, bytes] | None] = {}

    def place(self, path: Path) -> Place | None:
        """Return where a file belongs, or None if no known root contains it."""
        folder, _, name = os.fsencode(path).rpartition(SLASH)
        if name in (b"", b"..") or not path.is_absolute():
            folder, _, name = os.fsencode(absolute(path)).rpartition(SLASH)
        below = self._below(folder)
        return None if below is None else Place(below[0], below[1] + name)

    def _below(self, folder: bytes) -> tuple[int, bytes] | None:
        """Return the deepest root of a folder and the folder below it, with a slash at its end.

        Remembered for each folder: a scan asks once for every file in it.
        """
        if folder not in self._by_folder:
            whole = os.fsencode(absolute(Path(os.fsdecode(folder or SLASH))))
            self._by_folder[folder] = self._search(whole.rstrip(SLASH))
        return self._by_folder[folder]

    def _search(self, folder: bytes) -> tuple[int, bytes] | None:
        root = folder
        while True:
            root_id = self._ids.get(root or SLASH)
            if root_id is not None:
                inner = folder[len(root) + 1 :]
                return root_id, inner + SLASH if inner else b""
            if not root:
                return None
            root = root.rpartition(SLASH)[0]

    def path(self, root_id: int, relative: bytes) -> Path:
        """Return the path that a row stands for."""
        return Path(os.fsdecode(self.whole(root_id, relative)))

    def whole(self, root_id: int, relative: bytes) -> bytes:
        """Return that path as bytes."""
        return self._paths[root_id].rstrip(SLASH) + SLASH + relative

    def parts_under(self, path: Path) -> tuple[list[int], Place | None]:
        """Return the roots that lie whole in a folder (or are it), and the part of another one.

        That part is the folder's own place, or the file's; None where no root lies around it.
        """
        folder = os.fsencode(absolute(path)).rstrip(SLASH)
        whole = [
            root_id
            for root_id, root in self._paths.items()
            if root == folder or root.startswith(folder + SLASH)
        ]
        part = self.place(Path(os.fsdecode(folder or SLASH)))
        return whole, part if part is not None and part.relative else None
