"""Connections of Python's sqlite3, without SQLAlchemy, whose import takes as long as a question."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

from tagger.catalog.revisions import HEAD
from tagger.catalog.sqlite import header
from tagger.catalog.store import WAIT_S

_CHECKED_BYTES = 4 << 20  # quick_check reads the whole file: 10 ms for so much


def reading_connection(path: Path, wait_s: float = WAIT_S) -> sqlite3.Connection:
    """Return a connection that reads the file and makes no file beside it where that can be helped.

    In WAL mode a reader makes ``-wal`` and ``-shm`` files. Without a ``-wal`` file the catalogue
    was closed in good order, and SQLite is told that nobody changes it; with one it must be read
    along, so the usual locks are taken. Without WAL mode a reader makes no files.
    """
    closed = header.is_in_wal_mode(path) and not _has_wal(path)
    return connect(uri_of(path, "mode=ro&immutable=1" if closed else "mode=ro"), wait_s)


def connection_to_ask(path: Path) -> sqlite3.Connection | None:
    """Return a connection that reads a sound catalogue of this version's schema.

    None where there is more to do, or to say, than that: it is absent, older, damaged, locked.

    Raises:
        CatalogError: Something else is there.
    """
    if not header.is_catalog(path):
        return None
    connection = reading_connection(path)
    try:
        revision = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        if revision == (HEAD,) and looks_sound(connection, path):
            return connection
    except sqlite3.Error:
        pass  # whoever opens it with care says what is wrong
    connection.close()
    return None


def looks_sound(connection: sqlite3.Connection, path: Path) -> bool:
    """Return whether no damage is found in a catalogue small enough to be read at every start."""
    if path.stat().st_size > _CHECKED_BYTES:
        return True
    found: tuple[str] = connection.execute("PRAGMA quick_check(1)").fetchone()
    return found == ("ok",)


def uri_of(path: Path, options: str) -> str:
    """Return the URI by which SQLite opens a file in some mode."""
    return f"file:{quote(os.fsencode(path.absolute()))}?{options}"


def _has_wal(path: Path) -> bool:
    try:
        return path.with_name(path.name + "-wal").stat().st_size > 0
    except FileNotFoundError:
        return False


def connect(uri: str, wait_s: float) -> sqlite3.Connection:
    """Return a connection that begins no transaction of its own.

    So ours hold DDL as well, and take the write lock at once.
    """
    return sqlite3.connect(
        uri, timeout=wait_s, isolation_level=None, check_same_thread=False, uri=True
    )
