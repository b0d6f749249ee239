"""Tracks that bear a genre: what a person's own genres can be learned from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Select, func, select

from tagger.catalog.paths import FILE_COLUMNS, Roots
from tagger.catalog.rows import TaggedTrack
from tagger.catalog.tables import files, predictions, roots, tracks
from tagger.catalog.tag_columns import TAG_COLUMNS, tags_of


def tagged_tracks(
    connection: Connection, model_id: str, under: Path | None = None
) -> Iterator[TaggedTrack]:
    """Yield the tracks that bear a genre and whose embedding by a model is known, by path.

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
        )
    )
    return statement if under is None else statement.where(known_roots.under(under))
