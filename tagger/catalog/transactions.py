"""The transaction, said once: functions that take a connection become methods of the catalogue.

``models = reading(load_models)`` in a class gives it a method that opens a transaction, hands its
connection to ``load_models``, and turns the database's complaints into CatalogErrors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine

from tagger.catalog import faults
from tagger.catalog.store import DURABLE, WRITING, Store
from tagger.errors import CatalogError

P = ParamSpec("P")
T = TypeVar("T")
_Inner = Callable[Concatenate[Connection, P], T]
_Method = Callable[Concatenate["Transactions", P], T]


class Transactions:
    """A database in which things are done in transactions.

    Args:
        engine: Its schema is up to date.
        store: Where it is kept; None for one in memory.
    """

    def __init__(self, engine: Engine, store: Store | None) -> None:
        self._engine = engine
        self._store = store
        self._writer = engine.execution_options(**WRITING)
        self._durable_writer = engine.execution_options(**DURABLE)

    @property
    def where(self) -> faults.Where:
        """The file, or the URL without its password; None for one in memory."""
        return None if self._store is None else self._store.where

    def complaint(self, reason: str) -> CatalogError:
        """Return the error that says what is wrong with what was asked of this catalogue."""
        return faults.complaint(reason, self.where)

    @contextmanager
    def _transaction(self, engine: Engine) -> Iterator[Connection]:
        with faults.reported(self.where), engine.begin() as connection:
            yield connection

    def _reading(self) -> Engine:
        return self._engine

    def _writing(self) -> Engine:
        return self._writer

    def _durable(self) -> Engine:
        return self._durable_writer


def _within(engine_of: Callable[[Transactions], Engine], do: _Inner[P, T]) -> _Method[P, T]:
    @wraps(do)
    def method(self: Transactions, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with self._transaction(engine_of(self)) as connection:
            return do(connection, *args, **kwargs)

    return method


def reading(answer: _Inner[P, T]) -> _Method[P, T]:
    """Return the method that answers a question."""
    return _within(Transactions._reading, answer)


def streaming(answers: _Inner[P, Iterator[T]]) -> _Method[P, Iterator[T]]:
    """Return the method that yields answers as they are read, all in one transaction."""

    @wraps(answers)
    def method(self: Transactions, /, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        with self._transaction(self._engine) as connection:
            yield from answers(connection, *args, **kwargs)

    return method


def writing(change: _Inner[P, T]) -> _Method[P, T]:
    """Return the method that makes a change; a power cut may undo the last of them, whole."""
    return _within(Transactions._writing, change)


def durable(change: _Inner[P, T]) -> _Method[P, T]:
    """Return the method that makes a change, which is on the disk when it returns."""
    return _within(Transactions._durable, change)
