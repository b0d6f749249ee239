"""What the catalogue knows of files that a scan found: one query for hundreds of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Row, Select, and_, case, select

from tagger.catalog import journal
from tagger.catalog.batches import batches
from tagger.catalog.known_roots import Place
from tagger.catalog.paths import Roots, by_root
from tagger.catalog.rows.files import KnownTrack
from tagger.catalog.rows.writes import Written
from tagger.catalog.tables import failures, files, predictions, runs, tracks
from tagger.catalog.tag_columns import TAG_COLUMNS, tags_of
from tagger.catalog.why import reason_from
from tagger.records import AudioFile, Stage, Status, TrackFailure, TrackPrediction

_Row = Row[*tuple[Any, ...]]


def latest_first(heard: FromClause, run: FromClause) -> tuple[ColumnElement[Any], ...]:
    """Return the order in which predictions, joined with their runs, are the latest first.

    Of those of one run that of the run's own model comes first, before those from which it
    follows.
    """
    is_partial = case((heard.c.model_id == run.c.model_id, 0), else_=1)
    return (heard.c.run_id.desc(), is_partial, heard.c.model_id)


_heard, _run = predictions.alias(), runs.alias()
_latest_model = (
    select(_heard.c.model_id)
    .join(_run, _run.c.run_id == _heard.c.run_id)
    .where(_heard.c.track_id == files.c.track_id)
    .order_by(*latest_first(_heard, _run))
    .limit(1)
    .scalar_subquery()
)


def known_tracks(
    connection: Connection, found: Sequence[AudioFile], model_id: str
) -> list[KnownTrack | None]:
    """Return what is known of each file, in the same order; None for a new one."""
    known_roots = Roots(connection)
    places = [known_roots.place(file.path) for file in found]
    wanted = [place for place in places if place is not None]
    rows: dict[Place, _Row] = {}
    statement = _statement(model_id)
    for root_id, relatives in by_root(wanted):
        chosen = and_(files.c.root_id == root_id, files.c.relative.in_(relatives))
        for row in connection.execute(statement.where(chosen)).all():
            rows[Place(root_id, row.relative)] = row
    file_ids = [row.file_id for row in rows.values()]
    taken_back = journal.taken_back(connection, file_ids)
    written = journal.written(connection, file_ids)
    return [
        _known(file, rows[place], model_id, taken_back, written) if place in rows else None
        for file, place in zip(found, places, strict=True)
    ]


def _statement(model_id: str) -> Select[*tuple[Any, ...]]:
    of_model = and_(predictions.c.track_id == files.c.track_id, predictions.c.model_id == model_id)
    column = tracks.c
    return (
        select(
            files.c.file_id,
            files.c.relative,
            files.c.size_bytes,
            files.c.mtime_ns,
            files.c.ctime_ns,
            files.c.inode,
            files.c.audio,
            files.c.vanished_at,
            files.c.track_id,
            *TAG_COLUMNS,
            column.duration_s,
            column.heard_genres,
            column.confidence,
            column.status,
            column.reason_code.label("decided_by"),
            predictions.c.probabilities,
            predictions.c.confidence.label("heard_confidence"),
            predictions.c.n_segments,
            predictions.c.unheard_code,
            predictions.c.unheard_values,
            predictions.c.is_novel,
            _latest_model.label("latest_model"),
            failures.c.stage,
            failures.c.reason_code,
            failures.c.reason_values,
            failures.c.size_bytes.label("failed_size"),
            failures.c.mtime_ns.label("failed_mtime"),
        )
        .outerjoin(tracks, tracks.c.track_id == files.c.track_id)
        .outerjoin(predictions, of_model)
        .outerjoin(failures, failures.c.file_id == files.c.file_id)
    )


def _known(
    file: AudioFile,
    row: _Row,
    model_id: str,
    taken_back: Mapping[int, tuple[str, ...]],
    written: Mapping[int, Written],
) -> KnownTrack | None:
    stat = (file.size_bytes, file.mtime_ns)
    recorded = row.track_id is not None and is_as_recorded(file, row)
    failed = row.stage is not None and stat == (row.failed_size, row.failed_mtime)
    gone = taken_back.get(row.file_id, ())
    if row.track_id is None and row.stage is None and not gone:
        return None  # noted in the journal, and nothing came of it
    return KnownTrack(
        file_id=row.file_id,
        unchanged=recorded or failed,
        is_as_recorded=recorded,
        tags=tags_of(row),
        status=_status(row),
        genres=row.heard_genres or (),
        confidence=row.confidence or 0.0,
        prediction=_prediction(file, row, model_id),
        failure=_failure(file, row) if failed else None,
        taken_back=gone,
        audio=row.audio,
        has_vanished=row.vanished_at is not None,
        other_model=row.latest_model if row.probabilities is None else None,
        written=written.get(row.file_id, Written()),
        decided_by=row.decided_by or "",
    )


def heard_by(
    connection: Connection, file_ids: Sequence[int], model_ids: Sequence[str]
) -> dict[int, dict[str, Mapping[str, float]]]:
    """Return {file_id: {model_id: probabilities}}, of what was music to these models."""
    found: dict[int, dict[str, Mapping[str, float]]] = {}
    is_music = and_(predictions.c.unheard_code.is_(None), predictions.c.is_novel.is_not(True))
    for batch in batches(file_ids):
        rows = connection.execute(
            select(files.c.file_id, predictions.c.model_id, predictions.c.probabilities)
            .join(predictions, predictions.c.track_id == files.c.track_id)
            .where(files.c.file_id.in_(batch), predictions.c.model_id.in_(model_ids), is_music)
        )
        for row in rows:
            found.setdefault(row.file_id, {})[row.model_id] = row.probabilities
    return found


def is_as_recorded(file: AudioFile, row: _Row) -> bool:
    """Return whether stat(2) says what it said; older rows, and some disks, know less of it."""
    if (file.size_bytes, file.mtime_ns) != (row.size_bytes, row.mtime_ns):
        return False
    return _may_be_same(file.ctime_ns, row.ctime_ns) and _may_be_same(file.inode, row.inode)


def _may_be_same(now: int, then: int | None) -> bool:
    return not now or not then or now == then


def _status(row: _Row) -> Status:
    if row.stage is not None:
        return Status.FAILED
    # A file without a track is in the journal of a lost catalogue alone.
    return Status.RESTORED if row.track_id is None else Status(row.status)


def _failure(file: AudioFile, row: _Row) -> TrackFailure | None:
    reason = reason_from(row.reason_code, row.reason_values)
    return None if reason is None else TrackFailure(file.path, Stage(row.stage), reason)


def _prediction(file: AudioFile, row: _Row, model_id: str) -> TrackPrediction | None:
    if row.probabilities is None:
        return None
    return TrackPrediction(
        path=file.path,
        probabilities=row.probabilities,
        confidence=row.heard_confidence,
        embedding=None,
        n_segments=row.n_segments,
        model_id=model_id,
        duration_s=row.duration_s or 0.0,
        unheard=reason_from(row.unheard_code, row.unheard_values),
        is_novel=bool(row.is_novel),
    )
