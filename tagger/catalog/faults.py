"""What a database's complaint means to a user, and what they can do about it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError, OperationalError

from tagger.errors import CatalogError, RowError

Where = Path | str | None  # a file, a URL without its password, or a catalogue in memory

_LOCKED = (
    "another program has held the catalogue locked for too long; "
    "wait until it is done, or close it, and run again"
)
_FULL = "the disk is full; make room on it and run again (what was recorded before is safe)"
DAMAGED = (
    "the catalogue is damaged; put a backup in its place, "
    "or move it away and tag again (the tags in your files are not lost)"
)
READ_ONLY_SERVER = "the server takes no changes, it is read-only; name the one that does"

# By SQLite's primary result code: the low byte of an extended one.
_SQLITE = {
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_READONLY: "the catalogue, its folder or its disk is read-only; "
    "give yourself the right to write there, or choose another --catalog",
    sqlite3.SQLITE_CANTOPEN: "the catalogue cannot be opened; check that its folder exists and "
    "that you may write there, or choose another --catalog",
    sqlite3.SQLITE_PERM: "you have no right to the catalogue; "
    "give yourself that right, or choose another --catalog",
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_NOTADB: "this is not a catalogue but some other file; choose another --catalog",
    sqlite3.SQLITE_IOERR: "the disk reports a fault or a limit while the catalogue is used; "
    "check the disk and its free space before anything else",
}
_NO_TEXT = "Could not decode to UTF-8"  # so says Python's own sqlite3, without a code
_BROKEN_OFF = (
    "a run was broken off while it wrote to the catalogue; the next tagger tag puts that right"
)

# By PostgreSQL's code, or its class, the first two places.
_POSTGRESQL = {
    "08": "the connection to the server is lost; run again when it is back "
    "(what was recorded before is safe)",
    "22021": "the server takes no text of this kind; the database must be in UTF8",
    "25006": READ_ONLY_SERVER,
    "28": "the server does not let you in; check the user and the password",
    "3D000": "there is no such database on the server; make it (createdb NAME), or name another",
    "40": "the server broke off what others stood in the way of; run again",
    "42501": "you have no right to the catalogue's tables; have it given to you",
    "53100": _FULL,
    "53": "the server lacks memory or connections; run again later",
    "55P03": _LOCKED,
    "57014": "the server broke off what took longer than its statement_timeout; give the tagger's "
    "user more time there (ALTER ROLE NAME SET statement_timeout = 0) and run again "
    "(what was recorded before is safe)",
    "57": "the server ends or broke off what it was asked for; run again when it is back "
    "(what was recorded before is safe)",
    "58": "the server's disk reports a fault; check it before anything else",
    "XX": "the server reports damage to the database; put a backup in its place",
}
# What is wrong with one row, and with no other: by PostgreSQL's code, or its class.
_OF_A_ROW = {
    "54000": "its path is too long for the server to look for (2,700 bytes and more); leave the "
    "file out with --exclude",
    "22": "the database cannot hold what its tags or its decoder say; please report it, and leave "
    "the file out with --exclude until then",
}
# Without a code: why no connection came about, by what the client's library says.
_NO_CONNECTION = {
    "too many connections": _POSTGRESQL["53"],  # for a role or a database, which are named below
    "password authentication failed": _POSTGRESQL["28"],
    "no password supplied": _POSTGRESQL["28"],
    "no pg_hba.conf entry": _POSTGRESQL["28"],
    "role ": _POSTGRESQL["28"],
    "the database system is": "the server is starting, stopping or recovering from a crash; run "
    "again in a moment (what was recorded before is safe)",
    "too many clients": _POSTGRESQL["53"],
    "remaining connection slots": _POSTGRESQL["53"],
    "database ": _POSTGRESQL["3D000"],
    "server closed the connection": _POSTGRESQL["08"],
    "connection is lost": _POSTGRESQL["08"],
    "connection is closed": _POSTGRESQL["08"],
}
_NOT_REACHED = "the server cannot be reached; check its name and port, and that it is running"


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
        RowError: One row of those put in cannot be stored.
    """
    try:
        yield
    except (DBAPIError, sqlite3.DatabaseError) as error:
        if of_a_row := _of_a_row(error):
            raise RowError(of_a_row) from error
        reason = reason_of(error)
        if reason is None:
            raise
        raise complaint(reason, where) from error
    except json.JSONDecodeError as error:  # what we store is JSON, so this is no longer that
        raise complaint(DAMAGED, where) from error


def reason_of(error: DBAPIError | sqlite3.DatabaseError) -> str | None:
    """Return what an error means to a user, or None where it is a mistake of ours."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        if str(cause).startswith(_NO_TEXT):
            return DAMAGED
        code = getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        if code == sqlite3.SQLITE_ERROR:  # SQL that is wrong
            return None
        known = _by_sqlite(code)
    else:
        known = _by_postgresql(cause, is_connected=getattr(error, "statement", None) is not None)
    if known is None and isinstance(error, OperationalError):
        said = " ".join(str(cause).split())
        return f"the database refuses: {said}; if it goes on, choose another --catalog"
    return known


def _of_a_row(error: DBAPIError | sqlite3.DatabaseError) -> str | None:
    cause = error.orig if isinstance(error, DBAPIError) else error
    if getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_TOOBIG:
        return _OF_A_ROW["22"]
    code = getattr(cause, "sqlstate", None) or ""
    if code in _POSTGRESQL:
        return None
    return _OF_A_ROW.get(code) or _OF_A_ROW.get(code[:2])


def _by_sqlite(code: int) -> str | None:
    if code == sqlite3.SQLITE_READONLY_ROLLBACK:
        return _BROKEN_OFF
    return _SQLITE.get(code & 0xFF)


def _by_postgresql(cause: BaseException | None, *, is_connected: bool) -> str | None:
    code = getattr(cause, "sqlstate", None)
    if code is not None:
        return _POSTGRESQL.get(code) or _POSTGRESQL.get(code[:2])
    said = " ".join(str(cause).split())
    known = (reason for words, reason in _NO_CONNECTION.items() if words in said)
    return next(known, None if is_connected else f"{_NOT_REACHED} ({said[:200]})")
