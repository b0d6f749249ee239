"""What a database's complaint means to a user, and what they can do about it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DatabaseError, OperationalError

from tagger.errors import CatalogError

Where = Path | str | None  # a file, a URL without its password, or a catalogue in memory

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


def complaint(reason: str, where: Where) -> CatalogError:
    """Return the error that says what is wrong with the catalogue that is there."""
    if isinstance(where, str):
        return CatalogError(f"{where}: {reason}")
    return CatalogError(reason, where)


@contextmanager
def reported(where: Where) -> Iterator[None]:
    """Turn the database's errors that a user can mend into CatalogErrors.

    Anything else, a constraint that does not hold or SQL that is wrong, is our own mistake and
    goes through as it is.

    Raises:
        CatalogError: With the catalogue's place and what to do.
    """
    try:
        yield
    except (DatabaseError, sqlite3.DatabaseError) as error:
        reason = reason_of(error)
        if reason is None:
            raise
        raise complaint(reason, where) from error


def reason_of(error: DatabaseError | sqlite3.DatabaseError) -> str | None:
    """Return what an error means to a user, or None where it is a mistake of ours."""
    cause = error.orig if isinstance(error, DatabaseError) else error
    code = getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    if code == sqlite3.SQLITE_ERROR:  # SQL that is wrong
        return None
    known = _REASONS.get(code & 0xFF)
    if known is None and isinstance(error, OperationalError):
        said = " ".join(str(cause).split())
        return f"the database refuses: {said}; if it goes on, choose another --catalog"
    return known
