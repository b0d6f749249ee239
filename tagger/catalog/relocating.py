"""A library that was moved as a whole: its rows follow, without a look at the disk."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from tagger.catalog.batches import batches
from tagger.catalog.known_roots import Place
from tagger.catalog.paths import FILE_COLUMNS, Roots, move_files, name_of
from tagger.catalog.pruning import drop_empty_roots, forget
from tagger.catalog.tables import files, journal, roots
from tagger.errors import CatalogError, printable
from tagger.records import AudioFile

_Row = Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Relocated:
    """What became of the rows.

    Args:
        n_files: How many there were under the old folder.
        n_joined: Of these, how many were known at the new place as well: now they are one.
        left: Where another recording is known at the new place; these rows stay as they were.
    """

    n_files: int
    n_joined: int = 0
    left: tuple[Path, ...] = ()


def relocate(connection: Connection, old: Path, new: Path) -> Relocated:
    """Let the rows of all files under a folder say that they are under another one.

    Raises:
        CatalogError: one of the folders lies in the other, or no file is known there.
    """
    if old == new or old in new.parents or new in old.parents:
        raise CatalogError(
            f"one of the folders {printable(old)} and {printable(new)} lies in the other; scan "
            "them with tagger tag: files that were moved are known by their sound"
        )
    known_roots = Roots(connection)
    n_files = _n_under(connection, known_roots, old)
    if not n_files:
        raise CatalogError(f"no file is known in {printable(old)}; see tagger list --under")
    if _n_under(connection, known_roots, new) or not known_roots.are_whole(old):
        return _one_by_one(connection, known_roots, old, new)
    drop_empty_roots(connection)
    for root_id, path in known_roots.roots_in(old):
        connection.execute(
            update(roots).where(roots.c.root_id == root_id).values(**_root_values(path, old, new))
        )
    return Relocated(n_files)


def _n_under(connection: Connection, known_roots: Roots, folder: Path) -> int:
    under = select(func.count()).select_from(files).where(known_roots.under(folder))
    return connection.execute(under).scalar_one()


def _root_values(path: Path, old: Path, new: Path) -> dict[str, object]:
    moved = os.fsencode(new / path.relative_to(old))
    return {"path": moved, "name": name_of(moved).rstrip("/"), "device": None}


def _one_by_one(connection: Connection, known_roots: Roots, old: Path, new: Path) -> Relocated:
    n_files, n_joined = 0, 0
    left: list[Path] = []
    rows = connection.execute(
        select(files.c.file_id, files.c.audio, *FILE_COLUMNS).where(known_roots.under(old))
    ).all()
    for batch in batches(rows):
        places = _new_places(connection, known_roots, batch, old, new)
        there = {Place(row.root_id, row.relative): row for row in _at(connection, places)}
        moved: dict[int, Place] = {}
        for row, place in zip(batch, places, strict=True):
            other = there.get(place)
            if other is not None and (row.audio is None or other.audio != row.audio):
                left.append(known_roots.file(row).path)
                continue
            if other is not None:
                _join(connection, row.file_id, other.file_id)
                n_joined += 1
            moved[row.file_id] = place
        move_files(connection, moved)
        n_files += len(batch)
    drop_empty_roots(connection)
    return Relocated(n_files, n_joined, tuple(left))


def _new_places(
    connection: Connection, known_roots: Roots, rows: Sequence[_Row], old: Path, new: Path
) -> list[Place]:
    places = []
    for row in rows:
        path = new / known_roots.file(row).path.relative_to(old)
        places.append(known_roots.place_or_add(connection, AudioFile(path, new, 0, 0)))
    return places


def _at(connection: Connection, places: Sequence[Place]) -> Iterator[_Row]:
    for root_id in {place.root_id for place in places}:
        relatives = [place.relative for place in places if place.root_id == root_id]
        yield from connection.execute(
            select(files.c.file_id, files.c.audio, files.c.root_id, files.c.relative).where(
                files.c.root_id == root_id, files.c.relative.in_(relatives)
            )
        )


def _join(connection: Connection, kept: int, other: int) -> None:
    """Let a row take over what was written where another one of the same recording is."""
    connection.execute(update(journal).where(journal.c.file_id == other).values(file_id=kept))
    forget(connection, [other])
