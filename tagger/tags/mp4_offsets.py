"""The file positions that an MP4's tables hold: moved along when the tags grow in front of them."""

from __future__ import annotations

import struct
from bisect import bisect_right
from typing import BinaryIO

from tagger.tags.fields import TagFaultError
from tagger.tags.mp4_atoms import Atom
from tagger.tags.splices import Splice, read_at

_CODES = {b"stco": "I", b"co64": "Q"}
# Positions are also held by these; files that have them are not moved, they need room in place.
_OTHER_TABLES = (b"saio", b"iloc", b"mfra")
_HAS_BASE_OFFSET = 1


def moved_offsets(
    file: BinaryIO, tops: tuple[Atom, ...], *, behind: int, step: int
) -> list[Splice]:
    """Return what to change so that chunk offsets follow bytes that move by ``step``."""
    if tops[-1].end <= behind or all(a.end <= behind or a.offset < behind for a in tops):
        return []  # Nothing but the index itself lies behind the change.
    atoms = [atom for top in tops for atom in top.walk()]
    _refuse_other_positions(file, atoms, behind)
    tables = [atom for atom in atoms if atom.kind in _CODES]
    return [s for table in tables for s in _moved(file, table, behind, step)]


def chunk_targets(file: BinaryIO, tops: tuple[Atom, ...], table: Atom) -> bytes:
    """Return what a table's offsets point to: which atom of the file, and where in it."""
    starts = [atom.offset for atom in tops]
    targets = []
    for position in _positions(file, table):
        n = bisect_right(starts, position) - 1
        targets.append((n, position - starts[n]))
    return repr(targets).encode("ascii")


def _moved(file: BinaryIO, table: Atom, behind: int, step: int) -> list[Splice]:
    code = _CODES[table.kind]
    old = _positions(file, table)
    new = [position + step if position >= behind else position for position in old]
    if new == list(old):
        return []
    try:
        packed = struct.pack(f">{len(new)}{code}", *new)
    except struct.error:
        raise TagFaultError("its chunk offsets would pass 4 GB; remux it first") from None
    return [Splice(table.body + 8, len(packed), packed)]


def _positions(file: BinaryIO, table: Atom) -> tuple[int, ...]:
    code = _CODES[table.kind]
    data = read_at(file, table.body, table.end - table.body)
    count = int.from_bytes(data[4:8])
    size = count * struct.calcsize(f">{code}")
    if len(data) < 8 + size:
        raise TagFaultError("its MP4 chunk offsets are cut short")
    return struct.unpack(f">{count}{code}", data[8 : 8 + size])


def _refuse_other_positions(file: BinaryIO, atoms: list[Atom], behind: int) -> None:
    for atom in atoms:
        early_index = atom.kind == b"sidx" and atom.offset < behind
        if atom.kind in _OTHER_TABLES or early_index or _has_base_offset(file, atom):
            kind = atom.kind.decode("latin-1")
            raise TagFaultError(f"it is fragmented ({kind}), without room for a genre; remux it")


def _has_base_offset(file: BinaryIO, atom: Atom) -> bool:
    return atom.kind == b"tfhd" and bool(read_at(file, atom.body + 3, 1)[0] & _HAS_BASE_OFFSET)
