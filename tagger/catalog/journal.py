"""The journal of tag writes: noted before a file is touched, closed when its row is right.

For one track the order is journal entry, tag, row. After a kill between any two of them an entry
is left open, and what stands in the file tells which side of the write it happened on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path

from sqlalchemy import Connection, insert, select, update

from tagger.catalog.batches import batches
from tagger.catalog.columns import now
from tagger.catalog.paths import Roots
from tagger.catalog.rows import PendingWrite, PlannedWrite
from tagger.catalog.tables import files, journal
from tagger.records import TagWrite


class State(StrEnum):
    """What became of a write: still open, in the file, or never made."""

    INTENDED = "intended"
    DONE = "done"
    DROPPED = "dropped"


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
        }
        for one in planned
    ]
    statement = insert(journal).returning(journal.c.journal_id, sort_by_parameter_order=True)
    return list(connection.scalars(statement, rows))


def close(connection: Connection, journal_ids: Sequence[int], state: State) -> None:
    """Note what became of writes."""
    for batch in batches(journal_ids):
        chosen = journal.c.journal_id.in_(batch)
        connection.execute(update(journal).where(chosen).values(state=state.value))


def pending(connection: Connection) -> list[PendingWrite]:
    """Return the open entries, the oldest first."""
    known_roots = Roots(connection)
    rows = connection.execute(
        select(journal, files.c.root_id, files.c.relative)
        .join(files, files.c.file_id == journal.c.file_id)
        .where(journal.c.state == State.INTENDED.value)
        .order_by(journal.c.journal_id)
    )
    return [
        PendingWrite(
            row.journal_id,
            row.run_id,
            TagWrite(
                known_roots.path(row.root_id, row.relative),
                row.genres_before,
                row.genres_after,
                row.provenance_before,
                row.provenance_after,
            ),
        )
        for row in rows
    ]
