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

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    bindparam,
    false,
    insert,
    or_,
    select,
    update,
)

from tagger.catalog.batches import batches
from tagger.catalog.known_roots import AFTER_SLASH, SLASH, KnownRoots, Place
from tagger.catalog.tables import files, roots
from tagger.errors import printable
from tagger.files.paths import absolute
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
            self._add(connection, os.fsencode(absolute(file.root)))
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


def add_files(connection: Connection, found: Sequence[AudioFile]) -> Mapping[Path, int]:
    """Return {path: file_id} for files, with new rows for those not known yet."""
    known_roots = Roots(connection)
    places = {file.path: known_roots.place_or_add(connection, file) for file in found}
    known = file_ids_of(connection, places.values())
    new = {
        places[file.path]: {
            "root_id": places[file.path].root_id,
            "relative": places[file.path].relative,
            "name": name_of(places[file.path].relative),
            "size_bytes": file.size_bytes,
            "mtime_ns": file.mtime_ns,
        }  # what else stat(2) says is noted once it has been read
        for file in found
        if places[file.path] not in known
    }
    if new:
        connection.execute(insert(files), list(new.values()))
        known |= file_ids_of(connection, new)
    return {path: known[place] for path, place in places.items()}


def move_files(connection: Connection, places: Mapping[int, Place]) -> None:
    """Let rows of files stand for other places, which are free."""
    rows = [
        {
            "of_file": file_id,
            "root_id": place.root_id,
            "relative": place.relative,
            "name": name_of(place.relative),
        }
        for file_id, place in places.items()
    ]
    if rows:
        connection.execute(update(files).where(files.c.file_id == bindparam("of_file")), rows)


def file_ids_of(connection: Connection, places: Iterable[Place]) -> dict[Place, int]:
    """Return {place: file_id} for the places that have a row."""
    column = files.c
    found: dict[Place, int] = {}
    for root_id, relatives in by_root(places):
        rows = connection.execute(
            select(column.relative, column.file_id).where(
                column.root_id == root_id, column.relative.in_(relatives)
            )
        )
        found.update({Place(root_id, row.relative): row.file_id for row in rows})
    return found
