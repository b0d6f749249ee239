"""Nearest neighbours by pgvector, in the server: a few rows travel, and not all embeddings.

Beside the packed blocks, which stay what counts, tables of our own hold what is made of each
embedding to compare it. They are brought up to date before each question, by the blocks that have
changed; PostgreSQL numbers the versions of a row itself (xmin). They may be dropped at any time,
so that even who only reads the catalogue may renew them.
"""

from __future__ import annotations

import logging
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Float,
    Integer,
    Text,
    bindparam,
    cast,
    column,
    delete,
    insert,
    literal_column,
    select,
    table,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import UserDefinedType

from tagger.catalog import embeddings, queries
from tagger.catalog.batches import batches
from tagger.catalog.nearest import Measure, Nearest, NearestQuery
from tagger.catalog.postgresql.engines import REBUILDING
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


class _HalfVector(UserDefinedType[str]):
    """Numbers of 16 bits each, as pgvector reads them from text."""

    cache_ok = True

    def get_col_spec(self, **_options: Any) -> str:
        """Return the type's name."""
        return "halfvec"


def _point(name: str) -> ColumnElement[str]:
    return cast(bindparam(name, type_=Text), _HalfVector())


_done = table("search_blocks", column("block_id", Integer), column("version", Text))
_vectors = table(
    "search_vectors",
    column("block_id", Integer),
    column("track_id", Integer),
    column("embedding", _HalfVector()),
)
_BLOCKS_AT_ONCE = 50
_COPY = "COPY search_vectors (block_id, track_id, embedding) FROM STDIN (FORMAT BINARY)"
_HAS_TABLES = "SELECT to_regclass('search_vectors') IS NOT NULL"


def nearest(engine: Engine, query: NearestQuery) -> Nearest | None:
    """Return the nearest tracks, or None where the server has no pgvector or takes no changes."""
    try:
        _bring_up_to_date(engine, query.model_id, query.measure)
    except DBAPIError as error:
        log.info("looking through the packed embeddings, without pgvector: %s", error.orig)
        return None
    # pgvector's <#> is the inner product, negated, so that the nearest come first.
    distance = _vectors.c.embedding.op("<#>", return_type=Float())(_point("target"))
    with engine.begin() as connection:
        statement = (
            select(_vectors.c.track_id, (-distance).label("similarity"))
            .join(blocks, blocks.c.block_id == _vectors.c.block_id)
            .where(blocks.c.model_id == query.model_id)
            .where(_vectors.c.track_id.in_(queries.selection(connection, query.among)))
            .order_by(distance, _vectors.c.track_id)
            .limit(query.n)
        )
        rows = connection.execute(statement, {"target": _literal(query.target)})
        return [(row.track_id, row.similarity) for row in rows]


def _bring_up_to_date(engine: Engine, model_id: str, measure: Measure) -> None:
    with engine.begin() as connection:
        has_tables = connection.exec_driver_sql(_HAS_TABLES).scalar_one()
        if has_tables and not _stale(connection, model_id, measure):
            return
    with engine.execution_options(**REBUILDING).begin() as connection:
        if not has_tables:
            connection.exec_driver_sql(_TABLES)
        stale = _stale(connection, model_id, measure)
        for some in batches(list(stale), _BLOCKS_AT_ONCE):
            _renew(connection, {number: stale[number] for number in some}, measure)


def _stale(connection: Connection, model_id: str, measure: Measure) -> dict[int, str]:
    """Return {block_id: version} of blocks that have changed since, or are new."""
    xmin = cast(literal_column("embedding_blocks.xmin"), Text)
    version = xmin.concat(f" {measure.name}").label("version")
    changed = (
        select(blocks.c.block_id, version)
        .outerjoin(_done, _done.c.block_id == blocks.c.block_id)
        .where(blocks.c.model_id == model_id, _done.c.version.is_distinct_from(version))
        .order_by(blocks.c.block_id)
    )
    return {row.block_id: row.version for row in connection.execute(changed)}


def _renew(connection: Connection, versions: dict[int, str], measure: Measure) -> None:
    connection.execute(delete(_done).where(_done.c.block_id.in_(list(versions))))
    noted = [{"block_id": number, "version": version} for number, version in versions.items()]
    connection.execute(insert(_done), noted)
    changed = list(embeddings.some_blocks(connection, list(versions)))
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.set_types(["int4", "int4", "bytea"])
        for block_id, track_ids, vectors in changed:
            points = measure.points(vectors)
            for track_id, point in zip(track_ids.tolist(), points, strict=True):
                if track_id:
                    copy.write_row((block_id, track_id, _packed(point)))


def _packed(point: FloatArray) -> bytes:
    """Return a vector as pgvector's halfvec goes over the wire: its length, 0, the numbers."""
    return len(point).to_bytes(2) + b"\0\0" + point.astype(">f2").tobytes()


def _literal(point: FloatArray) -> str:
    return f"[{','.join(map(str, point.tolist()))}]"
