"""How values are put into columns: text any database takes, lists, numbers and times."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, Dialect, LargeBinary, Text
from sqlalchemy.types import TypeDecorator

from tagger.catalog.packing import Noted, packed, unpacked
from tagger.catalog.text import storable
from tagger.files.stats import bounded
from tagger.records import FileChange


class _AsText(TypeDecorator[Any]):
    """A value kept as text; each kind says how it gets there."""

    impl = Text
    to_text: Callable[[Any], str]

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Return the text to store."""
        return None if value is None else self.to_text(value)


class _FromText(_AsText):
    """A value that is no text itself; each kind says how it gets back."""

    from_text: Callable[[str], Any]

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002
        """Return the value that the text stands for."""
        return None if value is None else self.from_text(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _strings_to_text(strings: Sequence[str]) -> str:
    return _json([storable(text) for text in strings])


@lru_cache(maxsize=4096)  # a library has few distinct lists of genres, and a scan reads them all
def _strings(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))


def _numbers_to_text(numbers: Mapping[str, float]) -> str:
    return _json({storable(name): round(number, 7) for name, number in numbers.items()})


def _values_to_text(values: Mapping[str, Any]) -> str:
    return _json({name: _storable(value) for name, value in values.items()})


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    return [storable(text) for text in value] if isinstance(value, (list, tuple)) else value


def to_iso(time: datetime) -> str:
    """Return a time as ISO 8601 text, in UTC."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_iso(text: str) -> datetime:
    """Return the time that a text stands for.

    >>> to_iso(from_iso("2026-01-31T12:00:00Z"))
    '2026-01-31T12:00:00Z'
    """
    return datetime.fromisoformat(text)


class PlainText(_AsText):
    """Text from tags and messages, which may hold anything."""

    cache_ok = True
    to_text = staticmethod(storable)


class Strings(_FromText):
    """A tuple of strings, as a JSON array: exact, and readable with json_each in plain SQL."""

    cache_ok = True
    to_text = staticmethod(_strings_to_text)
    from_text = staticmethod(_strings)


class Numbers(_FromText):
    """Numbers by name, as a JSON object; seven decimals, all that a float32 holds below 1."""

    cache_ok = True
    to_text = staticmethod(_numbers_to_text)
    from_text = staticmethod(json.loads)


class Values(_FromText):
    """The values of a reason by name, as a JSON object."""

    cache_ok = True
    to_text = staticmethod(_values_to_text)
    from_text = staticmethod(json.loads)


class UtcTime(_FromText):
    """A time in UTC as ISO 8601 text ("2026-01-31T12:00:00Z"): it sorts, and people read it."""

    cache_ok = True
    to_text = staticmethod(to_iso)
    from_text = staticmethod(from_iso)


class Whole(TypeDecorator[int]):
    """A whole number from outside: a time, a size, a file's number on its disk.

    What 64 bits do not hold is stored as the nearest one that they do.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """Return the number to store."""
        return None if value is None else bounded(value)


class ReplacedBytes(TypeDecorator[Noted]):
    """The bytes that a write changes in a file, packed and sealed."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(
        self,
        value: FileChange | Noted | None,
        dialect: Dialect,  # noqa: ARG002
    ) -> bytes | None:
        """Return the bytes to store; what is stored already keeps its seal."""
        if isinstance(value, Noted):
            return value.value
        return None if value is None else packed(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Noted | None:  # noqa: ARG002
        """Return what the bytes stand for."""
        return None if value is None else unpacked(value)


STORED_OTHERWISE = (_FromText, ReplacedBytes)
"""The types whose values come from what is stored by a conversion, which damage can break."""


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)
