"""The bytes that a write changes, as one value for a column or a line of text.

Compressed by zlib, whose checksum finds damage: size_before and mtime_ns, then for each patch its
offset, the lengths of old and new, and both; all little-endian. Behind that stands what the file
is known by again: its inode, a digest of what is around the patches, its path; and then the seal
(`tagger.catalog.sealing`). Values of long ago end where zlib's part ends.
"""

from __future__ import annotations

import os
import struct
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

from tagger.catalog.sealing import Seal, sealed, whose
from tagger.records import FileChange, Patch

_HEAD = struct.Struct("<Qq")
_PATCH = struct.Struct("<QII")
_KNOWN_BY = struct.Struct("<cQBH")
_MARK = b"+"
_LONG = 64 << 10


@dataclass(frozen=True, slots=True)
class Noted:
    """A change of a file as it stands in the catalogue: what it says, and whose word it is."""

    change: FileChange
    seal: Seal
    value: bytes


def packed(change: FileChange) -> bytes:
    """Return a change as bytes, with this user's seal."""
    parts = [_HEAD.pack(change.size_before, change.mtime_ns)]
    for patch in change.patches:
        lengths = (len(patch.old), len(patch.new))
        parts += [_PATCH.pack(patch.offset, *lengths), patch.old, patch.new]
    data = b"".join(parts)
    # What is long is soon deleted again, and mostly a picture, which would not get shorter.
    body = zlib.compress(data, level=0 if len(data) > _LONG else -1)
    return sealed(body + _packed_known_by(change))


def unpacked(data: bytes) -> Noted:
    """Return what ``packed`` made bytes of; raise ValueError where they are damaged.

    >>> change = FileChange((Patch(1 << 40, b"old", b""), Patch(1 << 41, b"", b"new")), 9, -1)
    >>> unpacked(packed(change)).change == change
    True
    """
    reader = zlib.decompressobj()
    try:
        change = _unpacked(reader.decompress(data))
        if not reader.eof:
            raise ValueError("no change of a file: it ends too soon")
        change, seal = _with_known_by(change, reader.unused_data)
        return Noted(change, whose(data[: len(data) - len(seal)], seal), data)
    except (zlib.error, struct.error) as exc:
        raise ValueError(f"no change of a file: {exc}") from exc


def _packed_known_by(change: FileChange) -> bytes:
    path = b"" if change.real_path is None else os.fsencode(change.real_path)
    head = _KNOWN_BY.pack(_MARK, change.inode, len(change.around), len(path))
    return head + change.around + path


def _with_known_by(change: FileChange, data: bytes) -> tuple[FileChange, bytes]:
    """Return a change with what its file is known by again, and the seal behind that."""
    if not data.startswith(_MARK):
        return change, data
    _, inode, n_around, n_path = _KNOWN_BY.unpack_from(data)
    start, stop = _KNOWN_BY.size + n_around, _KNOWN_BY.size + n_around + n_path
    if len(data) < stop:
        raise ValueError("no change of a file: it ends too soon")
    path = Path(os.fsdecode(data[start:stop])) if n_path else None
    around = data[_KNOWN_BY.size : start]
    return replace(change, inode=inode, around=around, real_path=path), data[stop:]


def _unpacked(data: bytes) -> FileChange:
    size_before, mtime_ns = _HEAD.unpack_from(data)
    patches, at = [], _HEAD.size
    while at < len(data):
        offset, n_old, n_new = _PATCH.unpack_from(data, at)
        start, middle = at + _PATCH.size, at + _PATCH.size + n_old
        at = middle + n_new
        patches.append(Patch(offset, data[start:middle], data[middle:at]))
    return FileChange(tuple(patches), size_before, mtime_ns)
