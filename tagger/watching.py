"""Waiting for new files: from events and looks to batches, each of which is one run.

What a batch is told by is a hint (an event, a look that sees another picture); whether anything is
new is asked of the catalogue, so that our own writes and what only looks new end here.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tagger.arrivals import Arrivals
from tagger.catalog import Catalog, KnownTrack
from tagger.errors import ScanError, printable
from tagger.mounts import is_silent
from tagger.notices import Notices
from tagger.portions import chunks
from tagger.roots import Roots
from tagger.scan import ScanOptions, ScanTally, scan
from tagger.settling import TagRequest

log = logging.getLogger(__name__)

SILENT_POLL_S = 60.0  # where the file system does not tell
_PRESENCE_S = 10.0  # between two looks at whether the folders are there
_LOOKS = 4  # in a settle time
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 10.0, 600.0  # before a batch that failed is tried again
_FIRST_RETRY_S, _LONGEST_RETRY_S = 60.0, 24 * 3600.0  # before files that were refused are
_CHUNK_FILES = 256


@dataclass(frozen=True, slots=True)
class WatchPlan:
    """What to watch, and how patiently.

    Args:
        paths: Folders, absolute.
        scan: What is left out.
        settle_s: For how long files must have stood still.
        poll_s: Time between two walks through the folders, in place of events; None trusts events
            where there are any.
        rescan_s: Time between two walks beside events, and two whole runs at least.
    """

    paths: tuple[Path, ...]
    scan: ScanOptions
    settle_s: float
    poll_s: float | None
    rescan_s: float


@dataclass(frozen=True, slots=True)
class Batch:
    """What one run is to look at.

    Args:
        paths: The watched folders that are there.
        folders: Those in which something may be new; None is all.
        is_due: It is to be run whatever the catalogue says: it failed before, or is a whole run.
    """

    paths: tuple[Path, ...]
    folders: frozenset[str] | None
    is_due: bool


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a batch.

    Args:
        is_done: Nothing kept the run from its end.
        unsettled: Folders with files that were still being written.
        refused: Folders with files that could not be read or written, but may be later.
    """

    is_done: bool
    unsettled: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()


@dataclass
class _Pictures:
    """What the last walk saw in each folder: how many files, and what tells its states apart."""

    seen: dict[Path, dict[str, tuple[int, int]]] = field(default_factory=dict)

    def walk(self, roots: Iterable[Path], options: ScanOptions) -> tuple[set[str], bool]:
        """Walk through folders; return those that look new, and whether files have gone."""
        changed: set[str] = set()
        has_gone = False
        for root in roots:
            before = self.seen.get(root, {})
            try:
                after = _picture(root, options)
            except ScanError:  # it went away this moment
                continue
            self.seen[root] = after
            changed |= {
                folder for folder, picture in after.items() if before.get(folder) != picture
            }
            has_gone |= any(n > after.get(folder, (0, 0))[0] for folder, (n, _) in before.items())
        return changed, has_gone


def _picture(root: Path, options: ScanOptions) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for file in scan([root], options, ScanTally()):
        n, before = found.get(file.folder, (0, 0))
        state = hash((before, file.path.name, file.size_bytes, file.mtime_ns, file.inode))
        found[file.folder] = (n + 1, state)
    return found


@dataclass
class _Retries:
    """Folders that are to be looked at again, after pauses that double."""

    due: dict[str, tuple[float, float]] = field(default_factory=dict)  # folder: (when, pause)

    def note(self, batch: Batch, refused: frozenset[str], now: float) -> None:
        """Note what a batch was refused, and that all else in it went well."""
        for folder in [f for f in self.due if batch.folders is None or f in batch.folders]:
            if folder not in refused:
                del self.due[folder]
        for folder in refused:
            _, pause = self.due.get(folder, (0.0, _FIRST_RETRY_S / 2))
            pause = min(2 * pause, _LONGEST_RETRY_S)
            self.due[folder] = (now + pause, pause)

    def take(self, now: float) -> list[str]:
        """Return folders whose time has come; each comes again only after a longer pause."""
        ready = [folder for folder, (when, _) in self.due.items() if when <= now]
        for folder in ready:
            _, pause = self.due[folder]
            self.due[folder] = (now + pause, pause)
        return ready


class Watcher:
    """Gives batches, forever; users call ``watching()``.

    Args:
        plan: What to watch.
        tell: Told in words what a person should know.
    """

    def __init__(self, plan: WatchPlan, tell: Callable[[str], object]) -> None:
        self._plan = plan
        self._tell = tell
        self._roots = Roots(plan.paths, tell)
        self._notices = Notices(follow_symlinks=plan.scan.follow_symlinks)
        self._arrivals = Arrivals(plan.settle_s)
        self._pictures = _Pictures()
        self._retries = _Retries()
        self._silent: dict[Path, bool] = {}
        self._has_gone = False
        self._next_walk = self._next_whole = self._next_look = 0.0
        self._failed: Batch | None = None
        self._pause_s = 0.0
        self._not_before = 0.0

    def start(self) -> Batch:
        """Begin to watch; return the batch that catches up with what is there."""
        self._arm(self._roots.there)
        self._pictures.walk(self._roots.there, self._plan.scan)
        self._plan_walks()
        return self._whole()

    def close(self) -> None:
        """Watch no more."""
        self._notices.close()

    def next(self) -> Batch:
        """Wait until there is a batch, and return it."""
        while True:
            self._wait()
            now = time.monotonic()
            if now >= self._next_look:
                self._look_after_roots(now)
            self._arrivals.touch(self._notices.take())
            self._arrivals.touch(self._retries.take(now))
            if now >= self._next_walk:
                self._walk()
            batch = self._ready(now) if now >= self._not_before and self._roots.there else None
            if batch is not None:
                return batch

    def tried(self, batch: Batch, tried: Tried) -> None:
        """Take note of what came of a batch, and when to try again what is left of it."""
        now = time.monotonic()
        self._arrivals.touch(tried.unsettled)
        if tried.is_done:
            self._failed, self._pause_s = None, 0.0
            self._retries.note(batch, tried.refused, now)
            return
        self._failed = Batch(batch.paths, batch.folders, is_due=True)
        self._pause_s = min(2 * self._pause_s or _FIRST_PAUSE_S, _LONGEST_PAUSE_S)
        self._not_before = now + self._pause_s
        self._tell(f"trying again in {self._pause_s:.0f} s")

    def _wait(self) -> None:
        """Let time go by: little if files are arriving, else until an event or a walk."""
        now = time.monotonic()
        if self._arrivals or self._failed:
            time.sleep(max(min(self._plan.settle_s / _LOOKS, 1.0), 0.05))
        else:
            until = min(self._next_walk, self._next_look)
            self._notices.arrived.wait(max(until - now, 0.0))

    def _look_after_roots(self, now: float) -> None:
        come = self._roots.look()
        for root in come:
            self._notices.disarm(root)
        self._arm(come)
        if come:
            self._next_walk = now
        self._next_look = now + min(_PRESENCE_S, 2 * self._plan.settle_s)

    def _arm(self, roots: Iterable[Path]) -> None:
        if self._plan.poll_s is not None:
            return
        for root in roots:
            why = self._notices.arm(root)
            is_network = why is None and is_silent(root)
            if is_network:
                why = "on its file system changes by others raise no events"
            if why is not None and not self._silent.get(root):
                self._tell(
                    f"{printable(root)}: {why}; looking through it every {SILENT_POLL_S:.0f} s "
                    "(--poll says how often)"
                )
            self._silent[root] = why is not None

    def _plan_walks(self) -> None:
        now = time.monotonic()
        period = self._plan.rescan_s
        if self._plan.poll_s is not None:
            period = self._plan.poll_s
        elif any(self._silent.values()):
            period = min(SILENT_POLL_S, period)
        self._next_walk = now + period

    def _walk(self) -> None:
        changed, has_gone = self._pictures.walk(self._roots.there, self._plan.scan)
        self._arrivals.touch(changed)
        self._has_gone |= has_gone
        self._plan_walks()

    def _whole(self) -> Batch:
        self._has_gone = False
        self._next_whole = time.monotonic() + self._plan.rescan_s
        return Batch(self._roots.there, None, is_due=True)

    def _ready(self, now: float) -> Batch | None:
        # Files that arrive are passed over, and were they all that is left it would look empty.
        if self._has_gone and now >= self._next_whole and not self._arrivals:
            return self._whole()
        folders = self._arrivals.take()
        if self._failed is not None:
            failed, self._failed = self._failed, None
            merged = None if failed.folders is None else failed.folders | folders
            return Batch(self._roots.there, merged, is_due=True)
        return Batch(self._roots.there, folders, is_due=False) if folders else None


@contextmanager
def watching(plan: WatchPlan, tell: Callable[[str], object]) -> Iterator[Watcher]:
    """Give a watcher.

    Raises:
        ScanError: none of the folders is there, or one is no folder.
    """
    watcher = Watcher(plan, tell)
    try:
        yield watcher
    finally:
        watcher.close()


@dataclass(frozen=True, slots=True)
class News:
    """What the catalogue says of a batch before it is run.

    Args:
        folders: Those in which a run would have something to do.
        unsettled: Those with files that may still be being written.
    """

    folders: frozenset[str]
    unsettled: frozenset[str]


def news_for(request: TagRequest, catalog: Catalog) -> News:
    """Return where a run would have anything to do."""
    tally = ScanTally()
    folders: set[str] = set()
    for files in chunks(scan(request.paths, request.scan, tally), _CHUNK_FILES):
        known = catalog.lookup(files, request.card.model_id)
        folders |= {f.folder for f, k in zip(files, known, strict=True) if _is_news(k, request)}
    return News(frozenset(folders), frozenset(tally.unsettled))


def _is_news(known: KnownTrack | None, request: TagRequest) -> bool:
    if known is None or not known.unchanged:
        return True
    if known.failure is not None:
        return known.failure.stage != "decode"  # such a one fails again
    is_anothers = known.other_model is not None and not request.refresh
    return known.has_vanished or (known.prediction is None and not is_anothers)
