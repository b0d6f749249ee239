"""Where something comes to watched folders: told by events, and by walks where these fail."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tagger.errors import printable
from tagger.files.mounts import is_silent
from tagger.files.scan import ScanOptions
from tagger.watch.notices import Notices
from tagger.watch.pictures import Pictures
from tagger.watch.roots import WatchedRoots

SILENT_POLL_S = 60.0  # where the file system does not tell


@dataclass(frozen=True, slots=True)
class Touched:
    """Where something may have come.

    Args:
        folders: There, and not below.
        is_incomplete: It may have come elsewhere as well: a disk is there again, or events were
            lost.
    """

    folders: set[str]
    is_incomplete: bool


class Lookout:
    """Keeps an eye on folders.

    Args:
        paths: Folders, absolute.
        scan: What is left out of walks.
        poll_s: Time between two walks in place of events; None trusts events where there are any.
        presence_s: Time between two looks at whether the folders are there.
        tell: Told in words what a person should know.

    Raises:
        ScanError: none of the folders is there, or one is no folder.
    """

    def __init__(
        self,
        paths: tuple[Path, ...],
        scan: ScanOptions,
        *,
        poll_s: float | None,
        presence_s: float,
        tell: Callable[[str], object],
    ) -> None:
        self._scan = scan
        self._poll_s = poll_s
        self._presence_s = presence_s
        self._tell = tell
        self._roots = WatchedRoots(paths, tell)
        self._notices = Notices()
        self._pictures = Pictures()
        self._silent: dict[Path, bool] = {}
        self._has_come_back = False
        self._next_look = time.monotonic() + presence_s
        self._next_walk = float("inf")

    def start(self) -> None:
        """Begin to watch: what comes from now on is noted."""
        self._arm()
        self.walk()

    def close(self) -> None:
        """Watch no more."""
        self._notices.close()

    @property
    def there(self) -> tuple[Path, ...]:
        """The folders that are there."""
        return self._roots.there

    def wait(self, until: float) -> None:
        """Wait for an event, or for a look that is due, until a time of ``time.monotonic``."""
        until = min(until, self._next_look, self._next_walk)
        self._notices.arrived.wait(max(until - time.monotonic(), 0.0))

    def take(self) -> Touched:
        """Return, and forget, where something has come since; walk, where that is due."""
        is_incomplete = self._look_after_roots()
        folders = self._notices.take()
        if time.monotonic() >= self._next_walk:
            folders |= self.walk()
        return Touched(folders, is_incomplete)

    def look(self) -> None:
        """Look whether the folders are there, and tell of those that have gone or come back."""
        self._has_come_back |= bool(self._roots.look())
        self._next_look = time.monotonic() + self._presence_s

    def walk(self) -> set[str]:
        """Look through all folders; return those that look new since the last time."""
        started = time.monotonic()
        changed = self._pictures.walk(self._roots.there, self._scan)
        now = time.monotonic()
        if self._poll_s is not None:
            self._next_walk = now + self._poll_s
        elif any(self._silent.values()):  # a tenth of the time at most, on the slowest disk
            self._next_walk = now + max(SILENT_POLL_S, 9 * (now - started))
        else:
            self._next_walk = float("inf")
        return changed

    def _look_after_roots(self) -> bool:
        """Watch all anew where something has come back or events were lost; return whether so."""
        self.look()
        is_incomplete = self._has_come_back or self._notices.have_failed()
        if is_incomplete:
            self._notices.reset()
            self._arm()
        self._has_come_back = False
        return is_incomplete

    def _arm(self) -> None:
        if self._poll_s is not None:
            return
        for root in self._roots.there:
            why = self._notices.arm(root) or self._why_silent(root)
            if why is not None and not self._silent.get(root):
                self._tell(
                    f"{printable(root)}: {why}; looking through it every {SILENT_POLL_S:.0f} s "
                    "(--poll says how often)"
                )
            self._silent[root] = why is not None

    def _why_silent(self, root: Path) -> str | None:
        if is_silent(root):
            return "on its file system changes by others raise no events"
        return "linked folders raise no events" if self._scan.follow_symlinks else None
