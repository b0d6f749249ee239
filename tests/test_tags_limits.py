"""Tags that no sane tagger writes cost a bounded time and memory, and are left alone."""

from __future__ import annotations

import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tagger.errors import TagReadError, TagWriteError
from tagger.tags import read_tags
from tagger.tags.limits import MAX_FIELDS
from tests import tagged
from tests.writing import write_genres

_MB = 1 << 20


def synchsafe(number: int) -> bytes:
    return bytes(number >> shift & 127 for shift in (21, 14, 7, 0))


def frame(frame_id: bytes, body: bytes, flags: bytes = bytes(2)) -> bytes:
    return frame_id + synchsafe(len(body)) + flags + body


def inflating(n_mb: int) -> bytes:
    """A frame that is short, and as long as that once it is inflated."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(_MB)) for _ in range(n_mb)) + packer.flush()
    return frame(b"TIT2", synchsafe(n_mb * _MB - 1) + packed, b"\0\x09")


def id3(frames: bytes) -> bytes:
    return b"ID3\4\0\0" + synchsafe(len(frames)) + frames + tagged.sound("mp3")


def comments(n_comments: int) -> bytes:
    said = bytes(4) + n_comments.to_bytes(4, "little")
    said += ((3).to_bytes(4, "little") + b"A=b") * n_comments
    sound = tagged.sound("flac")
    return sound[:42] + b"\4" + len(said).to_bytes(3) + said + sound[42:]


def ape_items(n_items: int) -> bytes:
    items = b"\1\0\0\0\0\0\0\0abc\0x" * n_items
    size = (len(items) + 32).to_bytes(4, "little")
    footer = b"APETAGEX" + (2000).to_bytes(4, "little") + size + n_items.to_bytes(4, "little")
    return tagged.sound("ape") + items + footer + bytes(12)


INFLATING = {
    "a frame": lambda: id3(inflating(120)),
    "many frames": lambda: id3(inflating(15) * 8),
    "a chapter": lambda: id3(frame(b"CHAP", b"c\0" + bytes(16) + inflating(120))),
    "a table of chapters": lambda: id3(frame(b"CTOC", b"c\0\3\1x\0" + inflating(120))),
    "a chapter in a chapter": lambda: id3(
        frame(b"CHAP", b"c\0" + bytes(16) + frame(b"CHAP", b"d\0" + bytes(16) + inflating(120)))
    ),
}


@pytest.mark.parametrize("where", INFLATING)
def test_frames_that_inflate_to_much_are_not_inflated(tmp_path: Path, where: str) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(INFLATING[where]())
    tracemalloc.start()
    try:
        assert read_tags(path).genres == ()
        with pytest.raises(TagWriteError, match="more than 16 MB"):
            write_genres(path, ["Folk"], provenance=None)
        assert tracemalloc.get_traced_memory()[1] < 64 * _MB
    finally:
        tracemalloc.stop()


MANY: dict[str, Callable[[int], bytes]] = {
    "a.flac": comments,
    "a.ape": ape_items,
    "a.mp3": lambda n: id3(frame(b"TXXX", b"\3a\0b") * n),
    "a.wav": lambda n: tagged.with_chunks(tagged.sound("wav"), b"junk\0\0\0\0" * n),
}


@pytest.mark.parametrize("name", MANY)
def test_a_tag_of_too_many_parts_is_refused_and_one_part_fewer_is_read(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(MANY[name](MAX_FIELDS + 1))
    with pytest.raises(TagReadError, match="more than 4,096 parts"):
        read_tags(path)
    path.write_bytes(MANY[name](MAX_FIELDS - 4))
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
