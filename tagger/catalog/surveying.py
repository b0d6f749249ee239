"""A look at the whole library: each track as a report counts it, in one query."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, and_, func, select

from tagger.catalog import embeddings, queries
from tagger.catalog.batches import batches
from tagger.catalog.paths import Roots
from tagger.catalog.rows import Leftovers, SurveyedTrack, TrackQuery
from tagger.catalog.tables import failures, files, predictions, tracks
from tagger.records import FloatArray

_FETCHED_AT_ONCE = 1000


def surveyed(
    connection: Connection, under: Path | None, model_id: str | None
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
        queries.listed(TrackQuery(under=under), known_roots)
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
            failed_at=row.stage,
            has_embedding=row.block_id is not None,
        )


def leftovers(connection: Connection, under: Path | None) -> Leftovers:
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
