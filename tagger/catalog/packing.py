"""The bytes that a write changes, as one value for a column or a line of text.

Compressed by zlib, whose checksum finds damage: size_before and mtime_ns, then for each patch its
offset, the lengths of old and new, and both; all little-endian.
"""

from __future__ import annotations

import struct
import zlib

from tagger.records import FileChange, Patch

_HEAD = struct.Struct("<Qq")
_PATCH = struct.Struct("<QII")
_LONG = 64 << 10


def packed(change: FileChange) -> bytes:
    """Return a change as bytes."""
    parts = [_HEAD.pack(change.size_before, change.mtime_ns)]
    for patch in change.patches:
        lengths = (len(patch.old), len(patch.new))
        parts += [_PATCH.pack(patch.offset, *lengths), patch.old, patch.new]
    data = b"".join(parts)
    # What is long is soon deleted again, and mostly a picture, which would not get shorter.
    return zlib.compress(data, level=0 if len(data) > _LONG else -1)


def unpacked(data: bytes) -> FileChange:
    """Return the change that ``packed`` made bytes of; raise ValueError where they are damaged.

    >>> change = FileChange((Patch(1 << 40, b"old", b""), Patch(1 << 41, b"", b"new")), 9, -1)
    >>> unpacked(packed(change)) == change
    True
    """
    try:
        return _unpacked(zlib.decompress(data))
    except (zlib.error, struct.error) as exc:
        raise ValueError(f"no change of a file: {exc}") from exc


def _unpacked(data: bytes) -> FileChange:
    size_before, mtime_ns = _HEAD.unpack_from(data)
    patches, at = [], _HEAD.size
    while at < len(data):
        offset, n_old, n_new = _PATCH.unpack_from(data, at)
        start, middle = at + _PATCH.size, at + _PATCH.size + n_old
        at = middle + n_new
        patches.append(Patch(offset, data[start:middle], data[middle:at]))
    return FileChange(tuple(patches), size_before, mtime_ns)
