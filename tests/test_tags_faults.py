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

from tagger.errors import TagWriteError
from tagger.tags import clean_leftovers, read_tags, write_genres, writer
from tagger.tags.formats import family_of
from tagger.tags.splices import spliced
from tests import tagged

FAMILIES = ["mp3 v2.4 without padding", "flac", "ogg", "m4a_faststart", "wav", "aiff"]
ERRNOS = [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EACCES, errno.EDQUOT]


def _failing(code: int) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> Any:
        raise OSError(code, os.strerror(code))

    return fail


def _half_then_failing(code: int) -> Callable[..., Iterator[bytes]]:
    def fail(*_: object) -> Iterator[bytes]:
        yield b"half a file"
        raise OSError(code, os.strerror(code))

    return fail


def _break(step: str, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one step of a write fail; the numbers are those of the writer's own list."""
    if step == "1 open":
        monkeypatch.setattr(writer, "open_regular", _failing(code))
    elif step == "1 look":
        monkeypatch.setattr(writer, "real_changes", _failing(code))
    elif step == "2 create":
        real_open = os.open
        monkeypatch.setattr(
            os,
            "open",
            lambda path, flags, *a: (_failing(code) if flags & os.O_CREAT else real_open)(
                path, flags, *a
            ),
        )
    elif step == "2 attributes":
        monkeypatch.setattr(os, "fchmod", _failing(code))
    elif step == "3 fill":
        monkeypatch.setattr(writer, "spliced", _half_then_failing(code))
    elif step == "4 compare":
        monkeypatch.setattr(writer, "family_of", _second_call_failing(code))
    elif step == "5 sync":
        monkeypatch.setattr(os, "fsync", _failing(code))
    elif step == "5 rename":
        monkeypatch.setattr(os, "rename", _failing(code))


def _second_call_failing(code: int) -> Callable[..., Any]:
    answers = iter([family_of, _failing(code)])
    return lambda file: next(answers)(file)


STEPS = [
    "1 open",
    "1 look",
    "2 create",
    "2 attributes",
    "3 fill",
    "4 compare",
    "5 sync",
    "5 rename",
]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("code", ERRNOS)
def test_a_fault_at_any_step_leaves_the_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, code: int
) -> None:
    kind = FAMILIES[(STEPS.index(step) + ERRNOS.index(code)) % len(FAMILIES)]
    path = tagged.make(tmp_path, kind)
    before, stat_before = path.read_bytes(), path.stat()
    _break(step, code, monkeypatch)
    with pytest.raises(TagWriteError) as caught:
        write_genres(path, ["Folk"], provenance="Folk; 0.50; cnn-1")
    assert caught.value.path == path
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert path.stat().st_ino == stat_before.st_ino
    assert path.stat().st_mtime_ns == stat_before.st_mtime_ns
    assert list(tmp_path.iterdir()) == [path]


def test_a_fault_after_the_rename_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tagged.make(tmp_path, "bare mp3")
    monkeypatch.setattr(writer, "_sync_folder", _failing(errno.EIO))
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
        from tagger.tags import write_genres
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


def test_an_interrupt_leaves_the_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tagged.make(tmp_path, "bare mp3")
    before = path.read_bytes()

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(writer, "_compare", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_genres(path, ["Folk"], provenance=None)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("kind", FAMILIES)
@pytest.mark.parametrize("place", ["in the title", "in the middle", "behind the middle"])
def test_a_single_wrong_byte_in_the_copy_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, place: str
) -> None:
    path = tagged.make(tmp_path, kind)
    before = path.read_bytes()

    def harmful(*args: Any) -> list[bytes]:
        data = bytearray(b"".join(spliced(*args)))
        middle = len(data) // 2
        places = {"in the title": data.index(b"A title"), "in the middle": middle}
        data[places.get(place, middle * 4 // 3)] ^= 0x15
        return [bytes(data)]

    monkeypatch.setattr(writer, "spliced", harmful)
    with pytest.raises(TagWriteError, match="would be changed"):
        write_genres(path, ["Folk"], provenance=None)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_the_comparison_names_what_would_be_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tagged.make(tmp_path, "mp3 v2.3")
    data = tagged.id3(3, [tagged.text_frame(3, "TCON", "Folk")]) + tagged.sound("mp3")
    monkeypatch.setattr(writer, "spliced", lambda file, splices: [data])
    with pytest.raises(TagWriteError, match="the ID3v2 frame TIT2 would be changed"):
        write_genres(path, ["Folk"], provenance=None)


def test_a_file_changed_during_the_write_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tagged.make(tmp_path, "bare mp3")
    compare = writer._compare

    def edited_meanwhile(*args: Any) -> None:
        compare(*args)
        path.write_bytes(b"somebody's work")

    monkeypatch.setattr(writer, "_compare", edited_meanwhile)
    with pytest.raises(TagWriteError, match="changed by somebody else"):
        write_genres(path, ["Folk"], provenance=None)
    assert path.read_bytes() == b"somebody's work"
    assert list(tmp_path.iterdir()) == [path]


def test_a_kill_leaves_a_copy_that_the_next_start_removes(tmp_path: Path) -> None:
    path = tagged.make(tmp_path, "bare mp3")
    script = """
        import os, pathlib, signal, sys
        sys.path.insert(0, sys.argv[2])
        from tagger.tags import write_genres, writer
        writer._compare = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
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
    compare = writer._compare

    def cleaned_meanwhile(*args: Any) -> None:
        assert clean_leftovers(tmp_path) == []
        compare(*args)

    monkeypatch.setattr(writer, "_compare", cleaned_meanwhile)
    write_genres(path, ["Folk"], provenance=None)
    assert read_tags(path).genres == ("Folk",)
    assert stat.S_IMODE(path.stat().st_mode) != 0o600


def test_cleaning_a_folder_that_cannot_be_read_removes_nothing(tmp_path: Path) -> None:
    assert clean_leftovers(tmp_path / "missing") == []
