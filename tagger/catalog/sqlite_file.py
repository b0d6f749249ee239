"""An SQLite file before anything is done with it: whose it is, and a connection that only reads.

Without SQLAlchemy: its import costs as much as a whole question to a large catalogue.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path
from urllib.parse import quote

from tagger.catalog.complaints import DAMAGED
from tagger.errors import CatalogError

APPLICATION_ID = 0x54474752  # "TGGR", in the file's header: the catalogue is ours
WAIT_S = 30.0  # how long to wait for another writer
_CHECKED_BYTES = 4 << 20  # quick_check reads the whole file: 10 ms for so much


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
        reason = f"cannot be read ({said(error)}); choose another --catalog"
        raise CatalogError(reason, path) from error


def reading(path: Path, wait_s: float = WAIT_S) -> sqlite3.Connection:
    """Return a connection that reads the file, and makes none beside it where that can be helped.

    In WAL mode a reader makes ``-wal`` and ``-shm`` files. Without a ``-wal`` file the catalogue
    was closed in good order, and SQLite is told that nobody changes it; with one it must be read
    along, so the usual locks are taken.
    """
    closed = not _has_wal(path)
    return connect(uri_of(path, "mode=ro&immutable=1" if closed else "mode=ro"), wait_s)


def _has_wal(path: Path) -> bool:
    try:
        return path.with_name(path.name + "-wal").stat().st_size > 0
    except FileNotFoundError:
        return False


def uri_of(path: Path, options: str) -> str:
    """Return the URI by which SQLite opens a file in some mode."""
    return f"file:{quote(os.fsencode(path.absolute()))}?{options}"


def connect(uri: str, wait_s: float) -> sqlite3.Connection:
    """Return a connection that begins no transaction of its own.

    So ours hold DDL as well, and take the write lock at once.
    """
    return sqlite3.connect(
        uri, timeout=wait_s, isolation_level=None, check_same_thread=False, uri=True
    )


def check_sound(connection: sqlite3.Connection, path: Path) -> None:
    """Look for damage in a catalogue that is small enough to be read at every start.

    Raises:
        CatalogError: It is damaged.
    """
    if path.stat().st_size > _CHECKED_BYTES:
        return
    if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
        raise CatalogError(DAMAGED, path)


def said(error: Exception) -> str:
    """Return what the system or SQLite said."""
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return str(error)
