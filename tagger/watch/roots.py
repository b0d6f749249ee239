"""Which of the folders that are watched are there: disks come and go."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tagger.errors import ScanError, printable


@dataclass(slots=True)
class _Root:
    """A folder, and what was last seen of it.

    Args:
        device: The device that it was on when it was first there.
        identity: Its device and inode; None while it is away.
    """

    device: int | None = None
    identity: tuple[int, int] | None = None


@dataclass
class WatchedRoots:
    """Folders that may go away and come back.

    A folder is away where it cannot be looked at, and where it is empty and on another device than
    before: such is the place of a disk that is not mounted.

    Args:
        paths: The folders, absolute.
        tell: Told in words when one goes away or comes back.
    """

    paths: tuple[Path, ...]
    tell: Callable[[str], object]
    _roots: dict[Path, _Root] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Look for the first time.

        Raises:
            ScanError: none is there, or one is no folder.
        """
        for path in self.paths:
            status = _status(path)
            if status is not None and not stat.S_ISDIR(status.st_mode):
                raise ScanError("only folders can be watched; name the one it lies in", path)
            root = self._roots.setdefault(path, _Root())
            root.identity = _identity(path, None)
            root.device = root.identity and root.identity[0]
        if not self.there:
            reason = "no such folder: check the name, and whether its disk is there"
            raise ScanError(reason, self.paths[0])
        for path in self._roots.keys() - set(self.there):
            self._tell_away(path)

    @property
    def there(self) -> tuple[Path, ...]:
        """The folders that are there, as far as was last seen."""
        return tuple(path for path, root in self._roots.items() if root.identity is not None)

    def look(self) -> list[Path]:
        """Look again; return the folders that have come back, or been replaced, since."""
        come = []
        for path, root in self._roots.items():
            before, root.identity = root.identity, _identity(path, root.device)
            if root.identity is None and before is not None:
                self._tell_away(path)
            elif root.identity is not None and root.identity != before:
                root.device = root.identity[0]
                come.append(path)
                if before is None:
                    self.tell(f"{printable(path)}: is there")
        return come

    def _tell_away(self, path: Path) -> None:
        self.tell(f"{printable(path)}: is not there; waiting for it to come back")


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def _identity(path: Path, device: int | None) -> tuple[int, int] | None:
    """Return what tells a folder from another in its place; None if it is away."""
    status = _status(path)
    if status is None or not stat.S_ISDIR(status.st_mode):
        return None
    if device not in (None, status.st_dev) and _is_empty(path):
        return None
    return status.st_dev, status.st_ino


def _is_empty(folder: Path) -> bool:
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is None
    except OSError:
        return True
