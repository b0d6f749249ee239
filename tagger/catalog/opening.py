"""Opening a catalogue: where it is, what is checked first, and what is brought up to date."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import Engine, make_url
from sqlalchemy.exc import ArgumentError

from tagger.catalog import sqlite, upgrade
from tagger.errors import CatalogError


def path_of(location: str | Path) -> Path:
    """Return the file that a path or URL names; raise CatalogError where it names none."""
    if isinstance(location, Path) or "://" not in location:
        return Path(location).absolute()
    try:
        url = make_url(location)
    except ArgumentError as error:
        raise CatalogError(f"{location!r} is no URL of a database") from error
    if url.get_backend_name() != "sqlite" or not url.database:
        raise CatalogError(
            f"a catalogue is an SQLite file so far, and {url.render_as_string()} names none; "
            "give --catalog a file"
        )
    return Path(url.database).absolute()


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
