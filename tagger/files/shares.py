"""Whether a folder is on a network share, where WAL mode loses data: told by statfs(2)."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

# From linux/magic.h, and where it is not there from the file system's own source.
_NETWORK = {
    0x6969: "NFS",
    0xFF534D42: "CIFS",
    0xFE534D42: "SMB",
    0x517B: "SMB",
    0x01021997: "9P",
    0x65735546: "FUSE",  # sshfs, rclone; and disks such as NTFS, which lose nothing but time by it
    0x5346414F: "AFS",
    0x6B414653: "AFS",
    0x00C36400: "Ceph",
    0x73757245: "Coda",
    0x0BD00BD0: "Lustre",
    0x47504653: "GPFS",
    0x19830326: "BeeGFS",
    0x564C: "NCP",
}
_STATFS_BYTES = 256  # struct statfs has 120 on 64-bit Linux; it begins with f_type, a long


def network_file_system(folder: Path) -> str | None:
    """Return the kind of network file system that a folder is on, or None for a local disk.

    Known on Linux alone; elsewhere every disk passes for a local one.
    """
    if sys.platform != "linux":
        return None
    return _NETWORK.get(_magic(folder) & 0xFFFFFFFF)


def _magic(folder: Path) -> int:
    buffer = ctypes.create_string_buffer(_STATFS_BYTES)
    library = ctypes.CDLL(None, use_errno=True)
    if library.statfs(os.fsencode(folder), buffer) != 0:
        return 0  # what is wrong with the folder shows when the catalogue is opened in it
    return ctypes.c_long.from_buffer(buffer).value
