"""Answers from a catalogue that takes more than reading a file: an older schema, a server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from tagger.catalog import faults, opening
from tagger.catalog.catalog import ABSENT
from tagger.catalog.store import WAIT_S


def opened(location: str | Path) -> Answers:
    """Return the answers of the catalogue that a path or URL names.

    Raises:
        CatalogError: There is none, or it cannot be read.
    """
    store = opening.store_of(location)
    with faults.reported(store.where):
        if not store.exists():
            raise faults.complaint(ABSENT, store.where)
        return Answers(store.open_to_read(WAIT_S), store.where)


@dataclass(frozen=True, slots=True)
class Answers:
    """A database behind SQLAlchemy."""

    engine: Engine
    where: faults.Where

    def ask(self, sql: str, values: tuple[object, ...]) -> Iterator[tuple[Any, ...]]:
        """Yield the rows that answer a question; its marks are put as the database has them."""
        is_format = self.engine.dialect.paramstyle != "qmark"
        asked = sql.replace("?", "%s") if is_format else sql
        with faults.reported(self.where), self.engine.begin() as connection:
            for row in connection.exec_driver_sql(asked, values):
                yield tuple(row)

    def close(self) -> None:
        """Close the connections."""
        self.engine.dispose()
