"""On what kind of file system a path lies, and whether that tells what others do there."""

from __future__ import annotations

import os
import re
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")

# Network disks, and what virtual machines and containers show of their host.
_SILENT = frozenset(
    {
        "9p",
        "afs",
        "ceph",
        "cifs",
        "davfs",
        "drvfs",
        "fakeowner",
        "glusterfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "osxfs",
        "prl_fs",
        "smb3",
        "smbfs",
        "vboxsf",
        "virtiofs",
        "vmhgfs",
    }
)


def is_silent(path: Path, mounts: str | None = None) -> bool:
    """Return whether a path's file system may not tell what others do to it.

    Args:
        path: Any.
        mounts: The system's list of mounts (proc_pid_mountinfo(5)), if not this one's.
    """
    kind = _kind(os.path.realpath(path), _listed() if mounts is None else mounts)
    return kind in _SILENT or kind.startswith("fuse.")


def _listed() -> str:
    try:
        return _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:  # not Linux
        return ""


def _kind(path: str, mounts: str) -> str:
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
