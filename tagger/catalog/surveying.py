"""A look at the whole library: each track as a report counts it, and those that bear a genre."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, select, text

from tagger.catalog import embeddings, queries
from tagger.catalog.asked_about import NOT_TO_GO
from tagger.catalog.batches import batches
from tagger.catalog.paths import FILE_COLUMNS, Roots
from tagger.catalog.rows.tracks import Leftovers, SurveyedTrack, TaggedTrack
from tagger.catalog.tables import failures, files, predictions, roots, tracks
from tagger.catalog.tag_columns import TAG_COLUMNS, tags_of
from tagger.records import FloatArray, Stage

_FETCHED_AT_ONCE = 1000


def surveyed(
    connection: Connection, under: Path | None = None, model_id: str | None = None
) -> Iterator[SurveyedTrack]:
    """Yield the tracks that are there, and the files that failed, by path.

    Args:
        connection: To the catalogue.
        under: Only those in this folder.
        model_id: The model whose embeddings are asked for.
    """
    known_roots = Roots(connection)
    is_of_model = and_(
        predictions.c.track_id == files.c.track_id, predictions.c.model_id == model_id
    )
    statement = (
        queries.every_row(known_roots, under)
        .outerjoin(predictions, is_of_model)
        .add_columns(
            tracks.c.confidence.label("heard_confidence"),
            failures.c.stage,
            predictions.c.block_id,
        )
    )
    for row in connection.execution_options(yield_per=_FETCHED_AT_ONCE).execute(statement):
        yield SurveyedTrack(
            row=queries.track_row(row, known_roots),
            root=known_roots.root(row.root_id),
            decided=row.heard_genres or (),
            confidence=row.heard_confidence or 0.0,
            failed_at=None if row.stage is None else Stage(row.stage),
            has_embedding=row.block_id is not None,
        )


def leftovers(connection: Connection, under: Path | None = None) -> Leftovers:
    """Return how many files are gone, and how many are copies of others."""
    where: list[ColumnElement[bool]] = []
    if under is not None:
        where.append(Roots(connection).under(under))
    is_gone = files.c.vanished_at.is_not(None)
    n_vanished = connection.execute(
        select(func.count()).select_from(files).where(is_gone, *where)
    ).scalar_one()
    n_copies = connection.execute(
        select(func.count(files.c.audio) - func.count(files.c.audio.distinct())).where(
            ~is_gone, *where
        )
    ).scalar_one()
    return Leftovers(n_vanished, n_copies)


def vectors(
    connection: Connection, model_id: str, track_ids: Sequence[int]
) -> Mapping[int, FloatArray]:
    """Return {track_id: embedding} of those tracks that a model has heard."""
    return {
        track_id: vector
        for batch in batches(sorted(track_ids))  # neighbours lie in one block
        for track_id, vector in embeddings.load_some(connection, model_id, batch).items()
    }


def tagged_tracks(
    connection: Connection, model_id: str, under: Path | None = None
) -> Iterator[TaggedTrack]:
    """Yield the tracks that bear a genre and whose embedding by a model is known, by path.

    Those are left out whose genre is an answer that was withdrawn, and is still to be taken out.

    Args:
        connection: To the catalogue.
        model_id: The model.
        under: Only those in this folder.
    """
    known_roots = Roots(connection)
    columns = select(*FILE_COLUMNS, files.c.audio, tracks.c.track_id, *TAG_COLUMNS)
    statement = _tagged(columns, known_roots, model_id, under).order_by(
        roots.c.path, files.c.relative
    )
    for row in connection.execution_options(yield_per=1000).execute(statement):
        yield TaggedTrack(row.track_id, known_roots.file(row).path, tags_of(row), row.audio)


def n_tagged(connection: Connection, model_id: str, under: Path | None = None) -> int:
    """Return how many tracks ``tagged_tracks`` would give."""
    count = select(func.count()).select_from(files)
    n: int = connection.execute(_tagged(count, Roots(connection), model_id, under)).scalar_one()
    return n


def _tagged(
    columns: Select[*tuple[Any, ...]], known_roots: Roots, model_id: str, under: Path | None
) -> Select[*tuple[Any, ...]]:
    statement = (
        columns.join(tracks, tracks.c.track_id == files.c.track_id)
        .join(roots, roots.c.root_id == files.c.root_id)
        .join(predictions, predictions.c.track_id == tracks.c.track_id)
        .where(
            predictions.c.model_id == model_id,
            predictions.c.block_id.is_not(None),
            files.c.vanished_at.is_(None),
            tracks.c.file_genres != (),
            text(NOT_TO_GO),
        )
    )
    return statement if under is None else statement.where(known_roots.under(under))
