"""Where a catalogue is: a path or a URL, told apart."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from tagger.catalog.sqlite.store import SqliteStore
from tagger.catalog.store import Store
from tagger.errors import CatalogError


def store_of(location: str | Path) -> Store:
    """Return the place that a path or URL names; raise CatalogError where it names none."""
    if isinstance(location, Path) or "://" not in location:
        return SqliteStore(Path(location).absolute())
    try:
        url = make_url(location)
    except ArgumentError as error:
        raise CatalogError("--catalog is neither a file nor the URL of a database") from error
    backend = url.get_backend_name()
    if backend in ("postgresql", "postgres") and url.database:
        from tagger.catalog.postgresql import PostgresStore  # few need it

        return PostgresStore(url)
    if backend != "sqlite" or not url.database:
        raise CatalogError(
            f"{url.render_as_string()} names no catalogue; give --catalog a file, "
            "or postgresql://USER@HOST/DATABASE"
        )
    return SqliteStore(Path(url.database).absolute())


def shown(location: str) -> str:
    """Return a location as it may be shown: a path as it is, a URL without its password."""
    if "://" not in location:
        return location
    try:
        return str(store_of(location).where)
    except CatalogError:
        return f"{location.partition('://')[0]}://…"
