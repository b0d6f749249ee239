"""What a splice really changes: families replace whole tags of which most stays, or only moves.

The less is replaced, the less has to be written in place and kept to take the write back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO

from tagger.tags.splices import Splice, read_at

_SMALL = 4096  # so little is not worth a search for what moved
_ANCHOR = 32
_STEP = 16
_MAX_PARTS = 64


def narrowed(file: BinaryIO, splices: Sequence[Splice]) -> list[Splice]:
    """Return splices that have the same effect and take out and put in as little as is simple."""
    return [
        part
        for splice in splices
        for part in _differences(
            read_at(file, splice.offset, splice.length), splice.new, splice.offset
        )
    ]


def _differences(old: bytes, new: bytes, offset: int) -> list[Splice]:
    front = _n_alike(old, new)
    old, new, offset = old[front:], new[front:], offset + front
    back = _n_alike(old[::-1], new[::-1])
    old, new = old[: len(old) - back], new[: len(new) - back]
    if not old and not new:
        return []
    if len(old) + len(new) > _SMALL:
        parts = list(_moved_apart(old, new, offset))
        if len(parts) <= _MAX_PARTS:
            return parts
    return [Splice(offset, len(old), new)]


def _moved_apart(old: bytes, new: bytes, offset: int) -> Iterator[Splice]:
    """Give the splices between stretches that are alike, though they may have moved."""
    i = j = 0
    while i < len(old) or j < len(new):
        skip_old, skip_new = _next_alike(old, i, new, j)
        yield Splice(offset + i, skip_old, new[j : j + skip_new])
        i, j = i + skip_old, j + skip_new
        n = _n_alike(old[i:], new[j:])
        i, j = i + n, j + n


def _next_alike(old: bytes, i: int, new: bytes, j: int) -> tuple[int, int]:
    """Return how far it is in each to the next bytes that stand in both."""
    for skip in range(0, _SMALL, _STEP):
        anchor = old[i + skip : i + skip + _ANCHOR]
        if len(anchor) < _ANCHOR:
            break
        found = new.find(anchor, j, j + 2 * _SMALL)
        if found >= 0:
            return skip, found - j
    return len(old) - i, len(new) - j


def _n_alike(a: bytes, b: bytes) -> int:
    """Return how many bytes at the start are the same in both.

    >>> _n_alike(b"abcd", b"abxd"), _n_alike(b"", b"a"), _n_alike(b"a" * 9999, b"a" * 8888)
    (2, 0, 8888)
    """
    n, at, step = min(len(a), len(b)), 0, _SMALL
    while step:
        while at + step <= n and a[at : at + step] == b[at : at + step]:
            at += step
        step //= 2
    return at
