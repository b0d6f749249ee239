"""When files that arrive have arrived: folders are looked at until they have come to rest.

No time of a file's is compared with our clock, and no event is needed: two looks that see the
same, a settle time apart, say that nobody writes there. Whether anything in it is new is for the
catalogue to say.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

from tagger.files.names import is_arriving_name, is_audio_name

# In settle times: for how long a folder that has come to rest waits for others, so that a burst
# makes one batch; and after how long one that never rests is served nevertheless.
_GATHERING = 12
PATIENCE = 60


def look(folder: str) -> int | None:
    """Return what tells two states of the sound files in a folder apart; None if it is gone.

    Files that are there in part, under the name of a download, count.
    """
    found = set()
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if is_audio_name(entry.name) or is_arriving_name(entry.name):
                    with suppress(FileNotFoundError):
                        status = entry.stat()
                        found.add((entry.name, status.st_size, status.st_mtime_ns, status.st_ino))
    except OSError:
        return None
    return hash(frozenset(found))


@dataclass(slots=True)
class _Waiting:
    """A folder that is waited for.

    Args:
        since: When something was first noticed there, by the clock.
        still_since: Since when every look has seen the same.
        seen: What the last look has seen; None before the first.
    """

    since: float
    still_since: float
    seen: int | None = None


class Arrivals:
    """Folders in which something may be arriving.

    Memory grows with the number of folders that wait, whatever happens in them.

    Args:
        settle_s: For how long a folder must have stood still.
        look: Gives what is seen in a folder.
        clock: Gives seconds.
    """

    def __init__(
        self,
        settle_s: float,
        *,
        look: Callable[[str], int | None] = look,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settle_s = settle_s
        self._look = look
        self._clock = clock
        self._waiting: dict[str, _Waiting] = {}

    def __len__(self) -> int:
        """Return how many folders wait."""
        return len(self._waiting)

    def touch(self, folders: Iterable[str]) -> None:
        """Note that something has happened in some folders."""
        now = self._clock()
        for folder in folders:
            self._waiting.setdefault(folder, _Waiting(now, now))

    def take(self) -> frozenset[str]:
        """Look at all folders; return, and forget, those that make a batch now, if any do."""
        now = self._clock()
        ready = {folder for folder in list(self._waiting) if self._is_ready(folder, now)}
        has_gathered = len(ready) == len(self._waiting) or any(
            now - self._waiting[folder].since >= _GATHERING * self._settle_s for folder in ready
        )
        if not has_gathered:
            return frozenset()
        for folder in ready:
            del self._waiting[folder]
        return frozenset(ready)

    def _is_ready(self, folder: str, now: float) -> bool:
        waiting = self._waiting[folder]
        seen = self._look(folder)
        if seen is None:
            del self._waiting[folder]
            return False
        if seen != waiting.seen:
            waiting.seen, waiting.still_since = seen, now
        is_still = now - waiting.still_since >= self._settle_s
        return is_still or now - waiting.since >= PATIENCE * self._settle_s
