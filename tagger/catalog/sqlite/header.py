"""Whose file it is, told by its first 100 bytes; and the folder that it is in."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from tagger.errors import CatalogError

if TYPE_CHECKING:
    from sqlalchemy import Connection

APPLICATION_ID = 0x54474752  # "TGGR", in the file's header: the catalogue is ours
APPLICATION_ID_AT = 68
_LENGTH = 100


def is_catalog(path: Path) -> bool:
    """Return whether there is a catalogue at path; False where there is nothing yet.

    Only the header is read, and nothing is opened as a database: what is not ours is never
    touched, not even by a recovery of its journal.

    Raises:
        CatalogError: Something else is there.
    """
    header = _read(path)
    if not header:
        return False
    if not header.startswith(b"SQLite format 3\0") or len(header) < _LENGTH:
        raise CatalogError(
            "this is not a catalogue but some other file; choose another --catalog", path
        )
    if int.from_bytes(header[APPLICATION_ID_AT : APPLICATION_ID_AT + 4], "big") != APPLICATION_ID:
        raise CatalogError(
            "this database belongs to another program; it was left alone, choose another --catalog",
            path,
        )
    return True


def is_in_wal_mode(path: Path) -> bool:
    """Return whether the file says that changes are collected in a ``-wal`` file beside it."""
    return _read(path)[18:20] == b"\2\2"


def _read(path: Path) -> bytes:
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise CatalogError("this is a folder; name a file in it with --catalog", path)
        if not stat.S_ISREG(mode):  # a FIFO would be waited on for ever
            raise CatalogError("this is no ordinary file; choose another --catalog", path)
        with path.open("rb") as file:
            return file.read(_LENGTH)
    except FileNotFoundError:
        return b""
    except OSError as error:
        reason = f"cannot be read ({said(error)}); choose another --catalog"
        raise CatalogError(reason, path) from error


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


def mark_as_ours(connection: Connection) -> None:
    """Write our name into the file's header, within the transaction that makes the tables."""
    connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")


def said(error: Exception) -> str:
    """Return what the system or the database said, in short."""
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return str(error)
