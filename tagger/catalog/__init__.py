"""The catalogue room: what was heard, decided and written, for years.

Tables, upgrades, queries and the journal; all SQLAlchemy and Alembic of the tagger is in here.
Callers open a Catalog and exchange frozen records with it.
"""

from tagger.catalog.catalog import Catalog
from tagger.catalog.columns import fold
from tagger.catalog.exporting import ExportedTrack
from tagger.catalog.nearest import Measure, Nearest, NearestQuery
from tagger.catalog.opening import shown
from tagger.catalog.pruning import VanishedFile
from tagger.catalog.relocating import Relocated
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
    TaggedTrack,
    TrackInfo,
    TrackQuery,
    TrackRow,
    WriteQuery,
)

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
    "Measure",
    "ModelRecord",
    "Nearest",
    "NearestQuery",
    "PlannedWrite",
    "Relocated",
    "RootRow",
    "RunRow",
    "SortKey",
    "TaggedTrack",
    "TrackInfo",
    "TrackQuery",
    "TrackRow",
    "VanishedFile",
    "WriteQuery",
    "fold",
    "shown",
]
