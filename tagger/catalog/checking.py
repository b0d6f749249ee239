"""What must hold in a catalogue beyond what the database itself enforces.

Each check yields the rows that break a rule. Memory stays flat: rows are read as they come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, Select, select, type_coerce

from tagger.catalog.blocks import block_arrays
from tagger.catalog.columns import STORED_OTHERWISE
from tagger.catalog.journal import State
from tagger.catalog.paths import name_of
from tagger.catalog.tables import (
    embedding_blocks,
    files,
    journal,
    metadata,
    models,
    predictions,
    rollbacks,
    roots,
    track_genres,
    tracks,
)
from tagger.catalog.text import fold, key_of

_AT_ONCE = 1000
_Rows = Iterator[Row[*tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class Complaint:
    """Rows that break one rule: what is wrong, how many there are, and which is the first."""

    problem: str
    n: int = 1
    example: str = ""


def complaints(connection: Connection) -> Iterator[Complaint]:
    """Yield what is wrong with the rows of a catalogue; nothing where all is well."""
    unreadable = list(_counted(connection, {"values that cannot be read": _unreadable}))
    yield from unreadable
    if not unreadable:  # what follows reads them
        yield from _counted(connection, _CHECKS)


_Check = Callable[[Connection], Iterator[str]]


def _counted(connection: Connection, checks: dict[str, _Check]) -> Iterator[Complaint]:
    for problem, check in checks.items():
        found = check(connection)
        first = next(found, None)
        if first is not None:
            yield Complaint(problem, 1 + sum(1 for _ in found), first)


def _stream(connection: Connection, statement: Select[*tuple[Any, ...]]) -> _Rows:
    return iter(connection.execution_options(yield_per=_AT_ONCE).execute(statement))


def _unreadable(connection: Connection) -> Iterator[str]:
    for table in metadata.sorted_tables:
        for column in table.c:
            if not isinstance(column.type, STORED_OTHERWISE):
                continue
            stored = type_coerce(column, column.type.impl_instance)
            key = next(iter(table.primary_key))
            for row in _stream(connection, select(key, stored)):
                try:
                    column.type.process_result_value(row[1], connection.dialect)
                except (ValueError, TypeError):
                    yield f"{column} where {key.name} is {row[0]}"


def _keys(connection: Connection) -> Iterator[str]:
    for row in _stream(connection, select(tracks)):
        keys = (fold(row.title), fold(f"{row.artist}\n{row.album_artist}"), fold(row.album))
        if keys != (row.title_key, row.artist_key, row.album_key):
            yield f"track {row.track_id}"
    for row in _stream(connection, select(track_genres)):
        if key_of(row.genre) != row.genre_key:
            yield f"genre {row.position} of track {row.track_id}"


def _genres(connection: Connection) -> Iterator[str]:
    statement = (
        select(tracks.c.track_id, tracks.c.file_genres, tracks.c.heard_genres, track_genres.c.genre)
        .outerjoin(track_genres, track_genres.c.track_id == tracks.c.track_id)
        .order_by(tracks.c.track_id, track_genres.c.position)
    )
    for track_id, rows in groupby(_stream(connection, statement), attrgetter("track_id")):
        listed = list(rows)
        genres = tuple(row.genre for row in listed if row.genre is not None)
        if genres != (listed[0].file_genres or listed[0].heard_genres):
            yield f"track {track_id}"


def _names(connection: Connection) -> Iterator[str]:
    for row in _stream(connection, select(files.c.file_id, files.c.relative, files.c.name)):
        if row.name != name_of(row.relative):
            yield f"file {row.file_id}"
    for row in _stream(connection, select(roots)):
        if row.name != name_of(row.path).rstrip("/"):
            yield f"root {row.root_id}"


def _tracks_without_file(connection: Connection) -> Iterator[str]:
    having = select(files.c.track_id).where(files.c.track_id.is_not(None))
    lost = select(tracks.c.track_id).where(tracks.c.track_id.not_in(having))
    return (f"track {row.track_id}" for row in _stream(connection, lost))


def _labels(connection: Connection) -> Iterator[str]:
    known = {row.model_id: set(row.labels) for row in connection.execute(select(models)).fetchall()}
    for row in _stream(connection, select(predictions)):
        if set(row.probabilities) - known[row.model_id]:
            yield f"track {row.track_id}, model {row.model_id}"


def _states(connection: Connection) -> Iterator[str]:
    odd = select(journal.c.journal_id).where(journal.c.state.not_in([s.value for s in State]))
    return (f"entry {row.journal_id}" for row in _stream(connection, odd))


def _closed_rollbacks(connection: Connection) -> Iterator[str]:
    closed = (
        select(rollbacks.c.journal_id)
        .join(journal, journal.c.journal_id == rollbacks.c.journal_id)
        .where(journal.c.state != State.INTENDED.value)
    )
    return (f"entry {row.journal_id}" for row in _stream(connection, closed))


def _embeddings(connection: Connection) -> Iterator[str]:
    """Compare the places that blocks have with those that predictions name, block by block."""
    column = predictions.c
    named = groupby(
        _stream(
            connection,
            select(column.block_id, column.block_row, column.track_id, column.model_id)
            .where(column.block_id.is_not(None))
            .order_by(column.block_id, column.block_row),
        ),
        attrgetter("block_id"),
    )
    blocks = _stream(
        connection,
        select(embedding_blocks, models.c.embedding_dim)
        .join(models, models.c.model_id == embedding_blocks.c.model_id)
        .order_by(embedding_blocks.c.block_id),
    )
    in_predictions = next(named, None)
    for block in blocks:
        places: set[tuple[int, int]] = set()
        models_named: set[str] = set()
        if in_predictions is not None and in_predictions[0] == block.block_id:
            rows = list(in_predictions[1])
            places = {(row.block_row, row.track_id) for row in rows}
            models_named = {row.model_id for row in rows}
            in_predictions = next(named, None)
        if models_named - {block.model_id} or places != _places_in(block):
            yield f"block {block.block_id}"


def _places_in(block: Row[*tuple[Any, ...]]) -> set[tuple[int, int]] | None:
    """Return {(row, track_id)} of a block, or None if its parts do not fit together."""
    try:
        track_ids, vectors = block_arrays(block.n_rows, block.track_ids, block.vectors)
    except ValueError:
        return None
    if vectors.shape != (block.n_rows, block.embedding_dim) or len(track_ids) != block.n_rows:
        return None
    if not np.isfinite(vectors).all():
        return None
    return {(row, track_id) for row, track_id in enumerate(track_ids.tolist()) if track_id}


_CHECKS: dict[str, _Check] = {
    "keys for searching out of step with their text": _keys,
    "lists of genres out of step with their tracks": _genres,
    "names for reading out of step with their paths": _names,
    "tracks without a file": _tracks_without_file,
    "predictions with labels that their model has not": _labels,
    "journal entries in no known state": _states,
    "bytes kept for writes that are closed": _closed_rollbacks,
    "blocks of embeddings out of step with the predictions": _embeddings,
}
