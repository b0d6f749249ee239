"""Errors behind the last byte of a write: what stands in the file decides, not the error."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tagger.catalog import Catalog, chronicle
from tagger.errors import TagWriteError, TornWriteError
from tagger.records import FileChange, Patch
from tagger.tagging import settling
from tagger.tags import carry_out_all, prepare_write, read_tags
from tagger.tags.inplace import Stands, how_it_stands
from tests import tagged
from tests.library import Run, genre_of, journal, make_track
from tests.writing import write_genres

OURS = "Folk; 0.50; cnn-1"


def refused(*_: object, **__: object) -> Any:
    raise OSError(errno.EPERM, os.strerror(errno.EPERM))


@pytest.fixture
def no_utime(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that may be written, but belong to somebody else: utime(2) is refused."""
    monkeypatch.setattr(os, "utime", refused)


class Closing:
    """os.close that fails on descriptors that were opened to write, having done something first."""

    def __init__(self, code: int, first: Callable[[int], object] = lambda _: None) -> None:
        self._code, self._first, self._close, self._left = code, first, os.close, 1

    def __call__(self, descriptor: int) -> None:
        writes = fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDWR
        if not writes or not self._left:
            self._close(descriptor)
            return
        self._left -= 1
        self._first(descriptor)
        self._close(descriptor)
        raise OSError(self._code, os.strerror(self._code))


def write_in_place(path: Path, *, preserve_mtime: bool = False) -> bytes:
    """Write a genre in place; return what stood there before."""
    before = path.read_bytes()
    with prepare_write(path, ["Folk"], provenance=OURS) as prepared:
        assert prepared.overwritten is not None
        prepared.carry_out(preserve_mtime=preserve_mtime)
    return before


@pytest.mark.usefixtures("no_utime")
@pytest.mark.parametrize("kind", ["flac", "bare mp3"])
def test_a_time_of_change_that_cannot_be_kept_is_no_failure(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    path = tagged.make(tmp_path, kind)
    with prepare_write(path, ["Folk"], provenance=OURS) as prepared:
        prepared.carry_out(preserve_mtime=True)
    assert read_tags(path).genres == ("Folk",)
    assert f"{path}: its time of change could not be kept" in caplog.text


@pytest.mark.usefixtures("in_process", "no_utime")
def test_what_was_written_though_its_time_could_not_be_kept_is_told_and_undone(
    music: Path, run: Run, place: Path
) -> None:
    path = make_track(music / "a.mp3", title="A", artist="B")
    first = path.read_bytes()
    assert run("tag", "--preserve-mtime", music).statuses == {"a.mp3": "written"}
    assert genre_of(path) == ["Rock"]
    assert journal(place) == ["done"]
    with Catalog.empty(place) as from_chronicle:
        assert [run.n_standing for run in from_chronicle.runs()] == [1]
    assert run("undo", "--preserve-mtime").statuses == {"a.mp3": "restored"}
    assert path.read_bytes() == first


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.ESTALE, errno.EIO])
def test_an_error_on_closing_a_file_that_is_written_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    path = tagged.make(tmp_path, "flac")
    monkeypatch.setattr(os, "close", Closing(code))
    write_in_place(path)
    assert read_tags(path).genres == ("Folk",)


def test_an_error_on_closing_after_which_half_stands_there_is_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tagged.make(tmp_path, "flac")
    before = path.read_bytes()
    with prepare_write(path, ["Folk"], provenance=OURS) as prepared:
        assert prepared.overwritten is not None
        first = prepared.overwritten.patches[0]

        def lose_half(descriptor: int) -> None:
            half = len(first.old) // 2
            os.pwrite(descriptor, first.old[:half], first.offset)

        monkeypatch.setattr(os, "close", Closing(errno.ENOSPC, lose_half))
        with pytest.raises(TagWriteError, match="No space left") as caught:
            prepared.carry_out()
        assert not isinstance(caught.value, TornWriteError)
    assert path.read_bytes() == before


def test_a_file_out_of_reach_after_an_error_on_closing_is_settled_by_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tagged.make(tmp_path, "flac")
    with prepare_write(path, ["Folk"], provenance=OURS) as prepared:
        away = path.with_name("away")
        monkeypatch.setattr(os, "close", Closing(errno.ESTALE, lambda _: path.rename(away)))
        with pytest.raises(TornWriteError, match="cannot be told"):
            prepared.carry_out()


@pytest.mark.usefixtures("no_utime")
def test_a_file_that_was_put_back_is_not_called_half_written_for_its_time_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tagged.make(tmp_path, "flac")
    before, fsync, calls = path.read_bytes(), os.fsync, iter([errno.EIO])

    def once_failing(descriptor: int) -> None:
        code = next(calls, 0)
        if code:
            raise OSError(code, os.strerror(code))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", once_failing)
    with pytest.raises(TagWriteError) as caught:
        write_in_place(path)
    assert not isinstance(caught.value, TornWriteError)
    assert path.read_bytes() == before


def test_what_is_put_back_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tagged.make(tmp_path, "flac")
    pwrite, real = os.pwrite, iter([True])

    def then_keeping_nothing(descriptor: int, data: bytes, offset: int) -> int:
        return pwrite(descriptor, data, offset) if next(real, False) else len(data)

    faults = iter([errno.EIO])
    monkeypatch.setattr(os, "pwrite", then_keeping_nothing)
    monkeypatch.setattr(os, "fsync", lambda _: refused() if next(faults, 0) else None)
    with pytest.raises(TornWriteError, match="otherwise than it was put back"):
        write_in_place(path)


def test_a_file_opened_for_reading_that_cannot_be_closed_in_order_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tagged.make(tmp_path, "bare mp3")
    close = os.close

    def failing_where_it_was_read(descriptor: int) -> None:
        close(descriptor)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "close", failing_where_it_was_read)
    write_genres(path, ["Folk"], provenance=OURS)
    assert read_tags(path).genres == ("Folk",)


def test_reading_needs_no_close_that_succeeds(tmp_path: Path) -> None:
    path = tagged.make(tmp_path, "flac")
    with prepare_write(path, ["Folk"], provenance=OURS) as prepared:
        os.close(prepared._opened.file.fileno())  # so that the file's own close fails
    assert prepared._opened.file.closed


@pytest.mark.usefixtures("in_process")
def test_a_file_that_is_away_after_its_write_is_told_as_written(
    music: Path, run: Run, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_track(music / "a.mp3", title="A", artist="B")

    def then_away(*args: Any, **kwargs: Any) -> Any:
        faults = carry_out_all(*args, **kwargs)
        path.rename(path.with_name("away"))
        return faults

    monkeypatch.setattr(settling, "carry_out_all", then_away)
    assert run("tag", music).statuses == {"a.mp3": "written"}
    assert journal(place) == ["done"]
    assert chronicle.path_of(place).exists()


def test_a_patch_beyond_the_end_of_a_file_is_none(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abcdef")
    for patch in (Patch(6, b"gh", b"xy"), Patch(100, b"", b"xy"), Patch(4, b"efg", b"xyz")):
        with path.open("rb") as file:
            for size in (6, 8):
                change = FileChange((patch,), size, 0)
                assert how_it_stands(file.fileno(), change) is Stands.FOREIGN
