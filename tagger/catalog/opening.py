"""Where a catalogue is: a path or a URL, told apart."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from tagger.catalog.sqlite import SqliteStore
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
    if url.get_backend_name() != "sqlite" or not url.database:
        raise CatalogError(
            f"a catalogue is an SQLite file so far, and {url.render_as_string()} names none; "
            "give --catalog a file"
        )
    return SqliteStore(Path(url.database).absolute())
