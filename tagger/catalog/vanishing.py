"""Files that are no longer where they were: marked, and seen again. Nothing is forgotten here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, select, update

from tagger.catalog.batches import batches
from tagger.catalog.columns import now
from tagger.catalog.paths import Roots
from tagger.catalog.rows import FileRow, RootRow
from tagger.catalog.tables import files, roots

_FETCHED_AT_ONCE = 1000


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
