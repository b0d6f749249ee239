"""The catalogue room: what was heard, decided and written, for years.

Tables, upgrades, queries and the journal; all SQLAlchemy and Alembic of the tagger is in here.
Callers open a Catalog and exchange frozen records with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tagger.catalog.rows import (
    CatalogEntry,
    Copy,
    Counts,
    Embeddings,
    FailedFile,
    FileRow,
    JournalEntry,
    KnownTrack,
    ModelRecord,
    PlannedWrite,
    RootRow,
    RunRow,
    SortKey,
    TrackInfo,
    TrackQuery,
    TrackRow,
    WriteQuery,
)
from tagger.catalog.text import fold

if TYPE_CHECKING:
    from tagger.catalog.catalog import Catalog

__all__ = [
    "Catalog",
    "CatalogEntry",
    "Copy",
    "Counts",
    "Embeddings",
    "FailedFile",
    "FileRow",
    "JournalEntry",
    "KnownTrack",
    "ModelRecord",
    "PlannedWrite",
    "RootRow",
    "RunRow",
    "SortKey",
    "TrackInfo",
    "TrackQuery",
    "TrackRow",
    "WriteQuery",
    "fold",
]


def __getattr__(name: str) -> Any:
    """Import ``Catalog`` when it is first asked for: the reader needs no SQLAlchemy."""
    if name == "Catalog":
        from tagger.catalog.catalog import Catalog

        return Catalog
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
