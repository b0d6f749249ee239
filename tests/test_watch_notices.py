"""Which folders the system says something has come to: real events, and where they get lost."""

from __future__ import annotations

import ctypes
import errno
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from watchdog.observers import inotify_c

from tagger.watch.notices import Notices
from tests.library import until


class Heard:
    """Notices of a folder, and all that they have told."""

    def __init__(self, root: Path) -> None:
        self.notices = Notices()
        self.root = root
        self.folders: set[str] = set()
        assert self.notices.arm(root) is None

    def has(self, folder: Path) -> bool:
        """Return whether something was said to have come to a folder."""
        self.folders |= self.notices.take()
        return str(folder) in self.folders

    def put(self, name: str) -> Path:
        """Let a file come to a folder, and wait until that is told: then its folder is watched."""
        folder = self.root / name
        folder.mkdir(exist_ok=True)
        until(lambda: self.has(folder))
        self.folders.clear()
        (folder / "song.mp3").touch()
        until(lambda: self.has(folder))
        return folder


class Limit:
    """The system's limit of watched folders, once it is said to be reached."""

    def __init__(self) -> None:
        self.is_reached = False
        self._add_watch = inotify_c.inotify_add_watch

    def add_watch(self, descriptor: int, path: bytes, mask: int) -> int:
        """Watch a folder, unless the limit is reached."""
        if not self.is_reached:
            return int(self._add_watch(descriptor, path, mask))
        ctypes.set_errno(errno.ENOSPC)
        return -1


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[Heard]:
    (tmp_path / "music").mkdir()
    (tmp_path / "out").mkdir()
    heard = Heard(tmp_path / "music")
    yield heard
    heard.notices.close()


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> Limit:
    limit = Limit()
    monkeypatch.setattr(inotify_c, "inotify_add_watch", limit.add_watch)
    return limit


def test_what_comes_to_a_folder_made_later_is_told(heard: Heard) -> None:
    heard.put("album")
    assert not heard.notices.have_failed()


def test_folders_deleted_where_moved_ones_were_leave_it_able_to_hear(
    heard: Heard, tmp_path: Path
) -> None:
    away = heard.put("album").rename(tmp_path / "out" / "album")
    heard.put("other")  # by now it knows that the album was moved
    again = heard.put("album")
    for folder in (again, away):
        (folder / "song.mp3").unlink()
        folder.rmdir()
    until(heard.notices.have_failed)
    heard.notices.reset()
    assert heard.notices.arm(heard.root) is None
    heard.put("new")
    assert not heard.notices.have_failed()


def test_it_ends_in_peace_where_a_folder_has_taken_the_place_of_one_moved_away(
    heard: Heard, tmp_path: Path
) -> None:
    heard.put("b")
    heard.put("a").rename(tmp_path / "out" / "a")
    heard.put("c")
    (heard.root / "b").rename(heard.root / "a")
    until(lambda: heard.has(heard.root / "a"))
    heard.notices.close()


def test_a_folder_that_comes_back_is_heard_without_a_warning(tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    (tmp_path / "out").mkdir()
    with warnings.catch_warnings(record=True) as said:
        heard = Heard(tmp_path / "music")
        away = heard.put("album").rename(tmp_path / "out" / "album")
        heard.put("other")
        away.rename(heard.root / "album again")
        until(lambda: heard.has(heard.root / "album again"))
        heard.notices.close()
    assert said == []


def test_one_folder_named_twice_and_by_a_link_is_watched_and_let_go(tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "music")
    heard = Heard(tmp_path / "music")
    assert heard.notices.arm(tmp_path / "link") is None
    heard.put("album")
    assert heard.has(tmp_path / "link" / "album")
    heard.notices.close()


def test_a_new_folder_that_cannot_be_watched_is_a_loss_told_once(
    heard: Heard, limit: Limit
) -> None:
    heard.put("album")
    assert not heard.notices.have_failed()
    limit.is_reached = True
    (heard.root / "other").mkdir()
    until(lambda: heard.has(heard.root / "other"))
    assert heard.notices.have_failed()
    heard.notices.reset()
    assert "fs.inotify.max_user_watches" in (heard.notices.arm(heard.root) or "")
    assert not heard.notices.have_failed()


def test_where_the_limit_was_reached_before_no_new_folder_is_a_loss(
    heard: Heard, limit: Limit
) -> None:
    limit.is_reached = True
    assert heard.notices.arm(heard.root) is not None
    (heard.root / "album").mkdir()
    until(lambda: heard.has(heard.root / "album"))
    assert not heard.notices.have_failed()
