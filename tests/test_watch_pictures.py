"""What a walk finds to be new since the walk before."""

from __future__ import annotations

from pathlib import Path

from tagger.files.scan import ScanOptions
from tagger.watch.pictures import Pictures
from tests.test_scan import touch


def test_a_walk_tells_the_folders_that_look_new(tmp_path: Path) -> None:
    for name in ("a/1.mp3", "b/2.mp3", "b/c/3.mp3"):
        touch(tmp_path / name)
    pictures = Pictures()
    assert pictures.walk([tmp_path], ScanOptions()) == {
        str(tmp_path / name) for name in ("a", "b", "b/c")
    }
    assert pictures.walk([tmp_path], ScanOptions()) == set()
    touch(tmp_path / "b" / "2.mp3", b"more")
    touch(tmp_path / "d" / "4.mp3")
    assert pictures.walk([tmp_path], ScanOptions()) == {str(tmp_path / "b"), str(tmp_path / "d")}
    (tmp_path / "b" / "c" / "3.mp3").rename(tmp_path / "b" / "c" / "5.mp3")
    assert pictures.walk([tmp_path], ScanOptions()) == {str(tmp_path / "b" / "c")}


def test_a_folder_that_is_away_keeps_its_picture(tmp_path: Path) -> None:
    root = tmp_path / "music"
    touch(root / "1.mp3")
    pictures = Pictures()
    pictures.walk([root], ScanOptions())
    root.rename(tmp_path / "away")
    assert pictures.walk([root], ScanOptions()) == set()
    (tmp_path / "away").rename(root)
    assert pictures.walk([root], ScanOptions()) == set()
