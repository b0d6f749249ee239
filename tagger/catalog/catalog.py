"""The catalogue as its users see it: records in, records out, CatalogErrors and no others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine

from tagger.catalog import (
    chronicle,
    copies,
    embeddings,
    exporting,
    faults,
    journal,
    lookup,
    opening,
    pruning,
    queries,
    recording,
    relocating,
    runs,
    surveying,
    tagged,
    upgrade,
    vanishing,
)
from tagger.catalog.batches import batches
from tagger.catalog.exporting import ExportedTrack
from tagger.catalog.pruning import VanishedFile
from tagger.catalog.relocating import Relocated
from tagger.catalog.rows import (
    CatalogEntry,
    Copy,
    Counts,
    Embeddings,
    FailedFile,
    FileRow,
    JournalEntry,
    KnownTrack,
    Leftovers,
    ModelRecord,
    PlannedWrite,
    RootRow,
    RunRow,
    SurveyedTrack,
    TaggedTrack,
    TrackInfo,
    TrackQuery,
    TrackRow,
    WriteQuery,
)
from tagger.catalog.sqlite.engines import forbid_writing, memory_engine
from tagger.catalog.store import DURABLE, WAIT_S, WRITING, Store
from tagger.errors import CatalogError
from tagger.records import AudioFile, FloatArray, RunSummary, TrackPrediction

ABSENT = "there is no catalogue here yet; run tagger tag first"


class Catalog:
    """An open catalogue. One process writes at a time; the others wait for their turn.

    Every method that writes is one transaction: an exception in it, KeyboardInterrupt among
    them, leaves the catalogue as it was before.

    Raises:
        CatalogError: From any method, with the catalogue's path and what to do.
    """

    def __init__(self, engine: Engine, store: Store | None) -> None:
        """Take an engine whose schema is up to date; users call open() or empty()."""
        self._store = store
        self._engine = engine
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

    @property
    def where(self) -> faults.Where:
        """The file, or the URL without its password; None for one in memory."""
        return None if self._store is None else self._store.where

    def complaint(self, reason: str) -> CatalogError:
        """Return the error that says what is wrong with what was asked of this catalogue."""
        return faults.complaint(reason, self.where)

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

    @contextmanager
    def _transaction(self, engine: Engine) -> Iterator[Connection]:
        with faults.reported(self.where), engine.begin() as connection:
            yield connection

    # Runs

    def register_model(self, model: ModelRecord) -> None:
        """Note a model, before a run or a prediction names it; a known one stays as it is."""
        with self._transaction(self._writer) as connection:
            runs.register_model(connection, model)

    def models(self) -> list[ModelRecord]:
        """Return the models that have been used, the first one first."""
        with self._transaction(self._engine) as connection:
            return runs.load_models(connection)

    def set_default_model(self, model_id: str, file: Path) -> None:
        """Make a registered model the catalogue's own: the one that is used unless one is named."""
        with self._transaction(self._writer) as connection:
            runs.set_default_model(connection, model_id, file)

    def default_model(self) -> Path | None:
        """Return the checkpoint of the catalogue's own model, if it has one."""
        with self._transaction(self._engine) as connection:
            return runs.default_model(connection)

    def begin_run(self, command: str, model_id: str | None, paths: Sequence[Path] = ()) -> int:
        """Note that a run begins, and what it was asked to look at; return its number."""
        with self._transaction(self._writer) as connection:
            return runs.begin(connection, command, model_id, paths)

    def end_run(self, run_id: int, summary: RunSummary) -> None:
        """Note how a run ended."""
        with self._transaction(self._writer) as connection:
            runs.end(connection, run_id, summary)

    def runs(self, limit: int | None = None) -> list[RunRow]:
        """Return the runs, the latest first."""
        with self._transaction(self._engine) as connection:
            return runs.load_runs(connection, limit=limit)

    # Tracks

    def lookup(self, files: Sequence[AudioFile], model_id: str) -> list[KnownTrack | None]:
        """Return what is known of each file, in the same order; None for a new one."""
        with self._transaction(self._engine) as connection:
            return lookup.known_tracks(connection, files, model_id)

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

    def copies(self, audios: Iterable[str]) -> Mapping[str, list[Copy]]:
        """Return the files known to hold each of these recordings, the first one known first."""
        with self._transaction(self._engine) as connection:
            return copies.copies(connection, audios)

    def heard_in(self, asked: Mapping[int, Path], model_id: str) -> dict[int, TrackPrediction]:
        """Return {file_id: what a model heard there, embeddings included}, of {file_id: path}."""
        with self._transaction(self._engine) as connection:
            return copies.heard_in(connection, asked, model_id)

    def move(self, moved: Sequence[tuple[Copy, AudioFile]]) -> list[int]:
        """Let rows follow their files to new places; return the file_ids of those that could."""
        with self._transaction(self._writer) as connection:
            return copies.move(connection, moved)

    def roots_under(self, folder: Path) -> list[RootRow]:
        """Return the roots that have files in a folder that had not vanished, and how many."""
        with self._transaction(self._engine) as connection:
            return vanishing.roots_under(connection, folder)

    def unseen(self, folder: Path, root_id: int, seen: NDArray[np.int64]) -> Iterator[FileRow]:
        """Yield the files of a root in a folder, not marked yet, that are not among those seen."""
        with self._transaction(self._engine) as connection:
            yield from vanishing.unseen(connection, folder, root_id, seen)

    def mark_vanished(self, file_ids: Sequence[int]) -> None:
        """Note that files are gone; they are kept, for the day that they come back."""
        with self._transaction(self._writer) as connection:
            vanishing.mark_vanished(connection, file_ids)

    def set_device(self, root_id: int, device: int) -> None:
        """Note the number of the device that a root is on."""
        with self._transaction(self._writer) as connection:
            vanishing.set_device(connection, root_id, device)

    def tagged(self, model_id: str, under: Path | None = None) -> Iterator[TaggedTrack]:
        """Yield the tracks that bear a genre, with what a model made of their sound."""
        with self._transaction(self._engine) as connection:
            yield from tagged.tagged_tracks(connection, model_id, under)

    def n_tagged(self, model_id: str, under: Path | None = None) -> int:
        """Return how many tracks ``tagged`` would give."""
        with self._transaction(self._engine) as connection:
            return tagged.n_tagged(connection, model_id, under)

    def vanished(self, under: Path | None = None, also: Sequence[int] = ()) -> list[VanishedFile]:
        """Return the files that are gone, in a folder or anywhere, and others that are not marked.

        Args:
            under: Only those in this folder.
            also: Rows of files that were found to be gone just now.
        """
        with self._transaction(self._engine) as connection:
            return pruning.vanished_files(connection, under, also)

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

    def pending_writes(self) -> list[JournalEntry]:
        """Return the writes that were planned and never closed, the oldest first.

        Whoever holds the right to touch files finds those of runs that were broken off; without
        it, those of a run that is under way elsewhere are among them.
        """
        with self._transaction(self._engine) as connection:
            return journal.pending(connection)

    def standing_writes(self, query: WriteQuery) -> list[JournalEntry]:
        """Return the writes of one run that were made and not taken back, the latest first."""
        with self._transaction(self._engine) as connection:
            return journal.standing(connection, query)

    def twins(self, entry: JournalEntry) -> list[AudioFile]:
        """Return other files that hold the recording of an entry's file."""
        with self._transaction(self._engine) as connection:
            return journal.twins(connection, entry)

    # Questions

    def tracks(self, query: TrackQuery | None = None) -> Iterator[TrackRow]:
        """Yield tracks, and files that failed, as they are read."""
        with self._transaction(self._engine) as connection:
            yield from queries.track_rows(connection, query or TrackQuery())

    def exported(self, query: TrackQuery | None = None) -> Iterator[ExportedTrack]:
        """Yield all that is known of tracks, and of files that failed, as they are read."""
        with self._transaction(self._engine) as connection:
            yield from exporting.exported(connection, query or TrackQuery())

    def info(self, path: Path) -> TrackInfo | None:
        """Return all that is known of a file, or None."""
        with self._transaction(self._engine) as connection:
            return queries.track_info(connection, path)

    def counts(self) -> Counts:
        """Return how much there is in the catalogue."""
        with self._transaction(self._engine) as connection:
            return queries.counts(connection)

    def embeddings(self, model_id: str) -> Embeddings:
        """Return all embeddings of a model, in one matrix."""
        with self._transaction(self._engine) as connection:
            return embeddings.load_all(connection, model_id)

    def surveyed(
        self, under: Path | None = None, model_id: str | None = None
    ) -> Iterator[SurveyedTrack]:
        """Yield tracks, and files that failed, as a report counts them, as they are read.

        Args:
            under: Only those in this folder.
            model_id: A model, to learn which tracks it has an embedding of.
        """
        with self._transaction(self._engine) as connection:
            yield from surveying.surveyed(connection, under, model_id)

    def leftovers(self, under: Path | None = None) -> Leftovers:
        """Return how many files are gone, and how many are copies, in a folder or anywhere."""
        with self._transaction(self._engine) as connection:
            return surveying.leftovers(connection, under)

    def vectors(self, model_id: str, track_ids: Sequence[int]) -> Mapping[int, FloatArray]:
        """Return {track_id: embedding (embedding_dim,)} of those tracks that a model has heard."""
        with self._transaction(self._engine) as connection:
            return surveying.vectors(connection, model_id, track_ids)
