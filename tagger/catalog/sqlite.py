"""All that is peculiar to SQLite: whose file it is, how it is opened, locked and copied."""

from __future__ import annotations

import logging
import os
import sqlite3
import stat
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, StaticPool, create_engine, event
from sqlalchemy.pool import QueuePool

from tagger.catalog import faults
from tagger.errors import CatalogError

log = logging.getLogger(__name__)

APPLICATION_ID = 0x54474752  # "TGGR", in the file's header: the catalogue is ours
WAIT_S = 30.0  # how long to wait for another writer
_WAL_TRIES = 20
_CHECKED_BYTES = 4 << 20  # quick_check reads the whole file: 10 ms for so much

# Execution options of a connection: how its transactions begin.
WRITING = {"catalog_begin": "IMMEDIATE", "catalog_synchronous": "NORMAL"}
DURABLE = {"catalog_begin": "IMMEDIATE", "catalog_synchronous": "FULL"}


def is_catalog(path: Path) -> bool:
    """Return whether there is a catalogue at path; False where there is nothing yet.

    Only the first 100 bytes are read, and nothing is opened as a database: what is not ours is
    never touched, not even by a recovery of its journal.

    Raises:
        CatalogError: Something else is there.
    """
    header = _header(path)
    if not header:
        return False
    if not header.startswith(b"SQLite format 3\0") or len(header) < 100:
        raise CatalogError(
            "this is not a catalogue but some other file; choose another --catalog", path
        )
    if int.from_bytes(header[68:72], "big") != APPLICATION_ID:
        raise CatalogError(
            "this database belongs to another program; it was left alone, choose another --catalog",
            path,
        )
    return True


def _header(path: Path) -> bytes:
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise CatalogError("this is a folder; name a file in it with --catalog", path)
        if not stat.S_ISREG(mode):  # a FIFO would be waited on for ever
            raise CatalogError("this is no ordinary file; choose another --catalog", path)
        with path.open("rb") as file:
            return file.read(100)
    except FileNotFoundError:
        return b""
    except OSError as error:
        reason = f"cannot be read ({_said(error)}); choose another --catalog"
        raise CatalogError(reason, path) from error


def make_folder(path: Path) -> None:
    """Make the folder that the catalogue is to be in.

    Raises:
        CatalogError: It cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = f"its folder cannot be made ({_said(error)}); choose another --catalog"
        raise CatalogError(reason, path) from error


def engine_for(path: Path, *, wait_s: float = WAIT_S, foreign_keys: bool = True) -> Engine:
    """Return an engine that reads and writes the file, which is made if it is absent."""
    uri = _uri(path, "mode=rwc")

    def connect() -> sqlite3.Connection:
        connection = _connect(uri, wait_s)
        connection.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
        return connection

    return _engine(connect)


def reading_engine_for(path: Path, *, wait_s: float = WAIT_S) -> Engine:
    """Return an engine that reads the file and makes no file beside it where that can be helped.

    In WAL mode a reader makes ``-wal`` and ``-shm`` files. Without a ``-wal`` file the catalogue
    was closed in good order, and SQLite is told that nobody changes it; with one it must be read
    along, so the usual locks are taken.
    """
    closed = not _has_wal(path)
    uri = _uri(path, "mode=ro&immutable=1" if closed else "mode=ro")
    return _engine(lambda: _connect(uri, wait_s))


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
    if path.stat().st_size > _CHECKED_BYTES:
        return
    with engine.connect() as connection:
        (said,) = connection.exec_driver_sql("PRAGMA quick_check(1)").one()
    if said != "ok":
        raise CatalogError(faults.DAMAGED, path)


def mark_as_ours(connection: Connection) -> None:
    """Write our name into the file's header, within the transaction that makes the tables."""
    connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")


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
            closing(_connect(_uri(path, "mode=ro"), WAIT_S)) as source,
            closing(sqlite3.connect(unfinished, isolation_level=None)) as copy,
        ):
            source.backup(copy)
        unfinished.replace(target)
    except (OSError, sqlite3.Error) as error:
        unfinished.unlink(missing_ok=True)
        reason = f"no backup can be made before the upgrade ({_said(error)}); make room for it"
        raise CatalogError(reason, target) from error


def _said(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return str(error)


def _raw(connection: Connection) -> sqlite3.Connection:
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    return raw
