"""Tags that no sane tagger writes cost a bounded time and memory, and are left alone."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from tagger.errors import TagReadError, TagWriteError
from tagger.tags import check_limits, read_tags
from tagger.tags.limits import MAX_FIELDS
from tests import tagged
from tests.bombs import INFLATING, MANY, chapter, frame, id3, nested, synchsafe
from tests.writing import write_genres

_MB = 1 << 20


@pytest.mark.parametrize("name", INFLATING)
def test_frames_that_inflate_to_much_are_not_inflated(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(INFLATING[name]())
    tracemalloc.start()
    try:
        with pytest.raises(TagReadError, match="compressed frames that hold more than 16 MB"):
            check_limits(path)
        with pytest.raises(TagReadError):
            read_tags(path)
        with pytest.raises(TagWriteError):
            write_genres(path, ["Folk"], provenance=None)
        assert tracemalloc.get_traced_memory()[1] < 64 * _MB
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", MANY)
def test_a_tag_of_too_many_parts_is_refused_and_one_part_fewer_is_read(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(MANY[name](MAX_FIELDS + 1))
    for look in (read_tags, check_limits):
        with pytest.raises(TagReadError, match="more than 4,096 parts"):
            look(path)
    path.write_bytes(MANY[name](MAX_FIELDS - 4))
    check_limits(path)
    assert read_tags(path).genres == ()


def test_a_tag_longer_than_any_sane_one_is_not_read_into_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    size = 65 * _MB
    with path.open("wb") as file:
        file.write(b"ID3\4\0\0" + synchsafe(size))
        file.truncate(10 + size)
        file.seek(0, 2)
        file.write(tagged.sound("mp3"))
    with pytest.raises(TagReadError, match="more than 64 MB"):
        read_tags(path)


def test_an_mp4_of_too_many_atoms_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.m4a"
    path.write_bytes(tagged.sound("m4a") + (b"\0\0\0\x08free" * 100_001))
    with pytest.raises(TagReadError, match="more than 100,000 parts"):
        read_tags(path)


def test_chapters_within_chapters_are_refused_where_they_would_exhaust_a_reader(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(id3(nested(3000)))
    with pytest.raises(TagReadError, match="parts within parts"):
        read_tags(path)
    path.write_bytes(id3(chapter(chapter(frame(b"TIT2", b"\3a")))))
    assert write_genres(path, ["Folk"], provenance=None).after == ("Folk",)


def test_a_fault_that_costs_nothing_is_for_the_decoder_to_judge(tmp_path: Path) -> None:
    for name, data in {"a.mp3": b"ID3\4\0\0\0\0\1\0", "b.mp3": b"no music", "c.m4a": b""}.items():
        (tmp_path / name).write_bytes(data)
        check_limits(tmp_path / name)
    check_limits(tmp_path / "not there")
