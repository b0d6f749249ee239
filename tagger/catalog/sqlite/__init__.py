"""SQLite as the catalogue's place: one file, for one machine."""

from tagger.catalog.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
