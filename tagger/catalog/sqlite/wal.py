"""WAL mode, by which readers and a writer work side by side; and doing without it on a share.

WAL needs memory that all processes share, so they have to be on one machine.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from pathlib import Path

from sqlalchemy import Engine

from tagger.catalog.sqlite import engines
from tagger.files.mounts import unsafe_for_wal

log = logging.getLogger(__name__)

_TRIES = 20


def choose_mode(engine: Engine, path: Path) -> None:
    """Let the catalogue use WAL on a local disk, and do without it elsewhere, with a warning."""
    kind = unsafe_for_wal(path.parent)
    if kind is None:
        if not _changed(engine, "wal"):
            log.info("the catalogue is busy: readers and writers wait for each other this time")
        return
    log.warning(
        "%s is on a network share (%s): readers and writers wait for each other, and one machine "
        "at a time should use it; a catalogue on a local disk is safer, one for many machines "
        "belongs in PostgreSQL",
        path,
        kind,
    )
    if not _changed(engine, "delete"):
        log.warning("%s is in use, so that it stays in WAL mode this time", path)


def _changed(engine: Engine, mode: str) -> bool:
    """Return whether the mode is the one asked for now; the file remembers it.

    The change needs the file for itself for a moment, and SQLite does not wait for that. Where
    several processes open a new catalogue at once, one of them brings it about.
    """
    with engine.connect() as connection:
        raw = engines.raw(connection)
        for _ in range(_TRIES):
            try:
                if raw.execute(f"PRAGMA journal_mode = {mode}").fetchone() == (mode,):
                    return True
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                    raise
            time.sleep(0.05)
    return False
