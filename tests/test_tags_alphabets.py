"""Texts that are repeated in a new tag, since that would hide them: in the right letters, all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import av
import mutagen
import pytest

from tagger.errors import TagWriteError
from tagger.tags import prepare_write, read_tags
from tests import tagged
from tests.writing import write_genres

OURS = "Folk; 0.50; cnn-1"


def v1(title: bytes, comment: bytes = b"A comment") -> bytes:
    text = title.ljust(30, b"\0") + b"Old artist".ljust(30, b"\0") + b"Old album".ljust(30, b"\0")
    return b"TAG" + text + b"1999" + comment.ljust(28, b"\0") + b"\0\x07\xff"


V1_KINDS = ["mp3", "aac", "tta", "ape", "wv", "mpc", "flac"]
FOREIGN = {
    "cp1251": "Песня о друге".encode("cp1251"),
    "Shift-JIS": "日本の歌".encode("shift-jis"),
    "GBK": "中文歌曲".encode("gbk"),
    "cp1250": "Žluťoučký kůň".encode("cp1250"),
    "Latin-1": "Björk".encode("latin-1"),
}


def written(path: Path) -> bool:
    with prepare_write(path, ["Folk"], provenance=OURS) as prepared:
        prepared.carry_out()
    return True


def title_of(path: Path) -> str:
    return read_tags(path).title


@pytest.mark.parametrize("kind", V1_KINDS)
@pytest.mark.parametrize("title", ["Песня", "日本の歌", "Ďábel"])
def test_id3v1_in_utf8_is_repeated_as_it_reads(tmp_path: Path, kind: str, title: str) -> None:
    path = tmp_path / f"song.{kind}"
    path.write_bytes(tagged.sound(kind) + v1(title.encode()))
    assert title_of(path) == title
    write_genres(path, ["Folk"], provenance=OURS)
    assert tagged.taglib_tags(path)["TITLE"] == [title]
    assert by_ffmpeg(path).get("title", title) == title


def test_a_letter_that_the_field_cuts_off_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    path.write_bytes(tagged.sound("mp3") + v1(("a" + "я" * 20).encode()[:30]))
    write_genres(path, ["Folk"], provenance=OURS)
    assert tagged.taglib_tags(path)["TITLE"] == ["a" + "я" * 14]


@pytest.mark.parametrize("kind", V1_KINDS)
@pytest.mark.parametrize("alphabet", FOREIGN)
def test_id3v1_in_an_alphabet_that_nobody_names_is_not_repeated(
    tmp_path: Path, kind: str, alphabet: str
) -> None:
    path = tmp_path / f"song.{kind}"
    before = tagged.sound(kind) + v1(FOREIGN[alphabet])
    path.write_bytes(before)
    with pytest.raises(TagWriteError, match=r"ID3v1 tag is written in an alphabet .* tag editor"):
        written(path)
    assert path.read_bytes() == before


def test_an_odd_id3v1_beside_a_full_tag_is_no_hindrance(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    path.write_bytes(tagged.rich_id3(3) + tagged.sound("mp3") + v1(FOREIGN["cp1251"]))
    assert written(path)


@pytest.mark.parametrize("alphabet", FOREIGN)
def test_an_info_list_in_an_alphabet_that_nobody_names_is_not_repeated(
    tmp_path: Path, alphabet: str
) -> None:
    path = tmp_path / "song.wav"
    text = FOREIGN[alphabet] + b"\0"
    info = tagged.chunk(b"LIST", b"INFO" + tagged.chunk(b"IMUS", text))
    before = tagged.with_chunks(tagged.sound("wav"), info)
    path.write_bytes(before)
    with pytest.raises(TagWriteError, match="INFO list is written in an alphabet"):
        written(path)
    assert path.read_bytes() == before


def test_dsdiffs_own_texts_in_an_alphabet_that_nobody_names_are_not_repeated(
    tmp_path: Path,
) -> None:
    path = tmp_path / "song.dff"
    text = FOREIGN["cp1251"]
    inner = tagged.chunk(b"DITI", len(text).to_bytes(4, "big") + text, ">Q")
    path.write_bytes(tagged.with_chunks(tagged.sound("dff"), tagged.chunk(b"DIIN", inner, ">Q")))
    with pytest.raises(TagWriteError, match="DIIN chunk is written in an alphabet"):
        written(path)


# No tag hides another


INFO = {
    b"INAM": "A title", b"IART": "An artist", b"IPRD": "An album", b"ICRD": "2018-04-26",
    b"ICMT": "A comment", b"IPRT": "7", b"ISFT": "A program", b"ITCH": "An encoder",
    b"IMUS": "A composer", b"IWRI": "A lyricist", b"IEDT": "A remixer", b"ICOP": "(c) Someone",
    b"IBPM": "120", b"ILNG": "English", b"IMED": "CD", b"ISRC": "GBAAA0000001",
    b"IBSU": "http://example.org/", b"IENG": "An arranger", b"ISTR": "A player",
    b"PRT1": "Disc two", b"ICNT": "Finland", b"ISBJ": "A subject", b"IKEY": "words",
    b"IPRO": "A label", b"IENC": "2019",
}  # fmt: skip


def infos(**changes: str) -> bytes:
    texts = {**INFO, **{name.encode(): text for name, text in changes.items()}}
    return tagged.info(*texts.items())


def aiff_texts() -> bytes:
    names = ((b"NAME", b"A title"), (b"AUTH", b"An artist"), (b"(c) ", b"2018 Someone"))
    return b"".join(tagged.chunk(i, text, ">I") for i, text in (*names, (b"ANNO", b"A note")))


def with_v1(kind: str) -> bytes:
    return tagged.sound(kind) + tagged.id3v1()


ALONE: dict[str, Callable[[], bytes]] = {
    **{f"v1 {kind}": partial(with_v1, kind) for kind in V1_KINDS},
    "INFO": lambda: tagged.with_chunks(tagged.sound("wav"), infos()),
    "INFO, year": lambda: tagged.with_chunks(tagged.sound("wav"), infos(ICRD="2018")),
    "INFO, month": lambda: tagged.with_chunks(tagged.sound("wav"), infos(ICRD="2018-04")),
    "INFO, words": lambda: tagged.with_chunks(tagged.sound("wav"), infos(ICRD="April 2018")),
    "INFO, letters": lambda: tagged.with_chunks(
        tagged.sound("wav"), infos(IMUS="Композитор", ICOP="© 2018 Ωmega", IENG="日本")
    ),
    "INFO, two tracks": lambda: tagged.with_chunks(tagged.sound("wav"), infos(ITRK="3")),
    "INFO, silent v2.2": lambda: tagged.with_chunks(
        tagged.sound("wav"), infos(), tagged.chunk(b"id3 ", tagged.id3(2, []))
    ),
    "INFO, silent v2.3": lambda: tagged.with_chunks(
        tagged.sound("wav"), infos(), tagged.chunk(b"id3 ", tagged.id3(3, []))
    ),
    "INFO, silent v2.4": lambda: tagged.with_chunks(
        tagged.sound("wav"), infos(), tagged.chunk(b"id3 ", tagged.id3(4, []))
    ),
    "AIFF texts": lambda: tagged.with_chunks(tagged.sound("aiff"), aiff_texts()),
    "DIIN": tagged.edited_dsdiff,
    "silent ID3 and v1": lambda: tagged.id3(4, []) + tagged.sound("mp3") + tagged.id3v1(),
    "APE and v1": lambda: tagged.sound("mp3") + tagged.rich_ape() + tagged.id3v1(),
    "ID3 before APE": lambda: tagged.rich_id3(3) + tagged.sound("wv"),
    "ID3 before Monkey's": lambda: tagged.rich_id3(4) + tagged.sound("ape") + tagged.id3v1(),
    "ID3 before FLAC": lambda: tagged.rich_id3(3) + tagged.sound("flac"),
    "v1 behind FLAC": lambda: tagged.rich_flac() + tagged.id3v1(),
    # Of the WAV file's chunk bext, which is too short, FFmpeg reads whatever lies behind it.
    **{kind: make for kind, make in tagged.RICH.items() if kind != "wav"},
}
_SUFFIXES = {"INFO": "wav", "AIFF": "aiff", "DIIN": "dff", "silent": "mp3", "APE": "mp3"}
_SUFFIXES |= {"ID3 before APE": "wv", "ID3 before Monkey's": "ape", "ID3 before FLAC": "flac"}
_SUFFIXES |= {"v1 behind FLAC": "flac"}


def suffix(case: str) -> str:
    if case.startswith("v1 ") and case[3:] in V1_KINDS:
        return "." + case[3:]
    first = case.replace(",", "").split()[0]
    return "." + (_SUFFIXES.get(case) or _SUFFIXES.get(first) or tagged.extension(case)[1:])


def by_taglib(path: Path) -> Mapping[str, Any]:
    return tagged.taglib_tags(path)


def by_ffmpeg(path: Path) -> Mapping[str, Any]:
    try:
        with av.open(str(path), metadata_errors="replace") as file:
            found = {**file.metadata}
            for stream in file.streams:
                found |= stream.metadata
    except av.error.InvalidDataError:  # a kind, or an arrangement, that it does not know
        return {}
    return {name.lower(): text for name, text in found.items()}


def by_mutagen(path: Path) -> Mapping[str, Any]:
    try:
        file: Any = mutagen.File(path)
    except mutagen.MutagenError:
        return {}
    if file is None or file.tags is None:
        return {}
    return {str(name): str(value) for name, value in dict(file.tags).items()}


@pytest.mark.parametrize("case", ALONE)
@pytest.mark.parametrize("read", [by_taglib, by_ffmpeg, by_mutagen])
def test_no_reader_loses_a_field_of_any_tag(tmp_path: Path, case: str, read: Any) -> None:
    path = tmp_path / f"song{suffix(case)}"
    path.write_bytes(ALONE[case]())
    before = read(path)
    write_genres(path, ["Folk"], provenance=OURS)
    after = read(path)
    genres = {"genre", "tcon", "\xa9gen", "wm/genre", "tco"}
    lost = {
        name: (value, after.get(name))
        for name, value in before.items()
        if after.get(name) != value and name.lower() not in genres
    }
    assert lost == {}


# A tag that says it is unsynchronised, and is not


def falsely_flagged(version: int = 3) -> bytes:
    """Return a tag as id3lib wrote it: flagged, with byte order marks and a JPEG as they are."""
    picture = b"\xff\xd8\xff\xe0" + b"\xff\0\x12" * 300 + b"\xff\xd9"
    utf16 = b"\x01\xff\xfe" + "Title one".encode("utf-16-le")
    artist = b"\x01\xff\xfe" + "Artist A".encode("utf-16-le")
    frames = [tagged.frame(version, "TIT2", utf16), tagged.frame(version, "TPE1", artist)]
    frames.append(tagged.text_frame(version, "TALB", "Album A"))
    frames.append(tagged.frame(version, "APIC", b"\0image/jpeg\0\x03\0" + picture))
    return tagged.id3(version, frames, flags=0x80)


@pytest.mark.parametrize("read", [by_taglib, by_ffmpeg, by_mutagen])
def test_a_tag_that_only_says_it_is_unsynchronised_stays_as_it_is(
    tmp_path: Path, read: Any
) -> None:
    path = tmp_path / "song.mp3"
    tag = falsely_flagged()
    path.write_bytes(tag + tagged.sound("mp3"))
    before = read(path)
    write_genres(path, ["Folk"], provenance=OURS)
    after = read(path)
    assert {name: after.get(name) for name in before} == before
    assert read_tags(path).genres == ("Folk",)
    data = path.read_bytes()
    assert data[5] == 0x80
    assert tag[10:-512] in data.replace(
        tagged.text_frame(3, "TCON", "Folk")
        + tagged.frame(3, "TXXX", b"\0TAGGER_GENRE\0" + OURS.encode()),
        b"",
    )
    assert len(data) == len(tag) + len(tagged.sound("mp3"))
