"""Embeddings, packed: a block is one row with the vectors of up to 256 tracks.

Reading all of a million tracks takes four thousand rows then, not a million. A track keeps its
place: hearing it again replaces its vector where it is. A place that was given up has track 0.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import Connection, Row, Select, bindparam, delete, func, insert, select, update

from tagger.catalog.blocks import ID, VALUE, block_arrays
from tagger.catalog.rows.tracks import Embeddings
from tagger.catalog.tables import embedding_blocks as blocks
from tagger.catalog.tables import models, predictions
from tagger.records import FloatArray

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# A run adds a few dozen tracks at a time and rewrites the last block for it: larger blocks would
# make that dear, smaller ones the reading.
BLOCK_ROWS = 256
_LARGEST = 65_504.0  # that VALUE can hold

BlockArrays: TypeAlias = "tuple[int, NDArray[np.int64], NDArray[np.float16]]"
"""block_id, track_ids (n_rows,), vectors (n_rows, embedding_dim)"""


@dataclass(slots=True)
class _Block:
    """A block as arrays: track_ids (n_rows,) and vectors (n_rows, embedding_dim) float16."""

    block_id: int | None
    track_ids: NDArray[np.int64]
    vectors: NDArray[np.float16]


def store(connection: Connection, model_id: str, vectors: Mapping[int, FloatArray]) -> None:
    """Put the tracks' vectors in, those of known tracks in their old places.

    The tracks' rows in ``predictions`` must be there already.
    """
    if not vectors:
        return
    known = _places(connection, model_id, vectors)
    for block_id, members in known.items():
        block = _load(connection, block_id)
        for track_id, row in members:
            block.vectors[row] = _packed(vectors[track_id])
        _save(connection, model_id, block)
    placed = {track_id for members in known.values() for track_id, _ in members}
    new = [track_id for track_id in vectors if track_id not in placed]
    _append(connection, model_id, {track_id: vectors[track_id] for track_id in new})


def drop(connection: Connection, model_id: str, track_ids: Iterable[int]) -> None:
    """Forget the vectors of tracks in which nothing can be heard any more."""
    for block_id, members in _places(connection, model_id, track_ids).items():
        block = _load(connection, block_id)
        for _, row in members:
            block.track_ids[row] = 0
        _set_places(connection, model_id, [(track_id, None, None) for track_id, _ in members])
        if block.track_ids.any():
            _save(connection, model_id, block)
        else:
            connection.execute(delete(blocks).where(blocks.c.block_id == block_id))


def load_all(connection: Connection, model_id: str) -> Embeddings:
    """Return all embeddings of a model, in one matrix."""
    import numpy as np

    dim = connection.execute(
        select(models.c.embedding_dim).where(models.c.model_id == model_id)
    ).scalar()
    n_rows = connection.execute(
        select(func.coalesce(func.sum(blocks.c.n_rows), 0)).where(blocks.c.model_id == model_id)
    ).scalar_one()
    track_ids = np.empty(n_rows, np.int64)
    vectors = np.empty((n_rows, dim or 0), np.float32)
    start = 0
    for row in connection.execute(_selected().where(blocks.c.model_id == model_id)):
        block = _unpacked(row)
        stop = start + len(block.track_ids)
        track_ids[start:stop] = block.track_ids
        vectors[start:stop] = block.vectors
        start = stop
    used = track_ids > 0
    return (
        Embeddings(track_ids, vectors) if used.all() else Embeddings(track_ids[used], vectors[used])
    )


def load_some(
    connection: Connection, model_id: str, track_ids: Iterable[int]
) -> Mapping[int, FloatArray]:
    """Return {track_id: embedding (embedding_dim,) float32} for those tracks that have one."""
    found: dict[int, FloatArray] = {}
    for block_id, members in _places(connection, model_id, track_ids).items():
        vectors = _load(connection, block_id).vectors
        found |= {track_id: vectors[row].astype("<f4") for track_id, row in members}
    return found


def _places(
    connection: Connection, model_id: str, track_ids: Iterable[int]
) -> Mapping[int, list[tuple[int, int]]]:
    """Return {block_id: [(track_id, row)]} for those tracks that have a place."""
    column = predictions.c
    rows = connection.execute(
        select(column.track_id, column.block_id, column.block_row).where(
            column.model_id == model_id,
            column.track_id.in_(list(track_ids)),
            column.block_id.is_not(None),
        )
    )
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for track_id, block_id, row in rows:
        found[block_id].append((track_id, row))
    return found


def _append(connection: Connection, model_id: str, vectors: Mapping[int, FloatArray]) -> None:
    ids = list(vectors)
    block = _last(connection, model_id)
    while ids:
        room = BLOCK_ROWS if block is None else BLOCK_ROWS - len(block.track_ids)
        now, ids = ids[:room], ids[room:]
        if now:
            block = _extended(block, now, [_packed(vectors[track_id]) for track_id in now])
            block_id = _save(connection, model_id, block)
            first = len(block.track_ids) - len(now)
            places = [(track_id, block_id, first + i) for i, track_id in enumerate(now)]
            _set_places(connection, model_id, places)
        block = None


def _extended(
    block: _Block | None, track_ids: list[int], vectors: list[NDArray[np.float16]]
) -> _Block:
    import numpy as np

    added = np.array(track_ids, ID)
    if block is None:
        return _Block(None, added, np.stack(vectors))
    return _Block(
        block.block_id,
        np.concatenate([block.track_ids, added]),
        np.concatenate([block.vectors, np.stack(vectors)]),
    )


def _set_places(
    connection: Connection, model_id: str, places: Sequence[tuple[int, int | None, int | None]]
) -> None:
    column = predictions.c
    statement = (
        update(predictions)
        .where(column.model_id == model_id, column.track_id == bindparam("of_track"))
        .values(block_id=bindparam("in_block"), block_row=bindparam("in_row"))
    )
    connection.execute(
        statement, [{"of_track": t, "in_block": b, "in_row": r} for t, b, r in places]
    )


def _selected() -> Select[*tuple[Any, ...]]:
    column = blocks.c
    return select(column.block_id, column.n_rows, column.track_ids, column.vectors)


def _last(connection: Connection, model_id: str) -> _Block | None:
    newest = (
        _selected().where(blocks.c.model_id == model_id).order_by(blocks.c.block_id.desc()).limit(1)
    )
    row = connection.execute(newest).one_or_none()
    return None if row is None else _unpacked(row)


def _load(connection: Connection, block_id: int) -> _Block:
    return _unpacked(connection.execute(_selected().where(blocks.c.block_id == block_id)).one())


def _unpacked(row: Row[*tuple[Any, ...]]) -> _Block:
    block_id, n_rows, track_ids, vectors = row
    ids, values = block_arrays(n_rows, track_ids, vectors)
    return _Block(block_id, ids.copy(), values.copy())


def some_blocks(connection: Connection, block_ids: Sequence[int]) -> Iterator[BlockArrays]:
    """Yield some blocks by their numbers; a track_id of 0 is a place given up."""
    for row in connection.execute(_selected().where(blocks.c.block_id.in_(block_ids))):
        yield row.block_id, *block_arrays(row.n_rows, row.track_ids, row.vectors)


def _save(connection: Connection, model_id: str, block: _Block) -> int:
    values = {
        "n_rows": len(block.track_ids),
        "track_ids": block.track_ids.astype(ID).tobytes(),
        "vectors": block.vectors.astype(VALUE).tobytes(),
    }
    if block.block_id is not None:
        connection.execute(
            update(blocks).where(blocks.c.block_id == block.block_id).values(**values)
        )
        return block.block_id
    block_id: int = connection.execute(
        insert(blocks).values(model_id=model_id, **values).returning(blocks.c.block_id)
    ).scalar_one()
    return block_id


def _packed(vector: FloatArray) -> NDArray[np.float16]:
    # A value beyond float16 would become infinite, and every similarity with it NaN.
    import numpy as np

    return np.clip(vector, -_LARGEST, _LARGEST).astype(VALUE)
