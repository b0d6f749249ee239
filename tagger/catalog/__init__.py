"""The catalogue room: what was heard, decided and written, for years.

Tables, upgrades, queries and the journal; all SQLAlchemy and Alembic of the tagger is in here.
Callers open a Catalog and exchange frozen records with it.
"""

from __future__ import annotations

import importlib
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
    Leftovers,
    ModelRecord,
    PlannedWrite,
    RootRow,
    RunRow,
    SortKey,
    SurveyedTrack,
    TaggedTrack,
    TrackInfo,
    TrackQuery,
    TrackRow,
    WriteQuery,
)
from tagger.catalog.text import fold

if TYPE_CHECKING:
    from tagger.catalog.catalog import Catalog
    from tagger.catalog.exporting import ExportedTrack
    from tagger.catalog.opening import shown
    from tagger.catalog.pruning import VanishedFile
    from tagger.catalog.relocating import Relocated

# Imported when they are first asked for: the reader does without SQLAlchemy, which they bring.
_LATER = {
    "Catalog": "tagger.catalog.catalog",
    "ExportedTrack": "tagger.catalog.exporting",
    "shown": "tagger.catalog.opening",
    "VanishedFile": "tagger.catalog.pruning",
    "Relocated": "tagger.catalog.relocating",
}

__all__ = [
    "Catalog",
    "CatalogEntry",
    "Copy",
    "Counts",
    "Embeddings",
    "ExportedTrack",
    "FailedFile",
    "FileRow",
    "JournalEntry",
    "KnownTrack",
    "Leftovers",
    "ModelRecord",
    "PlannedWrite",
    "Relocated",
    "RootRow",
    "RunRow",
    "SortKey",
    "SurveyedTrack",
    "TaggedTrack",
    "TrackInfo",
    "TrackQuery",
    "TrackRow",
    "VanishedFile",
    "WriteQuery",
    "fold",
    "shown",
]


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(importlib.import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
