"""Connections to SQLite: how they are opened, and how their transactions begin."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, StaticPool, create_engine, event
from sqlalchemy.pool import QueuePool

from tagger.catalog.sqlite.connecting import connect, reading_connection, uri_of
from tagger.catalog.store import DURABLE, WAIT_S, WRITING


def engine_for(
    path: Path, *, wait_s: float = WAIT_S, foreign_keys: bool = True, careful: bool = False
) -> Engine:
    """Return an engine that reads and writes the file, which is made if it is absent.

    Args:
        path: The file.
        wait_s: How long to wait while another process writes.
        foreign_keys: Hold references together. They forbid the rebuild of a table, which is how
            SQLite alters one.
        careful: Every transaction is on the disk when it ends. In WAL mode one that is not may be
            lost in a power cut; without WAL the whole file may be.
    """
    uri = uri_of(path, "mode=rwc")

    def open_one() -> sqlite3.Connection:
        connection = connect(uri, wait_s)
        connection.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
        return connection

    return _engine(open_one, careful=careful)


@contextmanager
def rebuilding(path: Path, wait_s: float = WAIT_S) -> Iterator[Connection]:
    """Give a connection in whose one transaction tables may be altered and filled in any order."""
    engine = engine_for(path, wait_s=wait_s, foreign_keys=False)
    try:
        with engine.execution_options(**DURABLE).begin() as connection:
            yield connection
    finally:
        engine.dispose()


def reading_engine_for(path: Path, *, wait_s: float = WAIT_S) -> Engine:
    """Return an engine that reads the file and makes no file beside it where that can be helped."""
    return _engine(lambda: reading_connection(path, wait_s))


def memory_engine() -> Engine:
    """Return an engine with one database in memory."""
    return _engine(lambda: connect(":memory:", 0), memory=True)


def _engine(
    open_one: Callable[[], sqlite3.Connection], *, memory: bool = False, careful: bool = False
) -> Engine:
    pool = StaticPool if memory else QueuePool
    engine = create_engine("sqlite+pysqlite://", creator=open_one, poolclass=pool)
    event.listen(engine, "begin", lambda connection: _begin(connection, careful=careful))
    return engine


def _begin(connection: Connection, *, careful: bool) -> None:
    # A transaction that reads first and writes later fails at once, without waiting, if another
    # process wrote in between; one that begins IMMEDIATE waits for its turn.
    access = connection.get_execution_options().get("catalog_access")
    if access is None:
        connection.exec_driver_sql("BEGIN DEFERRED")
        return
    is_durable = careful or access == DURABLE["catalog_access"]
    connection.exec_driver_sql(f"PRAGMA synchronous = {'FULL' if is_durable else 'NORMAL'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def check_writable(engine: Engine) -> None:
    """Take the write lock and give it back, so that a run learns of a read-only disk at once."""
    with engine.execution_options(**WRITING).begin() as connection:
        connection.rollback()


def forbid_writing(engine: Engine) -> None:
    """Make any further write to a database in memory an error, as it would be in a file."""
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")


def raw(connection: Connection) -> sqlite3.Connection:
    """Return the connection of Python's sqlite3 that is beneath."""
    beneath = connection.connection.driver_connection
    assert isinstance(beneath, sqlite3.Connection)
    return beneath
