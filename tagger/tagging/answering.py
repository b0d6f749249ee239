"""Carrying out a person's answers: genres into the files that each settles, or taken out again.

An answer lies in the catalogue before any file is touched, so that a kill loses none: whoever asks
next finishes it. The order for a file is journal entry, tag, row, as in any run. One process
touches files at a time, and an answer that is withdrawn meanwhile is taken back.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from tagger.catalog import (
    Action,
    AnsweredFile,
    AnsweredState,
    Catalog,
    CatalogEntry,
    KnownTrack,
    OpenAnswer,
    WriteQuery,
    by_status,
)
from tagger.errors import TagReadError, TagWriteError
from tagger.genre_text import are_among
from tagger.nets import net, tell
from tagger.reasons import Reason, ReasonCode
from tagger.records import AudioFile, RunSummary, Status, TagsFound
from tagger.tagging import ledger
from tagger.tagging.track import stat_again, stat_if_there
from tagger.tagging.undo import UndoRequest, UndoRun
from tagger.tags import (
    SAFE_WAYS,
    PreparedWrite,
    Ways,
    is_ours,
    overruled_in,
    prepare_write,
    provenance_text,
    read_tags,
    rewritten,
)

_AT_ONCE = 32  # files journalled, written and recorded in one go
_SETTLED = AnsweredState.WRITTEN, ""


@dataclass(frozen=True, slots=True)
class Manner:
    """How answers are written.

    Args:
        treat_as_blank: Genres that count as none.
        preserve_mtime: Keep the files' time of change.
        ways: How files may be written.
    """

    treat_as_blank: tuple[str, ...] = ()
    preserve_mtime: bool = False
    ways: Ways = SAFE_WAYS


@dataclass(frozen=True, slots=True)
class Carried:
    """What became of some files of an answer.

    Args:
        answer_id: The answer.
        outcomes: {file_id: (state, why it was left)}.
    """

    answer_id: int
    outcomes: dict[int, tuple[AnsweredState, str]]

    @property
    def has_changed_files(self) -> bool:
        """Whether genres were written into files, or put back there."""
        return any(state is not AnsweredState.LEFT for state, _ in self.outcomes.values())


def carry_out_next(catalog: Catalog, manner: Manner) -> Carried | None:
    """Write, or take back, some files of the oldest answer that is not finished; None: all are.

    Args:
        catalog: Where the answers are.
        manner: How they are written.

    Raises:
        CatalogError: the catalogue cannot be written.
    """
    if catalog.unfinished_answer(1) is None:
        return None
    with catalog.writing():
        answer = catalog.unfinished_answer(_AT_ONCE)
        if answer is None:
            return None
        if not answer.is_withdrawn:
            return _settled(catalog, answer, _write(catalog, answer, manner))
        # What another review writes from here on, to the same files, is not this answer's.
        query = WriteQuery(answer.run_id, file_ids=tuple(one.file_id for one in answer.files))
        own = frozenset(entry.journal_id for entry in catalog.standing_writes(query))
        request = UndoRequest(
            query,
            own,
            preserve_mtime=manner.preserve_mtime,
            ways=manner.ways,
            within=answer.run_id,
        )
    return _settled(catalog, answer, _take_back(catalog, answer, request))


def _settled(
    catalog: Catalog, answer: OpenAnswer, outcomes: dict[int, tuple[AnsweredState, str]]
) -> Carried:
    catalog.settle_answer(answer.answer_id, outcomes)
    if answer.action is Action.FILL:
        _end_if_done(catalog, answer.run_id)
    return Carried(answer.answer_id, outcomes)


def _end_if_done(catalog: Catalog, run_id: int) -> None:
    """Note that a run of filling is over, once nothing of it is left to be written."""
    counts = catalog.answered([run_id])
    if not counts.get(AnsweredState.OPEN):
        (run,) = catalog.runs(among={run_id})
        elapsed_s = (datetime.now(UTC) - run.started).total_seconds()
        catalog.end_run(run_id, RunSummary(by_status(counts), elapsed_s=elapsed_s))


@dataclass(frozen=True, slots=True)
class _Found:
    """A file that an answer settles, as it is now."""

    asked: AnsweredFile
    file: AudioFile
    tags: TagsFound
    known: KnownTrack

    @property
    def is_news(self) -> bool:
        """Whether another genre stands there than the catalogue says."""
        known = self.known.tags
        return (self.tags.genres, self.tags.provenance) != (known.genres, known.provenance)

    @property
    def is_somebodys(self) -> bool:
        """Whether a genre stands there that is not ours."""
        return bool(self.tags.genres) and not is_ours(self.tags)


class _LeftError(Exception):
    """A file is left as it is; the text says why."""


def _write(
    catalog: Catalog, answer: OpenAnswer, manner: Manner
) -> dict[int, tuple[AnsweredState, str]]:
    """Look, prepare, journal, write and record; whatever fails is noted, not raised."""
    outcomes: dict[int, tuple[AnsweredState, str]] = {}
    news: list[_Found] = []
    catalog.note_before_answer(answer.answer_id, [one.file_id for one in answer.files])
    with ExitStack() as opened:
        ready: list[tuple[_Found, PreparedWrite]] = []
        for asked in answer.files:
            try:
                found = _look(catalog, asked)
                has_it = _has_it(found, answer)
                if found.is_news and (has_it or found.is_somebodys):
                    news.append(found)
                if has_it:
                    outcomes[asked.file_id] = _SETTLED
                    continue
                _check_may_be_written(found, answer, manner)
                ready.append((found, opened.enter_context(_prepared(found, answer, manner))))
            except _LeftError as exc:
                outcomes[asked.file_id] = AnsweredState.LEFT, str(exc)
            except (TagReadError, TagWriteError) as exc:
                tell(asked.file.path, exc.trace)
                outcomes[asked.file_id] = AnsweredState.LEFT, exc.reason
        _record(catalog, answer.run_id, [_row_as_found(one, answer) for one in news])
        if ready:
            outcomes |= _carry_out(catalog, answer, ready, manner)
    return outcomes


def _look(catalog: Catalog, asked: AnsweredFile) -> _Found:
    """Return a file as it is now.

    Raises:
        TagReadError, TagWriteError: It is gone, or cannot be read.
    """
    with net(asked.file.path, TagReadError):
        file = stat_again(asked.file)
        tags = read_tags(file.path)
    (known,) = catalog.lookup([file], "")
    if known is None or known.file_id != asked.file_id:
        raise _LeftError("it is no longer in the catalogue as what was asked about")
    tags = replace(tags, overruled=overruled_in(tags, known.written.genres, known.tags))
    return _Found(asked, file, tags, known)


def _has_it(found: _Found, answer: OpenAnswer) -> bool:
    """Return whether a file bears the answer already, say since a kill came after its write."""
    if found.tags.genres != answer.genres:
        return False
    return is_ours(found.tags) == (answer.action is Action.FILL)


def _check_may_be_written(found: _Found, answer: OpenAnswer, manner: Manner) -> None:
    """Make sure that nothing of a person's is touched, and that it is the file that was heard.

    Raises:
        _LeftError: It must be left alone.
    """
    genres = found.tags.genres
    stands = f"its genre is {', '.join(genres)} now, set by somebody else meanwhile"
    if answer.action is Action.CHANGE:
        if genres != found.asked.stood:
            raise _LeftError(stands)
    elif not are_among(genres, manner.treat_as_blank):
        is_replaced = is_ours(found.tags) and answer.action is Action.GENRES
        if not is_replaced:
            raise _LeftError(stands)
    if not found.known.is_as_recorded:
        raise _LeftError(
            "it was changed since it was heard; run tagger tag --no-write on it, then review again"
        )


def _prepared(found: _Found, answer: OpenAnswer, manner: Manner) -> PreparedWrite:
    ours = None
    if answer.action is Action.FILL:
        assert answer.model_id is not None, "a fill is written in a model's name"
        ours = provenance_text(answer.genres, found.asked.confidence or 0.0, answer.model_id)
    return prepare_write(
        found.file.path,
        answer.genres,
        provenance=ours,
        expected=found.tags,
        ways=manner.ways,
    )


def _carry_out(
    catalog: Catalog,
    answer: OpenAnswer,
    ready: Sequence[tuple[_Found, PreparedWrite]],
    manner: Manner,
) -> dict[int, tuple[AnsweredState, str]]:
    writes = [
        ledger.ReadyWrite(one.file, prepared, partial(_row, one, prepared, answer))
        for one, prepared in ready
    ]
    keeps_time = manner.preserve_mtime
    faults = ledger.carry_out(catalog, answer.run_id, writes, preserve_mtime=keeps_time)
    return {
        one.asked.file_id: (AnsweredState.LEFT, fault.reason) if fault else _SETTLED
        for (one, _), fault in zip(ready, faults, strict=True)
    }


def _record(catalog: Catalog, run_id: int, entries: Sequence[CatalogEntry]) -> None:
    for path, error in ledger.record(catalog, run_id, entries).items():
        tell(path, error.trace)


def _row(one: _Found, prepared: PreparedWrite, answer: OpenAnswer, journal_id: int) -> CatalogEntry:
    """Return a file's row as it is to be after its write; what was heard stays."""
    write = prepared.write
    tags = rewritten(one.tags, write.after, write.provenance_after)
    entry = _row_of(one, tags, answer)
    return replace(entry, file=stat_if_there(one.file), journal_id=journal_id)


def _row_as_found(one: _Found, answer: OpenAnswer) -> CatalogEntry:
    """Return the row of a file that bears a genre which the catalogue does not know of.

    A kill came between its write and its row, or a person has set it: it is no blank any more.
    """
    entry = _row_of(one, one.tags, answer)
    # Who changed it is not known: it keeps its old stat, to be heard again.
    return entry if one.known.is_as_recorded else replace(entry, file=one.asked.file)


def _row_of(one: _Found, tags: TagsFound, answer: OpenAnswer) -> CatalogEntry:
    is_fill = answer.action is Action.FILL and is_ours(tags)
    return CatalogEntry(
        file=one.file,
        tags=tags,
        status=Status.WRITTEN if is_fill else Status.KEPT,
        genres=answer.genres if is_fill else one.known.genres,
        confidence=(one.asked.confidence or 0.0) if is_fill else one.known.confidence,
        reason=None if is_fill else Reason(ReasonCode.SOMEBODYS),
    )


def _take_back(
    catalog: Catalog, answer: OpenAnswer, request: UndoRequest
) -> dict[int, tuple[AnsweredState, str]]:
    """Put back what stood in files before an answer; what changed since is left, and told."""
    outcomes: dict[int, tuple[AnsweredState, str]] = {
        one.file_id: (AnsweredState.RESTORED, "") for one in answer.files
    }
    if answer.action in (Action.KEEP, Action.NEVER):
        return outcomes
    by_path: dict[Path, int] = {one.file.path: one.file_id for one in answer.files}
    for result in UndoRun(request, catalog).results():
        file_id = by_path.get(result.path)
        if result.status is Status.FAILED and file_id is not None:
            outcomes[file_id] = AnsweredState.LEFT, str(result.reason or "")
    return outcomes
