"""Looking into files and changing byte ranges of them: the ground of all format families.

A family says what to change as splices of the file as it stands. All that lies between them is
thereby left alone, and the writer is free to make a new copy or to change the file in place. A
`View` reads as the file would with the splices applied, and nothing has been written for it.
"""

from __future__ import annotations

import hashlib
import io
import os
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, BinaryIO

from tagger.tags.fields import TagFaultError
from tagger.tags.limits import refuse_too_long

_BLOCK = 1 << 20
_SHORT = 1 << 16


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
    # To ask for the size costs more than a short read; memory for a long one is not to be had
    # for the asking by a damaged file.
    if offset < 0 or length < 0 or (length > _SHORT and offset + length > size_of(file)):
        raise TagFaultError(f"the file is damaged: it ends before byte {offset + length}")
    refuse_too_long(length)
    file.seek(offset)
    data = file.read(length)
    if len(data) < length:
        raise TagFaultError(f"the file is damaged: it ends before byte {offset + length}")
    return data


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
    """Return a hash of a file's bytes from ``start`` to ``stop``; for a View see there."""
    return file.digest(start, stop) if isinstance(file, View) else _hash_of(file, start, stop)


def _hash_of(file: BinaryIO, start: int, stop: int) -> bytes:
    total = hashlib.blake2b(digest_size=20)
    for block in blocks(file, start, stop):
        total.update(block)
    return total.digest()


def is_untouched(file: BinaryIO, start: int, stop: int) -> bool:
    """Return whether these bytes of a View are one stretch of the file that no splice touches."""
    return isinstance(file, View) and file.is_untouched(start, stop)


def real_changes(file: BinaryIO, splices: Sequence[Splice]) -> list[Splice]:
    """Return the splices that change something, in the order of the file."""
    ordered = sorted(splices, key=lambda splice: splice.offset)
    assert all(a.end <= b.offset for a, b in pairwise(ordered))
    return [s for s in ordered if read_at(file, s.offset, s.length) != s.new]


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of a View: new bytes, or bytes of the file from ``source`` on."""

    start: int
    stop: int
    source: int
    new: bytes | None = None

    def within(self, start: int, stop: int) -> _Piece:
        """Return the part of it from ``start`` to ``stop``, which must not be empty."""
        a, z = max(self.start, start), min(self.stop, stop)
        new = None if self.new is None else self.new[a - self.start : z - self.start]
        return _Piece(a, z, self.source + a - self.start, new)


class _Spliced(io.RawIOBase):
    """The bytes of a View, read from the file when they are asked for."""

    def __init__(self, file: BinaryIO, splices: Sequence[Splice]) -> None:
        self._descriptor = file.fileno()
        self.pieces = _pieces(splices, os.fstat(self._descriptor).st_size)
        self._starts = [piece.start for piece in self.pieces]
        self._at = 0

    @property
    def size(self) -> int:
        return self.pieces[-1].stop if self.pieces else 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0, /) -> int:
        self._at = offset + (0, self._at, self.size)[whence]
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        n = bisect_right(self._starts, self._at) - 1
        if n < 0 or self._at >= self.pieces[n].stop:
            return 0
        part = self.pieces[n].within(self._at, self._at + len(buffer))
        data = part.new
        if data is None:
            data = os.pread(self._descriptor, part.stop - part.start, part.source)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def _pieces(splices: Sequence[Splice], size: int) -> list[_Piece]:
    pieces: list[_Piece] = []
    at, source = 0, 0
    for splice in (*splices, Splice(size, 0, b"")):
        pieces.append(_Piece(at, at + splice.offset - source, source))
        at += splice.offset - source
        pieces.append(_Piece(at, at + len(splice.new), splice.end, splice.new))
        at, source = at + len(splice.new), splice.end
    return [piece for piece in pieces if piece.stop > piece.start]


class View(io.BufferedReader):
    """A file as it reads with splices (in the order of the file) applied; nothing is written.

    Two Views of one file whose splices take out the same bytes are compared fast: their digests
    name the stretches that no splice touches, and neither View reads them. Where those differ the
    bytes may still be the same, for what one View has from the file may be new in the other; Views
    ``by_content`` tell.
    """

    def __init__(
        self, file: BinaryIO, splices: Sequence[Splice], *, by_content: bool = False
    ) -> None:
        self._spliced = _Spliced(file, splices)
        self._by_content = by_content
        super().__init__(self._spliced)

    def digest(self, start: int, stop: int) -> bytes:
        """Return what tells alike two stretches of two such Views."""
        if stop > self._spliced.size:
            raise TagFaultError(f"the file is damaged: it ends before byte {stop}")
        if self._by_content:
            return _hash_of(self, start, stop)
        total = hashlib.blake2b(digest_size=20)
        new = b""
        for piece in self._within(start, stop):
            if piece.new is not None:
                new += piece.new
                continue
            total.update(b"new %d:%b" % (len(new), new) if new else b"")
            total.update(b"old %d %d;" % (piece.source, piece.stop - piece.start))
            new = b""
        total.update(b"new %d:%b" % (len(new), new) if new else b"")
        return total.digest()

    def is_untouched(self, start: int, stop: int) -> bool:
        """Return whether this is one stretch of the file that no splice touches."""
        pieces = self._within(start, stop)
        return len(pieces) <= 1 and all(piece.new is None for piece in pieces)

    def _within(self, start: int, stop: int) -> list[_Piece]:
        pieces = self._spliced.pieces
        return [p.within(start, stop) for p in pieces if p.start < stop and start < p.stop]
