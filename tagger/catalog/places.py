"""Rows of files: found by their places, and added where there are none yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from sqlalchemy import Connection, bindparam, insert, select, update

from tagger.catalog.known_roots import Place
from tagger.catalog.paths import Roots, by_root, name_of
from tagger.catalog.tables import files
from tagger.records import AudioFile


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
