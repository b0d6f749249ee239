"""Faults at each step, harm that the comparison catches, and what a kill leaves behind."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tagger.errors import TagWriteError, TornWriteError
from tagger.records import TagsFound
from tagger.tags import (
    Stands,
    clean_leftovers,
    inplace,
    prepare_restore,
    prepare_write,
    preparing,
    put_back,
    read_tags,
    splices,
    writer,
)
from tagger.tags.differences import narrowed
from tagger.tags.splices import Splice, size_of
from tests import tagged
from tests.writing import write_genres

FAMILIES = ["mp3 v2.2", "mp3 v2.4", "flac", "ogg", "opus", "m4a", "m4a_faststart", "wav", "aiff"]
FAMILIES += ["aac", "tta", "ape", "wv", "mpc", "dsf", "dff", "wma"]
ERRNOS = [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EACCES, errno.EDQUOT]
OURS = "Folk; 0.50; cnn-1"


def _failing(code: int) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> Any:
        raise OSError(code, os.strerror(code))

    return fail


def _half_then_failing(code: int) -> Callable[..., Iterator[bytes]]:
    def fail(*_: object) -> Iterator[bytes]:
        yield b"half a file"
        raise OSError(code, os.strerror(code))

    return fail


def _open_failing(flag: int, code: int) -> Callable[..., Any]:
    """Let files be opened, but not with this flag."""
    real_open = os.open

    def open_or_fail(path: Path, flags: int, *mode: int) -> Any:
        return (_failing(code) if flags & flag else real_open)(path, flags, *mode)

    return open_or_fail


class _OnceFailing:
    """A function that fails on its n-th call, having done half of it, and works again."""

    def __init__(self, real: Callable[..., Any], code: int, n: int = 1) -> None:
        self._real, self._code, self._left = real, code, n

    def __call__(self, *args: Any) -> Any:
        self._left -= 1
        if self._left:
            return self._real(*args)
        if len(args) == 3:  # os.pwrite: half of the bytes
            descriptor, data, offset = args
            self._real(descriptor, data[: len(data) // 2], offset)
        raise OSError(self._code, os.strerror(self._code))


# The steps are those of the list in tagger.tags.writer.
Breaking = Callable[[pytest.MonkeyPatch, int], None]
LOOKING: dict[str, Breaking] = {
    "1 open": lambda m, code: m.setattr(preparing, "open_regular", _failing(code)),
    "1 look": lambda m, code: m.setattr(preparing, "real_changes", _failing(code)),
    "2 compare": lambda m, code: m.setattr(preparing, "compare", _failing(code)),
}
IN_PLACE: dict[str, Breaking] = {
    **LOOKING,
    "4 open": lambda m, code: m.setattr(os, "open", _open_failing(os.O_RDWR, code)),
    "5 overwrite": lambda m, code: m.setattr(os, "pwrite", _OnceFailing(os.pwrite, code)),
    "5 cut": lambda m, code: m.setattr(os, "ftruncate", _OnceFailing(os.ftruncate, code)),
    "6 sync": lambda m, code: m.setattr(os, "fsync", _OnceFailing(os.fsync, code)),
}
THROUGH_COPY: dict[str, Breaking] = {
    **LOOKING,
    "4 create": lambda m, code: m.setattr(os, "open", _open_failing(os.O_CREAT, code)),
    "4 attributes": lambda m, code: m.setattr(os, "fchmod", _failing(code)),
    "5 fill": lambda m, code: m.setattr(writer, "blocks", _half_then_failing(code)),
    "5 read again": lambda m, code: m.setattr(writer, "size_of", _OnceFailing(size_of, code, 2)),
    "6 sync": lambda m, code: m.setattr(os, "fsync", _failing(code)),
    "6 rename": lambda m, code: m.setattr(os, "rename", _failing(code)),
}


def _assert_nothing_happens(path: Path, write: Callable[[], object]) -> None:
    before, stat_before = path.read_bytes(), path.stat()
    with pytest.raises(TagWriteError) as caught:
        write()
    assert caught.value.path == path
    assert path.read_bytes() == before
    assert path.stat().st_ino == stat_before.st_ino
    assert path.stat().st_mtime_ns == stat_before.st_mtime_ns
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("kind", FAMILIES)
@pytest.mark.parametrize("step", THROUGH_COPY)
def test_a_fault_at_any_step_of_a_copy_leaves_the_file_and_nothing_else(
    tmp_path: Path, kind: str, step: str
) -> None:
    path = tagged.make(tmp_path, kind)
    for code in ERRNOS:
        with pytest.MonkeyPatch.context() as patch:
            THROUGH_COPY[step](patch, code)
            _assert_nothing_happens(path, lambda: write_genres(path, ["Folk"], provenance=OURS))


def _in_place(path: Path, genres: list[str]) -> None:
    with prepare_write(path, genres, provenance=OURS) as prepared:
        assert prepared.overwritten is not None
        prepared.carry_out()


def _with_room(folder: Path, kind: str) -> Path:
    """A file that has been written before, and therefore has room."""
    path = tagged.make(folder, kind)
    write_genres(path, ["Rock"], provenance="Rock; 0.50; cnn-1")
    return path


@pytest.mark.parametrize("kind", FAMILIES)
@pytest.mark.parametrize("step", [step for step in IN_PLACE if step != "5 cut"])
def test_a_fault_at_any_step_in_place_leaves_the_file_and_nothing_else(
    tmp_path: Path, kind: str, step: str
) -> None:
    path = _with_room(tmp_path, kind)
    for code in ERRNOS:
        with pytest.MonkeyPatch.context() as patch:
            IN_PLACE[step](patch, code)
            _assert_nothing_happens(path, lambda: _in_place(path, ["Folk", "Dub"]))


@pytest.mark.parametrize("code", ERRNOS)
def test_a_fault_while_a_file_gets_shorter_leaves_it_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    path = tagged.make(tmp_path, "bare wav")
    with prepare_write(path, ["Folk"], provenance=OURS) as prepared:
        prepared.carry_out()
    kept = prepared.kept

    def restore() -> None:
        with prepare_restore(path, TagsFound(), kept=kept) as back:
            assert back.overwritten is not None
            back.carry_out()

    IN_PLACE["5 cut"](monkeypatch, code)
    _assert_nothing_happens(path, restore)


@pytest.mark.parametrize("kind", FAMILIES)
def test_a_file_that_cannot_be_put_back_at_once_is_put_back_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    path = _with_room(tmp_path, kind)
    before, stat_before = path.read_bytes(), path.stat()
    with prepare_write(path, ["Folk"], provenance=OURS) as prepared:
        change = prepared.overwritten
        assert change is not None
        # The disk goes away in the middle of a write, and is not there to put it back either.
        halves = iter([max(1, len(change.patches[-1].new) // 2)])
        real = os.pwrite

        def pwrite(descriptor: int, data: bytes, offset: int) -> int:
            n = next(halves, 0)
            return real(descriptor, data[:n], offset) if n else _failing(errno.EIO)()

        monkeypatch.setattr(os, "pwrite", pwrite)
        with pytest.raises(TornWriteError, match="run tagger again") as caught:
            prepared.carry_out()
        monkeypatch.undo()
    assert caught.value.path == path
    assert path.read_bytes() != before
    assert put_back(path, change) is Stands.OLD
    assert path.read_bytes() == before
    assert path.stat().st_mtime_ns == stat_before.st_mtime_ns


def test_a_fault_after_the_rename_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tagged.make(tmp_path, "bare mp3")
    monkeypatch.setattr(writer, "sync_folder", _failing(errno.EIO))
    write_genres(path, ["Folk"], provenance=None)
    assert read_tags(path).genres == ("Folk",)
    assert "may not yet be safe" in caplog.text


def test_a_full_disk_is_reported_with_what_to_do(tmp_path: Path) -> None:
    path = tagged.make(tmp_path, "bare flac")
    before = path.read_bytes()
    # A limit on file size makes real writes fail half-way, as a full disk does.
    script = """
        import resource, sys, pathlib
        sys.path.insert(0, sys.argv[2])
        from tests.writing import write_genres
        from tagger.errors import TagWriteError
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
        try:
            write_genres(pathlib.Path(sys.argv[1]), ["Folk"], provenance=None)
        except TagWriteError as exc:
            print(exc.reason)
    """
    root = str(Path(__file__).parent.parent)
    said = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(path), root],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "File too large" in said.stdout
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("kind", ["bare mp3", "mp3 v2.3"])
def test_an_interrupt_leaves_the_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    path = tagged.make(tmp_path, kind)
    before = path.read_bytes()

    monkeypatch.setattr(os, "fsync", _Interrupted())
    with prepare_write(path, ["Folk"], provenance=None) as prepared:
        assert (prepared.overwritten is None) == (kind == "bare mp3")
        with pytest.raises(KeyboardInterrupt):
            prepared.carry_out()
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


class _Interrupted:
    """A function that Ctrl-C meets on its first call."""

    def __init__(self) -> None:
        self._met = False

    def __call__(self, *_: object) -> None:
        if not self._met:
            self._met = True
            raise KeyboardInterrupt


@pytest.mark.parametrize("kind", FAMILIES)
@pytest.mark.parametrize("place", ["in the title", "in the middle", "behind the middle"])
def test_a_single_wrong_byte_in_a_plan_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, place: str
) -> None:
    path = tagged.make(tmp_path, kind)
    before = path.read_bytes()
    title = "A title".encode("utf-16-le" if kind == "wma" else "ascii")
    places = {"in the title": before.index(title), "in the middle": len(before) // 2}
    at = places.get(place, len(before) * 2 // 3)

    def harmful(*args: Any) -> list[Splice]:
        changes = [s for s in narrowed(*args) if not s.offset <= at < s.end]
        harm = Splice(at, 1, bytes([before[at] ^ 0x15]))
        return sorted([*changes, harm], key=lambda splice: splice.offset)

    monkeypatch.setattr(preparing, "narrowed", harmful)
    with pytest.raises(TagWriteError, match=r"would be|damaged|not sound|would read"):
        prepare_write(path, ["Folk"], provenance=None)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("kind", FAMILIES)
def test_a_copy_that_reads_back_otherwise_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    path = tagged.make(tmp_path, kind)
    answers = iter([lambda data: data[:-1] + bytes([data[-1] ^ 1])])

    def harmful(file: Any, start: int, stop: int) -> Iterator[bytes]:
        for block in splices.blocks(file, start, stop):
            yield next(answers, lambda data: data)(block)

    monkeypatch.setattr(writer, "blocks", harmful)
    _assert_nothing_happens(path, lambda: write_genres(path, ["Folk"], provenance=None))


def test_bytes_that_read_back_otherwise_in_place_are_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tagged.make(tmp_path, "flac")
    read_at, answers = inplace._read_at, iter([b"otherwise"])
    monkeypatch.setattr(inplace, "_read_at", lambda *args: next(answers, None) or read_at(*args))
    _assert_nothing_happens(path, lambda: _in_place(path, ["Folk"]))


def test_the_comparison_names_what_would_be_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tagged.make(tmp_path, "mp3 v2.3")
    data = tagged.id3(3, [tagged.text_frame(3, "TCON", "Folk")])
    size = len(tagged.rich_id3(3))
    monkeypatch.setattr(preparing, "narrowed", lambda *_: [Splice(0, size, data)])
    with pytest.raises(TagWriteError, match="the ID3v2 frame TIT2 would be changed"):
        write_genres(path, ["Folk"], provenance=None)


def test_a_file_changed_during_the_write_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tagged.make(tmp_path, "bare mp3")
    fill = writer._fill

    def edited_meanwhile(*args: Any) -> None:
        fill(*args)
        path.write_bytes(b"somebody's work")

    monkeypatch.setattr(writer, "_fill", edited_meanwhile)
    with pytest.raises(TagWriteError, match="changed by somebody else"):
        write_genres(path, ["Folk"], provenance=None)
    assert path.read_bytes() == b"somebody's work"
    assert list(tmp_path.iterdir()) == [path]


def test_a_kill_leaves_a_copy_that_the_next_start_removes(tmp_path: Path) -> None:
    path = tagged.make(tmp_path, "bare mp3")
    script = """
        import os, pathlib, signal, sys
        sys.path.insert(0, sys.argv[2])
        from tagger.tags import writer
        from tests.writing import write_genres
        writer._fill = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        write_genres(pathlib.Path(sys.argv[1]), ["Folk"], provenance=None)
    """
    root = str(Path(__file__).parent.parent)
    killed = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(path), root], check=False
    )
    assert killed.returncode == -9
    (leftover,) = set(tmp_path.iterdir()) - {path}
    assert leftover.name.startswith(".")
    assert clean_leftovers(tmp_path) == [leftover]
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == tagged.sound("mp3")


def test_cleaning_touches_nothing_else_and_no_copy_in_use(tmp_path: Path) -> None:
    others = [
        ".0123456789abcdef.tagger-copy.mp3",
        "0123456789abcdef.tagger-copy",
        ".012345.tagger-copy",
        ".0123456789abcdeg.tagger-copy",
        ".hidden",
        "song.mp3",
    ]
    for name in others:
        (tmp_path / name).write_bytes(b"somebody's")
    (tmp_path / ".aaaaaaaaaaaaaaaa.tagger-copy").mkdir()
    (tmp_path / ".bbbbbbbbbbbbbbbb.tagger-copy").symlink_to(tmp_path / "song.mp3")
    in_use = tmp_path / ".cccccccccccccccc.tagger-copy"
    with in_use.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        before = set(tmp_path.iterdir())
        assert clean_leftovers(tmp_path) == []
        assert set(tmp_path.iterdir()) == before
    assert clean_leftovers(tmp_path) == [in_use]


def test_a_copy_is_locked_while_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tagged.make(tmp_path, "bare mp3")
    fill = writer._fill

    def cleaned_meanwhile(*args: Any) -> None:
        assert clean_leftovers(tmp_path) == []
        fill(*args)

    monkeypatch.setattr(writer, "_fill", cleaned_meanwhile)
    write_genres(path, ["Folk"], provenance=None)
    assert read_tags(path).genres == ("Folk",)
    assert stat.S_IMODE(path.stat().st_mode) != 0o600


def test_cleaning_a_folder_that_cannot_be_read_removes_nothing(tmp_path: Path) -> None:
    assert clean_leftovers(tmp_path / "missing") == []
