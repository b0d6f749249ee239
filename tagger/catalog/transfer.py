"""All rows of one catalogue put into another, of whatever kind: backups of PostgreSQL's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, MetaData, insert, select

from tagger.catalog import upgrade
from tagger.catalog.sqlite import backups, engines, header
from tagger.catalog.tables import metadata

_AT_ONCE = 100  # a row may hold some hundred kilobytes of embeddings


def back_up(source: Connection, target: Path, *, force: bool = False) -> None:
    """Copy what a transaction sees to an SQLite file of the same schema.

    Raises:
        CatalogError: The copy cannot be written, or a file that is no catalogue is there.
    """
    with backups.drafted(target, force=force) as draft, engines.rebuilding(draft) as copy:
        upgrade.migrate(copy, upgrade.revision_of(source) or upgrade.HEAD)
        copy_rows(source, copy, tables=_tables_of(copy))
        header.mark_as_ours(copy)


def copy_rows(source: Connection, target: Connection, *, tables: MetaData) -> None:
    """Copy all rows of some tables, those that others refer to first."""
    for table in tables.sorted_tables:
        statement = select(table).order_by(*table.primary_key)
        rows = source.execution_options(yield_per=_AT_ONCE).execute(statement)
        for batch in rows.mappings().partitions():
            target.execute(insert(table), [dict(row) for row in batch])


@contextmanager
def upgraded_copy(source: Path, folder: Path) -> Iterator[tuple[Connection, MetaData]]:
    """Give a copy of a backup with this version's schema, and its tables.

    Raises:
        CatalogError: It is damaged, or of a newer version.
    """
    draft = folder / "backup.db"
    backups.back_up(source, draft)
    with engines.rebuilding(draft) as copy:
        if upgrade.known_revision(copy, source) != upgrade.HEAD:
            upgrade.migrate(copy)
        yield copy, _tables_of(copy)


def _tables_of(connection: Connection) -> MetaData:
    # The types of the columns are SQLite's own, so that values are copied as they are stored.
    # What others have put into the file, say an index for full text, is no part of a catalogue.
    tables = MetaData()
    tables.reflect(connection, only=lambda name, _: name in metadata.tables)
    return tables
