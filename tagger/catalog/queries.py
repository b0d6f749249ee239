"""Questions about the whole catalogue or one file, answered with records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import (
    ColumnElement,
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
from tagger.catalog.rows.tracks import ALL_TRACKS, Counts, SortKey, TrackInfo, TrackQuery, TrackRow
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
from tagger.catalog.text import fold, key_of
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
_first_genre = (
    select(track_genres.c.genre_key)
    .where(track_genres.c.track_id == tracks.c.track_id, track_genres.c.position == 0)
    .scalar_subquery()
)
_PATH = (roots.c.path, files.c.relative)
_ORDER: Mapping[SortKey, tuple[Any, ...]] = {
    SortKey.PATH: _PATH,
    SortKey.TITLE: (tracks.c.title_key.nulls_last(), *_PATH),
    SortKey.ARTIST: (tracks.c.artist_key.nulls_last(), tracks.c.album_key, *_PATH),
    SortKey.ALBUM: (tracks.c.album_key.nulls_last(), *_PATH),
    SortKey.YEAR: (tracks.c.year.nulls_last(), *_PATH),
    SortKey.GENRE: (_first_genre.nulls_last(), *_PATH),
    SortKey.CONFIDENCE: (_confidence.desc().nulls_last(), *_PATH),
    SortKey.DURATION: (tracks.c.duration_s.nulls_last(), *_PATH),
    SortKey.STATUS: (_status, *_PATH),
}


def track_rows(connection: Connection, query: TrackQuery = ALL_TRACKS) -> Iterator[TrackRow]:
    """Yield the tracks that a query asks for; memory stays flat however many they are."""
    known_roots = Roots(connection)
    statement = listed(query, known_roots)
    for row in connection.execution_options(yield_per=_FETCHED_AT_ONCE).execute(statement):
        yield track_row(row, known_roots)


def listed(query: TrackQuery, known_roots: Roots) -> Select[*tuple[Any, ...]]:
    """Return the statement whose rows ``track_row`` takes."""
    chosen = _rows().where(*_conditions(query, known_roots))
    return chosen.order_by(*_ORDER[query.sort]).limit(query.limit)


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


def _conditions(query: TrackQuery, known_roots: Roots) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [_is_there]
    if query.genre is not None:
        conditions.append(has_genre(query.genre))
    if query.min_confidence is not None:
        conditions.append(_confidence >= query.min_confidence)
    if query.artist is not None:
        part = fold(query.artist)
        conditions.append(tracks.c.artist_key.contains(part, autoescape=True))
    if query.years is not None and query.years.first is not None:
        conditions.append(tracks.c.year >= query.years.first)
    if query.years is not None and query.years.last is not None:
        conditions.append(tracks.c.year <= query.years.last)
    if query.under is not None:
        conditions.append(known_roots.under(query.under))
    if query.status is not None:
        conditions.append(_status == query.status.value)
    return conditions


def has_genre(genre: str) -> ColumnElement[bool]:
    """Return the condition that a track has a genre, whatever its case."""
    having = select(track_genres.c.track_id).where(track_genres.c.genre_key == key_of(genre))
    return files.c.track_id.in_(having)


def track_row(row: _Row, known_roots: Roots) -> TrackRow:
    """Return the track that a row of ``listed`` tells of."""
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
