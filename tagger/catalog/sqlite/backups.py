"""Copies of a catalogue: in memory, to read an older schema; in a file, to be safe."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Engine

from tagger.catalog import faults
from tagger.catalog.sqlite import connecting, engines, header
from tagger.catalog.sqlite.header import said
from tagger.catalog.tables import metadata
from tagger.errors import CatalogError
from tagger.files.atomic import FileKind, replaced

_SHOWN = 20  # complaints of the database; there may be one for each page


def copy_to_memory(source: Engine) -> Engine:
    """Return an engine with a copy of the database in memory."""
    target = engines.memory_engine()
    with source.connect() as read, target.connect() as write:
        engines.raw(read).backup(engines.raw(write))
    return target


def back_up(path: Path, target: Path, *, force: bool = False) -> None:
    """Copy a catalogue to a file: whole, verified and on the disk before it gets its name.

    Others may write meanwhile: the copy is what stood there when it began. The caller may hold the
    write lock, but on another connection: SQLite copies nothing through one that is writing, and
    Python waits for it forever.

    Raises:
        CatalogError: The copy cannot be written, or a file that is no catalogue is there.
    """
    with drafted(target, force=force) as draft:
        copy_to_draft(path, draft)


def copy_to_draft(path: Path, draft: Path) -> None:
    """Copy a catalogue into an empty file, and verify it."""
    with (
        closing(connecting.reading_connection(path)) as source,
        closing(sqlite3.connect(draft, isolation_level=None)) as copy,
    ):
        source.backup(copy)
    _verify(draft)


@contextmanager
def drafted(target: Path, *, force: bool = False) -> Iterator[Path]:
    """Give a file for a catalogue; it gets its name at the end, or goes if it is not sound.

    Raises:
        CatalogError: It cannot be written, or a file that is no catalogue is there.
    """
    try:
        with replaced(target, _BACKUP.unless(force)) as draft:
            yield draft
            _verify(draft)
    except sqlite3.Error as error:
        reason = f"no backup can be made here ({said(error)}); make room for it, or choose -o FILE"
        raise CatalogError(reason, target) from error


_BACKUP = FileKind(
    b"SQLite format 3\0",
    "a file that is no catalogue is there already; name another one with -o, or say --force",
    CatalogError,
    mark=header.APPLICATION_ID.to_bytes(4, "big"),
    mark_at=header.APPLICATION_ID_AT,
)


def _verify(copy: Path) -> None:
    found = next(damage(copy), None)
    if found is not None:
        raise sqlite3.DatabaseError(found)


def damage(path: Path) -> Iterator[str]:
    """Yield what SQLite finds wrong with a file: its pages, its references, whose it is."""
    if not header.is_catalog(path):
        yield "it is empty"
        return
    with closing(connecting.reading_connection(path)) as database:
        try:
            for (line,) in database.execute(f"PRAGMA integrity_check({_SHOWN})"):
                if line != "ok":
                    yield " ".join(str(line).split())
            for table, _, parent, _ in database.execute("PRAGMA foreign_key_check"):
                yield f"a row of {table} refers to one of {parent} that is not there"
            yield from _odd_values(database)
        except sqlite3.DatabaseError as error:
            yield faults.reason_of(error) or said(error)


def _odd_values(database: sqlite3.Connection) -> Iterator[str]:
    """Yield columns of ours with values of another kind than theirs, which SQLite would keep."""
    for table in metadata.tables:
        columns = database.execute("SELECT name, type FROM pragma_table_info(?)", (table,))
        kinds = {name: _KINDS[kind] for name, kind in columns if kind in _KINDS}
        if not kinds:  # an older schema has no such table
            continue
        odd = (f"total(typeof({name}) NOT IN ({kind}, 'null'))" for name, kind in kinds.items())
        counts = database.execute(f"SELECT {', '.join(odd)} FROM {table}").fetchone()
        for name, n in zip(kinds, counts, strict=True):
            if n:
                yield f"{int(n)} values of {table}.{name} are of another kind than the column"


_KINDS = {
    "BIGINT": "'integer'",
    "BLOB": "'blob'",
    "BOOLEAN": "'integer'",
    "FLOAT": "'real', 'integer'",
    "INTEGER": "'integer'",
    "TEXT": "'text'",
    "VARCHAR": "'text'",
}
"""{type that a column was declared with: what SQLite's typeof() says of its values}"""


def move_aside(path: Path, target: Path) -> None:
    """Give a catalogue that nobody has open another name, with what belongs to it.

    It keeps its own name as well, until another takes that over: a cut in between leaves no place
    without a catalogue. Where the file system knows no second names it is renamed.

    Raises:
        CatalogError: Another program has it open.
    """
    try:
        with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as database:
            database.execute("PRAGMA journal_mode = delete")  # works for who is alone only
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
            reason = "another program has it open; close it and try again"
            raise CatalogError(reason, path) from error
        # It is damaged, which is why a backup is wanted.
    try:
        target.hardlink_to(path)
    except OSError:
        path.replace(target)
    for ending in ("-wal", "-shm", "-journal"):
        part = path.with_name(path.name + ending)
        if part.exists():
            part.replace(target.with_name(target.name + ending))
