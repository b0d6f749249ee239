"""The catalogue room: what was heard, decided and written, for years.

Tables, upgrades, queries and the journal; all SQLAlchemy and Alembic of the tagger is in here.
Callers open a Catalog, or a Reader that only asks, and exchange frozen records with it. They import
from here alone, whichever module says it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from tagger.catalog.batches import growing_sizes
from tagger.catalog.revisions import HEAD
from tagger.catalog.rows.answers import (
    FILL,
    RENAMING,
    REVIEW,
    Action,
    AnsweredFile,
    AnsweredState,
    GivenAnswer,
    NamedFile,
    NotedAnswer,
    OpenAnswer,
    Unanswered,
    by_status,
)
from tagger.catalog.rows.files import FailedFile, FileRow, KnownTrack, RootRow, SameAudio
from tagger.catalog.rows.runs import ModelRecord, Remembered, RunRow
from tagger.catalog.rows.tracks import (
    CatalogEntry,
    Counts,
    Embeddings,
    HeardTrack,
    Leftovers,
    SortKey,
    SurveyedTrack,
    TaggedTrack,
    TrackInfo,
    TrackQuery,
    TrackRow,
    Years,
)
from tagger.catalog.rows.writes import JournalEntry, PlannedWrite, WriteQuery
from tagger.catalog.store import Ids
from tagger.catalog.text import fold

if TYPE_CHECKING:
    from tagger.catalog.catalog import Catalog
    from tagger.catalog.exporting import ExportedTrack
    from tagger.catalog.opening import shown
    from tagger.catalog.pruning import VanishedFile
    from tagger.catalog.reader import Embedder, Reader
    from tagger.catalog.relocating import Relocated
    from tagger.catalog.upkeep import (
        Complaint,
        Health,
        back_up,
        check,
        let_go,
        restore,
        upgrade_schema,
    )

# Imported when they are first asked for: a question does without SQLAlchemy, which they bring.
_LATER = {
    "Catalog": "tagger.catalog.catalog",
    "ExportedTrack": "tagger.catalog.exporting",
    "shown": "tagger.catalog.opening",
    "VanishedFile": "tagger.catalog.pruning",
    "Embedder": "tagger.catalog.reader",
    "Reader": "tagger.catalog.reader",
    "Relocated": "tagger.catalog.relocating",
    "Complaint": "tagger.catalog.upkeep",
    "Health": "tagger.catalog.upkeep",
    "back_up": "tagger.catalog.upkeep",
    "check": "tagger.catalog.upkeep",
    "let_go": "tagger.catalog.upkeep",
    "restore": "tagger.catalog.upkeep",
    "upgrade_schema": "tagger.catalog.upkeep",
}

__all__ = [
    "FILL",
    "HEAD",
    "RENAMING",
    "REVIEW",
    "Action",
    "AnsweredFile",
    "AnsweredState",
    "Catalog",
    "CatalogEntry",
    "Complaint",
    "Counts",
    "Embedder",
    "Embeddings",
    "ExportedTrack",
    "FailedFile",
    "FileRow",
    "GivenAnswer",
    "Health",
    "HeardTrack",
    "Ids",
    "JournalEntry",
    "KnownTrack",
    "Leftovers",
    "ModelRecord",
    "NamedFile",
    "NotedAnswer",
    "OpenAnswer",
    "PlannedWrite",
    "Reader",
    "Relocated",
    "Remembered",
    "RootRow",
    "RunRow",
    "SameAudio",
    "SortKey",
    "SurveyedTrack",
    "TaggedTrack",
    "TrackInfo",
    "TrackQuery",
    "TrackRow",
    "Unanswered",
    "VanishedFile",
    "WriteQuery",
    "Years",
    "back_up",
    "by_status",
    "check",
    "fold",
    "growing_sizes",
    "let_go",
    "restore",
    "shown",
    "upgrade_schema",
]


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(importlib.import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
