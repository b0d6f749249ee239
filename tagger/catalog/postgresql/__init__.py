"""PostgreSQL as the catalogue's place: one database, for many machines at once."""

from tagger.catalog.postgresql.store import PostgresStore

__all__ = ["PostgresStore"]
