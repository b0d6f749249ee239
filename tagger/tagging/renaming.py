"""The genres of a library by the owner's list: what stands in files, and its words put there.

Renaming is a run like any other: journal entry, tag, row, in this order. A person's genre stays a
person's, and ours stays ours, with our field. Nothing is taken out, and no blank is filled.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from tagger.catalog import RENAMING, Catalog, CatalogEntry
from tagger.catalog.batches import batches
from tagger.catalog.witnesses import TaggedFile
from tagger.errors import TagReadError, TagWriteError
from tagger.genre_list import GenreList
from tagger.genre_text import letters_of
from tagger.nets import net, tell
from tagger.reasons import Reason, ReasonCode
from tagger.records import AudioFile, RunSummary, Status, TagsFound
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
    prepare_write,
    read_tags,
    renamed_provenance,
    rewritten,
)

_FLUSH_FILES = 32  # journalled, written and recorded in one go
_SAME = Reason(ReasonCode.SAME)


@dataclass(frozen=True, slots=True)
class Spelling:
    """A genre as it stands in tags.

    Args:
        genre: Letter by letter.
        word: What the owner's list calls it; the same where it has nothing to say.
        is_allowed: Whether that may be written.
        n_tracks: How many tracks bear it.
        n_ours: On how many of these the tagger wrote it.
    """

    genre: str
    word: str
    is_allowed: bool
    n_tracks: int
    n_ours: int

    @property
    def changes(self) -> bool:
        """Whether ``tagger genres --apply`` would put another word there."""
        return self.word != self.genre


def spellings(
    catalog: Catalog, genre_list: GenreList, *, under: Path | None = None
) -> list[Spelling]:
    """Return the genres that stand in a library: the commonest first, those of one word together.

    Args:
        catalog: What is asked; no file is looked at.
        genre_list: The owner's.
        under: Only files in this folder.
    """
    n_tracks: Counter[str] = Counter()
    n_ours: Counter[str] = Counter()
    for one in _tagged(catalog, under):
        borne = set(one.tags.genres)
        n_tracks.update(borne)
        if is_ours(one.tags, one.written):
            n_ours.update(borne)
    found = [
        Spelling(genre, genre_list.word_for(genre), bool(genre_list.named(genre)), n, n_ours[genre])
        for genre, n in n_tracks.items()
    ]
    together: Counter[str] = Counter()
    for spelt in found:
        together[letters_of(spelt.word)] += spelt.n_tracks
    return sorted(
        found,
        key=lambda spelt: (
            -together[letters_of(spelt.word)],
            letters_of(spelt.word),
            -spelt.n_tracks,
            spelt.genre,
        ),
    )


def n_to_rename(catalog: Catalog, genre_list: GenreList, *, under: Path | None = None) -> int:
    """Return how many files bear a genre that the list calls otherwise."""
    return sum(_is_renamed(one, genre_list) for one in _tagged(catalog, under))


def _tagged(catalog: Catalog, under: Path | None) -> Iterator[TaggedFile]:
    """Yield the files with a genre in them, as the catalogue knows them."""
    for one in catalog.tagged_files(catalog.tagged_ids().tolist()):
        if under is None or one.file.path.is_relative_to(under):
            yield one


def _is_renamed(one: TaggedFile, genre_list: GenreList) -> bool:
    return genre_list.renamed(one.tags.genres) != one.tags.genres


@dataclass(frozen=True, slots=True)
class RenameRequest:
    """What is to be renamed, and how.

    Args:
        genre_list: The owner's.
        under: Only files in this folder.
        dry_run: Touch nothing, not even the catalogue.
        preserve_mtime: Keep the files' time of change.
        ways: How files may be written.
    """

    genre_list: GenreList
    under: Path | None = None
    dry_run: bool = False
    preserve_mtime: bool = False
    ways: Ways = SAFE_WAYS


@dataclass(frozen=True, slots=True)
class RenameResult:
    """What became of one file.

    Args:
        path: Where it is.
        status: WRITTEN, PLANNED, UNCHANGED or FAILED.
        before: The genres that stood there.
        genres: Those that stand there now, or would.
        is_ours: Whether the tagger wrote them, and so it stays.
        reason: Why, if there is anything to say.
    """

    path: Path
    status: Status
    before: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()
    is_ours: bool = False
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    """A file whose genres the list calls otherwise, as it is now."""

    file: AudioFile
    recorded: AudioFile
    tags: TagsFound
    wanted: TagsFound
    is_ours: bool

    def result(self, status: Status, reason: Reason | None = None) -> RenameResult:
        is_done = status in (Status.WRITTEN, Status.PLANNED)
        genres = self.wanted.genres if is_done else self.tags.genres
        return RenameResult(self.file.path, status, self.tags.genres, genres, self.is_ours, reason)

    def prepared(self, ways: Ways) -> PreparedWrite:
        return prepare_write(
            self.file.path,
            self.wanted.genres,
            provenance=self.wanted.provenance,
            expected=self.tags,
            ways=ways,
        )


@dataclass
class RenameRun:
    """A run that puts the owner's words for genres; its summary is true at any moment.

    Args:
        request: What to rename.
        catalog: Where it is recorded; never written to in a dry run.
    """

    request: RenameRequest
    catalog: Catalog
    _by_status: Counter[Status] = field(default_factory=Counter)
    _by_genre: Counter[str] = field(default_factory=Counter)
    _started: float = field(default_factory=time.monotonic)
    _interrupted: bool = False

    @property
    def summary(self) -> RunSummary:
        """Counts so far."""
        elapsed_s = time.monotonic() - self._started
        return RunSummary(
            dict(self._by_status),
            dict(self._by_genre),
            elapsed_s=elapsed_s,
            interrupted=self._interrupted,
        )

    def results(self) -> Generator[RenameResult, None, None]:
        """Yield the result of each file as soon as it stands in the catalogue.

        Raises:
            CatalogError: the catalogue cannot be written.
            KeyboardInterrupt: after Ctrl-C; what was finished stays finished.
        """
        request = self.request
        under = [] if request.under is None else [request.under]
        if not request.dry_run:
            close_pending(self.catalog, under)
        known = [
            one
            for one in _tagged(self.catalog, request.under)
            if _is_renamed(one, request.genre_list)
        ]
        if not known:
            return
        with Interrupts() as interrupts:
            run_id = 0 if request.dry_run else self.catalog.begin_run(RENAMING, None, under)
            try:
                for some in batches(known, _FLUSH_FILES):
                    with interrupts.held():
                        results = self._rename(run_id, some)
                        self._count(results)
                    yield from results
                    interrupts.raise_pending()
            except (KeyboardInterrupt, GeneratorExit):
                self._interrupted = True
                raise
            finally:
                if run_id:
                    self.catalog.end_run(run_id, self.summary)

    def _count(self, results: Sequence[RenameResult]) -> None:
        self._by_status.update(one.status for one in results)
        for one in results:
            if one.status in (Status.WRITTEN, Status.PLANNED):
                self._by_genre.update(set(one.genres) - set(one.before))

    def _rename(self, run_id: int, known: Sequence[TaggedFile]) -> list[RenameResult]:
        if self.request.dry_run:
            return self._carry_out(run_id, known)
        with self.catalog.writing():
            return self._carry_out(run_id, known)

    def _carry_out(self, run_id: int, known: Sequence[TaggedFile]) -> list[RenameResult]:
        """Look, prepare, journal, write and record; whatever fails is noted, not raised."""
        with ExitStack() as opened:
            results: list[RenameResult] = []
            ready: list[tuple[_Found, PreparedWrite]] = []
            there: list[_Found] = []
            for one in known:
                try:
                    found = self._look(one)
                    if found.wanted.genres == found.tags.genres:
                        there.append(found)
                        results.append(found.result(Status.UNCHANGED, _SAME))
                    else:
                        prepared = opened.enter_context(found.prepared(self.request.ways))
                        ready.append((found, prepared))
                except (TagReadError, TagWriteError) as exc:
                    tell(one.file.path, exc.trace)
                    results.append(_failed(one, exc))
            if self.request.dry_run:
                return results + [found.result(Status.PLANNED) for found, _ in ready]
            # A kill came between a write and its row, or somebody else has renamed it.
            self._record(run_id, [self._row(found, None) for found in there])
            return results + (self._write(run_id, ready) if ready else [])

    def _look(self, one: TaggedFile) -> _Found:
        """Return a file as it is now: another program may have changed its genre since.

        Raises:
            TagReadError, TagWriteError: It is gone, or cannot be read.
        """
        with net(one.file.path, TagReadError):
            file = stat_again(one.file)
            tags = read_tags(file.path)
        tags = replace(tags, overruled=overruled_in(tags, one.written, one.tags))
        ours = is_ours(tags, one.written)
        genres = self.request.genre_list.renamed(tags.genres)
        # An old field of ours beside a person's genre would make that ours, were it so renamed.
        signed = renamed_provenance(tags, genres) if is_ours(tags) else None
        return _Found(file, one.file, tags, rewritten(tags, genres, signed), ours)

    def _write(
        self, run_id: int, ready: Sequence[tuple[_Found, PreparedWrite]]
    ) -> list[RenameResult]:
        writes = [
            ledger.ReadyWrite(one.file, prepared, partial(self._row, one))
            for one, prepared in ready
        ]
        keeps_time = self.request.preserve_mtime
        faults = ledger.carry_out(self.catalog, run_id, writes, preserve_mtime=keeps_time)
        return [
            one.result(Status.FAILED, fault.why) if fault else one.result(Status.WRITTEN)
            for (one, _), fault in zip(ready, faults, strict=True)
        ]

    def _record(self, run_id: int, entries: Sequence[CatalogEntry]) -> None:
        for path, error in ledger.record(self.catalog, run_id, entries).items():
            tell(path, error.trace)

    def _row(self, one: _Found, journal_id: int | None) -> CatalogEntry:
        """Return a file's row as it is to be; what was heard stays."""
        (known,) = self.catalog.lookup([one.file], "")
        # A file that somebody changed since it was heard keeps its old stat, to be heard again.
        is_as_heard = one.file == one.recorded
        decided = known.genres if known else ()
        return CatalogEntry(
            file=stat_if_there(one.file) if is_as_heard else one.recorded,
            tags=one.wanted,
            status=Status.WRITTEN if one.is_ours else Status.KEPT,
            genres=one.wanted.genres if one.is_ours else decided,
            confidence=known.confidence if known else 0.0,
            reason=None if one.is_ours else Reason(ReasonCode.SOMEBODYS),
            journal_id=journal_id,
        )


def _failed(one: TaggedFile, error: TagReadError | TagWriteError) -> RenameResult:
    genres = one.tags.genres
    return RenameResult(one.file.path, Status.FAILED, genres, genres, reason=error.why)
