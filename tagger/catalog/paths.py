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

from sqlalchemy import ColumnElement, Connection, and_, false, insert, or_, select

from tagger.catalog.batches import batches
from tagger.catalog.known_roots import AFTER_SLASH, SLASH, KnownRoots, Place, absolute
from tagger.catalog.tables import files, roots
from tagger.errors import printable
from tagger.records import AudioFile


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

    def file(self, root_id: int, relative: bytes, size_bytes: int, mtime_ns: int) -> AudioFile:
        """Return the file that a row stands for."""
        root = Path(os.fsdecode(self._paths[root_id]))
        return AudioFile(self.path(root_id, relative), root, size_bytes, mtime_ns)

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
