"""Writing in place, and putting back a write that a fault or a kill broke off half-way.

The bytes that are overwritten are safe on another disk block before this begins: the caller keeps
the change in its journal. As long as each byte of it is the old or the new one, it can be told
that nobody else has changed the file since, and the old bytes are put back.
"""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path

from tagger.errors import TornWriteError, os_reason
from tagger.records import FileChange, Patch
from tagger.tags.fields import TagFaultError


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
        if not all(_read_at(descriptor, p.offset, len(p.new)) == p.new for p in change.patches):
            raise TagFaultError("it reads back otherwise than it was written; check the disk")
    except BaseException:
        _put_back_or_say(descriptor, change, path)
        raise


def _put_back_or_say(descriptor: int, change: FileChange, path: Path) -> None:
    try:
        _put_back(descriptor, change)
    except OSError as exc:
        raise TornWriteError(
            f"its tag was half written and could not be put back ({os_reason(exc)}); "
            "run tagger again, which puts it back first",
            path,
        ) from exc


def _put_back(descriptor: int, change: FileChange) -> None:
    for patch in change.patches:
        _write_at(descriptor, patch.offset, patch.old)
    os.ftruncate(descriptor, change.size_before)
    os.utime(descriptor, ns=(os.fstat(descriptor).st_atime_ns, change.mtime_ns))
    os.fsync(descriptor)


class Stands(StrEnum):
    """What a file that may have been written half-way turned out to be."""

    OLD = "old"
    NEW = "new"
    FOREIGN = "foreign"


def put_back(path: Path, change: FileChange) -> Stands:
    """Look at a file that a kill may have left half written, and put it back if so.

    Returns:
        OLD or NEW, what the file is now; FOREIGN if somebody else has changed it since, and it
        was left alone.

    Raises:
        OSError: It cannot be read or written; it may be half written still.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = [_read_at(descriptor, p.offset, _longest(p)) for p in change.patches]
        size = os.fstat(descriptor).st_size
        if _is(found, [p.old for p in change.patches]) and size == change.size_before:
            return Stands.OLD
        if _is(found, [p.new for p in change.patches]) and size == change.size_after:
            return Stands.NEW
        if not _is_between(size, change) or not all(map(_is_mixed, found, change.patches)):
            return Stands.FOREIGN
        _put_back(descriptor, change)
        return Stands.OLD
    finally:
        os.close(descriptor)


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
