"""Where a catalogue is, by the path or URL that a user gave."""

from __future__ import annotations

from pathlib import Path

from tagger.errors import CatalogError


def path_of(location: str | Path) -> Path:
    """Return the file that a path or URL names; raise CatalogError where it names none."""
    if isinstance(location, Path) or "://" not in location:
        return Path(location).absolute()
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

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
