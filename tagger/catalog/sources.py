"""Answers from a catalogue that takes more than reading a file: an older schema, a server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from tagger.catalog import faults, opening
from tagger.catalog.catalog import ABSENT
from tagger.catalog.putting import put
from tagger.catalog.store import WAIT_S, Ids, Search, Store
from tagger.records import FloatArray


def opened(location: str | Path) -> Answers:
    """Return the answers of the catalogue that a path or URL names.

    Raises:
        CatalogError: There is none, or it cannot be read.
    """
    store = opening.store_of(location)
    with faults.reported(store.where):
        if not store.exists():
            raise faults.complaint(ABSENT, store.where)
        return Answers(store, store.open_to_read(WAIT_S))


@dataclass(frozen=True, slots=True)
class Answers:
    """A database behind SQLAlchemy."""

    store: Store
    engine: Engine

    def ask(self, sql: str, values: tuple[object, ...]) -> Iterator[tuple[Any, ...]]:
        """Yield the rows that answer a question; its marks are put as the database has them."""
        with faults.reported(self.store.where), self.engine.begin() as connection:
            yield from put(connection, sql, values)

    @property
    def where(self) -> faults.Where:
        """The file, or the URL without its password."""
        return self.store.where

    def search(self, model_id: str) -> Search | None:
        """Return how the database itself finds the nearest of a model's tracks, if it can."""
        with faults.reported(self.store.where):
            search = self.store.search(self.engine, model_id)
        return None if search is None else partial(self._found, search)

    def _found(self, search: Search, target: FloatArray, among: Ids | None) -> Iterator[Ids]:
        with faults.reported(self.store.where):
            yield from search(target, among)

    def close(self) -> None:
        """Close the connections."""
        self.engine.dispose()
