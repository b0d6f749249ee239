"""Putting down what a run found, so that what cannot be put down costs its own file alone.

Here also: writing tags with the catalogue knowing of it, before and after.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tagger.catalog import Catalog, CatalogEntry, FailedFile, PlannedWrite
from tagger.errors import RowError, TagWriteError, TornWriteError
from tagger.nets import net, tell
from tagger.records import AudioFile
from tagger.tags import PreparedWrite, carry_out_all

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


@dataclass(frozen=True, slots=True)
class ReadyWrite:
    """A write that has come through its comparison, and what the catalogue is to know of it.

    Args:
        file: The file as it stands before.
        prepared: The write.
        row: Returns the file's row as it is to be afterwards, by the number in the journal.
        undoes: The journal entry that it takes back, if it does.
    """

    file: AudioFile
    prepared: PreparedWrite
    row: Callable[[int], CatalogEntry]
    undoes: int | None = None

    @property
    def planned(self) -> PlannedWrite:
        """What the journal is told before it."""
        one = self.prepared
        return PlannedWrite(self.file, one.write, self.undoes, one.to_keep, one.to_roll_back)


def carry_out(
    catalog: Catalog, run_id: int, ready: Sequence[ReadyWrite], *, preserve_mtime: bool
) -> list[TagWriteError | None]:
    """Journal writes, make them, and record those that were made; return each one's fault.

    A kill between any two of these loses nothing. What failed is told, and out of the journal.

    Raises:
        CatalogError: The catalogue itself cannot be written.
    """
    journal_ids = catalog.journal(run_id, [one.planned for one in ready])
    faults = carry_out_all([one.prepared for one in ready], preserve_mtime=preserve_mtime)
    recorded: list[CatalogEntry] = []
    dropped: list[int] = []
    for one, fault, journal_id in zip(ready, faults, journal_ids, strict=True):
        if fault is None:
            recorded.append(one.row(journal_id))
            continue
        tell(one.file.path, fault.trace)
        if not isinstance(fault, TornWriteError):  # the next start puts that one back
            dropped.append(journal_id)
    for path, error in record(catalog, run_id, recorded).items():
        tell(path, error.trace)
    catalog.journal_dropped(dropped)
    return faults
