"""The journal of tag writes: noted before a file is touched, closed when its row is right.

For one track the order is journal entry, tag, row. After a kill between any two of them an entry
is left open, and what stands in the file tells which side of the write it happened on. A write
that takes an earlier one back names it, so that it is known which writes still stand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from tagger.catalog.batches import batches
from tagger.catalog.columns import now
from tagger.catalog.packing import Noted
from tagger.catalog.paths import FILE_COLUMNS, Roots
from tagger.catalog.rows.answers import RENAMING, REVIEW
from tagger.catalog.rows.writes import JournalEntry, PlannedWrite, WriteQuery, Written
from tagger.catalog.sealing import Seal
from tagger.catalog.tables import files, journal, rollbacks, runs
from tagger.catalog.text import fold
from tagger.records import AudioFile, FileChange, TagWrite


class State(StrEnum):
    """What became of a write: still open, in the file, or never made."""

    INTENDED = "intended"
    DONE = "done"
    DROPPED = "dropped"


_undo = journal.alias("undo")
_answer = journal.alias("answer")
_redo = journal.alias("redo")
_was_redone = (
    select(_redo.c.journal_id)
    .where(_redo.c.undoes == _undo.c.journal_id, _redo.c.state == State.DONE.value)
    .exists()
)
_was_undone = (
    select(_undo.c.journal_id)
    .where(_undo.c.undoes == journal.c.journal_id, _undo.c.state == State.DONE.value, ~_was_redone)
    .exists()
)
_took_back_an_answer = (
    select(_answer.c.journal_id)
    .join(runs, runs.c.run_id == _answer.c.run_id)
    .where(
        _answer.c.journal_id == _undo.c.undoes,
        or_(runs.c.command == REVIEW, _answer.c.run_id == _undo.c.run_id),
    )
    .exists()
)
_own = journal.alias("own")
_takes_back_own = (
    select(_own.c.journal_id)
    .where(_own.c.journal_id == journal.c.undoes, _own.c.run_id == journal.c.run_id)
    .exists()
)
stands: ColumnElement[bool] = and_(
    journal.c.state == State.DONE.value, ~_was_undone, ~_takes_back_own
)
"""The condition that a write was made and not taken back.

An undo may be taken back as well, but not where a run has taken back its own: that is as if nothing
had been written.
"""


def note(
    connection: Connection,
    run_id: int,
    planned: Sequence[PlannedWrite],
    file_ids: Mapping[Path, int],
) -> list[int]:
    """Note writes that are about to be made; return the entries' numbers, in the same order."""
    if not planned:
        return []
    rows = [
        {
            "run_id": run_id,
            "file_id": file_ids[one.file.path],
            "genres_before": one.write.before,
            "genres_after": one.write.after,
            "provenance_before": one.write.provenance_before,
            "provenance_after": one.write.provenance_after,
            "state": State.INTENDED.value,
            "planned_at": now(),
            "undoes": one.undoes,
            "kept": one.kept,
        }
        for one in planned
    ]
    statement = insert(journal).returning(journal.c.journal_id, sort_by_parameter_order=True)
    journal_ids = list(connection.scalars(statement, rows))
    in_place = [
        {"journal_id": journal_id, "overwritten": one.overwritten}
        for journal_id, one in zip(journal_ids, planned, strict=True)
        if one.overwritten is not None
    ]
    if in_place:
        connection.execute(insert(rollbacks), in_place)
    return journal_ids


def close(connection: Connection, journal_ids: Sequence[int], state: State) -> None:
    """Note what became of writes; what was kept of the bytes overwritten in place goes."""
    for batch in batches(journal_ids):
        chosen = journal.c.journal_id.in_(batch)
        connection.execute(update(journal).where(chosen).values(state=state.value))
        connection.execute(delete(rollbacks).where(rollbacks.c.journal_id.in_(batch)))


def pending(connection: Connection) -> list[JournalEntry]:
    """Return the open entries, the oldest first."""
    is_open = journal.c.state == State.INTENDED.value
    return list(reversed(list(_entries(connection, Roots(connection), is_open))))


def standing(connection: Connection, query: WriteQuery) -> list[JournalEntry]:
    """Return the writes that can be taken back and are asked for, the latest first."""
    known_roots = Roots(connection)
    conditions = [stands]
    if query.under is not None:
        conditions.append(known_roots.under(query.under))
    if query.file_ids:
        conditions.append(journal.c.file_id.in_(query.file_ids))
    # An undo is taken back only if asked for by its number: else two of them would go round.
    by_run = journal.c.undoes.is_(None) if query.run_id is None else None
    conditions.append(journal.c.run_id == query.run_id if by_run is None else by_run)
    found: list[JournalEntry] = []
    for entry in _entries(connection, known_roots, *conditions):
        if found and entry.run_id != found[0].run_id:
            break
        if query.genre is None or _concerns(entry.write, query.genre):
            found.append(entry)
    return found


def _concerns(write: TagWrite, genre: str) -> bool:
    return fold(genre) in {fold(text) for text in (*write.before, *write.after)}


def _entries(
    connection: Connection, known_roots: Roots, *conditions: ColumnElement[bool]
) -> Iterator[JournalEntry]:
    """Yield entries, the latest first."""
    rows = connection.execution_options(yield_per=1000).execute(
        select(journal, *FILE_COLUMNS, rollbacks.c.overwritten)
        .join(files, files.c.file_id == journal.c.file_id)
        .outerjoin(rollbacks, rollbacks.c.journal_id == journal.c.journal_id)
        .where(*conditions)
        .order_by(journal.c.run_id.desc(), journal.c.journal_id.desc())
    )
    return (_entry(row, known_roots) for row in rows)


def _entry(row: Row[*tuple[Any, ...]], known_roots: Roots) -> JournalEntry:
    file = known_roots.file(row)
    write = TagWrite(
        file.path,
        row.genres_before,
        row.genres_after,
        row.provenance_before,
        row.provenance_after,
    )
    noted = row.overwritten or row.kept
    return JournalEntry(
        row.journal_id,
        row.run_id,
        file,
        write,
        _with_patches(row.kept),
        _with_patches(row.overwritten),
        Seal.NONE if noted is None else noted.seal,
        None if noted is None else noted.change.real_path,
    )


def _with_patches(noted: Noted | None) -> FileChange | None:
    return noted.change if noted is not None and noted.change.patches else None


def adopt(connection: Connection) -> None:
    """Seal what is kept of closed writes anew, as this user's."""
    closed = select(journal.c.journal_id).where(journal.c.state != State.INTENDED.value)
    for batch in batches(list(connection.scalars(closed))):
        rows = connection.execute(
            select(journal.c.journal_id, journal.c.kept).where(journal.c.journal_id.in_(batch))
        )
        values = [
            {"of_entry": row.journal_id, "sealed": row.kept.change if row.kept else _NOTHING}
            for row in rows
            if row.kept is None or row.kept.seal is not Seal.OWN
        ]
        if values:
            chosen = journal.c.journal_id == bindparam("of_entry")
            statement = update(journal).where(chosen)
            connection.execute(
                statement.values(kept=bindparam("sealed", type_=journal.c.kept.type)), values
            )


_NOTHING = FileChange((), 0, 0)


def taken_back(connection: Connection, file_ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """Return {file_id: genres of ours that a person took back}, for those files that have any.

    An answer that its owner takes back was no genre of ours, and what a run takes back itself is as
    if it had not been written: what is heard may be written there.
    """
    found: dict[int, tuple[str, ...]] = {}
    for batch in batches(file_ids):
        rows = connection.execute(
            select(_undo.c.file_id, _undo.c.genres_before, _undo.c.genres_after).where(
                _undo.c.file_id.in_(batch),
                _undo.c.undoes.is_not(None),
                _undo.c.state == State.DONE.value,
                ~_was_redone,
                ~_took_back_an_answer,
            )
        )
        for row in rows:
            gone = tuple(genre for genre in row.genres_before if genre not in row.genres_after)
            found[row.file_id] = found.get(row.file_id, ()) + gone
    return found


def written(connection: Connection, file_ids: Sequence[int]) -> dict[int, Written]:
    """Return {file_id: our last write there that stands}.

    An undo puts down what somebody else had set, and an answer what a person said: neither is ours.
    """
    found: dict[int, Written] = {}
    for batch in batches(file_ids):
        rows = connection.execute(
            select(
                journal.c.file_id,
                journal.c.genres_before,
                journal.c.genres_after,
                journal.c.provenance_after,
                runs.c.command,
            )
            .join(runs, runs.c.run_id == journal.c.run_id)
            .where(journal.c.file_id.in_(batch), stands, journal.c.undoes.is_(None))
            .order_by(journal.c.journal_id)
        )
        for row in rows:
            is_signed = row.provenance_after is not None
            before = found[row.file_id].genres if row.file_id in found else ()
            is_ours = is_signed or stays_ours(row, before)
            found[row.file_id] = Written(row.genres_after if is_ours else (), is_signed)
    return found


def stays_ours(row: Row[*tuple[Any, ...]], ours: tuple[str, ...]) -> bool:
    """Return whether a write that left no field of ours put genres of ours there.

    An answer is a person's word. Of a renaming it depends on what stood there.

    Args:
        row: The write.
        ours: The genres of ours that stood there last.
    """
    if row.command == RENAMING:
        return bool(ours) and row.genres_before == ours
    return bool(row.command != REVIEW)


def n_standing(connection: Connection) -> dict[int, int]:
    """Return {run_id: how many of its writes stand}."""
    rows = connection.execute(
        select(journal.c.run_id, func.count().label("n_standing"))
        .where(stands)
        .group_by(journal.c.run_id)
    )
    return {row.run_id: row.n_standing for row in rows}


def twins(connection: Connection, entry: JournalEntry) -> list[AudioFile]:
    """Return other files that hold the recording of an entry's file, the latest known first."""
    known_roots = Roots(connection)
    own = known_roots.place(entry.file.path)
    if own is None:
        return []
    its = select(files.c.audio).where(
        files.c.root_id == own.root_id, files.c.relative == own.relative
    )
    rows = connection.execute(
        select(*FILE_COLUMNS)
        .where(files.c.audio == its.scalar_subquery())
        .order_by(files.c.file_id.desc())
    )
    found = (known_roots.file(row) for row in rows)
    return [file for file in found if file.path != entry.file.path]
