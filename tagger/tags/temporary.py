"""The copy that a write goes through: made beside the file, like it in all but its bytes.

Its name begins with a dot, ends with our suffix and is locked for as long as it is in use, so that
what a kill left behind can be told from what another run is writing, and removed.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tagger.files.atomic import closed_quietly
from tagger.tags.fields import TagFaultError

log = logging.getLogger(__name__)

_SUFFIX = "tagger-copy"
_NAME = re.compile(rf"\.[0-9a-f]{{16}}\.{_SUFFIX}")
_ATTEMPTS = 8
_ACL = "system.posix_acl_access"


@dataclass(slots=True)
class TemporaryCopy:
    """An open copy; ``taken`` once it stands in the place of the file."""

    path: Path
    file: BinaryIO
    taken: bool = False


@contextmanager
def copy_beside(path: Path) -> Iterator[TemporaryCopy]:
    """Give a new, empty, locked file in the folder of ``path``; removed unless it was taken."""
    copy = _created(path.parent)
    try:
        yield copy
    finally:
        if not copy.taken:
            with suppress(FileNotFoundError):
                copy.path.unlink()
        # A close can fail as well (a full share); by then the copy is gone, or safely on the disk.
        with suppress(OSError):
            copy.file.close()


def _created(folder: Path) -> TemporaryCopy:
    for _ in range(_ATTEMPTS):
        path = folder / f".{secrets.token_hex(8)}.{_SUFFIX}"
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        file = os.fdopen(os.open(path, flags, 0o600), "w+b")
        _lock(file)
        if os.fstat(file.fileno()).st_nlink:  # Else a clean-up took it before it was locked.
            return TemporaryCopy(path, file)
        file.close()
    raise TagFaultError("its temporary copy is taken away again and again by another program")


def _lock(file: BinaryIO) -> None:
    """Lock a copy, waiting for a clean-up that looks at it; some shares know no locks."""
    with suppress(OSError):
        fcntl.flock(file.fileno(), fcntl.LOCK_EX)


def keep_attributes(source: int, target: int, *, all_or_none: bool = True) -> None:
    """Give an open file the owner, mode and extended attributes (with them ACLs) of another.

    Raises:
        TagFaultError: One cannot be kept, and ``all_or_none`` is asked for: a write must not
            change who may read a file.
    """
    old = os.fstat(source)
    mode = stat.S_IMODE(old.st_mode)
    lost = [] if _keep_owner(target, old) else ["owner"]
    lost += [] if _keep_mode(target, mode) else ["mode"]
    attributes = _lost_extended(source, target)
    lost += [f"attribute {name}" for name in attributes]
    if _ACL in attributes or os.fstat(target).st_gid != old.st_gid:
        # The mode's bits for the group stood for another group, or for all whom the ACL named.
        _keep_mode(target, mode & (~stat.S_IRWXG | (mode & stat.S_IRWXO) << 3))
    if lost and all_or_none:
        raise TagFaultError(
            f"a new copy of it could not keep its {' and '.join(lost)}; "
            "--allow-copies writes it all the same"
        )


def _keep_owner(target: int, old: os.stat_result) -> bool:
    def is_kept() -> bool:
        new = os.fstat(target)
        return (new.st_uid, new.st_gid) == (old.st_uid, old.st_gid)

    for uid in (old.st_uid, -1):  # The group may stay where the owner cannot.
        if not is_kept():
            with _where_allowed():
                os.fchown(target, uid, old.st_gid)
    return is_kept()


def _keep_mode(target: int, mode: int) -> bool:
    with _where_allowed():
        os.fchmod(target, mode)
    return stat.S_IMODE(os.fstat(target).st_mode) == mode


def _lost_extended(source: int, target: int) -> list[str]:
    """Give an open file the extended attributes of another; return which it does not get."""
    if not hasattr(os, "listxattr"):
        return []  # Python offers them on Linux alone.
    wanted = _extended(source)
    for name in set(_extended(target)) - set(wanted):
        with _where_allowed():
            os.removexattr(target, name)  # A folder's default ACL, which the file does not have.
    for name, value in wanted.items():
        if _extended(target).get(name) != value:
            with _where_allowed():
                os.setxattr(target, name, value)
    found = _extended(target)
    return sorted(name for name in {**wanted, **found} if wanted.get(name) != found.get(name))


@contextmanager
def _where_allowed() -> Iterator[None]:
    """Go on where the system does not let us do something, or does not know how."""
    try:
        yield
    except OSError as exc:
        if exc.errno not in (errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EINVAL):
            raise


def _extended(descriptor: int) -> dict[str, bytes]:
    try:
        return {name: os.getxattr(descriptor, name) for name in os.listxattr(descriptor)}
    except OSError as exc:
        if exc.errno in (errno.ENOTSUP, errno.ENOSYS):
            return {}
        raise


def clean_leftovers(folder: Path) -> list[Path]:
    """Remove the copies that a killed run left in a folder; return which.

    Nothing but our own copies is touched, and none that a running process has locked. A folder
    that cannot be read has nothing removed.
    """
    try:
        with os.scandir(folder) as entries:
            paths = [Path(entry.path) for entry in entries if _NAME.fullmatch(entry.name)]
    except OSError as exc:
        log.debug("%s is not looked through for leftovers: %s", folder, exc)
        return []
    return [path for path in paths if _removed(path)]


def _removed(path: Path) -> bool:
    """Remove a copy that nobody holds; return whether it is gone."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    with closed_quietly(descriptor):
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return False
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
        except OSError as exc:
            log.debug("%s is left alone: %s", path, exc)
            return False
    return True
