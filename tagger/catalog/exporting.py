"""All that is known of every track, for other programs: one record after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Row, select

from tagger.catalog import listing
from tagger.catalog.batches import AT_ONCE
from tagger.catalog.putting import over_roots
from tagger.catalog.rows.tracks import ALL_TRACKS, TrackQuery, TrackRow
from tagger.catalog.tables import files, predictions, runs, tracks

_Row = Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class ExportedTrack:
    """One track with all that is known of it.

    Args:
        row: As in a listing.
        heard_genres: Genres that the tagger decided on.
        size_bytes: The file's size when it was last recorded; None if it never was read.
        mtime_ns: Its time of change, likewise.
        audio: Its recording: the same in all copies of it.
        model_id: The model that heard it last.
        probabilities: What that model heard, {label: p}.
    """

    row: TrackRow
    heard_genres: tuple[str, ...]
    size_bytes: int | None
    mtime_ns: int | None
    audio: str | None
    model_id: str | None
    probabilities: Mapping[str, float]


def exported(connection: Connection, query: TrackQuery = ALL_TRACKS) -> Iterator[ExportedTrack]:
    """Yield the tracks that a query asks for; memory stays flat however many they are."""
    rows = over_roots(listing.listed)(connection, query)
    while batch := list(islice(rows, AT_ONCE)):
        track_ids = [row.track_id for row in batch if row.track_id is not None]
        details = _details(connection, track_ids)
        heard = _heard(connection, track_ids)
        for row in batch:
            known = None if row.track_id is None else details[row.track_id]
            yield _exported(row, known, None if row.track_id is None else heard.get(row.track_id))


def _details(connection: Connection, track_ids: Sequence[int]) -> dict[int, _Row]:
    statement = (
        select(
            files.c.track_id,
            files.c.size_bytes,
            files.c.mtime_ns,
            files.c.audio,
            tracks.c.heard_genres,
        )
        .join(tracks, tracks.c.track_id == files.c.track_id)
        .where(files.c.track_id.in_(track_ids))
    )
    return _by_track(connection.execute(statement))


def _heard(connection: Connection, track_ids: Sequence[int]) -> dict[int, _Row]:
    column = predictions.c
    statement = (
        select(column.track_id, column.model_id, column.probabilities)
        .where(column.track_id.in_(track_ids))
        .join(runs, runs.c.run_id == column.run_id)
        # The last one counts; of a run that heard by other networks as well, its model.
        .order_by(column.run_id, runs.c.model_id == column.model_id, column.model_id.desc())
    )
    return _by_track(connection.execute(statement))


def _by_track(rows: Iterable[_Row]) -> dict[int, _Row]:
    return {row.track_id: row for row in rows}


def _exported(row: TrackRow, known: _Row | None, heard: _Row | None) -> ExportedTrack:
    return ExportedTrack(
        row=row,
        heard_genres=() if known is None else known.heard_genres,
        size_bytes=None if known is None else known.size_bytes,
        mtime_ns=None if known is None else known.mtime_ns,
        audio=None if known is None else known.audio,
        model_id=None if heard is None else heard.model_id,
        probabilities={} if heard is None else heard.probabilities,
    )
