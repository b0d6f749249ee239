"""Writing in place, and putting back a write that a fault or a kill broke off half-way.

The bytes that are overwritten are safe on another disk block before this begins: the caller keeps
the change in its journal. As long as each byte of it is the old or the new one, and what stands
around is as it was, it can be told that nobody else has changed the file since, and the old bytes
are put back.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator
from enum import StrEnum
from itertools import pairwise
from pathlib import Path

from tagger.errors import TornWriteError, os_reason
from tagger.reasons import Reason, ReasonCode
from tagger.records import FileChange, Patch
from tagger.tags.fields import TagFaultError

log = logging.getLogger(__name__)

_AROUND = 64 << 10  # so much before a patch, and so much behind it, is to be as it was


def write_in_place(descriptor: int, change: FileChange, path: Path) -> None:
    """Overwrite bytes of a file and see to it that they are on the disk; or leave it as it was.

    Raises:
        OSError, TagFaultError: It could not be written, and is as it was.
        TornWriteError: It could not be put back either.
    """
    try:
        # The end comes first: where there is no room for it, nothing has been overwritten yet.
        for patch in reversed(change.patches):
            _write_at(descriptor, patch.offset, patch.new)
        if change.size_after < change.size_before:
            os.ftruncate(descriptor, change.size_after)
        os.fsync(descriptor)
        if how_it_stands(descriptor, change) is not Stands.NEW:
            raise TagFaultError("it reads back otherwise than it was written; check the disk")
    except BaseException:
        put_back_or_say(descriptor, change, path)
        raise


def put_back_or_say(descriptor: int, change: FileChange, path: Path) -> None:
    """Put an open file back as it was, or raise TornWriteError with what is to be done."""
    try:
        put_back_bytes(descriptor, change, path)
    except (OSError, TagFaultError) as exc:
        said = os_reason(exc) if isinstance(exc, OSError) else str(exc)
        raise TornWriteError(Reason(ReasonCode.HALF_WRITTEN, {"cause": said}), path) from exc


def put_back_bytes(descriptor: int, change: FileChange, path: Path) -> None:
    """Give an open file the bytes that it had, read them again, and see to its time of change.

    Raises:
        OSError, TagFaultError: It may be half written still.
    """
    for patch in change.patches:
        _write_at(descriptor, patch.offset, patch.old)
    os.ftruncate(descriptor, change.size_before)
    keep_time(descriptor, (os.fstat(descriptor).st_atime_ns, change.mtime_ns), path)
    os.fsync(descriptor)
    if how_it_stands(descriptor, change) is not Stands.OLD:
        raise TagFaultError("it reads back otherwise than it was put back; check the disk")


def keep_time(descriptor: int, times_ns: tuple[int, int], path: Path) -> None:
    """Set the times of access and of change where that is allowed: its owner alone may."""
    try:
        os.utime(descriptor, ns=times_ns)
    except OSError as exc:
        log.warning("%s: its time of change could not be kept: %s", path, os_reason(exc))


class Stands(StrEnum):
    """What a file that may have been written half-way turned out to be."""

    OLD = "old"
    NEW = "new"
    TORN = "torn"
    FOREIGN = "foreign"


def how_it_stands(descriptor: int, change: FileChange) -> Stands:
    """Return whether an open file is as it was before a write, as after it, or half of each.

    Whatever is none of these has been changed by somebody else since.
    """
    if not _makes_sense(change):
        return Stands.FOREIGN
    size = os.fstat(descriptor).st_size
    found = [_read_at(descriptor, p.offset, _longest(p)) for p in change.patches]
    if _is(found, [p.old for p in change.patches]) and size == change.size_before:
        return Stands.OLD
    if _is(found, [p.new for p in change.patches]) and size == change.size_after:
        return Stands.NEW
    is_torn = _is_between(size, change) and all(map(_is_mixed, found, change.patches))
    if is_torn and change.around in (b"", surroundings(descriptor, change)):
        return Stands.TORN
    return Stands.FOREIGN


def surroundings(descriptor: int, change: FileChange) -> bytes:
    """Return a digest of what stands around the patches of a change, as yet unchanged or torn."""
    total = hashlib.blake2b(digest_size=20)
    for start, stop in _around(change):
        data = os.pread(descriptor, stop - start, start)
        total.update(b"%d;" % len(data) + data)
    return total.digest()


def _around(change: FileChange) -> Iterator[tuple[int, int]]:
    """Give the stretches around patches, none of them twice."""
    at = 0
    for n, patch in enumerate(change.patches):
        behind = min(at + _AROUND, patch.offset) if n else 0
        if behind > at:
            yield at, behind
        yield max(at, behind, patch.offset - _AROUND), patch.offset
        at = patch.offset + len(patch.old)
    if at < change.size_before:
        yield at, min(at + _AROUND, change.size_before)


def _makes_sense(change: FileChange) -> bool:
    """Return whether the patches follow one another within the file, only its end moving."""
    ends = [patch.offset + len(patch.old) for patch in change.patches]
    starts = [patch.offset for patch in change.patches]
    edges = [0, *(edge for pair in zip(starts, ends, strict=True) for edge in pair)]
    if any(a > b for a, b in pairwise([*edges, change.size_before])):
        return False
    moving = [p for p in change.patches if len(p.old) != len(p.new)]
    return not moving or (moving == [change.patches[-1]] and ends[-1] == change.size_before)


def _longest(patch: Patch) -> int:
    return max(len(patch.old), len(patch.new))


def _is(found: list[bytes], wanted: list[bytes]) -> bool:
    return all(a[: len(b)] == b for a, b in zip(found, wanted, strict=True))


def _is_between(size: int, change: FileChange) -> bool:
    low, high = sorted((change.size_before, change.size_after))
    return low <= size <= high


def _is_mixed(found: bytes, patch: Patch) -> bool:
    """Return whether each byte is the old or the new one; what was to be appended may be 0."""
    old = patch.old.ljust(len(patch.new), b"\0")
    new = patch.new.ljust(len(patch.old), b"\0")
    return all(f in (o, n) for f, o, n in zip(found, old, new, strict=False))


def _write_at(descriptor: int, offset: int, data: bytes) -> None:
    at = 0
    while at < len(data):
        at += os.pwrite(descriptor, data[at:], offset + at)


def _read_at(descriptor: int, offset: int, length: int) -> bytes:
    return os.pread(descriptor, length, offset)
