"""Where a file belongs: a known root and the path below it, both as bytes.

A root is added only if no known root contains it, and a file belongs to the deepest known root
above it. So a folder's files keep their rows whichever folder a later run starts from: below a
known root no deeper one can appear, and an outer one that appears later changes no file that has
a root already.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, and_, false, insert, or_, select

from tagger.catalog.batches import batches
from tagger.catalog.tables import files, roots
from tagger.errors import printable
from tagger.records import AudioFile

_SLASH = b"/"
_AFTER_SLASH = b"0"  # the byte after "/": what lies in a folder sorts between the two


class Place(NamedTuple):
    """A file's root and its path below it."""

    root_id: int
    relative: bytes


FILE_COLUMNS = (files.c.root_id, files.c.relative, files.c.size_bytes, files.c.mtime_ns)
"""What a query selects so that ``Roots.file`` can say which file a row is about."""


class Roots:
    """The known roots, read once; good for one transaction, since another process may add one."""

    def __init__(self, connection: Connection) -> None:
        rows = connection.execute(select(roots.c.path, roots.c.root_id))
        self._ids: dict[bytes, int] = {row.path: row.root_id for row in rows}
        self._paths = {root_id: path for path, root_id in self._ids.items()}
        self._by_folder: dict[bytes, tuple[int, bytes] | None] = {}

    def place(self, path: Path) -> Place | None:
        """Return where a file belongs, or None if no known root contains it."""
        folder, _, name = os.fsencode(path).rpartition(_SLASH)
        if name in (b"", b"..") or not path.is_absolute():
            folder, _, name = _absolute(path).rpartition(_SLASH)
        below = self._below(folder)
        return None if below is None else Place(below[0], below[1] + name)

    def _below(self, folder: bytes) -> tuple[int, bytes] | None:
        """Return the deepest root of a folder and the folder below it, with a slash at its end.

        Remembered for each folder: a scan asks once for every file in it.
        """
        if folder not in self._by_folder:
            absolute = _absolute(Path(os.fsdecode(folder or _SLASH)))
            self._by_folder[folder] = self._search(absolute.rstrip(_SLASH))
        return self._by_folder[folder]

    def _search(self, folder: bytes) -> tuple[int, bytes] | None:
        root = folder
        while True:
            root_id = self._ids.get(root or _SLASH)
            if root_id is not None:
                inner = folder[len(root) + 1 :]
                return root_id, inner + _SLASH if inner else b""
            if not root:
                return None
            root = root.rpartition(_SLASH)[0]

    def place_or_add(self, connection: Connection, file: AudioFile) -> Place:
        """Return where a file belongs, with its scan's folder as a new root if it must be."""
        place = self.place(file.path)
        if place is None:
            self._add(connection, _absolute(file.root))
            place = self.place(file.path)
        assert place is not None, "an AudioFile's path lies below its root"
        return place

    def _add(self, connection: Connection, path: bytes) -> None:
        values = {"path": path, "name": name_of(path).rstrip("/")}
        root_id: int = connection.execute(
            insert(roots).values(values).returning(roots.c.root_id)
        ).scalar_one()
        self._ids[path] = root_id
        self._paths[root_id] = path
        self._by_folder.clear()

    def path(self, root_id: int, relative: bytes) -> Path:
        """Return the path that a row stands for."""
        return Path(os.fsdecode(self._paths[root_id].rstrip(_SLASH) + _SLASH + relative))

    def file(self, row: Row[*tuple[Any, ...]]) -> AudioFile:
        """Return the file that a row with FILE_COLUMNS is about."""
        root = Path(os.fsdecode(self._paths[row.root_id]))
        path = self.path(row.root_id, row.relative)
        return AudioFile(path, root, row.size_bytes, row.mtime_ns)

    def roots_in(self, folder: Path) -> list[tuple[int, Path]]:
        """Return (root_id, path) of the roots that are this folder or lie in it."""
        inside = ((root_id, Path(os.fsdecode(path))) for path, root_id in self._ids.items())
        return [(root_id, path) for root_id, path in inside if path.is_relative_to(folder)]

    def are_whole(self, folder: Path) -> bool:
        """Return whether what is known in a folder are whole roots, and no part of a larger one."""
        place = self.place(folder)
        return place is None or not place.relative

    def under(self, path: Path) -> ColumnElement[bool]:
        """Return the condition that a row of files is this file or lies in this folder."""
        folder = _absolute(path).rstrip(_SLASH)
        whole = [
            root_id
            for root_id, root in self._paths.items()
            if root == folder or root.startswith(folder + _SLASH)
        ]
        part = self.place(Path(os.fsdecode(folder or _SLASH)))
        conditions: list[ColumnElement[bool]] = [files.c.root_id.in_(whole)] if whole else []
        if part is not None and part.relative:
            conditions.append(and_(files.c.root_id == part.root_id, _within(part.relative)))
        return or_(*conditions) if conditions else false()


def _within(relative: bytes) -> ColumnElement[bool]:
    # LIKE is for text; bytes are compared as they are, in every database.
    inside = and_(files.c.relative > relative + _SLASH, files.c.relative < relative + _AFTER_SLASH)
    return or_(files.c.relative == relative, inside)


def name_of(path: bytes) -> str:
    """Return a path for reading."""
    return printable(Path(os.fsdecode(path)))


def _absolute(path: Path) -> bytes:
    # Not resolve(): a link stays a link, as the scan found it.
    return os.path.abspath(os.fsencode(path))  # noqa: PTH100


def by_root(places: Iterable[Place]) -> Iterator[tuple[int, Sequence[bytes]]]:
    """Yield (root_id, relative paths for one query) until every place was in one."""
    grouped: Mapping[int, list[bytes]] = defaultdict(list)
    for root_id, relative in places:
        grouped[root_id].append(relative)
    for root_id, relatives in grouped.items():
        for batch in batches(relatives):
            yield root_id, batch
