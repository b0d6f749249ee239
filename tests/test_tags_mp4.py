"""MP4: tags in every state, tables of offsets, and fragmented files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tagger.errors import TagWriteError
from tagger.tags import prepare_restore, read_tags
from tests import tagged
from tests.writing import write_genres


def _write(path: Path, *genres: str) -> None:
    write_genres(path, genres, provenance=f"{'; '.join(genres)}; 0.50; cnn-1")


def test_mp4_sample_offsets_find_the_same_bytes_when_the_tags_grow(tmp_path: Path) -> None:
    path = tagged.make(tmp_path, "bare m4a_faststart")
    before = path.read_bytes()
    assert before.index(b"moov") < before.index(b"mdat")
    _write(path, "Folk")
    after = path.read_bytes()
    moved = len(after) - len(before)
    assert moved > 0
    assert [new - old for old, new in zip(_stco(before), _stco(after), strict=True)] == [
        moved for _ in _stco(before)
    ]


def test_a_last_item_that_ends_like_padding_is_no_obstacle(tmp_path: Path) -> None:
    """FFmpeg writes the number of the track last, which ends in zeros, and leaves no room."""
    path = tmp_path / "song.m4a"
    file = tagged.Filling(tagged.sound("m4a"))
    file.tags.clear()
    file.tags["\xa9nam"], file.tags["trkn"] = "A title", [(1, 12)]
    path.write_bytes(_without_last_atom(file.saved(padding=lambda _info: 0), b"free", 8))
    track = _atom(b"trkn", _atom(b"data", bytes(8) + b"\0\0\0\x01\0\x0c\0\0"))
    assert path.read_bytes().endswith(track)
    before, sound = read_tags(path), tagged.decoded(path)
    _write(path, "Folk")
    assert track in path.read_bytes()
    found = tagged.taglib_tags(path)
    assert (found["GENRE"], found["TRACKNUMBER"]) == (["Folk"], ["1/12"])
    assert tagged.decoded(path) == sound
    with prepare_restore(path, before) as prepared:
        prepared.carry_out()
    assert track in path.read_bytes()
    assert read_tags(path) == before


def test_mp4_doubles_and_a_freeform_tag_without_a_name_stay(tmp_path: Path) -> None:
    path = tagged.make(tmp_path, "m4a")
    odd = _atom(b"----", _atom(b"data", b"\0\0\0\1\0\0\0\0odd")) + _atom(b"xyz!", b"")
    odd += 2 * _atom(b"cprt", _atom(b"data", b"\0\0\0\1\0\0\0\0me"))
    data = _with_more_ilst(path.read_bytes(), odd)
    path.write_bytes(data)
    _write(path, "Folk")
    assert odd in path.read_bytes()
    assert read_tags(path).genres == ("Folk",)


def test_a_numbered_mp4_genre_is_read_by_name_and_replaced(tmp_path: Path) -> None:
    path = tagged.make(tmp_path, "m4a")
    number = _atom(b"gnre", _atom(b"data", b"\0\0\0\0\0\0\0\0\0\x12"))
    path.write_bytes(_with_more_ilst(path.read_bytes(), number))
    assert read_tags(path).genres == ("Rock",)
    _write(path, "Folk")
    assert read_tags(path).genres == ("Folk",)
    assert b"gnre" not in path.read_bytes()


@pytest.mark.parametrize("kind", ["m4a", "m4a_faststart"])
@pytest.mark.parametrize("missing", [b"udta", b"meta", b"ilst"])
def test_tags_are_made_where_a_level_of_them_is_missing(
    tmp_path: Path, kind: str, missing: bytes
) -> None:
    path = tagged.make(tmp_path, f"bare {kind}")
    path.write_bytes(path.read_bytes().replace(missing, b"skip"))
    before = tagged.decoded(path)
    _write(path, "Folk", "Rock")
    assert tagged.decoded(path) == before
    assert tagged.taglib_tags(path)["GENRE"] == ["Folk", "Rock"]
    size = path.stat().st_size
    _write(path, "Drum and Bass")
    assert path.stat().st_size == size


def test_empty_user_data_get_tags(tmp_path: Path) -> None:
    path = tagged.make(tmp_path, "bare m4a")
    data = path.read_bytes()
    start = data.index(b"udta") - 4
    size = int.from_bytes(data[start : start + 4], "big")
    free = (size - 8).to_bytes(4, "big") + b"free" + bytes(size - 16)
    path.write_bytes(data[:start] + _atom(b"udta", b"") + free + data[start + size :])
    before = tagged.decoded(path)
    _write(path, "Folk")
    assert tagged.decoded(path) == before
    assert tagged.taglib_tags(path)["GENRE"] == ["Folk"]


def test_metadata_of_another_kind_are_left_alone(tmp_path: Path) -> None:
    path = tagged.make(tmp_path, "bare m4a")
    data = path.read_bytes().replace(b"mdir", b"mdta").replace(b"ilst", b"keys")
    path.write_bytes(data)
    with pytest.raises(TagWriteError, match="not iTunes's"):
        _write(path, "Folk")
    assert path.read_bytes() == data


def test_wide_offsets_are_moved_along_too(tmp_path: Path) -> None:
    path = tagged.make(tmp_path, "bare m4a_faststart")
    path.write_bytes(_with_wide_offsets(path.read_bytes()))
    before, size = tagged.decoded(path), path.stat().st_size
    _write(path, "Folk")
    assert path.stat().st_size > size
    assert tagged.decoded(path) == before


@pytest.mark.parametrize("kind", ["m4a_fragmented", "m4a_fragmented_indexed"])
def test_a_fragmented_file_is_written_unless_it_has_absolute_positions(
    tmp_path: Path, kind: str
) -> None:
    path = tagged.make(tmp_path, f"bare {kind}")
    before, data = tagged.decoded(path), path.read_bytes()
    if kind == "m4a_fragmented":
        _write(path, "Folk")
        assert read_tags(path).genres == ("Folk",)
        assert tagged.decoded(path) == before
    else:
        with pytest.raises(TagWriteError, match="fragmented"):
            _write(path, "Folk")
        assert path.read_bytes() == data


@pytest.mark.parametrize("kind", ["moov", "udta", "ilst"])
def test_an_atom_that_should_be_alone_but_is_double_is_refused(tmp_path: Path, kind: str) -> None:
    path = tagged.make(tmp_path, "m4a_faststart")
    data = path.read_bytes()
    at = data.index(kind.encode()) - 4
    atom = data[at : at + int.from_bytes(data[at : at + 4], "big")]
    if kind == "moov":
        data = data + atom
    else:
        parents = [b"moov", b"udta", b"meta"][: 1 if kind == "udta" else 3]
        data = _grown(data, parents, at + len(atom), atom)
    path.write_bytes(data)
    with pytest.raises(TagWriteError, match=f"2 atoms '{kind}'"):
        _write(path, "Folk")
    assert path.read_bytes() == data


def _atom(kind: bytes, body: bytes) -> bytes:
    return (len(body) + 8).to_bytes(4, "big") + kind + body


def _with_more_ilst(data: bytes, more: bytes) -> bytes:
    """Put atoms at the end of ilst, taking their room from the free atom behind it."""
    ilst = data.index(b"ilst") - 4
    size = int.from_bytes(data[ilst : ilst + 4], "big")
    end = ilst + size
    assert data[end + 4 : end + 8] == b"free"
    free = int.from_bytes(data[end : end + 4], "big")
    body = data[ilst + 8 : end] + more
    padding = _atom(b"free", bytes(free - 8 - len(more)))
    return data[:ilst] + _atom(b"ilst", body) + padding + data[end + free :]


def _stco(data: bytes) -> list[int]:
    at = data.index(b"stco") + 8
    count = int.from_bytes(data[at : at + 4], "big")
    entries = range(at + 4, at + 4 + 4 * count, 4)
    return [int.from_bytes(data[entry : entry + 4], "big") for entry in entries]


def _grown(data: bytes, parents: list[bytes], at: int, more: bytes) -> bytes:
    """Insert bytes and make the atoms around them as much longer; offsets stay as they are."""
    for parent in parents:
        start = data.index(parent) - 4
        size = int.from_bytes(data[start : start + 4], "big") + len(more)
        data = data[:start] + size.to_bytes(4, "big") + data[start + 4 :]
    return data[:at] + more + data[at:]


def _without_last_atom(data: bytes, kind: bytes, size: int) -> bytes:
    """Take an atom off the end of a file whose tags stand there."""
    assert data[-size:] == _atom(kind, bytes(size - 8))
    for parent in (b"moov", b"udta", b"meta"):
        start = data.index(parent) - 4
        length = int.from_bytes(data[start : start + 4], "big") - size
        data = data[:start] + length.to_bytes(4, "big") + data[start + 4 :]
    return data[:-size]


def _with_wide_offsets(data: bytes) -> bytes:
    """Make the stco of a file with moov in front a co64."""
    offsets = _stco(data)
    at = data.index(b"stco") - 4
    more = 4 * len(offsets)
    table = b"".join((offset + more).to_bytes(8, "big") for offset in offsets)
    body = bytes(4) + len(offsets).to_bytes(4, "big") + table
    grown = _grown(data, [b"moov", b"trak", b"mdia", b"minf", b"stbl"], at, bytes(more))
    return grown[:at] + _atom(b"co64", body) + grown[at + 16 + len(table) :]


@pytest.mark.parametrize("is_in_front", [True, False])
def test_a_segment_index_in_front_of_the_tags_keeps_them_from_growing(
    tmp_path: Path, is_in_front: bool
) -> None:
    """It says how far the segments are from its own end; behind the tags it moves with them."""
    path = tagged.make(tmp_path, "bare m4a_fragmented")
    data = path.read_bytes()
    moov = data.index(b"moov") - 4
    end = moov + int.from_bytes(data[moov : moov + 4], "big")
    at = moov if is_in_front else end
    data = data[:at] + _atom(b"sidx", bytes(24)) + data[at:]
    path.write_bytes(data)
    if is_in_front:
        with pytest.raises(TagWriteError, match="fragmented"):
            _write(path, "Folk")
        assert path.read_bytes() == data
    else:
        _write(path, "Folk")
        assert read_tags(path).genres == ("Folk",)


def test_an_offset_to_the_first_byte_behind_the_tags_moves_with_that_byte(tmp_path: Path) -> None:
    path = tagged.make(tmp_path, "bare m4a_faststart")
    data = path.read_bytes()
    moov, table = data.index(b"moov") - 4, data.index(b"stco") + 12
    end = moov + int.from_bytes(data[moov : moov + 4], "big")
    path.write_bytes(data[:table] + end.to_bytes(4, "big") + data[table + 4 :])
    _write(path, "Folk")
    moved = path.stat().st_size - len(data)
    assert moved > 0
    assert _stco(path.read_bytes())[0] == end + moved
