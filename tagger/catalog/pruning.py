"""Files that are no longer where they were: marked, seen again, and forgotten at last.

Forgotten are their rows, what was heard in them, and their history.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, delete, func, select, update

from tagger.catalog import chronicle, embeddings, journal
from tagger.catalog.batches import batches
from tagger.catalog.columns import now
from tagger.catalog.paths import Roots
from tagger.catalog.rows.files import FileRow, RootRow
from tagger.catalog.tables import files, predictions, roots, tracks
from tagger.catalog.tables import journal as entries

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_FETCHED_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class VanishedFile:
    """A file that is gone, as the catalogue knows it.

    Args:
        file_id: Its row.
        path: Where it was.
        vanished_at: When it was first found to be gone.
        n_undoable: Writes of ours that stand in it, and cannot be taken back once it is forgotten.
        is_open: A write was broken off, and what was there before is still needed.
    """

    file_id: int
    path: Path
    vanished_at: datetime
    n_undoable: int
    is_open: bool


def roots_under(connection: Connection, folder: Path) -> list[RootRow]:
    """Return the roots that have files in a folder that had not vanished, and how many there."""
    known_roots = Roots(connection)
    rows = connection.execute(
        select(roots.c.root_id, roots.c.device, func.count().label("n_files"))
        .join(files, files.c.root_id == roots.c.root_id)
        .where(known_roots.under(folder), files.c.vanished_at.is_(None))
        .group_by(roots.c.root_id, roots.c.device)
        .order_by(roots.c.root_id)
    )
    return [
        RootRow(row.root_id, known_roots.path(row.root_id, b""), row.device, row.n_files)
        for row in rows
    ]


def unseen(
    connection: Connection, folder: Path, root_id: int, seen: NDArray[np.int64]
) -> Iterator[FileRow]:
    """Yield the files of a root in a folder, not marked yet, that are not among those seen.

    Args:
        connection: To the catalogue.
        folder: Where to look.
        root_id: Which root.
        seen: (n,) file ids, sorted.
    """
    import numpy as np

    known_roots = Roots(connection)
    rows = connection.execution_options(yield_per=_FETCHED_AT_ONCE).execute(
        select(files.c.file_id, files.c.relative).where(
            files.c.root_id == root_id, known_roots.under(folder), files.c.vanished_at.is_(None)
        )
    )
    for part in rows.partitions():
        ids = np.fromiter((row.file_id for row in part), np.int64, len(part))
        for row, is_seen in zip(part, np.isin(ids, seen, assume_unique=True), strict=True):
            if not is_seen:
                yield FileRow(row.file_id, known_roots.path(root_id, row.relative))


def mark_vanished(connection: Connection, file_ids: Sequence[int]) -> None:
    """Note that files are gone."""
    for batch in batches(file_ids):
        connection.execute(
            update(files).where(files.c.file_id.in_(batch)).values(vanished_at=now())
        )


def set_device(connection: Connection, root_id: int, device: int) -> None:
    """Note the device that a root is on."""
    connection.execute(update(roots).where(roots.c.root_id == root_id).values(device=device))


def vanished_files(
    connection: Connection, under: Path | None = None, also: Sequence[int] = ()
) -> list[VanishedFile]:
    """Return the files that are gone, in the order of their paths.

    Args:
        connection: To the catalogue.
        under: Only those in this folder.
        also: Files that were found to be gone just now, and are not marked.
    """
    known_roots = Roots(connection)
    marked: ColumnElement[bool] = files.c.vanished_at.is_not(None)
    if under is not None:
        marked = and_(marked, known_roots.under(under))
    found = {
        row.file_id: _vanished(row, known_roots)
        for condition in (marked, *(files.c.file_id.in_(batch) for batch in batches(also)))
        for row in connection.execute(_statement().where(condition))
    }
    return sorted(found.values(), key=lambda file: os.fsencode(file.path))


def _statement() -> Select[*tuple[Any, ...]]:
    is_open = entries.c.state == journal.State.INTENDED.value
    return select(
        files.c.file_id,
        files.c.root_id,
        files.c.relative,
        files.c.vanished_at,
        _n_entries(journal.stands).label("n_undoable"),
        _n_entries(is_open).label("n_open"),
    )


def _n_entries(condition: ColumnElement[bool]) -> Any:
    of_file = and_(entries.c.file_id == files.c.file_id, condition)
    return select(func.count()).select_from(entries).where(of_file).scalar_subquery()


def _vanished(row: Row[*tuple[Any, ...]], known_roots: Roots) -> VanishedFile:
    path = known_roots.path(row.root_id, row.relative)
    vanished_at = row.vanished_at or now()
    return VanishedFile(row.file_id, path, vanished_at, row.n_undoable, row.n_open > 0)


def prune(
    connection: Connection,
    history: Path | None,
    under: Path | None = None,
    also: Sequence[int] = (),
) -> list[VanishedFile]:
    """Forget the files that are gone; return them, and those that had to be kept.

    Args:
        connection: To the catalogue.
        history: Its chronicle, which forgets them too: else a new catalogue would know of them.
        under: Only those in this folder.
        also: Files that were found to be gone just now, and are not marked.
    """
    found = vanished_files(connection, under, also)
    for batch in batches([one.file_id for one in found if not one.is_open]):
        journal_ids = forget(connection, batch)
        if history is not None and journal_ids:
            chronicle.forget(history, journal_ids)
    drop_empty_roots(connection)
    return found


def forget(connection: Connection, file_ids: Sequence[int]) -> list[int]:
    """Forget files; return the numbers of their writes, which are forgotten with them."""
    of_files = files.c.file_id.in_(file_ids)
    track_ids = list(
        connection.scalars(select(files.c.track_id).where(of_files, files.c.track_id.is_not(None)))
    )
    written = select(entries.c.journal_id).where(entries.c.file_id.in_(file_ids))
    journal_ids = list(connection.scalars(written.order_by(entries.c.journal_id)))
    heard_by = select(predictions.c.model_id).where(predictions.c.track_id.in_(track_ids))
    for model_id in list(connection.scalars(heard_by.distinct())):
        embeddings.drop(connection, model_id, track_ids)
    # What else belongs to a file, or to a track, goes with it.
    connection.execute(delete(files).where(of_files))
    connection.execute(delete(tracks).where(tracks.c.track_id.in_(track_ids)))
    return journal_ids


def drop_empty_roots(connection: Connection) -> None:
    """Forget the roots in which no file is known."""
    used = select(files.c.root_id).where(files.c.root_id == roots.c.root_id)
    connection.execute(delete(roots).where(~used.exists()))
