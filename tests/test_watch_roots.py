"""Whether watched folders are there: disks that come, go, and leave an empty place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tagger.errors import ScanError
from tagger.watch.roots import WatchedRoots


@pytest.fixture
def said() -> list[str]:
    return []


def on_another_device(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let a folder look like the place of another disk."""
    real = Path.stat

    def stat(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        status = real(path, follow_symlinks=follow_symlinks)
        fields = list(status)
        fields[2] += path == folder
        return os.stat_result(fields)

    monkeypatch.setattr(Path, "stat", stat)


def test_a_folder_that_is_not_there_yet_is_waited_for(tmp_path: Path, said: list[str]) -> None:
    (tmp_path / "a").mkdir()
    roots = WatchedRoots((tmp_path / "a", tmp_path / "b"), said.append)
    assert list(roots.there) == [tmp_path / "a"]
    assert said == [f"{tmp_path / 'b'}: is not there; waiting for it to come back"]
    assert roots.look() == []
    (tmp_path / "b").mkdir()
    assert roots.look() == [tmp_path / "b"]
    assert list(roots.there) == [tmp_path / "a", tmp_path / "b"]
    assert said[1:] == [f"{tmp_path / 'b'}: is there"]
    assert roots.look() == []


def test_a_folder_that_goes_is_told_once(tmp_path: Path, said: list[str]) -> None:
    (tmp_path / "a").mkdir()
    roots = WatchedRoots((tmp_path / "a",), said.append)
    (tmp_path / "a").rmdir()
    for _ in range(3):
        assert roots.look() == []
    assert roots.there == ()
    assert len(said) == 1


def test_the_empty_place_of_a_disk_is_no_folder(
    tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    roots = WatchedRoots((tmp_path,), said.append)
    on_another_device(monkeypatch, tmp_path)
    assert roots.look() == []
    assert roots.there == ()


def test_a_disk_mounted_anew_has_come_back(
    tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "song.mp3").touch()
    roots = WatchedRoots((tmp_path,), said.append)
    on_another_device(monkeypatch, tmp_path)
    assert roots.look() == [tmp_path]
    assert roots.there == (tmp_path,)
    assert said == []


def test_where_none_is_there_or_one_is_a_file_there_is_nothing_to_watch(
    tmp_path: Path, said: list[str]
) -> None:
    (tmp_path / "song.mp3").touch()
    for paths in ([tmp_path / "gone"], [tmp_path, tmp_path / "song.mp3"]):
        with pytest.raises(ScanError):
            WatchedRoots(tuple(paths), said.append)
