"""From looks to batches: what the watcher looks at again, without waiting for an event."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from tagger.files.scan import ScanOptions
from tagger.watch.lookout import Lookout, Touched
from tagger.watch.watcher import Batch, Tried, Watcher, WatchPlan


class _IdleError(Exception):
    """The watcher waits for an event, and none will come."""


class Still:
    """A lookout to which nothing more comes than it is told at first."""

    def __init__(self, folder: Path, *touched: Touched) -> None:
        self.there = (folder,)
        self._touched = list(touched)

    def start(self) -> None:
        pass

    def look(self) -> None:
        pass

    def wait(self, _until: float) -> None:
        if not self._touched:
            raise _IdleError

    def take(self) -> Touched:
        return self._touched.pop(0) if self._touched else Touched(set(), is_incomplete=False)

    def walk(self) -> set[str]:
        return set()


def watcher_of(folder: Path, *touched: Touched) -> Watcher:
    plan = WatchPlan((folder,), ScanOptions(), settle_s=0.0, poll_s=None, rescan_s=3600.0)
    return Watcher(plan, cast("Lookout", Still(folder, *touched)))


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tagger.watch.watcher._FIRST_PAUSE_S", 0.001)


def test_a_folder_with_files_that_were_still_being_written_is_looked_at_again(
    tmp_path: Path,
) -> None:
    watcher = watcher_of(tmp_path)
    first = watcher.start()
    assert watcher.tried(first, Tried(is_done=True, unsettled=frozenset([str(tmp_path)]))) == 0
    assert watcher.next() == Batch((tmp_path,), frozenset([str(tmp_path)]), is_due=False)
    with pytest.raises(_IdleError):
        watcher.next()


def test_the_first_batch_is_due_until_it_is_done(tmp_path: Path) -> None:
    watcher = watcher_of(tmp_path)
    first = watcher.start()
    assert first == Batch((tmp_path,), None, is_due=True)
    assert watcher.tried(first, Tried(is_done=False)) > 0
    again = watcher.next()
    assert again == first
    assert watcher.tried(again, Tried(is_done=True, served=None)) == 0
    with pytest.raises(_IdleError):
        watcher.next()


def test_what_was_due_and_is_done_is_due_no_more(tmp_path: Path) -> None:
    """Three batches: the first fails, is tried again, and is followed by a look at all there is."""
    nothing, all_ = Touched(set(), is_incomplete=False), Touched(set(), is_incomplete=True)
    watcher = watcher_of(tmp_path, nothing, all_)
    watcher.tried(watcher.start(), Tried(is_done=False))
    watcher.tried(watcher.next(), Tried(is_done=True, served=None))
    look = watcher.next()
    assert look == Batch((tmp_path,), None, is_due=False)
    watcher.tried(look, Tried(is_done=False))
    assert watcher.next() == look


def test_a_look_at_all_there_is_is_not_due_whatever_became_of_it(tmp_path: Path) -> None:
    watcher = watcher_of(tmp_path, Touched(set(), is_incomplete=True))
    watcher.tried(watcher.start(), Tried(is_done=True, served=None))
    look = watcher.next()
    assert look == Batch((tmp_path,), None, is_due=False)
    assert watcher.tried(look, Tried(is_done=False)) > 0
    assert watcher.next() == look


def test_folders_of_a_batch_that_failed_are_in_the_next_one(tmp_path: Path) -> None:
    watcher = watcher_of(tmp_path, Touched({str(tmp_path)}, is_incomplete=False))
    watcher.tried(watcher.start(), Tried(is_done=True, served=None))
    batch = watcher.next()
    assert batch.folders == frozenset([str(tmp_path)])
    assert watcher.tried(batch, Tried(is_done=False)) > 0
    assert watcher.next() == batch
