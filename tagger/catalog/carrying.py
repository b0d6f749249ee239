"""Writes that are open in one catalogue, carried over into the one that takes its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from tagger.catalog import chronicle, journal
from tagger.catalog.journal import State
from tagger.catalog.paths import FILE_COLUMNS, Roots, add_files
from tagger.catalog.tables import files, rollbacks, runs
from tagger.catalog.tables import journal as entries
from tagger.records import AudioFile


@dataclass(frozen=True, slots=True)
class OpenWrite:
    """A write that is open: its file, its row in the journal, its run's row, its bytes."""

    journal_id: int
    file: AudioFile
    values: Mapping[str, Any]
    run: Mapping[str, Any]
    overwritten: Any


def open_writes(connection: Connection) -> list[OpenWrite]:
    """Return the writes that are open in a catalogue."""
    known_roots = Roots(connection)
    rows = connection.execute(
        select(entries, *FILE_COLUMNS, rollbacks.c.overwritten)
        .join(files, files.c.file_id == entries.c.file_id)
        .outerjoin(rollbacks, rollbacks.c.journal_id == entries.c.journal_id)
        .where(entries.c.state == State.INTENDED.value)
        .order_by(entries.c.journal_id)
    ).all()
    return [_open_write(connection, row, known_roots) for row in rows]


def _open_write(
    connection: Connection, row: Row[*tuple[Any, ...]], known_roots: Roots
) -> OpenWrite:
    run = connection.execute(select(runs).where(runs.c.run_id == row.run_id)).mappings().one()
    values = {c.name: row._mapping[c] for c in entries.c if c.name not in _NEW}
    return OpenWrite(row.journal_id, known_roots.file(row), values, dict(run), row.overwritten)


_NEW = ("journal_id", "run_id", "file_id", "undoes")  # what has other numbers elsewhere


def drop_open(connection: Connection) -> list[Path]:
    """Let the writes that are open in a backup be known no more; return their files."""
    found = journal.pending(connection)
    journal.close(connection, [entry.journal_id for entry in found], State.DROPPED)
    return [entry.file.path for entry in found]


def take_over(connection: Connection, writes: Sequence[OpenWrite]) -> dict[int, Path]:
    """Put open writes of another catalogue into this one; return {their new number: file}."""
    run_ids: dict[int, int] = {}
    found: dict[int, Path] = {}
    for one in writes:
        if _was_taken_up(connection, one):
            continue
        old = one.run["run_id"]
        run_ids[old] = run_ids.get(old) or _run(connection, one.run)
        file_id = add_files(connection, [one.file])[one.file.path]
        values = {**one.values, "run_id": run_ids[old], "file_id": file_id}
        number: int = connection.execute(
            insert(entries).values(values).returning(entries.c.journal_id)
        ).scalar_one()
        if one.overwritten is not None:
            row = {"journal_id": number, "overwritten": one.overwritten}
            connection.execute(insert(rollbacks).values(row))
        found[number] = one.file.path
    return found


def _was_taken_up(connection: Connection, one: OpenWrite) -> bool:
    """Return whether the chronicle knew of its end, though its journal did not yet."""
    column = entries.c
    known = select(column.journal_id).where(
        column.journal_id == one.journal_id,
        column.state == State.DONE.value,
        column.planned_at == one.values["planned_at"],
        column.genres_after == one.values["genres_after"],
    )
    return connection.execute(known).first() is not None


def _run(connection: Connection, run: Mapping[str, Any]) -> int:
    """Return the number of a run, which is noted anew where it is not known."""
    column = runs.c
    known = select(column.run_id).where(
        column.run_id == run["run_id"],
        column.started_at == run["started_at"],
        column.command == run["command"],
    )
    run_id: int | None = connection.execute(known).scalar()
    if run_id is not None:
        return run_id
    values = {name: value for name, value in run.items() if name not in ("run_id", "model_id")}
    added: int = connection.execute(
        insert(runs).values(values).returning(column.run_id)
    ).scalar_one()
    return added


def renumber(history: Path, before: Sequence[int], now: Mapping[int, Path]) -> None:
    """Let a chronicle know open writes by the numbers that they have now."""
    chronicle.drop(history, before)
    chronicle.begin(history, now)
