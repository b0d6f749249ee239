"""Questions in plain SQL: how they are put, and the parts that several of them share.

A command that only asks must not pay for SQLAlchemy, whose import takes longer than its answer. So
such a question is SQL that any database understands, with question marks for its values; it is put
over a bare connection to a file, or over one of SQLAlchemy's, by whoever has it open.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

from tagger.catalog.known_roots import AFTER_SLASH, SLASH, KnownRoots

Ask: TypeAlias = Callable[[str, tuple[object, ...]], Iterator[tuple[Any, ...]]]
"""Yields the rows that answer a question, whose values stand for its question marks."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition in SQL and the values of its question marks."""

    sql: str
    values: tuple[object, ...] = ()


def all_of(conditions: Iterable[Condition]) -> Condition:
    """Return the condition that several hold.

    >>> all_of([Condition("a = ?", (1,)), Condition("b = 2 OR c = 3")])
    Condition(sql='(a = ?) AND (b = 2 OR c = 3)', values=(1,))
    """
    return _joined(" AND ", conditions)


def any_of(conditions: Iterable[Condition]) -> Condition:
    """Return the condition that one of several holds."""
    return _joined(" OR ", conditions)


def _joined(word: str, conditions: Iterable[Condition]) -> Condition:
    some = tuple(conditions)
    sql = word.join(f"({one.sql})" for one in some)
    return Condition(sql, tuple(value for one in some for value in one.values))


def within(roots: KnownRoots, folder: Path) -> Condition:
    """Return the condition that a row of ``files`` lies in a folder, or is that file."""
    whole, part = roots.parts_under(folder)
    sql = f"files.root_id IN ({marks(whole)})" if whole else "files.root_id < 0"
    if part is None:
        return Condition(sql, tuple(whole))
    sql += " OR files.root_id = ? AND (files.relative = ? OR files.relative > ? "
    sql += "AND files.relative < ?)"
    inside = (part.relative, part.relative + SLASH, part.relative + AFTER_SLASH)
    return Condition(sql, (*whole, part.root_id, *inside))


@lru_cache(maxsize=4096)  # a library has few distinct lists of genres, and a listing reads them all
def strings(text: str) -> tuple[str, ...]:
    """Return the strings that a column of them holds."""
    return tuple(json.loads(text))


def marks(values: Iterable[object]) -> str:
    """Return a question mark for each value."""
    return ", ".join("?" for _ in values)


def escaped(part: str) -> str:
    r"""Return text as LIKE takes it literally, with a backslash to escape.

    >>> escaped("100%_Silk")
    '100\\%\\_Silk'
    """
    return "".join("\\" + c if c in "\\%_" else c for c in part)
