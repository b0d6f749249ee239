"""ID3 in MP3 files: versions, frames that others lose, and the tags behind the audio."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mutagen.id3 import ID3

from tagger.errors import TagReadError, TagWriteError
from tagger.tags import read_tags
from tests import tagged
from tests.writing import write_genres


def _mp3(folder: Path, head: bytes = b"", tail: bytes = b"") -> Path:
    path = folder / "song.mp3"
    path.write_bytes(head + tagged.sound("mp3") + tail)
    return path


def _write(path: Path, *genres: str) -> bytes:
    write_genres(path, genres, provenance=f"{'; '.join(genres)}; 0.50; cnn-1")
    return path.read_bytes()


@pytest.mark.parametrize("version", [2, 3, 4])
@pytest.mark.parametrize("genre", [None, "Blues"])
@pytest.mark.parametrize("padding", [0, 3, 4096])
def test_the_version_and_every_other_frame_stay(
    tmp_path: Path, version: int, genre: str | None, padding: int
) -> None:
    head = tagged.rich_id3(version, genre, padding)
    data = _write(_mp3(tmp_path, head), "Folk")
    assert data[3] == version
    ours = ("TCON", "TCO", "TAGGER_GENRE")
    before = [f for f in tagged.frames_of(head) if f[0] not in ours]
    after = [f for f in tagged.frames_of(data) if f[0] not in ours and b"TAGGER_GENRE" not in f[1]]
    assert after == before
    assert data.endswith(tagged.sound("mp3"))


def test_several_genres_are_values_of_their_own_in_v24_and_joined_before(tmp_path: Path) -> None:
    for version, text in ((4, b"Rock\0Pop"), (3, b"Rock; Pop"), (2, b"Rock; Pop")):
        data = _write(_mp3(tmp_path, tagged.rich_id3(version)), "Rock", "Pop")
        frame_id = "TCO" if version == 2 else "TCON"
        assert tagged.frame(version, frame_id, b"\0" + text) in data
        assert read_tags(tmp_path / "song.mp3").genres == ("Rock", "Pop")


def test_a_new_tag_is_v23_with_room_for_the_next_write(tmp_path: Path) -> None:
    path = _mp3(tmp_path)
    first = _write(path, "Folk")
    assert first[:5] == b"ID3\x03\0"
    assert len(_write(path, "Drum and Bass")) == len(first)


def test_the_genre_stays_where_it_stood(tmp_path: Path) -> None:
    data = _write(_mp3(tmp_path, tagged.rich_id3(4, "Blues")), "Folk")
    assert [frame_id for frame_id, _ in tagged.frames_of(data)][:3] == ["TIT2", "TCON", "TXXX"]


def test_a_new_genre_stands_before_an_empty_frame(tmp_path: Path) -> None:
    empty = tagged.frame(3, "TPE3", b"")
    head = tagged.id3(3, [tagged.text_frame(3, "TIT2", "A"), empty, tagged.frame(3, "PRIV", b"x")])
    data = _write(_mp3(tmp_path, head), "Folk")
    ids = [frame_id for frame_id, _ in tagged.frames_of(data)]
    assert ids == ["TIT2", "TCON", "TXXX", "TPE3", "PRIV"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("17", ("Rock",)),
        ("(17)", ("Rock",)),
        ("(17)(4)Eurodisco", ("Rock", "Disco", "Eurodisco")),
        ("(RX)", ("Remix",)),
        ("CR", ("Cover",)),
        ("(17)Rock", ("Rock",)),
        ("Rock;Pop", ("Rock", "Pop")),
        ("Duo Cello/Klavier", ("Duo Cello/Klavier",)),
        ("", ()),
        ("  ", ()),
        ("255", ()),
        ("(255)", ()),
    ],
)
def test_id3_genres_are_read_by_name(tmp_path: Path, text: str, names: tuple[str, ...]) -> None:
    path = _mp3(tmp_path, tagged.id3(3, [tagged.text_frame(3, "TCON", text)]))
    assert read_tags(path).genres == names


def test_a_genre_that_would_read_as_a_number_is_refused(tmp_path: Path) -> None:
    path = _mp3(tmp_path, tagged.rich_id3(4))
    before = path.read_bytes()
    with pytest.raises(TagWriteError, match="would read as 'Rock'"):
        _write(path, "17")
    assert path.read_bytes() == before


@pytest.mark.parametrize("version", [2, 3])
def test_an_unsynchronised_tag_stays_so_and_keeps_its_frames(tmp_path: Path, version: int) -> None:
    head = tagged.rich_id3(version, padding=0)
    body = head[10:].replace(b"\xff\0", b"\xff\0\0").replace(b"\xff\xfe", b"\xff\0\xfe")
    assert body != head[10:]
    tag = head[:5] + b"\x80" + tagged.synchsafe(len(body)) + body
    path = _mp3(tmp_path, tag)
    data = _write(path, "日本")
    assert data[5] == 0x80
    size = tagged.synchsafe_number(data[6:10])
    plain = data[10 : 10 + size].replace(b"\xff\0", b"\xff")
    flat = data[:5] + b"\0" + tagged.synchsafe(len(plain)) + plain
    assert [f for f in tagged.frames_of(head) if f not in tagged.frames_of(flat)] == []
    assert tagged.taglib_tags(path)["GENRE"] == ["日本"]


def test_v24_frames_keep_their_own_flags(tmp_path: Path) -> None:
    inner = b"\0\0\0\x05" + b"\0a\xff\0b"
    frames = [tagged.frame(4, "TPE1", inner, flags=0x0003), tagged.frame(4, "TIT2", b"\0A")]
    data = _write(_mp3(tmp_path, tagged.id3(4, frames, flags=0x80)), "Folk")
    assert frames[0] in data
    assert data[5] == 0x80
    assert read_tags(tmp_path / "song.mp3").artist == "aÿb"


def test_sizes_as_old_itunes_wrote_them_are_understood(tmp_path: Path) -> None:
    body = b"\0" + b"x" * 299
    plain = b"COMM" + len(body).to_bytes(4, "big") + b"\0\0" + body
    head = tagged.id3(4, [plain, tagged.text_frame(4, "TIT2", "A")])
    data = _write(_mp3(tmp_path, head), "Folk", "A genre of " + "many " * 40 + "words")
    assert plain in data
    assert read_tags(tmp_path / "song.mp3").genres[0] == "Folk"


def test_a_footer_follows_the_header(tmp_path: Path) -> None:
    body = tagged.text_frame(4, "TIT2", "A")
    ends = b"\x04\0\x10" + tagged.synchsafe(len(body))
    data = _write(_mp3(tmp_path, b"ID3" + ends + body + b"3DI" + ends), "Folk")
    size = tagged.synchsafe_number(data[6:10])
    assert data[10 + size : 20 + size] == b"3DI" + data[3:10]
    assert data[20 + size :] == tagged.sound("mp3")


def test_a_v23_extended_header_says_the_new_padding(tmp_path: Path) -> None:
    extended = (6).to_bytes(4, "big") + b"\0\0" + (100).to_bytes(4, "big")
    body = extended + tagged.text_frame(3, "TIT2", "A") + bytes(100)
    head = b"ID3\x03\0\x40" + tagged.synchsafe(len(body)) + body
    data = _write(_mp3(tmp_path, head), "Folk")
    assert len(data) == len(head) + len(tagged.sound("mp3"))
    padding = int.from_bytes(data[16:20], "big")
    frames = data[20 : 10 + len(body)]
    assert frames[len(frames) - padding :] == bytes(padding)
    assert frames[len(frames) - padding - 1] != 0


def test_id3v1_changes_in_its_genre_byte_alone(tmp_path: Path) -> None:
    tail = tagged.id3v1(genre=7)
    data = _write(_mp3(tmp_path, tagged.rich_id3(3, "Hip-Hop"), tail), "Folk")
    assert data[-128:-1] == tail[:-1]
    assert data[-1] == 80
    assert _write(tmp_path / "song.mp3", "Dungeon Synth")[-1] == 255


def test_a_genre_in_id3v1_alone_is_found(tmp_path: Path) -> None:
    assert read_tags(_mp3(tmp_path, tail=tagged.id3v1(17))).genres == ("Rock",)
    assert read_tags(_mp3(tmp_path, tail=tagged.id3v1(255))).genres == ()
    assert read_tags(_mp3(tmp_path, tail=tagged.id3v1(250))).genres == ()


def test_a_new_id3v2_tag_repeats_what_id3v1_says(tmp_path: Path) -> None:
    path = _mp3(tmp_path, tail=tagged.id3v1(17))
    _write(path, "Folk")
    tags: Any = ID3(path, load_v1=False, translate=False)
    assert {key: str(frame) for key, frame in tags.items() if key != "TXXX:TAGGER_GENRE"} == {
        "TIT2": "Old title",
        "TPE1": "Old artist",
        "TALB": "Old album",
        "TYER": "1999",
        "COMM::eng": "A comment",
        "TRCK": "7",
        "TCON": "Folk",
    }


def test_an_ape_genre_counts_and_follows(tmp_path: Path) -> None:
    items = [("Artist", b"Somebody"), ("Genre", b"Blues"), ("ReplayGain", b"-3 dB")]
    tail = tagged.ape(items) + tagged.LYRICS3 + tagged.id3v1(0)
    path = _mp3(tmp_path, tagged.rich_id3(3), tail)
    assert read_tags(path).genres == ("Blues",)
    data = _write(path, "Folk")
    items[1] = ("Genre", b"Folk")
    assert data.endswith(tagged.ape(items) + tagged.LYRICS3 + tagged.id3v1(80))


def test_an_ape_tag_without_a_genre_stays_beside_id3v2(tmp_path: Path) -> None:
    tail = tagged.ape([("ReplayGain", b"-3 dB")])
    assert _write(_mp3(tmp_path, tagged.rich_id3(3), tail), "Folk").endswith(tail)


def test_a_file_with_ape_alone_gets_its_genre_there(tmp_path: Path) -> None:
    path = _mp3(tmp_path, tail=tagged.ape([("Title", b"A")]))
    data = _write(path, "Folk", "Rock")
    items = [("Title", b"A"), ("Genre", b"Folk\0Rock")]
    assert data.endswith(tagged.ape([*items, ("TAGGER_GENRE", b"Folk; Rock; 0.50; cnn-1")]))
    assert data.startswith(tagged.sound("mp3"))
    assert tagged.taglib_tags(path)["GENRE"] == ["Folk", "Rock"]


def _junk_after_frames() -> bytes:
    return tagged.id3(3, [tagged.text_frame(3, "TIT2", "A"), b"\x01junk"])


def _cut_frame() -> bytes:
    return tagged.id3(3, [b"TIT2\0\0\xff\xff\0\0\0A"])


def _encrypted_genre() -> bytes:
    return tagged.id3(3, [tagged.frame(3, "TCON", b"\x01\0Rock", flags=0x0040)])


def _checksum() -> bytes:
    body = (10).to_bytes(4, "big") + b"\x80\0" + bytes(8) + tagged.text_frame(3, "TIT2", "A")
    return b"ID3\x03\0\x40" + tagged.synchsafe(len(body)) + body


def _seek_index() -> bytes:
    return tagged.id3(4, [tagged.frame(4, "ASPI", bytes(12))], padding=0)


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (_junk_after_frames(), "damaged behind TIT2"),
        (_cut_frame(), "damaged behind its header"),
        (_encrypted_genre(), "genre frame is encrypted"),
        (_checksum(), "checksum"),
        (_seek_index(), "seek index"),
        (tagged.rich_id3(3) + tagged.rich_id3(4), "two ID3v2 tags"),
    ],
)
def test_a_tag_that_cannot_be_changed_safely_is_refused(
    tmp_path: Path, head: bytes, reason: str
) -> None:
    path = _mp3(tmp_path, head)
    before = path.read_bytes()
    with pytest.raises(TagWriteError, match=reason):
        _write(path, "Folk")
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["song.mp3"]


@pytest.mark.parametrize("version", [5, 255])
def test_an_unknown_version_is_refused(tmp_path: Path, version: int) -> None:
    path = _mp3(tmp_path, tagged.id3(version if version < 255 else 9, []))
    with pytest.raises(TagReadError, match="nobody has defined"):
        read_tags(path)


def test_our_field_left_in_an_ape_tag_does_not_outlive_the_one_in_id3(tmp_path: Path) -> None:
    items = [("Title", b"A"), ("TAGGER_GENRE", b"Blues; 0.50; cnn-1")]
    path = _mp3(tmp_path, tagged.rich_id3(3), tagged.ape(items))
    assert read_tags(path).provenance == "Blues; 0.50; cnn-1"
    write_genres(path, ["Folk"], provenance=None)
    assert read_tags(path).provenance is None
    assert tagged.ape([("Title", b"A"), ("Genre", b"Folk")]) in path.read_bytes()
