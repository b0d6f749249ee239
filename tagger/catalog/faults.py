"""Where SQLAlchemy and SQLite complain, a CatalogError instead."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DatabaseError

from tagger.catalog import complaints
from tagger.errors import CatalogError


@contextmanager
def reported(path: Path | None) -> Iterator[None]:
    """Turn the database's errors that a user can mend into CatalogErrors.

    Anything else, a constraint that does not hold or SQL that is wrong, is our own mistake and
    goes through as it is.

    Raises:
        CatalogError: With the catalogue's path and what to do.
    """
    try:
        with complaints.reported(path):
            yield
    except DatabaseError as error:
        reason = complaints.reason_for(error.orig)
        if reason is None:
            raise
        raise CatalogError(reason, path) from error
