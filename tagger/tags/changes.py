"""A write as the bytes it replaces: what the journal keeps of it, and what it does in place.

Two things are made of a write's splices. One is small and kept for good: what takes the write
back byte for byte. The other is kept until the write is over: all bytes that are overwritten in
place, those that only move among them, from which a write that broke off half-way is put back.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import BinaryIO

from tagger.files.stats import inode_of, mtime_of
from tagger.records import FileChange, Patch
from tagger.tags.fields import TagFaultError
from tagger.tags.inplace import surroundings
from tagger.tags.splices import Splice, View, read_at

_KEPT_BYTES = 64 << 10
_KEPT_PATCHES = 1024
IN_PLACE_BYTES = 512 << 10
"""A write that would overwrite more than this, or half of the file, goes through a copy."""


def kept_change(file: BinaryIO, splices: Sequence[Splice]) -> FileChange | None:
    """Return what takes a write back byte for byte, or None where that is too much to keep."""
    n_bytes = sum(max(splice.length, len(splice.new)) for splice in splices)
    if n_bytes > _KEPT_BYTES or len(splices) > _KEPT_PATCHES:
        return None
    return _change(
        file, [Patch(s.offset, read_at(file, s.offset, s.length), s.new) for s in splices]
    )


def overwriting_change(file: BinaryIO, view: View, splices: Sequence[Splice]) -> FileChange | None:
    """Return what a write overwrites if it is made in place, or None where that is too much.

    All patches but the last are of equal length before and after; where the file's length
    changes, the last one reaches to its end.
    """
    size = os.fstat(file.fileno()).st_size
    spans = _spans(splices, size)
    n_bytes = sum(stop - start + max(grown, 0) for start, stop, grown in spans)
    if n_bytes > min(IN_PLACE_BYTES, size // 2):
        return None
    patches = [
        Patch(
            start,
            read_at(file, start, stop - start),
            read_at(view, start, stop - start + grown),
        )
        for start, stop, grown in spans
    ]
    return _change(file, patches)


def _spans(splices: Sequence[Splice], size: int) -> list[tuple[int, int, int]]:
    """Return (start, stop, growth) of what is overwritten: splices and all that moves with them."""
    spans: list[tuple[int, int, int]] = []
    start, grown = 0, 0
    for splice in splices:
        start = start if grown else splice.offset
        grown += len(splice.new) - splice.length
        if not grown:
            spans.append((start, splice.end, 0))
    return [*spans, (start, size, grown)] if grown else spans


def _change(file: BinaryIO, patches: Sequence[Patch]) -> FileChange:
    stat = os.fstat(file.fileno())
    change = FileChange(tuple(patches), stat.st_size, mtime_of(stat), inode_of(stat))
    return replace(change, around=surroundings(file.fileno(), change))


def splices_back(file: BinaryIO, change: FileChange) -> list[Splice]:
    """Return the splices that take a write back; raise TagFaultError if the file has changed."""
    back = change.reversed()
    if os.fstat(file.fileno()).st_size != back.size_before:
        raise TagFaultError("its length has changed since")
    for patch in back.patches:
        if read_at(file, patch.offset, len(patch.old)) != patch.old:
            raise TagFaultError("its tag has changed since")
    if back.around and surroundings(file.fileno(), back) != back.around:
        raise TagFaultError("what stands around its tag has changed since")
    return [Splice(patch.offset, len(patch.old), patch.new) for patch in back.patches]
