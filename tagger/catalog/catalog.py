"""The catalogue as its users see it: opened, changed, and asked as ``Questions`` says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine

from tagger.catalog import (
    chronicle,
    faults,
    journal,
    opening,
    pruning,
    recording,
    relocating,
    runs,
    same_audio,
    upgrade,
)
from tagger.catalog.batches import batches
from tagger.catalog.pruning import VanishedFile
from tagger.catalog.questions import Questions
from tagger.catalog.relocating import Relocated
from tagger.catalog.rows import (
    CatalogEntry,
    Copy,
    FailedFile,
    ModelRecord,
    PlannedWrite,
)
from tagger.catalog.sqlite.engines import forbid_writing, memory_engine
from tagger.catalog.store import DURABLE, WAIT_S, WRITING, Store
from tagger.records import AudioFile, RunSummary

ABSENT = "there is no catalogue here yet; run tagger tag first"


class Catalog(Questions):
    """An open catalogue. One process writes at a time; the others wait for their turn.

    Every method that writes is one transaction: an exception in it, KeyboardInterrupt among
    them, leaves the catalogue as it was before.

    Raises:
        CatalogError: From any method, with the catalogue's path and what to do.
    """

    def __init__(self, engine: Engine, store: Store | None) -> None:
        """Take an engine whose schema is up to date; users call open() or empty()."""
        super().__init__(engine, store)
        self._writer = engine.execution_options(**WRITING)
        self._durable_writer = engine.execution_options(**DURABLE)

    @classmethod
    def open(
        cls,
        location: str | Path,
        *,
        create: bool = True,
        read_only: bool = False,
        wait_s: float = WAIT_S,
    ) -> Self:
        """Open a catalogue, bring its schema up to date, and make it if need be.

        Args:
            location: A file, or a URL (``sqlite:///…``).
            create: Make the file, and the folders above it, where there is none.
            read_only: Touch nothing at all: an older schema is brought up to date in a copy in
                memory, and with ``create`` an absent catalogue is an empty one in memory.
                An absent one whose writes are known from its chronicle is never refused.
            wait_s: How long to wait while another process writes.
        """
        store = opening.store_of(location)
        with faults.reported(store.where):
            exists = store.exists()
            if not exists and not create and not chronicle.has_lines(store.chronicle):
                raise faults.complaint(ABSENT, store.where)
            if not exists and read_only:
                return cls.empty(location)
            engine = (store.open_to_read if read_only else store.open_to_write)(wait_s)
        return cls(engine, store)

    @classmethod
    def empty(cls, location: str | Path | None = None) -> Self:
        """Return an empty catalogue in memory, which cannot be written to.

        Args:
            location: Where one was that has been lost, if so: its writes are taken up.
        """
        engine = memory_engine()
        with engine.begin() as connection:
            upgrade.migrate(connection)
            if location is not None:
                chronicle.take_up(connection, opening.store_of(location).chronicle)
        forbid_writing(engine)
        return cls(engine, None)

    def close(self) -> None:
        """Close the catalogue; the last process to do so tidies its files up."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        """Return the catalogue itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the catalogue."""
        self.close()

    @property
    def schema(self) -> str:
        """The revision of the schema."""
        return upgrade.HEAD

    # Runs

    def register_model(self, model: ModelRecord) -> None:
        """Note a model, before a run or a prediction names it; a known one stays as it is."""
        with self._transaction(self._writer) as connection:
            runs.register_model(connection, model)

    def set_default_model(self, model_id: str, file: Path) -> None:
        """Make a registered model the catalogue's own: the one that is used unless one is named."""
        with self._transaction(self._writer) as connection:
            runs.set_default_model(connection, model_id, file)

    def begin_run(self, command: str, model_id: str | None, paths: Sequence[Path] = ()) -> int:
        """Note that a run begins, and what it was asked to look at; return its number."""
        with self._transaction(self._writer) as connection:
            return runs.begin(connection, command, model_id, paths)

    def end_run(self, run_id: int, summary: RunSummary) -> None:
        """Note how a run ended."""
        with self._transaction(self._writer) as connection:
            runs.end(connection, run_id, summary)

    # Tracks

    def record(self, run_id: int, entries: Sequence[CatalogEntry]) -> None:
        """Record what a run found, in one transaction; earlier failures of these files go."""
        if not entries:
            return
        with self._transaction(self._writer) as connection:
            recording.record(connection, run_id, entries)
            self._chronicle(connection, [e.journal_id for e in entries if e.journal_id is not None])

    def record_failures(self, run_id: int, failures: Sequence[FailedFile]) -> None:
        """Record files that could not be handled.

        Where only the write failed, record the track first, so that it is not analysed again.
        """
        if not failures:
            return
        with self._transaction(self._writer) as connection:
            recording.record_failures(connection, run_id, failures)

    # Files that move and vanish

    def move(self, moved: Sequence[tuple[Copy, AudioFile]]) -> list[int]:
        """Let rows follow their files to new places; return the file_ids of those that could."""
        with self._transaction(self._writer) as connection:
            return same_audio.move(connection, moved)

    def mark_vanished(self, file_ids: Sequence[int]) -> None:
        """Note that files are gone; they are kept, for the day that they come back."""
        with self._transaction(self._writer) as connection:
            pruning.mark_vanished(connection, file_ids)

    def set_device(self, root_id: int, device: int) -> None:
        """Note the number of the device that a root is on."""
        with self._transaction(self._writer) as connection:
            pruning.set_device(connection, root_id, device)

    def prune(self, under: Path | None = None, also: Sequence[int] = ()) -> list[VanishedFile]:
        """Forget the files that ``vanished`` names; return them, and those that had to be kept."""
        with self._transaction(self._durable_writer) as connection:
            history = None if self._store is None else self._store.chronicle
            return pruning.prune(connection, history, under, also)

    def relocate(self, old: Path, new: Path) -> Relocated:
        """Let the rows of all files under a folder say that they are under another one."""
        with self._transaction(self._durable_writer) as connection:
            return relocating.relocate(connection, old, new)

    # Journal

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the right to touch files: one process has it at a time, the others wait.

        A write that is found open by who has it was broken off by a kill.
        """
        assert self._store is not None, "a catalogue in memory is never written to"
        with faults.reported(self.where), self._store.hold_files(self._engine):
            yield

    def journal(self, run_id: int, writes: Sequence[PlannedWrite]) -> list[int]:
        """Note tags that are about to be written, on disk before this returns.

        Returns:
            A number for each, to be given to CatalogEntry or journal_done.
        """
        with self._transaction(self._durable_writer) as connection:
            return [
                number
                for batch in batches(writes)
                for number in recording.note_writes(connection, run_id, batch)
            ]

    def journal_done(self, journal_ids: Sequence[int]) -> None:
        """Note that writes were made; record() does it too, for its entries' journal_id."""
        with self._transaction(self._writer) as connection:
            journal.close(connection, journal_ids, journal.State.DONE)
            self._chronicle(connection, journal_ids)

    def _chronicle(self, connection: Connection, journal_ids: Sequence[int]) -> None:
        if journal_ids and self._store is not None:
            chronicle.append(connection, self._store.chronicle, journal_ids)

    def journal_dropped(self, journal_ids: Sequence[int]) -> None:
        """Note that writes were never made: the file is as it was before."""
        if not journal_ids:
            return
        with self._transaction(self._writer) as connection:
            journal.close(connection, journal_ids, journal.State.DROPPED)
