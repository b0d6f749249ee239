"""Waiting for new files: from events and looks to batches, each of which is one run.

What a batch is told by is a hint (an event, a look that sees another picture); whether anything is
new is asked of the catalogue, so that our own writes and what only looks new end here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tagger.files.scan import ScanOptions
from tagger.watch.arrivals import PATIENCE, Arrivals
from tagger.watch.lookout import Lookout
from tagger.watch.retries import Retries

_PRESENCE_S = 10.0  # between two looks at whether the folders are there, at most
_LOOKS = 4  # in a settle time
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 10.0, 600.0  # before a batch that failed is tried again


@dataclass(frozen=True, slots=True)
class WatchPlan:
    """What to watch, and how patiently.

    Args:
        paths: Folders, absolute.
        scan: What is left out.
        settle_s: For how long files must have stood still.
        poll_s: Time between two walks through the folders, in place of events; None trusts events
            where there are any.
        rescan_s: Time between two looks at all there is, whatever was noticed.
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
        is_due: It is to be run even if the catalogue says that nothing is new: files were refused
            there, or it is the first.
    """

    paths: tuple[Path, ...]
    folders: frozenset[str] | None
    is_due: bool


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a batch.

    Args:
        is_done: Nothing kept the run from its end.
        served: The folders that were run over, if there was a run; None is all.
        unsettled: Folders with files that were still being written.
        refused: Folders with files that could not be read or written, but may be later.
    """

    is_done: bool
    served: frozenset[str] | None = frozenset()
    unsettled: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()


class Watcher:
    """Gives batches, forever; users call ``watching()``."""

    def __init__(self, plan: WatchPlan, lookout: Lookout) -> None:
        self._plan = plan
        self._lookout = lookout
        self._arrivals = Arrivals(plan.settle_s)
        self._retries = Retries()
        self._due: set[str] = set()  # folders where files were refused
        self._wants_all = False
        self._is_all_due = False
        self._all_by = 0.0  # what arrives is waited for no longer before all is looked at
        self._look_s = 0.0
        self._pause_s = 0.0
        self._not_before = 0.0
        self._next_rescan = time.monotonic() + plan.rescan_s

    def start(self) -> Batch:
        """Begin to watch; return the batch that catches up with what is there."""
        self._lookout.start()
        return Batch(self._lookout.there, None, is_due=True)

    def next(self) -> Batch:
        """Wait until there is a batch, and return it."""
        while True:
            self._wait()
            now = time.monotonic()
            touched = self._lookout.take()
            self._arrivals.touch(touched.folders)
            self._due.update(self._retries.take(now))
            if touched.is_incomplete or now >= self._next_rescan:
                self._rescan(now)
            if now >= self._not_before and self._lookout.there:
                batch = self._ready(now)
                if batch is not None:
                    return batch

    def tried(self, batch: Batch, tried: Tried) -> float:
        """Take note of what came of a batch; return the pause before it is tried again, or 0."""
        now = time.monotonic()
        self._arrivals.touch(tried.unsettled)
        if tried.is_done:
            self._pause_s = 0.0
            self._retries.note(tried.served, tried.refused, now)
        else:
            self._lookout.look()  # that a folder has gone may be why
            self._arrivals.touch(batch.folders or ())
            self._wants_all |= batch.folders is None
            self._is_all_due |= batch.folders is None and batch.is_due
            self._pause_s = min(2 * self._pause_s or _FIRST_PAUSE_S, _LONGEST_PAUSE_S)
            self._not_before = now + self._pause_s
        return self._pause_s

    def _wait(self) -> None:
        """Let time go by: little if files are arriving, else until something is noticed or due."""
        now = time.monotonic()
        is_idle = not (self._arrivals or self._due or self._wants_all)
        if now < self._not_before:
            time.sleep(min(self._not_before - now, _PRESENCE_S))
        elif is_idle or not self._lookout.there:
            self._lookout.wait(self._next_rescan)
        elif self._arrivals:
            rest_s = min(self._plan.settle_s / _LOOKS, _PRESENCE_S)
            time.sleep(max(rest_s, 9 * self._look_s))  # a tenth of the time at most goes to looks

    def _rescan(self, now: float) -> None:
        self._arrivals.touch(self._lookout.walk())
        self._wants_all = True
        self._all_by = now + PATIENCE * self._plan.settle_s
        self._next_rescan = now + self._plan.rescan_s

    def _ready(self, now: float) -> Batch | None:
        """Return a batch, if there is one: of some folders, or else of all there is."""
        started = time.monotonic()
        folders = self._arrivals.take()
        self._look_s = time.monotonic() - started
        due = {folder for folder in self._due if Path(folder).is_dir()}
        self._due.clear()
        if due or folders:
            return Batch(self._lookout.there, folders | due, is_due=bool(due))
        # Files that arrive are passed over, and were they all that is left it would look empty.
        if self._wants_all and (not self._arrivals or now >= self._all_by):
            batch = Batch(self._lookout.there, None, is_due=self._is_all_due)
            self._wants_all = self._is_all_due = False
            return batch
        return None


@contextmanager
def watching(plan: WatchPlan, tell: Callable[[str], object]) -> Iterator[Watcher]:
    """Give a watcher.

    Args:
        plan: What to watch.
        tell: Told in words what a person should know.

    Raises:
        ScanError: none of the folders is there, or one is no folder.
    """
    lookout = Lookout(
        plan.paths,
        plan.scan,
        poll_s=plan.poll_s,
        presence_s=min(_PRESENCE_S, 2 * plan.settle_s),
        tell=tell,
    )
    try:
        yield Watcher(plan, lookout)
    finally:
        lookout.close()
