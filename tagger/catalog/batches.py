"""How many values go into one query."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

AT_ONCE = 500  # SQLite takes 32,766 values in a query at most, and larger ones gain nothing

T = TypeVar("T")


def batches(items: Sequence[T], size: int = AT_ONCE) -> Iterator[Sequence[T]]:
    """Yield the items in order, at most ``size`` at once.

    >>> list(batches([1, 2, 3], 2))
    [[1, 2], [3]]
    """
    for start in range(0, len(items), size):
        yield items[start : start + size]


def growing_sizes() -> Iterator[int]:
    """Yield sizes of batches for who mostly needs no more than the first few.

    >>> from itertools import islice
    >>> list(islice(growing_sizes(), 3))
    [100, 400, 1600]
    """
    size = 100
    while True:
        yield size
        size *= 4
