"""What an open catalogue can be asked: records, CatalogErrors and no others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine

from tagger.catalog import (
    embeddings,
    exporting,
    faults,
    journal,
    lookup,
    pruning,
    queries,
    runs,
    same_audio,
    surveying,
)
from tagger.catalog.exporting import ExportedTrack
from tagger.catalog.pruning import VanishedFile
from tagger.catalog.rows import (
    Copy,
    Counts,
    Embeddings,
    FileRow,
    JournalEntry,
    KnownTrack,
    Leftovers,
    ModelRecord,
    RootRow,
    RunRow,
    SurveyedTrack,
    TaggedTrack,
    TrackInfo,
    TrackQuery,
    TrackRow,
    WriteQuery,
)
from tagger.catalog.store import Store
from tagger.errors import CatalogError
from tagger.records import AudioFile, FloatArray, TrackPrediction


class Questions:
    """A catalogue that is asked; what changes it is ``Catalog``'s.

    Raises:
        CatalogError: From any method, with the catalogue's path and what to do.
    """

    def __init__(self, engine: Engine, store: Store | None) -> None:
        """Take an engine whose schema is up to date, and where the catalogue is kept, if it is."""
        self._engine = engine
        self._store = store

    @property
    def where(self) -> faults.Where:
        """The file, or the URL without its password; None for one in memory."""
        return None if self._store is None else self._store.where

    def complaint(self, reason: str) -> CatalogError:
        """Return the error that says what is wrong with what was asked of this catalogue."""
        return faults.complaint(reason, self.where)

    @contextmanager
    def _transaction(self, engine: Engine) -> Iterator[Connection]:
        with faults.reported(self.where), engine.begin() as connection:
            yield connection

    # Runs

    def models(self) -> list[ModelRecord]:
        """Return the models that have been used, the first one first."""
        with self._transaction(self._engine) as connection:
            return runs.load_models(connection)

    def default_model(self) -> Path | None:
        """Return the checkpoint of the catalogue's own model, if it has one."""
        with self._transaction(self._engine) as connection:
            return runs.default_model(connection)

    def runs(self, limit: int | None = None) -> list[RunRow]:
        """Return the runs, the latest first."""
        with self._transaction(self._engine) as connection:
            return runs.load_runs(connection, limit=limit)

    # Files that a scan finds, or does not

    def lookup(self, files: Sequence[AudioFile], model_id: str) -> list[KnownTrack | None]:
        """Return what is known of each file, in the same order; None for a new one."""
        with self._transaction(self._engine) as connection:
            return lookup.known_tracks(connection, files, model_id)

    def copies(self, audios: Iterable[str]) -> Mapping[str, list[Copy]]:
        """Return the files known to hold each of these recordings, the first one known first."""
        with self._transaction(self._engine) as connection:
            return same_audio.copies(connection, audios)

    def heard_in(self, asked: Mapping[int, Path], model_id: str) -> dict[int, TrackPrediction]:
        """Return {file_id: what a model heard there, embeddings included}, of {file_id: path}."""
        with self._transaction(self._engine) as connection:
            return same_audio.heard_in(connection, asked, model_id)

    def roots_under(self, folder: Path) -> list[RootRow]:
        """Return the roots that have files in a folder that had not vanished, and how many."""
        with self._transaction(self._engine) as connection:
            return pruning.roots_under(connection, folder)

    def unseen(self, folder: Path, root_id: int, seen: NDArray[np.int64]) -> Iterator[FileRow]:
        """Yield the files of a root in a folder, not marked yet, that are not among those seen."""
        with self._transaction(self._engine) as connection:
            yield from pruning.unseen(connection, folder, root_id, seen)

    def vanished(self, under: Path | None = None, also: Sequence[int] = ()) -> list[VanishedFile]:
        """Return the files that are gone, in a folder or anywhere, and others that are not marked.

        Args:
            under: Only those in this folder.
            also: Rows of files that were found to be gone just now.
        """
        with self._transaction(self._engine) as connection:
            return pruning.vanished_files(connection, under, also)

    # Tracks

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

    # What was heard of tracks

    def tagged(self, model_id: str, under: Path | None = None) -> Iterator[TaggedTrack]:
        """Yield the tracks that bear a genre, with what a model made of their sound."""
        with self._transaction(self._engine) as connection:
            yield from surveying.tagged_tracks(connection, model_id, under)

    def n_tagged(self, model_id: str, under: Path | None = None) -> int:
        """Return how many tracks ``tagged`` would give."""
        with self._transaction(self._engine) as connection:
            return surveying.n_tagged(connection, model_id, under)

    def embeddings(self, model_id: str) -> Embeddings:
        """Return all embeddings of a model, in one matrix."""
        with self._transaction(self._engine) as connection:
            return embeddings.load_all(connection, model_id)

    def vectors(self, model_id: str, track_ids: Sequence[int]) -> Mapping[int, FloatArray]:
        """Return {track_id: embedding (embedding_dim,)} of those tracks that a model has heard."""
        with self._transaction(self._engine) as connection:
            return surveying.vectors(connection, model_id, track_ids)

    # Writes

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
