"""The catalogue as its users see it: opened, asked and changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Connection

# Some are named apart from the methods that they become.
from tagger.catalog import (
    answers,
    asked_about,
    chronicle,
    exporting,
    faults,
    listing,
    opening,
    pruning,
    queries,
    recording,
    relocating,
    same_audio,
    surveying,
    upgrade,
    witnesses,
)
from tagger.catalog import embeddings as packed
from tagger.catalog import journal as writes
from tagger.catalog import lookup as known
from tagger.catalog import runs as run_log
from tagger.catalog.pruning import VanishedFile
from tagger.catalog.putting import over, over_roots
from tagger.catalog.rows.files import FailedFile
from tagger.catalog.rows.tracks import CatalogEntry
from tagger.catalog.rows.writes import JournalEntry, PlannedWrite
from tagger.catalog.sealing import Seal
from tagger.catalog.sqlite.engines import forbid_writing, memory_engine
from tagger.catalog.store import WAIT_S
from tagger.catalog.transactions import Transactions, durable, reading, streaming, writing
from tagger.config import default_catalog

ABSENT = "there is no catalogue here yet; run tagger tag first (a dry run makes none)"


class Catalog(Transactions):
    """An open catalogue. One process writes at a time; the others wait for their turn.

    Every method is one transaction: an exception in one that writes, KeyboardInterrupt among
    them, leaves the catalogue as it was before. Most are said in full where their function stands.
    Users call ``open`` or ``empty``.

    Raises:
        CatalogError: From any method, with the catalogue's path and what to do.
    """

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

    # Runs and models

    models = reading(run_log.load_models)
    register_model = writing(run_log.register_model)
    set_default_model = writing(run_log.set_default_model)
    remember_model = writing(run_log.remember_model)
    remembered_model = reading(run_log.remembered_model)
    model_files = reading(run_log.model_files)
    runs = reading(run_log.load_runs)
    begin_run = writing(run_log.begin)
    end_run = writing(run_log.end)

    # Tracks, and what was heard in them

    tracks = streaming(over_roots(listing.listed))
    exported = streaming(exporting.exported)
    info = reading(queries.track_info)
    counts = reading(queries.counts)
    surveyed = streaming(surveying.surveyed)
    leftovers = reading(surveying.leftovers)
    tagged = streaming(surveying.tagged_tracks)
    n_tagged = reading(surveying.n_tagged)
    embeddings = reading(packed.load_all)
    vectors = reading(surveying.vectors)

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
        if failures:
            with self._transaction(self._writer) as connection:
                recording.record_failures(connection, run_id, failures)

    # Files that a scan finds, or does not

    lookup = reading(known.known_tracks)
    heard_by = reading(known.heard_by)
    recorded = reading(witnesses.recorded)
    tagged_ids = reading(witnesses.tagged_ids)
    tagged_names = reading(witnesses.tagged_names)
    tagged_files = streaming(witnesses.tagged_files)
    written_unsigned = reading(witnesses.written_unsigned)
    bears = reading(witnesses.bears)
    copies = reading(same_audio.copies)
    heard_in = reading(same_audio.heard_in)
    move = writing(same_audio.move)
    relocate = durable(relocating.relocate)
    roots_under = reading(pruning.roots_under)
    set_device = writing(pruning.set_device)
    unseen = streaming(pruning.unseen)
    mark_vanished = writing(pruning.mark_vanished)
    vanished = reading(pruning.vanished_files)

    def prune(self, under: Path | None = None, also: Sequence[int] = ()) -> list[VanishedFile]:
        """Forget the files that ``vanished`` names; return them, and those that had to be kept."""
        with self._transaction(self._durable_writer) as connection:
            history = None if self._store is None else self._store.chronicle
            return pruning.prune(connection, history, under, also)

    # Writes

    pending_writes = reading(writes.pending)
    standing_writes = reading(writes.standing)
    twins = reading(writes.twins)

    # Answers

    give_answer = durable(answers.give)
    give_answers = durable(answers.give_all)
    withdraw_answers = durable(answers.withdraw)
    stop_answers = durable(answers.stop)
    note_before_answer = writing(answers.note_before)
    settle_answer = writing(answers.settle)
    unfinished_answer = reading(answers.unfinished)
    unanswered = streaming(over_roots(asked_about.unanswered))
    answered = reading(answers.counted)
    answers_left = reading(answers.left)
    answer_of_tracks = reading(answers.answer_of_tracks)
    kept_genres = reading(answers.kept_genres)
    said_of = reading(over(asked_about.said_of))
    persons_genres = reading(over(asked_about.persons_genres))
    file_of = reading(answers.stat_of)

    # Journal

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the right to touch files: one process has it at a time, the others wait.

        A write that is found open by who has it was broken off by a kill.
        """
        assert self._store is not None, "a catalogue in memory is never written to"
        with faults.reported(self.where), self._store.hold_files(self._engine):
            yield

    def journal(self, run_id: int, planned: Sequence[PlannedWrite]) -> list[int]:
        """Note tags that are about to be written, on disk before this returns.

        Returns:
            A number for each, to be given to CatalogEntry or journal_done.
        """
        with self._transaction(self._durable_writer) as connection:
            numbers = recording.note_writes(connection, run_id, planned)
        if self._store is not None:
            files = {n: one.file.path for n, one in zip(numbers, planned, strict=True)}
            chronicle.begin(self._store.chronicle, files)
        return numbers

    def journal_done(self, journal_ids: Sequence[int]) -> None:
        """Note that writes were made; record() does it too, for its entries' journal_id."""
        with self._transaction(self._writer) as connection:
            writes.close(connection, journal_ids, writes.State.DONE)
            self._chronicle(connection, journal_ids)

    def _chronicle(self, connection: Connection, journal_ids: Sequence[int]) -> None:
        if journal_ids and self._store is not None:
            chronicle.append(connection, self._store.chronicle, journal_ids)

    def journal_dropped(self, journal_ids: Sequence[int]) -> None:
        """Note that writes were never made: the file is as it was before."""
        if not journal_ids:
            return
        with self._transaction(self._writer) as connection:
            writes.close(connection, journal_ids, writes.State.DROPPED)
            if self._store is not None:
                chronicle.drop(self._store.chronicle, journal_ids)

    def is_own(self, entry: JournalEntry) -> bool:
        """Return whether an entry was noted by this user.

        So it was in a catalogue at the default place by a version that had no seals.
        """
        is_at_home = str(self.where) == default_catalog()
        return entry.seal is Seal.OWN or (entry.seal is Seal.NONE and is_at_home)

    adopt = durable(writes.adopt)
