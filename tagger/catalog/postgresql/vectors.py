"""Nearest neighbours by pgvector, in the server: a few rows travel, and not all embeddings.

Beside the packed blocks, which stay what counts, tables of our own hold the same numbers as
pgvector takes them. They are brought up to date before each search, by the blocks that have
changed; PostgreSQL numbers the versions of a row itself (xmin). They may be dropped at any time,
so that even who only reads the catalogue may renew them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    Connection,
    Engine,
    Integer,
    Text,
    cast,
    column,
    delete,
    insert,
    literal_column,
    select,
    table,
)
from sqlalchemy.exc import DBAPIError

from tagger.catalog import embeddings
from tagger.catalog.batches import batches, growing_sizes
from tagger.catalog.postgresql.engines import REBUILDING
from tagger.catalog.store import Ids, Search
from tagger.catalog.tables import embedding_blocks as blocks
from tagger.records import FloatArray

log = logging.getLogger(__name__)

_TABLES = """
CREATE EXTENSION IF NOT EXISTS vector;
CREATE TABLE IF NOT EXISTS search_blocks (
    block_id integer PRIMARY KEY REFERENCES embedding_blocks ON DELETE CASCADE,
    version text NOT NULL
);
CREATE TABLE IF NOT EXISTS search_vectors (
    block_id integer NOT NULL REFERENCES search_blocks ON DELETE CASCADE,
    track_id integer NOT NULL,
    embedding halfvec NOT NULL,
    PRIMARY KEY (block_id, track_id)
);
"""


_done = table("search_blocks", column("block_id", Integer), column("version", Text))
_BLOCKS_AT_ONCE = 50
_COPY = "COPY search_vectors (block_id, track_id, embedding) FROM STDIN (FORMAT BINARY)"
_HAS_TABLES = "SELECT to_regclass('search_vectors') IS NOT NULL"


# <=> is 1 - cosine, and no number where there is nothing to compare.
_NEAREST = """
SELECT track_id FROM search_vectors JOIN embedding_blocks USING (block_id)
WHERE model_id = %(model_id)s
    AND (%(among)s::integer[] IS NULL OR track_id = ANY (%(among)s::integer[]))
ORDER BY coalesce(nullif(embedding <=> %(target)s::halfvec, 'NaN'), 1), track_id
LIMIT %(n)s OFFSET %(n_before)s
"""


def search(engine: Engine, model_id: str) -> Search | None:
    """Return how to find tracks, or None where the server has no pgvector or takes no changes."""
    try:
        _bring_up_to_date(engine, model_id)
    except DBAPIError as error:
        log.info("looking through the packed embeddings, without pgvector: %s", error.orig)
        return None
    return partial(_nearest_first, engine, model_id)


def _nearest_first(
    engine: Engine, model_id: str, target: FloatArray, among: Ids | None
) -> Iterator[Ids]:
    values: dict[str, Any] = {
        "model_id": model_id,
        "target": f"[{','.join(map(str, target.tolist()))}]",
        "among": None if among is None else among.tolist(),
        "n_before": 0,
    }
    for size in growing_sizes():
        with engine.begin() as connection:
            rows = connection.exec_driver_sql(_NEAREST, values | {"n": size})
            found = np.fromiter(rows.scalars(), np.int64)
        yield found
        if len(found) < size:
            return
        values["n_before"] += size


def _bring_up_to_date(engine: Engine, model_id: str) -> None:
    with engine.begin() as connection:
        has_tables = connection.exec_driver_sql(_HAS_TABLES).scalar_one()
        if has_tables and not _stale(connection, model_id):
            return
    with engine.execution_options(**REBUILDING).begin() as connection:
        if not has_tables:
            connection.exec_driver_sql(_TABLES)
        stale = _stale(connection, model_id)
        for some in batches(list(stale), _BLOCKS_AT_ONCE):
            _renew(connection, {number: stale[number] for number in some})


def _stale(connection: Connection, model_id: str) -> dict[int, str]:
    """Return {block_id: version} of blocks that have changed since, or are new."""
    version = cast(literal_column("embedding_blocks.xmin"), Text).label("version")
    changed = (
        select(blocks.c.block_id, version)
        .outerjoin(_done, _done.c.block_id == blocks.c.block_id)
        .where(blocks.c.model_id == model_id, _done.c.version.is_distinct_from(version))
        .order_by(blocks.c.block_id)
    )
    return {row.block_id: row.version for row in connection.execute(changed)}


def _renew(connection: Connection, versions: dict[int, str]) -> None:
    connection.execute(delete(_done).where(_done.c.block_id.in_(list(versions))))
    noted = [{"block_id": number, "version": version} for number, version in versions.items()]
    connection.execute(insert(_done), noted)
    changed = list(embeddings.some_blocks(connection, list(versions)))
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.set_types(["int4", "int4", "bytea"])
        for block_id, track_ids, vectors in changed:
            for track_id, vector in zip(track_ids.tolist(), vectors, strict=True):
                if track_id:
                    copy.write_row((block_id, track_id, _packed(vector)))


def _packed(vector: NDArray[np.float16]) -> bytes:
    """Return a vector as pgvector's halfvec goes over the wire: its length, 0, the numbers."""
    return len(vector).to_bytes(2) + b"\0\0" + vector.astype(">f2").tobytes()
