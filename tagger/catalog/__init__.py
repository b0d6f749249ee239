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
from tagger.catalog.rows import (
    CatalogEntry,
    Counts,
    Embeddings,
    FailedFile,
    JournalEntry,
    KnownTrack,
    ModelRecord,
    PlannedWrite,
    RunRow,
    SortKey,
    TrackInfo,
    TrackQuery,
    TrackRow,
    WriteQuery,
)

__all__ = [
    "Catalog",
    "CatalogEntry",
    "Counts",
    "Embeddings",
    "ExportedTrack",
    "FailedFile",
    "JournalEntry",
    "KnownTrack",
    "Measure",
    "ModelRecord",
    "Nearest",
    "NearestQuery",
    "PlannedWrite",
    "RunRow",
    "SortKey",
    "TrackInfo",
    "TrackQuery",
    "TrackRow",
    "VanishedFile",
    "WriteQuery",
    "fold",
    "shown",
]
