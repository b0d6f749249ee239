"""The ages of the schema, told apart without SQLAlchemy."""

from __future__ import annotations

from pathlib import Path

from tagger.errors import CatalogError

# All that this version knows, the oldest first; a test compares the files.
REVISIONS = ("0001", "0002", "0003")
HEAD = REVISIONS[-1]


def is_current(revision: str | None, path: Path | None) -> bool:
    """Return whether a schema of this revision is this version's; None: there are no tables yet.

    Raises:
        CatalogError: It is newer.
    """
    if revision is not None and revision not in REVISIONS:
        raise CatalogError(
            f"this catalogue was made by a newer version of tagger (schema {revision}); "
            "upgrade tagger, or choose another --catalog",
            path,
        )
    return revision == HEAD
