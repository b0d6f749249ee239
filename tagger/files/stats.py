"""What stat(2) says of a file, in numbers that a database holds.

Some file systems know dates after 2262, where nanoseconds since 1970 end in 64 bits, and numbers
of files and devices that use the 64th.
"""

from __future__ import annotations

import os
from pathlib import Path

from tagger.records import AudioFile

_MOST = (1 << 63) - 1


def bounded(number: int) -> int:
    """Return a number, or the nearest one that 64 bits hold, one of them for its sign.

    >>> bounded(7), bounded(1 << 64) == (1 << 63) - 1, bounded(-(1 << 64)) == -(1 << 63)
    (7, True, True)
    """
    return max(-_MOST - 1, min(number, _MOST))


def audio_file(path: Path, root: Path, status: os.stat_result) -> AudioFile:
    """Return a file found from a root."""
    return AudioFile(
        path,
        root,
        bounded(status.st_size),
        mtime_of(status),
        bounded(status.st_ctime_ns),
        inode_of(status),
    )


def mtime_of(status: os.stat_result) -> int:
    """Return a file's time of change, nanoseconds since 1970."""
    return bounded(status.st_mtime_ns)


def inode_of(status: os.stat_result) -> int:
    """Return a file's number on its device; numbers differ in their low bits."""
    return status.st_ino & _MOST


def device_of(status: os.stat_result) -> int:
    """Return the number of the device that a file is on."""
    return status.st_dev & _MOST
