"""All that is peculiar to SQLite: how it is opened to write, locked and copied."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, Engine, StaticPool, create_engine, event
from sqlalchemy.pool import QueuePool

from tagger.catalog import sqlite_file
from tagger.catalog.sqlite_file import WAIT_S, said, uri_of
from tagger.errors import CatalogError

log = logging.getLogger(__name__)

_WAL_TRIES = 20

# Execution options of a connection: how its transactions begin.
WRITING = {"catalog_begin": "IMMEDIATE", "catalog_synchronous": "NORMAL"}
DURABLE = {"catalog_begin": "IMMEDIATE", "catalog_synchronous": "FULL"}


def make_folder(path: Path) -> None:
    """Make the folder that the catalogue is to be in.

    Raises:
        CatalogError: It cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = f"its folder cannot be made ({said(error)}); choose another --catalog"
        raise CatalogError(reason, path) from error


def engine_for(path: Path, *, wait_s: float = WAIT_S, foreign_keys: bool = True) -> Engine:
    """Return an engine that reads and writes the file, which is made if it is absent."""
    uri = uri_of(path, "mode=rwc")

    def connect() -> sqlite3.Connection:
        connection = sqlite_file.connect(uri, wait_s)
        connection.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
        return connection

    return _engine(connect)


def reading_engine_for(path: Path, *, wait_s: float = WAIT_S) -> Engine:
    """Return an engine that reads the file and touches nothing; see ``sqlite_file.reading``."""
    return _engine(lambda: sqlite_file.reading(path, wait_s))


def memory_engine() -> Engine:
    """Return an engine with one database in memory."""
    return _engine(lambda: sqlite_file.connect(":memory:", 0), memory=True)


def _engine(connect: Callable[[], sqlite3.Connection], *, memory: bool = False) -> Engine:
    engine = create_engine(
        "sqlite+pysqlite://", creator=connect, poolclass=StaticPool if memory else QueuePool
    )
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    # A transaction that reads first and writes later fails at once, without waiting, if another
    # process wrote in between; one that begins IMMEDIATE waits for its turn.
    options = connection.get_execution_options()
    if "catalog_synchronous" in options:
        connection.exec_driver_sql(f"PRAGMA synchronous = {options['catalog_synchronous']}")
    connection.exec_driver_sql(f"BEGIN {options.get('catalog_begin', 'DEFERRED')}")


def use_wal(engine: Engine) -> None:
    """Let readers and a writer work side by side; the file remembers it.

    The change needs the file for itself for a moment, and SQLite does not wait for that. Where
    several processes open a new catalogue at once, one of them brings it about.
    """
    with engine.connect() as connection:
        raw = _raw(connection)
        for _ in range(_WAL_TRIES):
            try:
                if raw.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",):
                    return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                    raise
            time.sleep(0.05)
    log.info("the catalogue is busy: readers and writers have to wait for each other this time")


def check_writable(engine: Engine) -> None:
    """Take the write lock and give it back, so that a run learns of a read-only disk at once."""
    with engine.execution_options(**WRITING).begin() as connection:
        connection.rollback()


def check_sound(engine: Engine, path: Path) -> None:
    """Look for damage in a catalogue that is small enough to be read at every start.

    Raises:
        CatalogError: It is damaged.
    """
    with engine.connect() as connection:
        sqlite_file.check_sound(_raw(connection), path)


def mark_as_ours(connection: Connection) -> None:
    """Write our name into the file's header, within the transaction that makes the tables."""
    connection.exec_driver_sql(f"PRAGMA application_id = {sqlite_file.APPLICATION_ID}")


def forbid_writing(engine: Engine) -> None:
    """Make any further write to a database in memory an error, as it would be in a file."""
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")


def copy_to_memory(source: Engine) -> Engine:
    """Return an engine with a copy of the database in memory."""
    target = memory_engine()
    with source.connect() as read, target.connect() as write:
        _raw(read).backup(_raw(write))
    return target


def back_up(path: Path, target: Path) -> None:
    """Copy a database to a new file, whole and on disk before it gets its name.

    The caller may hold the write lock, so that nobody changes it meanwhile, but on another
    connection: SQLite copies nothing through one that is writing, and Python waits for it forever.

    Raises:
        CatalogError: The copy cannot be written.
    """
    unfinished = target.with_name(target.name + ".part")
    try:
        unfinished.unlink(missing_ok=True)
        with (
            closing(sqlite_file.connect(uri_of(path, "mode=ro"), WAIT_S)) as source,
            closing(sqlite3.connect(unfinished, isolation_level=None)) as copy,
        ):
            source.backup(copy)
        unfinished.replace(target)
    except (OSError, sqlite3.Error) as error:
        unfinished.unlink(missing_ok=True)
        reason = f"no backup can be made before the upgrade ({said(error)}); make room for it"
        raise CatalogError(reason, target) from error


def _raw(connection: Connection) -> sqlite3.Connection:
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    return raw
