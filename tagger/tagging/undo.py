"""Taking writes back: the genres and our own field as they stood before, from the journal.

A file is found where it was written, or where the catalogue has since seen it moved to; if it is
gone, where there is a copy of the same recording that bears our field. Its genre is put back only
while it is the one that the journal says we wrote; where the one before stands there again, our
field goes. Taking back is a write like any other: noted in the journal first, and done or not done
as a whole.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from tagger.catalog import (
    FILL,
    REVIEW,
    Catalog,
    CatalogEntry,
    JournalEntry,
    WriteQuery,
)
from tagger.errors import TagReadError, TagWriteError
from tagger.files.scan import is_absent
from tagger.nets import net, tell
from tagger.reasons import Reason, ReasonCode
from tagger.records import AudioFile, RunSummary, Status, TagsFound, TagWrite
from tagger.tagging import ledger
from tagger.tagging.interrupt import Interrupts
from tagger.tagging.recovery import close_pending
from tagger.tagging.track import stat_again, stat_if_there
from tagger.tags import (
    SAFE_WAYS,
    PreparedWrite,
    Ways,
    is_ours,
    overruled_in,
    prepare_restore,
    read_tags,
)

_FLUSH_FILES = 32  # journalled, written and recorded in one go
_NOT_OURS = Reason(ReasonCode.NOTED_BY_OTHERS)


@dataclass(frozen=True, slots=True)
class UndoRequest:
    """What is to be taken back, and how.

    Args:
        query: Which writes.
        journal_ids: Of those only these; None: all.
        dry_run: Touch nothing, not even the catalogue.
        force: Also where somebody has changed the genre since.
        preserve_mtime: Keep the files' time of change.
        ways: How files may be written.
        within: The run that takes back what it wrote itself; None: a run of its own does.
    """

    query: WriteQuery
    journal_ids: frozenset[int] | None = None
    dry_run: bool = False
    force: bool = False
    preserve_mtime: bool = False
    ways: Ways = SAFE_WAYS
    within: int | None = None


@dataclass(frozen=True, slots=True)
class UndoResult:
    """What became of one file.

    Args:
        path: Where it is now.
        run_id: The run whose write was to be taken back.
        status: RESTORED, PLANNED, UNCHANGED or FAILED.
        before: The genres that stood there.
        genres: Those that stand there now.
        reason: Why, if there is anything to say.
        is_exact: The file is byte for byte as it was before the write, or would be.
    """

    path: Path
    run_id: int
    status: Status
    before: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()
    reason: Reason | None = None
    is_exact: bool = False


@dataclass(frozen=True, slots=True)
class _Found:
    """A file whose genre can be put back: the entry, where it is now, what stands in it."""

    entry: JournalEntry
    file: AudioFile
    tags: TagsFound

    @property
    def wanted(self) -> TagsFound:
        """Its tags as they are to be."""
        write = self.entry.write
        return replace(self.tags, genres=write.before, provenance=write.provenance_before)

    def prepared(self, ways: Ways) -> PreparedWrite:
        """Make its write ready.

        Raises:
            TagWriteError: It cannot be put back.
        """
        return prepare_restore(
            self.file.path, self.wanted, kept=self.entry.kept, expected=self.tags, ways=ways
        )

    def left_alone(self, status: Status, reason: Reason) -> UndoResult:
        """Return what became of it where nothing is written."""
        return UndoResult(
            self.file.path, self.entry.run_id, status, self.tags.genres, self.tags.genres, reason
        )

    def put_back(self, status: Status, prepared: PreparedWrite) -> UndoResult:
        """Return what became of it where the write was made, or would be."""
        return UndoResult(
            self.file.path,
            self.entry.run_id,
            status,
            self.tags.genres,
            self.wanted.genres,
            None if prepared.is_exact else self._why_not_exact,
            is_exact=prepared.is_exact,
        )

    @property
    def _why_not_exact(self) -> Reason:
        if self.entry.kept is None:
            return Reason(ReasonCode.GENRE_ALONE_UNKEPT)
        return Reason(ReasonCode.GENRE_ALONE_CHANGED)


@dataclass
class UndoRun:
    """A run that takes writes back and gives the result of each; its summary is true at any moment.

    Args:
        request: What to take back.
        catalog: Where it is recorded; never written to in a dry run.
    """

    request: UndoRequest
    catalog: Catalog
    _by_status: Counter[Status] = field(default_factory=Counter)
    _started: float = field(default_factory=time.monotonic)
    _interrupted: bool = False

    @property
    def summary(self) -> RunSummary:
        """Counts so far."""
        elapsed_s = time.monotonic() - self._started
        return RunSummary(dict(self._by_status), elapsed_s=elapsed_s, interrupted=self._interrupted)

    def results(self) -> Generator[UndoResult, None, None]:
        """Yield the result of each file as soon as it stands in the catalogue.

        Raises:
            CatalogError: the catalogue cannot be written.
            KeyboardInterrupt: after Ctrl-C; what was finished stays finished.
        """
        if not self.request.dry_run:
            under = self.request.query.under
            close_pending(self.catalog, [] if under is None else [under])
        entries = [entry for entry in self._entries() if self._is_asked_for(entry)]
        if not entries:
            return
        with Interrupts() as interrupts:
            run_id = 0 if self.request.dry_run else self.request.within or self._begin()
            try:
                for start in range(0, len(entries), _FLUSH_FILES):
                    with interrupts.held():
                        results = self._take_back(run_id, entries[start : start + _FLUSH_FILES])
                        self._by_status.update(result.status for result in results)
                    yield from results
                    interrupts.raise_pending()
            except (KeyboardInterrupt, GeneratorExit):
                self._interrupted = True
                raise
            finally:
                if run_id and run_id != self.request.within:
                    self.catalog.end_run(run_id, self.summary)

    def _is_asked_for(self, entry: JournalEntry) -> bool:
        return self.request.journal_ids is None or entry.journal_id in self.request.journal_ids

    def _entries(self) -> Sequence[JournalEntry]:
        """Return what is to be taken back; a review, or its filling, that still writes ends first.

        What it wrote between a look and its end would be left behind: the look comes after.
        """
        query = self.request.query
        if self.request.dry_run:
            return self.catalog.standing_writes(query)
        run_id = query.run_id
        if run_id is None:
            found = self.catalog.standing_writes(query)
            if not found:
                return found
            run_id = found[0].run_id
        self._stop_review(run_id)
        return self.catalog.standing_writes(replace(query, run_id=run_id))

    def _stop_review(self, run_id: int) -> None:
        """End a review, or its filling, that is to be taken back as a whole: it may run still."""
        query = self.request.query
        if query.under is not None or query.genre is not None or query.file_ids:
            return
        if any(
            run.run_id == run_id and run.command in (REVIEW, FILL) for run in self.catalog.runs()
        ):
            with self.catalog.writing():  # what it has under way is finished first
                self.catalog.stop_answers(run_id)

    def _begin(self) -> int:
        under = self.request.query.under
        return self.catalog.begin_run("undo", None, [] if under is None else [under])

    def _take_back(self, run_id: int, entries: Sequence[JournalEntry]) -> list[UndoResult]:
        if self.request.dry_run:
            return self._carry_out(run_id, entries)
        with self.catalog.writing():
            return self._carry_out(run_id, entries)

    def _carry_out(self, run_id: int, entries: Sequence[JournalEntry]) -> list[UndoResult]:
        """Look, prepare, journal, write and record; whatever fails is noted, not raised."""
        with ExitStack() as opened:
            results: list[UndoResult] = []
            ready: list[tuple[_Found, PreparedWrite]] = []
            for entry in entries:
                one = self._look(entry)
                if isinstance(one, UndoResult):
                    results.append(one)
                    continue
                try:
                    ready.append((one, opened.enter_context(one.prepared(self.request.ways))))
                except TagWriteError as exc:
                    tell(entry.file.path, exc.trace)
                    results.append(one.left_alone(Status.FAILED, exc.why))
            if self.request.dry_run:
                return results + [one.put_back(Status.PLANNED, p) for one, p in ready]
            return results + (self._restore(run_id, ready) if ready else [])

    def _look(self, entry: JournalEntry) -> _Found | UndoResult:
        """Return where a file is and what stands in it, or why nothing is to be done there."""
        if not self.catalog.is_own(entry):
            return UndoResult(entry.file.path, entry.run_id, Status.FAILED, reason=_NOT_OURS)
        try:
            with net(entry.file.path, TagReadError):
                file, tags = self._file_of(entry)
        except (TagReadError, TagWriteError) as exc:
            tell(entry.file.path, exc.trace)
            return UndoResult(entry.file.path, entry.run_id, Status.FAILED, reason=exc.why)
        found = _Found(entry, file, tags)
        if tags == found.wanted:
            return found.left_alone(Status.UNCHANGED, Reason(ReasonCode.AS_BEFORE))
        if not self.request.force and (change := self._changed_since(found)):
            return found.left_alone(Status.FAILED, change)
        return found

    def _changed_since(self, one: _Found) -> Reason | None:
        """Return what somebody did to a genre that we wrote; None: it stands, or the old one."""
        tags, write = one.tags, one.entry.write
        if tags.genres == write.before:
            return None
        if tags.genres != write.after:
            return Reason(ReasonCode.CHANGED_SINCE, {"genres": tags.genres})
        (known,) = self.catalog.lookup([one.file], "")
        overruled = overruled_in(tags, write.after, known.tags if known else None)
        was_ours = is_ours(replace(tags, overruled=None), write.after)
        is_set_again = was_ours and not is_ours(replace(tags, overruled=overruled), write.after)
        has_our_field = tags.provenance == write.provenance_after
        return Reason(ReasonCode.SET_ANEW) if is_set_again or not has_our_field else None

    def _file_of(self, entry: JournalEntry) -> tuple[AudioFile, TagsFound]:
        """Return the file of an entry as it is now, moved it may be, and its tags.

        Raises:
            TagReadError, TagWriteError: It is gone, or cannot be read.
        """
        path = entry.file.path
        if not is_absent(Path(os.path.realpath(path))):  # what cannot be looked at is not gone
            return stat_again(entry.file), read_tags(path)
        for twin in self.catalog.twins(entry):
            if _bears_our_write(twin, entry.write):
                return twin, read_tags(twin.path)
        raise TagReadError(Reason(ReasonCode.GONE), path)

    def _restore(
        self, run_id: int, ready: Sequence[tuple[_Found, PreparedWrite]]
    ) -> list[UndoResult]:
        writes = [
            ledger.ReadyWrite(one.file, prepared, partial(self._row, one), one.entry.journal_id)
            for one, prepared in ready
        ]
        keeps_time = self.request.preserve_mtime
        faults = ledger.carry_out(self.catalog, run_id, writes, preserve_mtime=keeps_time)
        return [
            one.left_alone(Status.FAILED, fault.why)
            if fault
            else one.put_back(Status.RESTORED, prepared)
            for (one, prepared), fault in zip(ready, faults, strict=True)
        ]

    def _row(self, one: _Found, journal_id: int) -> CatalogEntry:
        """Return a file's row as it is to be; what was heard stays."""
        (known,) = self.catalog.lookup([one.file], "")
        overruled = overruled_in(one.wanted, (), known.tags if known else None)
        tags = replace(one.wanted, overruled=overruled)
        ours = is_ours(tags)
        # A file that somebody changed since it was heard keeps its old stat, to be heard again.
        is_as_heard = known is not None and known.unchanged
        return CatalogEntry(
            file=stat_if_there(one.file) if is_as_heard else one.entry.file,
            tags=tags,
            status=Status.WRITTEN if ours else Status.RESTORED,
            genres=tags.genres if ours else (),  # what was taken back is no genre of the track
            confidence=known.confidence if known else 0.0,
            reason=None if ours else Reason(ReasonCode.UNDONE, {"run": one.entry.run_id}),
            journal_id=journal_id,
        )


def _bears_our_write(file: AudioFile, write: TagWrite) -> bool:
    """Return whether a file is as it was recorded elsewhere, and carries what we wrote there."""
    try:
        tags = read_tags(file.path)
        return stat_again(file) == file and (tags.genres, tags.provenance) == (
            write.after,
            write.provenance_after,
        )
    except (TagReadError, TagWriteError):
        return False
