"""The rarer formats: where each keeps its tags, what must follow, and what is refused."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import mutagen
import mutagen.asf
import pytest
from mutagen.apev2 import APEv2

from tagger.errors import TagReadError, TagWriteError
from tagger.tags import read_tags
from tests import streams, tagged
from tests.writing import write_genres

ID3_FIRST = ["aac", "tta"]
APE_FIRST = ["ape", "wv", "mpc", "mpc_sv7"]


def _file(folder: Path, kind: str, head: bytes = b"", tail: bytes = b"") -> Path:
    path = folder / f"song{tagged.extension(kind)}"
    path.write_bytes(head + tagged.sound(kind) + tail)
    return path


def _write(path: Path, *genres: str) -> bytes:
    write_genres(path, genres, provenance=f"{'; '.join(genres)}; 0.50; cnn-1")
    assert read_tags(path).genres == genres
    return path.read_bytes()


def _refused(path: Path, reason: str) -> None:
    before = path.read_bytes()
    with pytest.raises(TagWriteError, match=reason):
        write_genres(path, ["Folk"], provenance=None)
    assert path.read_bytes() == before


# Streams between tags


@pytest.mark.parametrize("kind", ID3_FIRST)
def test_aac_and_tta_get_an_id3_tag_that_repeats_id3v1(tmp_path: Path, kind: str) -> None:
    data = _write(_file(tmp_path, kind, tail=tagged.id3v1(3)), "Folk")
    assert data[:5] == b"ID3\x03\0"
    assert tagged.text_frame(3, "TIT2", "Old title") in data
    assert data.endswith(tagged.sound(kind) + tagged.id3v1(80))


@pytest.mark.parametrize("kind", ID3_FIRST)
def test_aac_and_tta_with_an_ape_tag_alone_have_that_written(tmp_path: Path, kind: str) -> None:
    path = _file(tmp_path, kind, tail=tagged.ape([("Title", b"A"), ("Genre", b"Blues")]))
    assert read_tags(path).genres == ("Blues",)
    data = _write(path, "Folk", "Rock")
    assert data.startswith(tagged.sound(kind))
    items = [
        ("Title", b"A"),
        ("Genre", b"Folk\0Rock"),
        ("TAGGER_GENRE", b"Folk; Rock; 0.50; cnn-1"),
    ]
    assert data.endswith(tagged.ape(items))


@pytest.mark.parametrize("kind", ID3_FIRST)
def test_in_aac_and_tta_a_genre_in_every_tag_is_found_and_follows(
    tmp_path: Path, kind: str
) -> None:
    tail = tagged.ape([("Genre", b"Soul")]) + tagged.LYRICS3 + tagged.id3v1(0)
    path = _file(tmp_path, kind, tagged.rich_id3(4, "Fado"), tail)
    assert read_tags(path).genres == ("Fado", "Soul", "Blues")
    assert _write(path, "Folk").endswith(
        tagged.ape([("Genre", b"Folk")]) + tagged.LYRICS3 + tagged.id3v1(80)
    )


@pytest.mark.parametrize("kind", APE_FIRST)
def test_a_new_ape_tag_repeats_id3v1_and_stands_before_it(tmp_path: Path, kind: str) -> None:
    path = _file(tmp_path, kind, tail=tagged.id3v1(3))
    assert read_tags(path).genres == ("Dance",)
    data = _write(path, "Folk", "Hip-Hop")
    items = [("Title", b"Old title"), ("Artist", b"Old artist"), ("Album", b"Old album")]
    items += [("Year", b"1999"), ("Comment", b"A comment"), ("Track", b"7")]
    items += [("Genre", b"Folk\0Hip-Hop"), ("TAGGER_GENRE", b"Folk; Hip-Hop; 0.50; cnn-1")]
    assert data == tagged.sound(kind) + tagged.ape(items) + tagged.id3v1(80)
    assert tagged.taglib_tags(path)["TITLE"] == ["Old title"]
    assert tagged.taglib_tags(path)["GENRE"] == ["Folk", "Hip-Hop"]


@pytest.mark.parametrize("kind", APE_FIRST)
def test_an_id3v2_tag_in_front_of_an_ape_tagged_stream_follows(tmp_path: Path, kind: str) -> None:
    path = _file(tmp_path, kind, tagged.rich_id3(3, "Blues"), tagged.rich_ape())
    assert read_tags(path).genres == ("Blues",)
    data = _write(path, "Folk")
    assert b"Blues" not in data
    assert data.count(b"TAGGER_GENRE") == 1
    before = tagged.frames_of(tagged.rich_id3(3))
    assert [f for f in tagged.frames_of(data) if f[0] != "TCON"] == before


@pytest.mark.parametrize("kind", APE_FIRST)
def test_a_silent_id3v2_tag_in_front_of_an_ape_tagged_stream_stays(
    tmp_path: Path, kind: str
) -> None:
    head = tagged.rich_id3(3)
    assert _write(_file(tmp_path, kind, head), "Folk").startswith(head + tagged.sound(kind))


@pytest.mark.parametrize("kind", APE_FIRST)
def test_a_new_ape_tag_stands_before_lyrics(tmp_path: Path, kind: str) -> None:
    tail = tagged.LYRICS3 + tagged.id3v1(255, title="A")
    data = _write(_file(tmp_path, kind, tail=tail), "Folk")
    assert data.endswith(tagged.LYRICS3 + tagged.id3v1(80, title="A"))


def test_ape_tags_of_taglib_that_count_too_many_items_are_understood(tmp_path: Path) -> None:
    tag = bytearray(tagged.ape([("Title", b"A"), ("Genre", b"Blues")]))
    for footer in (0, len(tag) - 32):
        tag[footer + 16 : footer + 20] = (3).to_bytes(4, "little")
    path = _file(tmp_path, "ape", tail=bytes(tag))
    assert read_tags(path).genres == ("Blues",)
    data = _write(path, "Folk")
    ours = ("TAGGER_GENRE", b"Folk; 0.50; cnn-1")
    assert data.endswith(tagged.ape([("Title", b"A"), ("Genre", b"Folk"), ours]))


def test_an_ape_tag_whose_count_and_keys_are_odd_is_refused(tmp_path: Path) -> None:
    tag = bytearray(tagged.ape([("Title", b"A"), ("\x01\x02", b"Blues")]))
    tag[len(tag) - 16] = 9
    path = _file(tmp_path, "wv", tail=bytes(tag))
    with pytest.raises(TagReadError, match="as many items"):
        read_tags(path)
    _refused(path, "as many items")


def test_an_ape_tag_without_a_header_gets_none(tmp_path: Path) -> None:
    bare = bytearray(tagged.ape([("Title", b"A")])[32:])
    bare[-12:-8] = bytes(4)
    data = _write(_file(tmp_path, "mpc", tail=bytes(bare)), "Folk")
    assert data.count(b"APETAGEX") == 1
    assert APEv2(io.BytesIO(data))["Genre"] == "Folk"


# DSF and DSDIFF


@pytest.mark.parametrize("tag", [b"", tagged.rich_id3(4), tagged.rich_id3(3, "Blues", padding=0)])
def test_the_sizes_in_a_dsf_header_follow(tmp_path: Path, tag: bytes) -> None:
    path = tmp_path / "song.dsf"
    sound = tagged.sound("dsf")
    path.write_bytes(tagged.with_dsf_tag(sound, tag) if tag else sound)
    data = _write(path, "Folk")
    assert struct.unpack("<QQ", data[12:28]) == (len(data), len(sound))
    assert data[28 : len(sound)] == sound[28:]
    assert data[len(sound) :][:3] == b"ID3"


def test_a_damaged_dsf_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "song.dsf"
    sound = tagged.sound("dsf")
    whole = tagged.with_dsf_tag(sound, tagged.rich_id3(4))
    path.write_bytes(whole[:-1] + b"x")
    _refused(path, "damaged behind")
    path.write_bytes(whole[:-600])
    _refused(path, "not the size it says|cut short")
    path.write_bytes(sound + b"more")
    _refused(path, "not the size it says")
    path.write_bytes(sound[:20] + (1 << 40).to_bytes(8, "little") + sound[28:])
    with pytest.raises(TagReadError, match="outside the file"):
        read_tags(path)


def test_the_size_of_a_dsdiff_file_follows_in_64_bits(tmp_path: Path) -> None:
    path = _file(tmp_path, "dff")
    data = _write(path, "Folk")
    assert int.from_bytes(data[4:12], "big") == len(data) - 12
    assert tagged.chunks_of(data)[:-1] == tagged.chunks_of(tagged.sound("dff"))
    assert tagged.chunks_of(data)[-1][0] == b"ID3 "


def test_a_dsdiff_tag_among_the_properties_is_read_and_left_alone(tmp_path: Path) -> None:
    chunks = tagged.chunks_of(tagged.sound("dff"))
    inner = tagged.chunk(b"ID3 ", tagged.rich_id3(3, "Blues"), ">Q")
    body = b"DSD " + b"".join(
        tagged.chunk(name, data + inner if name == b"PROP" else data, ">Q") for name, data in chunks
    )
    path = tmp_path / "song.dff"
    path.write_bytes(b"FRM8" + struct.pack(">Q", len(body)) + body)
    assert read_tags(path).genres == ("Blues",)
    _refused(path, "among the sound's properties")


def test_a_dsdiff_file_of_another_size_than_it_says_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "song.dff"
    path.write_bytes(tagged.rich_dsdiff() + b"\0")
    _refused(path, "differ")


@pytest.mark.parametrize("kind", ["wav", "aiff", "dff"])
def test_bytes_behind_the_tag_in_its_chunk_are_not_lost(tmp_path: Path, kind: str) -> None:
    chunk_id = b"id3 " if kind == "wav" else b"ID3 "
    tag = tagged.id3(3, [tagged.text_frame(3, "TIT2", "A")]) + b"somebody's"
    size = {"wav": "<I", "aiff": ">I", "dff": ">Q"}[kind]
    path = tmp_path / f"song.{kind}"
    path.write_bytes(tagged.with_chunks(tagged.sound(kind), tagged.chunk(chunk_id, tag, size)))
    _refused(path, "damaged behind TIT2")


# WMA


def _asf_guid(name: str) -> bytes:
    return bytes.fromhex(
        {
            "content encryption": "fbb3112223bdd211b4b700a0c955fc6e",
            "extended encryption": "14e68a292226174cb935dae07ee9289c",
            "signature": "fcb3112223bdd211b4b700a0c955fc6e",
            "padding": "74d40618dfca0945a4ba9aabcb96aae8",
            "extended content": "40a4d0d207e3d21197f000a0c95ea850",
        }[name]
    )


def _asf_object(name: str, body: bytes) -> bytes:
    return _asf_guid(name) + struct.pack("<Q", 24 + len(body)) + body


def _with_asf_object(data: bytes, added: bytes) -> bytes:
    """Return an ASF file with one more object at the end of its header."""
    size, count = struct.unpack("<QI", data[16:28])
    head = data[:16] + struct.pack("<QI", size + len(added), count + 1) + data[28:size]
    whole = bytearray(head + added + data[size:])
    properties = whole.find(bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365"))
    whole[properties + 40 : properties + 48] = len(whole).to_bytes(8, "little")
    return bytes(whole)


def _asf_objects(data: bytes) -> list[tuple[bytes, bytes]]:
    (end, _), at, found = struct.unpack("<QI", data[16:28]), 30, []
    while at < end:
        (size,) = struct.unpack_from("<Q", data, at + 16)
        found.append((data[at : at + 16], data[at + 24 : at + size]))
        at += size
    assert len(found) == struct.unpack("<I", data[24:28])[0]
    return found


def _said_size(data: bytes) -> int:
    bodies = dict(_asf_objects(data))
    properties = bodies[bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")]
    return int.from_bytes(properties[16:24], "little")


def test_several_asf_genres_are_values_of_one_name_and_other_values_stay(tmp_path: Path) -> None:
    path = tagged.make(tmp_path, "wma")
    before = _asf_objects(path.read_bytes())
    data = _write(path, "Rock", "Pop")
    asf: Any = mutagen.File(path)
    assert [str(value) for value in asf["WM/Genre"]] == ["Rock", "Pop"]
    assert [str(value) for value in asf["TAGGER/GENRE"]] == ["Rock; Pop; 0.50; cnn-1"]
    assert [str(value) for value in asf["WM/Mood"]] == ["glad", "sad"]
    ours = (_asf_guid("padding"), _asf_guid("extended content"))
    properties = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
    after = [o for o in _asf_objects(data) if o[0] not in (*ours, properties)]
    assert after == [o for o in before if o[0] not in (*ours, properties)]


@pytest.mark.parametrize("size", [0, 20, 24, 100, 4000])
def test_asf_padding_takes_up_the_difference(tmp_path: Path, size: int) -> None:
    path = tmp_path / "song.wma"
    start = _with_asf_object(tagged.sound("wma"), _asf_object("padding", bytes(size)))
    path.write_bytes(start)
    sound = tagged.decoded(path)
    data = _write(path, "Folk")
    assert (len(data) == len(start)) == (size == 4000)
    assert _said_size(data) == len(data)
    assert tagged.decoded(path) == sound
    assert len(_write(path, "Drum and Bass")) == len(data)


def test_the_size_that_a_broadcast_says_stays_wrong(tmp_path: Path) -> None:
    data = bytearray(tagged.sound("wma"))
    properties = data.find(bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365"))
    data[properties + 40 : properties + 48] = bytes(8)
    path = tmp_path / "song.wma"
    path.write_bytes(data)
    assert _said_size(_write(path, "Folk")) == 0


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("content encryption", "encrypted"),
        ("extended encryption", "encrypted"),
        ("signature", "digitally signed"),
    ],
)
def test_protected_asf_files_are_read_and_left_alone(
    tmp_path: Path, name: str, reason: str
) -> None:
    path = tmp_path / "song.wma"
    path.write_bytes(_with_asf_object(tagged.rich_wma(), _asf_object(name, bytes(16))))
    assert read_tags(path).title == "A title"
    _refused(path, reason)


def test_a_genre_in_the_asf_metadata_library_counts_and_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "song.wma"
    path.write_bytes(tagged.sound("wma"))
    asf: Any = mutagen.File(path)
    attribute: Any = vars(mutagen.asf)["ASFUnicodeAttribute"]
    asf["WM/Genre"] = [attribute("Blues", language=1)]
    asf.save()
    assert read_tags(path).genres == ("Blues",)
    _refused(path, "Metadata Library")


def test_damaged_asf_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "song.wma"
    whole = tagged.rich_wma()
    twice = _with_asf_object(whole, _asf_object("extended content", bytes(2)))
    for data, reason in (
        (whole[:-100], "cut short"),
        (whole[:3000], "cut short"),
        (twice, "2 objects of one kind"),
        (_with_asf_object(whole, b"x" * 30), "no ASF object fits"),
        (whole[:24] + b"\1" + whole[25:], "does not fit"),
    ):
        path.write_bytes(data)
        _refused(path, reason)


def test_an_asf_genre_of_more_than_64_kb_is_refused(tmp_path: Path) -> None:
    path = tagged.make(tmp_path, "wma")
    with pytest.raises(TagWriteError, match="64 KB"):
        write_genres(path, ["A" * 33_000], provenance=None)


# Kinds that are not written


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (b"RF64" + b"\xff" * 4 + b"WAVE", "64-bit"),
        (b"BW64" + b"\xff" * 4 + b"WAVE", "64-bit"),
        (b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\0\0", "64-bit"),
        (b"RIFX\0\0\1\0WAVE", "64-bit or rare"),
        (b"MP+\x04", "Musepack before SV7"),
        (b"ADIF", "ADIF"),
        (b"RIFF\0\1\0\0AVI LIST", "no music file"),
        (b"FRM8" + bytes(8) + b"ABCD", "no music file"),
    ],
)
def test_kinds_that_are_not_written_are_left_alone(
    tmp_path: Path, head: bytes, reason: str
) -> None:
    path = tmp_path / "song.wav"
    path.write_bytes(head + bytes(5000))
    _refused(path, reason)


@pytest.mark.parametrize("head", [b"RIFF\0\1\0\0AVI LIST", b"RF64\0\0\0\0WAVE", b"\x1aE\xdf\xa3"])
def test_mp3_sound_in_a_foreign_container_makes_it_no_mp3(tmp_path: Path, head: bytes) -> None:
    path = tmp_path / "song.mp3"
    path.write_bytes(head + bytes(500) + tagged.sound("mp3"))
    _refused(path, "no music file|64-bit")
    path.write_bytes(bytes(500) + tagged.sound("mp3"))
    _write(path, "Folk")


@pytest.mark.parametrize("kind", streams.KINDS)
def test_a_name_with_another_ending_misleads_nobody(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "song.mp3"
    path.write_bytes(tagged.sound(kind))
    _write(path, "Folk")
    assert path.rename(tmp_path / f"song{tagged.extension(kind)}")
    found = tagged.taglib_tags(tmp_path / f"song{tagged.extension(kind)}")
    assert found["GENRE"] == ["Folk"]


# Tags that would hide others


@pytest.mark.parametrize("version", [2, 3, 4])
def test_an_id3v2_tag_without_text_gets_what_id3v1_says(tmp_path: Path, version: int) -> None:
    head = tagged.id3(version, [], padding=300)
    path = _file(tmp_path, "mp3", head, tagged.id3v1(17))
    data = _write(path, "Folk")
    assert data[3] == version
    found = tagged.taglib_tags(path)
    assert (found["TITLE"], found["DATE"], found["TRACKNUMBER"]) == (["Old title"], ["1999"], ["7"])
    assert found["COMMENT"] == ["A comment"]


def test_an_id3v2_tag_without_text_stays_beside_an_ape_tag(tmp_path: Path) -> None:
    head = tagged.id3(3, [tagged.frame(3, "PRIV", b"x\0y")])
    path = _file(tmp_path, "mp3", head, tagged.ape([("Title", b"A")]))
    assert _write(path, "Folk").startswith(head + tagged.sound("mp3"))


def test_a_new_id3_chunk_repeats_what_info_says(tmp_path: Path) -> None:
    texts = tagged.info(
        (b"INAM", "Ein Lied"), (b"ICMT", "日本 🎸"), (b"ICRD", "1999-05-01"), (b"IPRD", "Пластинка")
    )
    path = tmp_path / "song.wav"
    path.write_bytes(tagged.with_chunks(tagged.sound("wav"), texts))
    _write(path, "Folk")
    found = tagged.taglib_tags(path)
    assert {key: found[key] for key in ("TITLE", "COMMENT", "DATE", "ALBUM", "GENRE")} == {
        "TITLE": ["Ein Lied"],
        "COMMENT": ["日本 🎸"],
        "DATE": ["1999-05-01"],
        "ALBUM": ["Пластинка"],
        "GENRE": ["Folk"],
    }


def test_where_flac_comments_say_nothing_the_id3_tag_in_front_is_written(tmp_path: Path) -> None:
    path = _file(tmp_path, "flac", tagged.rich_id3(3))
    assert _write(path, "Folk").endswith(tagged.sound("flac"))
    assert tagged.taglib_tags(path)["TITLE"] == ["A title"]
    assert tagged.taglib_tags(path)["GENRE"] == ["Folk"]


def test_two_id3_tags_in_front_of_silent_flac_comments_are_refused(tmp_path: Path) -> None:
    _refused(_file(tmp_path, "flac", tagged.rich_id3(3) + tagged.rich_id3(4)), "two ID3v2 tags")


def test_id3v1_behind_flac_counts_follows_and_is_repeated_by_empty_comments(tmp_path: Path) -> None:
    path = _file(tmp_path, "flac", tail=tagged.id3v1(17))
    assert read_tags(path).genres == ("Rock",)
    assert _write(path, "Folk").endswith(tagged.id3v1(80))
    assert tagged.taglib_tags(path)["TITLE"] == ["Old title"]
    path.write_bytes(tagged.rich_flac() + tagged.id3v1(17))
    assert _write(path, "Folk").endswith(tagged.id3v1(80))
    assert tagged.taglib_tags(path)["TITLE"] == ["A title"]


def test_a_new_id3_chunk_repeats_what_dsdiff_itself_says(tmp_path: Path) -> None:
    path = tmp_path / "song.dff"
    path.write_bytes(tagged.edited_dsdiff())
    assert (read_tags(path).title, read_tags(path).artist) == ("A title", "An artist")
    _write(path, "Folk")
    found = tagged.taglib_tags(path)
    assert (found["TITLE"], found["ARTIST"]) == (["A title"], ["An artist"])
