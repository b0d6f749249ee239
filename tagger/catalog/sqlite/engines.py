"""Connections to SQLite: how they are opened, and how their transactions begin."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, StaticPool, create_engine, event
from sqlalchemy.pool import QueuePool

from tagger.catalog.sqlite import header
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
    uri = _uri(path, "mode=rwc")

    def open_one() -> sqlite3.Connection:
        connection = _connect(uri, wait_s)
        connection.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
        return connection

    return _engine(open_one, careful=careful)


def reading_engine_for(path: Path, *, wait_s: float = WAIT_S) -> Engine:
    """Return an engine that reads the file and makes no file beside it where that can be helped."""
    return _engine(lambda: reading_connection(path, wait_s))


def reading_connection(path: Path, wait_s: float = WAIT_S) -> sqlite3.Connection:
    """Return a connection that reads the file and makes no file beside it where that can be helped.

    In WAL mode a reader makes ``-wal`` and ``-shm`` files. Without a ``-wal`` file the catalogue
    was closed in good order, and SQLite is told that nobody changes it; with one it must be read
    along, so the usual locks are taken. Without WAL mode a reader makes no files.
    """
    closed = header.is_in_wal_mode(path) and not _has_wal(path)
    return _connect(_uri(path, "mode=ro&immutable=1" if closed else "mode=ro"), wait_s)


def memory_engine() -> Engine:
    """Return an engine with one database in memory."""
    return _engine(lambda: _connect(":memory:", 0), memory=True)


def _uri(path: Path, options: str) -> str:
    return f"file:{quote(os.fsencode(path.absolute()))}?{options}"


def _has_wal(path: Path) -> bool:
    try:
        return path.with_name(path.name + "-wal").stat().st_size > 0
    except FileNotFoundError:
        return False


def _connect(uri: str, wait_s: float) -> sqlite3.Connection:
    # isolation_level=None: Python's sqlite3 begins no transaction of its own, so that ours hold
    # DDL as well and take the write lock at once.
    return sqlite3.connect(
        uri, timeout=wait_s, isolation_level=None, check_same_thread=False, uri=True
    )


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
