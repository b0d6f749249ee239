"""Questions about the whole catalogue or one file, answered with records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    Select,
    and_,
    case,
    func,
    literal,
    or_,
    select,
)

from tagger.catalog import runs
from tagger.catalog.lookup import latest_first
from tagger.catalog.paths import Roots
from tagger.catalog.rows.tracks import Counts, TrackInfo, TrackRow
from tagger.catalog.tables import (
    failures,
    files,
    journal,
    predictions,
    roots,
    track_genres,
    tracks,
)
from tagger.catalog.tables import runs as run_table
from tagger.catalog.tag_columns import TAG_COLUMNS, tags_of
from tagger.catalog.why import reason_from
from tagger.records import Status

_Row = Row[*tuple[Any, ...]]
_FETCHED_AT_ONCE = 1000

_failed = failures.c.file_id.is_not(None)
_is_listed = or_(files.c.track_id.is_not(None), _failed)
_is_there = files.c.vanished_at.is_(None)
# Literal, since PostgreSQL would take two parameters of the same value for two expressions.
_status = case((_failed, literal(Status.FAILED.value, literal_execute=True)), else_=tracks.c.status)
_is_ours = or_(
    tracks.c.file_genres == (), tracks.c.file_genres == tracks.c.heard_genres
)  # the same rule as in the view ``library``
_confidence = case((_is_ours, tracks.c.confidence))


def every_row(known_roots: Roots, under: Path | None) -> Select[*tuple[Any, ...]]:
    """Return the statement whose rows ``track_row`` takes: all that is listed, by path."""
    statement = _rows().where(_is_there).order_by(roots.c.path, files.c.relative)
    return statement if under is None else statement.where(known_roots.under(under))


def _rows() -> Select[*tuple[Any, ...]]:
    return _joined(
        select(
            files.c.file_id,
            files.c.track_id,
            files.c.root_id,
            files.c.relative,
            *TAG_COLUMNS,
            tracks.c.heard_genres,
            tracks.c.duration_s,
            tracks.c.run_id,
            _confidence.label("confidence"),
            _status.label("status"),
            case((_failed, failures.c.reason_code), else_=tracks.c.reason_code).label(
                "reason_code"
            ),
            case((_failed, failures.c.reason_values), else_=tracks.c.reason_values).label(
                "reason_values"
            ),
            failures.c.run_id.label("failed_run_id"),
        )
    ).where(_is_listed)


def _joined(columns: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    return (
        columns.select_from(files)
        .join(roots, roots.c.root_id == files.c.root_id)
        .outerjoin(tracks, tracks.c.track_id == files.c.track_id)
        .outerjoin(failures, failures.c.file_id == files.c.file_id)
    )


def track_row(row: _Row, known_roots: Roots) -> TrackRow:
    """Return the track that a row of ``every_row`` tells of."""
    return TrackRow(
        track_id=row.track_id,
        path=known_roots.path(row.root_id, row.relative),
        tags=tags_of(row),
        genres=row.file_genres or row.heard_genres or (),
        confidence=row.confidence,
        duration_s=row.duration_s,
        status=Status(row.status),
        reason=reason_from(row.reason_code, row.reason_values),
    )


def track_info(connection: Connection, path: Path) -> TrackInfo | None:
    """Return all that is known of a file, or None."""
    known_roots = Roots(connection)
    place = known_roots.place(path)
    if place is None:
        return None
    here = and_(files.c.root_id == place.root_id, files.c.relative == place.relative)
    row = connection.execute(_rows().where(here)).one_or_none()
    if row is None:
        return None
    heard = connection.execute(
        select(predictions)
        .join(run_table, run_table.c.run_id == predictions.c.run_id)
        .where(predictions.c.track_id == row.track_id)
        .order_by(*latest_first(predictions, run_table))
    ).all()
    among = {row.run_id, row.failed_run_id, *(one.run_id for one in heard)} - {None}
    among |= set(
        connection.scalars(select(journal.c.run_id).where(journal.c.file_id == row.file_id))
    )
    return TrackInfo(
        row=track_row(row, known_roots),
        probabilities={one.model_id: one.probabilities for one in heard},
        embedded_by=tuple(one.model_id for one in heard if one.block_id is not None),
        runs=tuple(runs.load_runs(connection, among=among)),
        evidence=connection.scalar(
            select(tracks.c.evidence).where(tracks.c.track_id == row.track_id)
        ),
    )


def counts(connection: Connection) -> Counts:
    """Return how much there is in the catalogue."""
    statuses = connection.execute(
        _joined(select(_status, func.count())).where(_is_listed).group_by(_status)
    )
    genres = connection.execute(
        select(func.min(track_genres.c.genre).label("genre"), func.count().label("n"))
        .group_by(track_genres.c.genre_key)
        .order_by(func.count().desc())
    )
    n_failures = connection.execute(select(func.count()).select_from(failures)).scalar_one()
    return Counts(
        n_tracks=connection.execute(select(func.count()).select_from(tracks)).scalar_one(),
        n_failures=n_failures,
        by_status={Status(status): n for status, n in statuses},
        by_genre={row.genre: row.n for row in genres},
    )
