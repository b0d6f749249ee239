"""Whether another program is in the middle of writing a file, however long it has paused."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import sys
from pathlib import Path

from tagger.files.atomic import closed_quietly
from tagger.files.mounts import is_silent


def is_open_for_writing(path: str) -> bool:
    """Return whether some program has a file open for writing; False where that cannot be told.

    Linux says so to the file's owner: a read lease (fcntl(2), F_SETLEASE) is given only on files
    that nobody writes to. Other systems do not tell, nor do network disks: NFS and SMB refuse a
    lease as well where the server has not left the file to this machine.
    """
    if sys.platform != "linux":
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except BlockingIOError:  # who has a lease on it, say a file server, writes to it
        return True
    except OSError:
        return False
    with closed_quietly(descriptor):  # gives the lease back
        try:
            # A program that opens it meanwhile has us signalled: by SIGIO, which ends a process.
            fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
            fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        except OSError as exc:
            return exc.errno == errno.EAGAIN and not is_silent(Path(path))
    return False
