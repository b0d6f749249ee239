"""Where a file belongs, in the tables: a known root and the path below it, both as bytes.

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
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, false, insert, or_, select

from tagger.catalog.batches import batches
from tagger.catalog.known_roots import AFTER_SLASH, SLASH, KnownRoots, Place, absolute
from tagger.catalog.tables import files, roots
from tagger.errors import printable
from tagger.records import AudioFile

FILE_COLUMNS = (files.c.root_id, files.c.relative, files.c.size_bytes, files.c.mtime_ns)
"""What a query selects so that ``Roots.file`` can say which file a row is about."""


class Roots(KnownRoots):
    """The known roots, read once; good for one transaction, since another process may add one."""

    def __init__(self, connection: Connection) -> None:
        rows = connection.execute(select(roots.c.root_id, roots.c.path))
        super().__init__({row.root_id: row.path for row in rows})

    def place_or_add(self, connection: Connection, file: AudioFile) -> Place:
        """Return where a file belongs, with its scan's folder as a new root if it must be."""
        place = self.place(file.path)
        if place is None:
            self._add(connection, absolute(file.root))
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

    def root(self, root_id: int) -> Path:
        """Return a root's path."""
        return Path(os.fsdecode(self._paths[root_id]))

    def file(self, row: Row[*tuple[Any, ...]]) -> AudioFile:
        """Return the file that a row with FILE_COLUMNS is about."""
        path = self.path(row.root_id, row.relative)
        return AudioFile(path, self.root(row.root_id), row.size_bytes, row.mtime_ns)

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
        whole, part = self.parts_under(path)
        conditions: list[ColumnElement[bool]] = [files.c.root_id.in_(whole)] if whole else []
        if part is not None:
            conditions.append(and_(files.c.root_id == part.root_id, _within(part.relative)))
        return or_(*conditions) if conditions else false()


def _within(relative: bytes) -> ColumnElement[bool]:
    # LIKE is for text; bytes are compared as they are, in every database.
    inside = and_(files.c.relative > relative + SLASH, files.c.relative < relative + AFTER_SLASH)
    return or_(files.c.relative == relative, inside)


def name_of(path: bytes) -> str:
    """Return a path for reading."""
    return printable(Path(os.fsdecode(path)))


def by_root(places: Iterable[Place]) -> Iterator[tuple[int, Sequence[bytes]]]:
    """Yield (root_id, relative paths for one query) until every place was in one."""
    grouped: Mapping[int, list[bytes]] = defaultdict(list)
    for root_id, relative in places:
        grouped[root_id].append(relative)
    for root_id, relatives in grouped.items():
        for batch in batches(relatives):
            yield root_id, batch
