"""Putting down what a run found, so that what cannot be put down costs its own file alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from tagger.catalog import Catalog, CatalogEntry, FailedFile, PlannedWrite
from tagger.errors import RowError
from tagger.nets import net, tell

_Item = TypeVar("_Item", CatalogEntry, FailedFile, PlannedWrite)


def put_down(
    put: Callable[[Sequence[_Item]], object], items: Sequence[_Item]
) -> dict[Path, RowError]:
    """Put items down together, and where that fails each half alone; return what cannot be.

    Args:
        put: One transaction: all of what it is given or nothing.
        items: What is to be put down, each about a file.

    Raises:
        CatalogError: The catalogue itself cannot be written.
    """
    if not items:
        return {}
    first = items[0].file.path
    try:
        with net(first, RowError):
            put(items)
    except RowError as exc:
        middle = len(items) // 2
        if not middle:
            return {first: exc}
        return put_down(put, items[:middle]) | put_down(put, items[middle:])
    return {}


def record(catalog: Catalog, run_id: int, entries: Sequence[CatalogEntry]) -> dict[Path, RowError]:
    """Record entries; return what stands in the way of those that cannot be recorded.

    The write of such a one has happened all the same, and its journal entry is closed.

    Raises:
        CatalogError: The catalogue itself cannot be written.
    """
    unrecorded = put_down(lambda some: catalog.record(run_id, some), entries)
    written = [e.journal_id for e in entries if e.file.path in unrecorded and e.journal_id]
    if written:
        catalog.journal_done(written)
    return unrecorded


def record_failures(catalog: Catalog, run_id: int, failed: Sequence[FailedFile]) -> None:
    """Record failures; what cannot even be recorded as one has been told of already.

    Raises:
        CatalogError: The catalogue itself cannot be written.
    """
    unrecorded = put_down(lambda some: catalog.record_failures(run_id, some), failed)
    for path, error in unrecorded.items():
        tell(path, error.trace)
