"""Looking into files and changing byte ranges of them: the ground of all format families.

A family says what to change as splices of the file as it stands. All that lies between them is
thereby left alone, and the writer is free to make a new copy or to change the file in place.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO

from tagger.tags.fields import TagFaultError

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Splice:
    """Take ``length`` bytes at ``offset`` out of a file and put ``new`` in their place."""

    offset: int
    length: int
    new: bytes

    @property
    def end(self) -> int:
        """Where the old bytes end."""
        return self.offset + self.length


def size_of(file: BinaryIO) -> int:
    """Return the length of an open file in bytes."""
    return file.seek(0, 2)


def read_at(file: BinaryIO, offset: int, length: int) -> bytes:
    """Return exactly these bytes of a file, or raise TagFaultError where it ends before them."""
    if offset < 0 or length < 0 or offset + length > size_of(file):
        raise TagFaultError(f"the file is damaged: it ends before byte {offset + length}")
    file.seek(offset)
    return file.read(length)


def peek_at(file: BinaryIO, offset: int, length: int) -> bytes:
    """Return these bytes of a file, fewer where it ends before them."""
    file.seek(max(offset, 0))
    return file.read(length)


def blocks(file: BinaryIO, start: int, stop: int) -> Iterator[bytes]:
    """Give the bytes of a file from ``start`` to ``stop``, never much in memory at once."""
    at = start
    while at < stop:
        file.seek(at)
        block = file.read(min(_BLOCK, stop - at))
        if not block:
            raise TagFaultError(f"the file grew shorter while it was read, at byte {at}")
        at += len(block)
        yield block


def digest(file: BinaryIO, start: int, stop: int) -> bytes:
    """Return a hash of a file's bytes from ``start`` to ``stop``."""
    total = hashlib.blake2b(digest_size=20)
    for block in blocks(file, start, stop):
        total.update(block)
    return total.digest()


def real_changes(file: BinaryIO, splices: Sequence[Splice]) -> list[Splice]:
    """Return the splices that change something, in the order of the file."""
    ordered = sorted(splices, key=lambda splice: splice.offset)
    assert all(a.end <= b.offset for a, b in pairwise(ordered))
    return [s for s in ordered if read_at(file, s.offset, s.length) != s.new]


def spliced(file: BinaryIO, splices: Sequence[Splice]) -> Iterator[bytes]:
    """Give a file's bytes with the splices (in the order of the file) applied."""
    at = 0
    for splice in splices:
        yield from blocks(file, at, splice.offset)
        yield splice.new
        at = splice.end
    yield from blocks(file, at, size_of(file))
