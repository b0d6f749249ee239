"""A person's answers in a review: kept before any file is touched, and how far each is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, and_, func, insert, or_, select, update

from tagger.catalog import recording
from tagger.catalog.batches import batches
from tagger.catalog.columns import now
from tagger.catalog.paths import FILE_COLUMNS, Roots
from tagger.catalog.rows.answers import (
    Action,
    AnsweredFile,
    AnsweredState,
    GivenAnswer,
    NamedFile,
    NotedAnswer,
    OpenAnswer,
)
from tagger.catalog.tables import (
    answered_files,
    answers,
    files,
    runs,
    tracks,
)
from tagger.errors import CatalogError

_stands = answers.c.withdrawn_at.is_(None)
_is_open = answered_files.c.state == AnsweredState.OPEN.value
# What is said of a person's genres holds of those that were shown alone.
_OF_WHAT_STOOD = (Action.CHANGE, Action.KEEP)
# What is only said, and not written: nothing is left to do with its files.
_SAID = (Action.KEEP, Action.NEVER)


def give_all(
    connection: Connection, run_id: int, given: Sequence[GivenAnswer]
) -> list[NotedAnswer]:
    """Note several answers, all of them or none.

    Raises:
        CatalogError: As for ``give``.
    """
    return [give(connection, run_id, answer) for answer in given]


def give(connection: Connection, run_id: int, answer: GivenAnswer) -> NotedAnswer:
    """Note an answer and the files that it settles, but for those that are others meanwhile.

    Raises:
        CatalogError: The run has been taken back meanwhile; nothing is noted.
    """
    if _has_ended(connection, run_id):
        raise CatalogError(
            f"run {run_id}, this review, was taken back by tagger undo; start it anew to go on"
        )
    answer_id: int = connection.execute(
        insert(answers)
        .values(
            run_id=run_id,
            action=answer.action.value,
            subject=answer.subject,
            genres=answer.genres,
            given_at=now(),
        )
        .returning(answers.c.answer_id)
    ).scalar_one()
    state = AnsweredState.WRITTEN if answer.action in _SAID else AnsweredState.OPEN
    there = _still_there(connection, answer)
    rows = [
        {
            "answer_id": answer_id,
            "file_id": file.file_id,
            "confidence": file.confidence,
            "state": state.value,
            "reason": "",
            "stood": file.stood,
        }
        for file in answer.files
        if file in there
    ]
    if rows:
        connection.execute(insert(answered_files), rows)
    return NotedAnswer(answer_id, tuple(file for file in answer.files if file not in there))


def _still_there(connection: Connection, answer: GivenAnswer) -> set[NamedFile]:
    """Return the files whose numbers and paths still go together, and bear what was shown."""
    known_roots = Roots(connection)
    by_id = {file.file_id: file for file in answer.files}
    found: set[NamedFile] = set()
    columns = files.c.file_id, files.c.track_id, files.c.root_id, files.c.relative
    for batch in batches(list(by_id)):
        rows = connection.execute(
            select(*columns, tracks.c.file_genres)
            .join(tracks, tracks.c.track_id == files.c.track_id)
            .where(files.c.file_id.in_(batch))
            .with_for_update(read=True, of=files)  # nobody forgets them before it is noted
        )
        for row in rows:
            file = by_id[row.file_id]
            where = row.track_id, known_roots.path(row.root_id, row.relative)
            is_as_shown = answer.action not in _OF_WHAT_STOOD or row.file_genres == file.stood
            if where == (file.track_id, file.path) and is_as_shown:
                found.add(file)
    return found


def withdraw(connection: Connection, *answer_ids: int) -> None:
    """Note that answers are taken back; files that they have not reached yet are left alone."""
    _withdraw(connection, answers.c.answer_id.in_(answer_ids))


def stop(connection: Connection, run_id: int) -> None:
    """Note that no more is to be written of a run's answers, and that it takes no new ones."""
    _withdraw(connection, answers.c.run_id == run_id)
    # Who takes the run back restores what was written.
    mine = select(answers.c.answer_id).where(answers.c.run_id == run_id)
    connection.execute(
        update(answered_files)
        .where(answered_files.c.answer_id.in_(mine))
        .values(state=AnsweredState.RESTORED.value)
    )
    if not _has_ended(connection, run_id):
        connection.execute(update(runs).where(runs.c.run_id == run_id).values(ended_at=now()))


def _withdraw(connection: Connection, condition: ColumnElement[bool]) -> None:
    connection.execute(update(answers).where(condition, _stands).values(withdrawn_at=now()))
    mine = select(answers.c.answer_id).where(condition)
    only_said = mine.where(answers.c.action.in_([action.value for action in _SAID]))
    of = answered_files.c.answer_id
    connection.execute(
        update(answered_files)
        .where(or_(of.in_(only_said), and_(of.in_(mine), _is_open)))
        .values(state=AnsweredState.RESTORED.value)
    )


def _has_ended(connection: Connection, run_id: int) -> bool:
    ended = select(runs.c.ended_at).where(runs.c.run_id == run_id)
    return connection.execute(ended).scalar_one_or_none() is not None


def unfinished(connection: Connection, most_files: int) -> OpenAnswer | None:
    """Return an answer with files to be written, or to be taken back, and some of them.

    The oldest first; but a fill may be long, and what a person answered does not wait for it.
    """
    is_to_restore = and_(~_stands, answered_files.c.state == AnsweredState.WRITTEN.value)
    is_to_write = and_(_stands, _is_open)
    row = connection.execute(
        select(answers, runs.c.model_id)
        .join(answered_files, answered_files.c.answer_id == answers.c.answer_id)
        .join(runs, runs.c.run_id == answers.c.run_id)
        .where(or_(is_to_restore, is_to_write))
        .order_by(answers.c.action == Action.FILL.value, answers.c.answer_id)
        .limit(1)
    ).first()
    if row is None:
        return None
    known_roots = Roots(connection)
    is_withdrawn = row.withdrawn_at is not None
    found = connection.execute(
        select(
            files.c.file_id,
            answered_files.c.confidence,
            answered_files.c.stood,
            *FILE_COLUMNS,
        )
        .join(answered_files, answered_files.c.file_id == files.c.file_id)
        .where(
            answered_files.c.answer_id == row.answer_id,
            answered_files.c.state == _state_before(is_withdrawn=is_withdrawn).value,
        )
        .order_by(files.c.file_id)
        .limit(most_files)
    )
    some = tuple(AnsweredFile(f.file_id, known_roots.file(f), f.confidence, f.stood) for f in found)
    return OpenAnswer(
        row.answer_id,
        row.run_id,
        row.model_id,
        Action(row.action),
        row.genres,
        is_withdrawn,
        some,
    )


def _state_before(*, is_withdrawn: bool) -> AnsweredState:
    return AnsweredState.WRITTEN if is_withdrawn else AnsweredState.OPEN


def note_before(connection: Connection, answer_id: int, file_ids: Sequence[int]) -> None:
    """Note what the catalogue says of tracks before an answer is written into their files.

    What was noted stays: after a kill the row may be that of the answer already.
    """
    mine = answered_files.c.answer_id == answer_id
    rows = connection.execute(
        select(files.c.file_id, *(tracks.c[name] for name in recording.SAID))
        .join(tracks, tracks.c.track_id == files.c.track_id)
        .join(answered_files, answered_files.c.file_id == files.c.file_id)
        .where(mine, files.c.file_id.in_(file_ids), answered_files.c.said_before.is_(None))
    ).mappings()
    for row in rows.all():
        said = {name: row[name] for name in recording.SAID}
        connection.execute(
            update(answered_files)
            .where(mine, answered_files.c.file_id == row["file_id"])
            .values(said_before=said)
        )


def settle(
    connection: Connection, answer_id: int, outcomes: Mapping[int, tuple[AnsweredState, str]]
) -> None:
    """Note what became of an answer's files: {file_id: (state, why it was left)}.

    What was taken back leaves no mark: the catalogue says of it what it said before.
    """
    restored = [n for n, (state, _) in outcomes.items() if state is AnsweredState.RESTORED]
    _say_again(connection, answer_id, restored)
    for file_id, (state, reason) in outcomes.items():
        connection.execute(
            update(answered_files)
            .where(
                answered_files.c.answer_id == answer_id,
                answered_files.c.file_id == file_id,
            )
            .values(state=state.value, reason=reason)
        )


def _say_again(connection: Connection, answer_id: int, file_ids: Sequence[int]) -> None:
    """Let the rows of tracks say what they said before an answer, where it had the last word."""
    rows = connection.execute(
        select(tracks.c.track_id, answered_files.c.said_before)
        .join(files, files.c.track_id == tracks.c.track_id)
        .join(answered_files, answered_files.c.file_id == files.c.file_id)
        .join(answers, answers.c.answer_id == answered_files.c.answer_id)
        .where(
            answers.c.answer_id == answer_id,
            files.c.file_id.in_(file_ids),
            answered_files.c.said_before.is_not(None),
            tracks.c.run_id == answers.c.run_id,
        )
    )
    for row in rows.all():
        recording.say_again(connection, row.track_id, row.said_before)


def left(
    connection: Connection, run_ids: Sequence[int], limit: int | None = None
) -> list[tuple[Path, str]]:
    """Return the files, or the first ones, that answers could not be written to, and why.

    Args:
        connection: To the catalogue.
        run_ids: The runs that the answers were given in.
        limit: At most so many.
    """
    known_roots = Roots(connection)
    rows = connection.execute(
        select(answered_files.c.reason, *FILE_COLUMNS)
        .join(files, files.c.file_id == answered_files.c.file_id)
        .join(answers, answers.c.answer_id == answered_files.c.answer_id)
        .where(
            _stands,
            answers.c.run_id.in_(run_ids),
            answered_files.c.state == AnsweredState.LEFT.value,
        )
        .order_by(files.c.file_id)
        .limit(limit)
    )
    return [(known_roots.file(row).path, row.reason) for row in rows]


def counted(connection: Connection, run_ids: Sequence[int]) -> dict[AnsweredState, int]:
    """Return how many files of some runs' standing answers are how far."""
    rows = connection.execute(
        select(answered_files.c.state, func.count())
        .join(answers, answers.c.answer_id == answered_files.c.answer_id)
        .where(
            _stands,
            answers.c.run_id.in_(run_ids),
            answers.c.action.not_in([action.value for action in _SAID]),
        )
        .group_by(answered_files.c.state)
    )
    return {AnsweredState(state): n for state, n in rows}


def answer_of_tracks(connection: Connection) -> dict[int, int]:
    """Return {track_id: the answer by which a person settled it last}, of those that stand."""
    rows = connection.execute(
        select(files.c.track_id, func.max(answers.c.answer_id).label("answer_id"))
        .join(answered_files, answered_files.c.file_id == files.c.file_id)
        .join(answers, answers.c.answer_id == answered_files.c.answer_id)
        .where(
            _stands,
            answers.c.action.in_([Action.GENRES.value, Action.CHANGE.value]),
            files.c.track_id.is_not(None),
        )
        .group_by(files.c.track_id)
    )
    return {row.track_id: row.answer_id for row in rows}


def kept_genres(connection: Connection) -> dict[int, tuple[str, ...]]:
    """Return {track_id: genres that a person said are right}: those kept last, or put there."""
    rows = connection.execute(
        select(files.c.track_id, answers.c.action, answers.c.genres, answered_files.c.stood)
        .join(answered_files, answered_files.c.file_id == files.c.file_id)
        .join(answers, answers.c.answer_id == answered_files.c.answer_id)
        .where(
            _stands,
            answers.c.action.in_([action.value for action in _OF_WHAT_STOOD]),
            files.c.track_id.is_not(None),
        )
        .order_by(answers.c.answer_id)
    )
    return {
        row.track_id: row.stood if row.action == Action.KEEP.value else row.genres for row in rows
    }


def stat_of(connection: Connection, file_id: int) -> AnsweredFile | None:
    """Return a file that is known and not gone, by the number of its row."""
    row = connection.execute(
        select(files.c.file_id, *FILE_COLUMNS, files.c.ctime_ns, files.c.inode).where(
            files.c.file_id == file_id, files.c.vanished_at.is_(None)
        )
    ).first()
    return None if row is None else AnsweredFile(row.file_id, Roots(connection).file(row))
