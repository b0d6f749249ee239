"""When a folder has come to rest: told by a clock and by looks that the tests make up."""

from __future__ import annotations

from pathlib import Path

import pytest

from tagger.watch.arrivals import Arrivals, look

SETTLE_S = 5.0


class World:
    """A clock, and what a look at each folder sees."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.folders: dict[str, int] = {}
        self.arrivals = Arrivals(SETTLE_S, look=self.folders.get, clock=lambda: self.now_s)

    def write(self, folder: str) -> None:
        """Change something in a folder, and notice it."""
        self.folders[folder] = self.folders.get(folder, 0) + 1
        self.arrivals.touch([folder])

    def after(self, seconds: float) -> frozenset[str]:
        """Let time go by, a second each look; return what was ready at the end."""
        for _ in range(int(seconds) - 1):
            self.now_s += 1
            assert self.arrivals.take() == frozenset()
        self.now_s += 1
        return self.arrivals.take()


@pytest.fixture
def world() -> World:
    return World()


def test_a_folder_is_ready_once_it_has_stood_still(world: World) -> None:
    world.write("a")
    assert world.after(1 + SETTLE_S) == {"a"}
    assert len(world.arrivals) == 0
    assert world.after(10) == frozenset()


def test_a_file_that_grows_without_an_event_keeps_its_folder_waiting(world: World) -> None:
    world.write("a")
    for _ in range(5):
        assert world.after(4) == frozenset()
        world.folders["a"] += 1
    assert world.after(1 + SETTLE_S) == {"a"}


def test_events_without_a_change_keep_nobody_waiting(world: World) -> None:
    world.write("a")
    assert world.after(3) == frozenset()
    world.arrivals.touch(["a"])
    assert world.after(3) == {"a"}


def test_a_folder_that_never_rests_is_served_nevertheless(world: World) -> None:
    world.write("a")
    started_s = world.now_s
    while not world.after(1):
        world.folders["a"] += 1
    assert world.now_s - started_s == 60 * SETTLE_S


def test_an_album_that_arrives_track_by_track_makes_one_batch(world: World) -> None:
    for _ in range(12):
        world.write("album")
        assert world.after(4) == frozenset()
    assert world.after(2) == {"album"}


def test_what_is_ready_waits_for_what_is_arriving(world: World) -> None:
    world.write("a")
    assert world.after(3) == frozenset()
    world.write("b")
    assert world.after(1 + SETTLE_S) == {"a", "b"}


def test_what_is_ready_does_not_wait_for_ever(world: World) -> None:
    world.write("done")
    world.write("slow")
    started_s = world.now_s
    while not (ready := world.after(1)):
        world.write("slow")
    assert ready == {"done"}
    assert world.now_s - started_s == 12 * SETTLE_S


def test_a_burst_of_folders_makes_few_batches_and_loses_none(world: World) -> None:
    batches = []
    for i in range(1200):
        if i < 1000:
            world.write(f"album {i}")
        world.now_s += 0.1
        batches.append(world.arrivals.take())
    assert sum(map(len, batches)) == 1000
    assert len(frozenset().union(*batches)) == 1000
    assert sum(map(bool, batches)) <= 3


def test_a_folder_that_is_gone_again_is_forgotten(world: World) -> None:
    world.write("a")
    world.write("b")
    assert world.after(2) == frozenset()
    del world.folders["a"]
    assert world.after(SETTLE_S - 1) == {"b"}
    assert len(world.arrivals) == 0


def test_a_look_sees_files_come_grow_change_and_be_replaced(tmp_path: Path) -> None:
    song = tmp_path / "song.mp3"
    seen = [look(str(tmp_path))]
    song.write_bytes(b"1")
    seen.append(look(str(tmp_path)))
    song.write_bytes(b"12")
    seen.append(look(str(tmp_path)))
    (tmp_path / "other.mp3.part").write_bytes(b"1")
    seen.append(look(str(tmp_path)))
    (tmp_path / ".other.mp3.aB3xY9").write_bytes(b"1")
    seen.append(look(str(tmp_path)))
    (tmp_path / "new").write_bytes(b"xx")
    (tmp_path / "new").replace(song)
    seen.append(look(str(tmp_path)))
    assert len(set(seen)) == len(seen)


def test_a_look_does_not_see_what_is_no_sound(tmp_path: Path) -> None:
    before = look(str(tmp_path))
    (tmp_path / "cover.jpg").write_bytes(b"1")
    (tmp_path / "disk.iso.part").write_bytes(b"1")
    (tmp_path / "sub").mkdir()
    (tmp_path / "gone.mp3").symlink_to("nowhere")
    assert look(str(tmp_path)) == before


def test_there_is_no_look_at_a_folder_that_is_gone(tmp_path: Path) -> None:
    assert look(str(tmp_path / "gone")) is None
