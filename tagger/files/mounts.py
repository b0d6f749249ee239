"""On what kind of file system a path lies, and two things that depend on it.

Whether it may be silent about what others do there, so that watching has to look for itself; and
whether SQLite's WAL is unsafe there, since that needs memory that all who use the file share. A
kind is told by the system's list of mounts and, where there is none, by statfs(2).
"""

from __future__ import annotations

import ctypes
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")
_STATFS_BYTES = 256  # struct statfs has 120 on 64-bit Linux; it begins with f_type, a long


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of file system that is no plain local disk.

    Args:
        name: For a person.
        is_silent: Events do not tell what others do there.
        wal_is_unsafe: Others may have a file open with whom no memory is shared.
        magic: f_type of statfs(2), from linux/magic.h or the file system's own source; 0: none
            of its own.
    """

    name: str
    is_silent: bool
    wal_is_unsafe: bool
    magic: int = 0


_KINDS = {
    # Network disks: another machine writes, and neither an event nor shared memory crosses over.
    "nfs": _Kind("NFS", True, True, 0x6969),
    "nfs4": _Kind("NFS", True, True),
    "cifs": _Kind("CIFS", True, True, 0xFF534D42),
    "smb3": _Kind("SMB", True, True, 0xFE534D42),
    "smbfs": _Kind("SMB", True, True, 0x517B),
    "afs": _Kind("AFS", True, True, 0x5346414F),
    "kafs": _Kind("AFS", True, True, 0x6B414653),
    "ceph": _Kind("Ceph", True, True, 0x00C36400),
    "coda": _Kind("Coda", True, True, 0x73757245),
    "davfs": _Kind("WebDAV", True, True),
    "glusterfs": _Kind("Gluster", True, True),
    "lustre": _Kind("Lustre", True, True, 0x0BD00BD0),
    "gpfs": _Kind("GPFS", True, True, 0x47504653),
    "beegfs": _Kind("BeeGFS", True, True, 0x19830326),
    "ncpfs": _Kind("NCP", True, True, 0x564C),
    # Disks that several machines are wired to.
    "gfs2": _Kind("GFS2", True, True, 0x01161970),
    "ocfs2": _Kind("OCFS2", True, True, 0x7461636F),
    # What virtual machines and containers show of their host, which writes unseen.
    "9p": _Kind("9P", True, True, 0x01021997),
    "drvfs": _Kind("DrvFs", True, True),
    "fakeowner": _Kind("a share of the host's", True, True),
    "osxfs": _Kind("a share of the host's", True, True),
    "prl_fs": _Kind("a share of the host's", True, True, 0x7C7C6673),
    "vboxsf": _Kind("a share of the host's", True, True, 0x786F4256),
    "virtiofs": _Kind("a share of the host's", True, True),
    "vmhgfs": _Kind("a share of the host's", True, True, 0xBACBACBC),
    # sshfs, rclone and other programs: who knows what they show.
    "fuse": _Kind("FUSE", True, True, 0x65735546),
    # A local disk, most often NTFS, by a program: the kernel tells of what is done there. WAL
    # might do as well, but doing without loses nothing but time.
    "fuseblk": _Kind("FUSE", False, True),
}
_BY_MAGIC = {kind.magic: kind for kind in _KINDS.values() if kind.magic}


def is_silent(path: Path, mounts: str | None = None) -> bool:
    """Return whether a path's file system may not tell what others do to it.

    Args:
        path: Any.
        mounts: The system's list of mounts (proc_pid_mountinfo(5)), if not this one's.
    """
    kind = _kind_of(path, mounts)
    return kind is not None and kind.is_silent


def unsafe_for_wal(folder: Path, mounts: str | None = None) -> str | None:
    """Return the kind of a folder's file system if WAL is unsafe there, None where it is safe.

    Args:
        folder: Any.
        mounts: As for ``is_silent``.
    """
    kind = _kind_of(folder, mounts)
    return kind.name if kind is not None and kind.wal_is_unsafe else None


def _kind_of(path: Path, mounts: str | None) -> _Kind | None:
    """Return what kind of disk a path lies on, None for a plain local one."""
    listed = _listed() if mounts is None else mounts
    if not listed:
        return _BY_MAGIC.get(_magic(path) & 0xFFFFFFFF)
    name = _mounted_at(os.path.realpath(path), listed)
    return _KINDS.get("fuse" if name.startswith("fuse.") else name)


def _listed() -> str:
    try:
        return _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:  # not Linux, or a container without /proc
        return ""


def _magic(folder: Path) -> int:
    """Return f_type of statfs(2); 0 where there is none to be had."""
    if sys.platform != "linux":
        return 0
    buffer = ctypes.create_string_buffer(_STATFS_BYTES)
    library = ctypes.CDLL(None, use_errno=True)
    if library.statfs(os.fsencode(folder), buffer) != 0:
        return 0  # what is wrong with the folder shows when something is done there
    return ctypes.c_long.from_buffer(buffer).value


def _mounted_at(path: str, mounts: str) -> str:
    """Return the kind of the file system that is mounted deepest above a path, or ""."""
    best, kind = -1, ""
    for line in mounts.splitlines():
        left, _, right = line.partition(" - ")
        fields = left.split()
        if len(fields) < 5 or not right:
            continue
        point = re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), fields[4])
        is_above = path == point or path.startswith(point.rstrip("/") + "/")
        if is_above and len(point) >= best:  # of two at one place the later one counts
            best, kind = len(point), right.split()[0]
    return kind
