"""Many writes at a time: each is made or fails alone, and one file's are made one by one."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tagger.errors import TagWriteError
from tagger.tags import PreparedWrite, carry_out_all, prepare_write, read_tags
from tests import tagged
from tests.library import DEADLINE_S


def make(folder: Path, kind: str, n_files: int) -> list[Path]:
    paths = [folder / f"{n}" for n in range(n_files)]
    for path in paths:
        path.mkdir(parents=True)
    return [tagged.make(path, kind) for path in paths]


@contextmanager
def prepared(paths: Sequence[Path], genre: str = "Folk") -> Iterator[list[PreparedWrite]]:
    with ExitStack() as opened:
        yield [
            opened.enter_context(prepare_write(path, [genre], provenance=None)) for path in paths
        ]


def test_each_write_fails_alone_and_is_told_in_its_place(tmp_path: Path) -> None:
    paths = make(tmp_path / "a", "flac", 12) + make(tmp_path / "b", "bare mp3", 3)
    gone, changed = paths[5], paths[13]
    with prepared(paths) as writes:
        gone.unlink()
        changed.write_bytes(b"somebody's work")
        faults = carry_out_all(writes)
    assert [n for n, fault in enumerate(faults) if fault is not None] == [5, 13]
    assert isinstance(faults[5], TagWriteError)
    assert faults[5].path == gone
    others = [path for path in paths if path not in (gone, changed)]
    assert {read_tags(path).genres for path in others} == {("Folk",)}
    assert changed.read_bytes() == b"somebody's work"


def test_writes_in_place_wait_for_the_disk_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    met = threading.Barrier(4, timeout=DEADLINE_S)
    monkeypatch.setattr(os, "fsync", lambda _descriptor: met.wait())
    with prepared(make(tmp_path, "flac", 4)) as writes:
        assert carry_out_all(writes) == [None] * 4
    assert not met.broken


def test_copies_are_made_one_after_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = make(tmp_path, "bare mp3", 4)
    most = 0
    real_rename = os.rename

    def rename(*where: Any) -> None:
        nonlocal most
        most = max(most, sum(1 for _ in tmp_path.glob("*/.*.tagger-copy")))
        real_rename(*where)

    monkeypatch.setattr(os, "rename", rename)
    with prepared(paths) as writes:
        assert carry_out_all(writes) == [None] * 4
    assert most == 1


def test_of_two_writes_to_one_file_the_second_finds_it_changed(tmp_path: Path) -> None:
    (path,) = make(tmp_path, "flac", 1)
    names = [path, *(tmp_path / f"{n}.flac" for n in range(6))]
    for name in names[1:]:
        name.hardlink_to(path)
    with prepared(names) as writes:
        first, *others = carry_out_all(writes)
    assert first is None
    assert all(fault and "changed by somebody else" in fault.reason for fault in others)
    assert read_tags(path).genres == ("Folk",)


def test_a_disk_that_fails_for_one_file_leaves_that_one_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = make(tmp_path, "flac", 6)
    before, number = paths[2].read_bytes(), paths[2].stat().st_ino
    real_fsync = os.fsync
    fails = iter([True])

    def fsync(descriptor: int) -> None:
        if os.fstat(descriptor).st_ino == number and next(fails, False):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real_fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with prepared(paths) as writes:
        faults = carry_out_all(writes)
    assert [n for n, fault in enumerate(faults) if fault is not None] == [2]
    assert paths[2].read_bytes() == before
    assert all(read_tags(path).genres == ("Folk",) for path in paths if path != paths[2])
