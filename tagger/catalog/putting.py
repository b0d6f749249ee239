"""Questions in plain SQL, put over a connection of SQLAlchemy's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection

from tagger.catalog.known_roots import KnownRoots
from tagger.catalog.paths import Roots
from tagger.catalog.plain_sql import Ask

P = ParamSpec("P")
T = TypeVar("T")
_FETCHED_AT_ONCE = 1000


def put(connection: Connection, sql: str, values: tuple[object, ...]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows that answer a question; its marks are put as the database has them."""
    is_format = connection.dialect.paramstyle != "qmark"
    asked = sql.replace("?", "%s") if is_format else sql
    streaming = connection.execution_options(yield_per=_FETCHED_AT_ONCE)
    for row in streaming.exec_driver_sql(asked, values):
        yield tuple(row)


def over(answer: Callable[Concatenate[Ask, P], T]) -> Callable[Concatenate[Connection, P], T]:
    """Return the function of a connection that answers what one in plain SQL does."""

    @wraps(answer)
    def answered(connection: Connection, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return answer(partial(put, connection), *args, **kwargs)

    return answered


def over_roots(
    answer: Callable[Concatenate[Ask, KnownRoots, P], T],
) -> Callable[Concatenate[Connection, P], T]:
    """Return the same of one that has to know the roots as well."""

    @wraps(answer)
    def answered(connection: Connection, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return answer(partial(put, connection), Roots(connection), *args, **kwargs)

    return answered
