"""What SQLite's complaints mean to a user, and what they can do about it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tagger.errors import CatalogError

# By SQLite's primary result code: the low byte of an extended one.
_REASONS = {
    sqlite3.SQLITE_BUSY: "another program has held the catalogue locked for too long; "
    "wait until it is done, or close it, and run again",
    sqlite3.SQLITE_LOCKED: "another program has held the catalogue locked for too long; "
    "wait until it is done, or close it, and run again",
    sqlite3.SQLITE_FULL: "the disk is full; make room on it and run again "
    "(what was recorded before is safe)",
    sqlite3.SQLITE_READONLY: "the catalogue, its folder or its disk is read-only; "
    "give yourself the right to write there, or choose another --catalog",
    sqlite3.SQLITE_CANTOPEN: "the catalogue cannot be opened; check that its folder exists and "
    "that you may write there, or choose another --catalog",
    sqlite3.SQLITE_PERM: "you have no right to the catalogue; "
    "give yourself that right, or choose another --catalog",
    sqlite3.SQLITE_CORRUPT: "the catalogue is damaged; put a backup in its place, "
    "or move it away and tag again (the tags in your files are not lost)",
    sqlite3.SQLITE_NOTADB: "this is not a catalogue but some other file; choose another --catalog",
    sqlite3.SQLITE_IOERR: "the disk reports a fault or a limit while the catalogue is used; "
    "check the disk and its free space before anything else",
}

DAMAGED = _REASONS[sqlite3.SQLITE_CORRUPT]


def reason_for(error: BaseException | None) -> str | None:
    """Return what a complaint means; None where it is our own mistake, such as SQL that is wrong.

    >>> reason_for(sqlite3.OperationalError("of no known kind")) is None
    True
    """
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    if code == sqlite3.SQLITE_ERROR:
        return None
    known = _REASONS.get(code & 0xFF)
    if known is None and isinstance(error, sqlite3.OperationalError):
        said = " ".join(str(error).split())
        return f"the database refuses: {said}; if it goes on, choose another --catalog"
    return known


@contextmanager
def reported(path: Path | None) -> Iterator[None]:
    """Turn SQLite's errors that a user can mend into CatalogErrors; others go through.

    Raises:
        CatalogError: With the catalogue's path and what to do.
    """
    try:
        yield
    except sqlite3.DatabaseError as error:
        reason = reason_for(error)
        if reason is None:
            raise
        raise CatalogError(reason, path) from error
