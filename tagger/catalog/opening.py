"""Opening a catalogue: what is checked first, and what is brought up to date."""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import Engine

from tagger.catalog import sqlite, sqlite_file, upgrade


def opened_to_write(path: Path, wait_s: float) -> Engine:
    """Return an engine on a sound catalogue of this version's schema, made if it is absent."""
    sqlite.make_folder(path)
    with ExitStack() as on_error:
        engine = sqlite.engine_for(path, wait_s=wait_s)
        on_error.callback(engine.dispose)
        if upgrade.needs_upgrade(engine, path):
            upgrade.upgrade_file(path, wait_s=wait_s)
        sqlite.check_sound(engine, path)
        sqlite.use_wal(engine)
        sqlite.check_writable(engine)
        on_error.pop_all()
    return engine


def opened_to_read(path: Path, wait_s: float) -> Engine:
    """Return an engine that touches nothing: on the file, or on a copy with today's schema."""
    with ExitStack() as on_error:
        engine = sqlite.reading_engine_for(path, wait_s=wait_s)
        on_error.callback(engine.dispose)
        is_old = upgrade.needs_upgrade(engine, path)
        sqlite.check_sound(engine, path)
        if not is_old:
            on_error.pop_all()
            return engine
        copy = sqlite.copy_to_memory(engine)
        with copy.begin() as connection:
            upgrade.migrate(connection)
        sqlite.forbid_writing(copy)
    return copy


def copied_to_read(path: Path) -> sqlite3.Connection:
    """Return a bare connection that touches nothing; see ``opened_to_read``."""
    borrowed = opened_to_read(path, sqlite_file.WAIT_S).raw_connection()
    connection = borrowed.driver_connection
    assert isinstance(connection, sqlite3.Connection)
    borrowed.detach()
    return connection
