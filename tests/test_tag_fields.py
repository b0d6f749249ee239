"""The table of fields: each is read in every family of files, as other programs write it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import mutagen
import pytest
from mutagen import id3

from tagger.records import TagsFound
from tagger.tag_fields import TABLE, TAG_FIELDS, Form
from tagger.tags import read_tags
from tests import tagged

ALBUM = "89ad4ac3-39f7-470e-963a-56509c546377"
ARTISTS = ("125ec42a-7229-4250-afc5-e057484327fe", "b10bbbfc-cf9e-42e0-be17-e2c3e1d2600d")
SAID = TagsFound(
    album="An album",
    album_artist="A band",
    year=1977,
    disc=2,
    mb_album=ALBUM,
    mb_artists=ARTISTS,
    mb_album_artists=ARTISTS[:1],
)
Fill = Callable[[Any], None]


def id3_frames(version: int) -> Fill:
    """Fill a tag of mutagen's with frames, as Picard names them."""

    def fill(tags: Any) -> None:
        # Several values of one text are joined where a version knows but one.
        artists = list(ARTISTS) if version == 4 else ["; ".join(ARTISTS)]
        tags.add(id3.TALB(3, ["An album"]))
        tags.add(id3.TPE2(3, ["A band"]))
        tags.add(id3.TPOS(3, ["2/3"]))
        tags.add(id3.TDRC(3, ["1977-11-03"]) if version == 4 else id3.TYER(3, ["1977"]))
        tags.add(id3.TXXX(3, "MusicBrainz Album Id", [ALBUM.upper()]))
        tags.add(id3.TXXX(3, "MusicBrainz Artist Id", artists))
        tags.add(id3.TXXX(3, "MusicBrainz Album Artist Id", [ARTISTS[0]]))

    return fill


def mapping(disc: tuple[str, Any], **names: str) -> Fill:
    """Fill what mutagen gives as a mapping from names to values."""

    def fill(tags: Any) -> None:
        tags[disc[0]] = disc[1]
        for field, name in names.items():
            value = getattr(SAID, field)
            texts = [str(one) for one in (value if isinstance(value, tuple) else (value,))]
            tags[name] = [text.encode() for text in texts] if name[:4] == "----" else texts

    return fill


VORBIS = mapping(
    ("DISCNUMBER", "02"),
    album="ALBUM",
    album_artist="ALBUMARTIST",
    year="DATE",
    mb_album="MUSICBRAINZ_ALBUMID",
    mb_artists="MUSICBRAINZ_ARTISTID",
    mb_album_artists="MUSICBRAINZ_ALBUMARTISTID",
)
APE = mapping(
    ("Disc", "2/3"),
    album="Album",
    album_artist="Album Artist",
    year="Year",
    mb_album="MUSICBRAINZ_ALBUMID",
    mb_artists="MUSICBRAINZ_ARTISTID",
    mb_album_artists="MUSICBRAINZ_ALBUMARTISTID",
)
MP4 = mapping(
    ("disk", [(2, 3)]),
    album="\xa9alb",
    album_artist="aART",
    year="\xa9day",
    mb_album="----:com.apple.iTunes:MusicBrainz Album Id",
    mb_artists="----:com.apple.iTunes:MusicBrainz Artist Id",
    mb_album_artists="----:com.apple.iTunes:MusicBrainz Album Artist Id",
)
ASF = mapping(
    ("WM/PartOfSet", "2/3"),
    album="WM/AlbumTitle",
    album_artist="WM/AlbumArtist",
    year="WM/Year",
    mb_album="MusicBrainz/Album Id",
    mb_artists="MusicBrainz/Artist Id",
    mb_album_artists="MusicBrainz/Album Artist Id",
)
FILLS: dict[str, Fill] = {
    **dict.fromkeys(("mp3", "aac", "tta", "dsf", "dff", "wav", "aiff"), id3_frames(4)),
    **dict.fromkeys(("flac", "ogg", "opus", "oga", "spx"), VORBIS),
    **dict.fromkeys(("ape", "wv", "mpc"), APE),
    "m4a": MP4,
    "wma": ASF,
}


@pytest.mark.parametrize("kind", FILLS)
def test_every_family_says_the_same(tmp_path: Path, kind: str) -> None:
    path = tagged.make(tmp_path, f"bare {kind}")
    if kind in ("mp3", "aac", "tta"):
        tag = id3.ID3()
        FILLS[kind](tag)
        tag.save(path)
    else:
        file: Any = mutagen.File(path)
        if file.tags is None:
            file.add_tags()
        FILLS[kind](file.tags)
        file.save()
    assert read_tags(path) == SAID


@pytest.mark.parametrize("version", [3, 4])
def test_both_versions_of_id3_that_programs_write_say_the_same(
    tmp_path: Path, version: int
) -> None:
    path = tagged.make(tmp_path, "bare mp3")
    tag = id3.ID3()
    id3_frames(version)(tag)
    tag.save(path, v2_version=version)
    assert read_tags(path) == SAID


def test_the_oldest_id3_has_names_of_its_own(tmp_path: Path) -> None:
    frames = [("TAL", "An album"), ("TP2", "A band"), ("TYE", "1977"), ("TPA", "2/3")]
    tag = [tagged.text_frame(2, *one) for one in frames]
    tag.append(tagged.text_frame(2, "TXX", f"MUSICBRAINZ ALBUM ID\0{ALBUM}"))
    path = tmp_path / "a.mp3"
    path.write_bytes(tagged.id3(2, tag) + tagged.sound("mp3"))
    found = read_tags(path)
    assert (found.album, found.album_artist, found.year, found.disc, found.mb_album) == (
        "An album",
        "A band",
        1977,
        2,
        ALBUM,
    )


def test_the_year_of_release_comes_before_that_of_the_first_one(tmp_path: Path) -> None:
    frames = [("TDOR", "1969"), ("TDRC", "2009-09-09")]
    for n, one in enumerate((frames, frames[::-1], frames[:1])):
        path = tmp_path / f"{n}.mp3"
        texts = [tagged.text_frame(4, *frame) for frame in one]
        path.write_bytes(tagged.id3(4, texts) + tagged.sound("mp3"))
    assert [read_tags(tmp_path / f"{n}.mp3").year for n in range(3)] == [2009, 2009, 1969]


def test_the_year_stands_in_plainer_tags_too(tmp_path: Path) -> None:
    v1, info = tmp_path / "a.mp3", tmp_path / "a.wav"
    v1.write_bytes(tagged.sound("mp3") + tagged.id3v1())
    info.write_bytes(tagged.with_chunks(tagged.sound("wav"), tagged.info((b"ICRD", "2001-02-03"))))
    assert (read_tags(v1).year, read_tags(info).year) == (1999, 2001)


@pytest.mark.parametrize(("name", "value"), [("WM/Year", 1977), ("WM/PartOfSet", 2)])
def test_numbers_that_are_no_text_are_read(tmp_path: Path, name: str, value: int) -> None:
    path = tagged.make(tmp_path, "wma")
    file: Any = mutagen.File(path)
    file[name] = value
    file.save()
    assert value in (read_tags(path).year, read_tags(path).disc)


@pytest.mark.parametrize(
    "text", ["", "0", "0000", "99999999999999999999", "12345", "-1", "n. d.", "MCMLXXVII", "\0"]
)
def test_what_is_no_year_and_no_disc_is_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.mp3"
    frames = [tagged.text_frame(4, "TDRC", text), tagged.text_frame(4, "TPOS", text)]
    path.write_bytes(tagged.id3(4, frames) + tagged.sound("mp3"))
    found = read_tags(path)
    assert found.year is None
    assert found.disc in (None, 1)  # "-1" is the first disc to a program that writes a dash
    assert (found.disc == 1) == (text == "-1")


def test_what_is_no_id_of_musicbrainz_is_none(tmp_path: Path) -> None:
    path = tagged.make(tmp_path, "bare flac")
    file: Any = mutagen.File(path)
    file["MUSICBRAINZ_ALBUMID"] = "unknown"
    file["MUSICBRAINZ_ARTISTID"] = [ARTISTS[1], "x", ARTISTS[1]]
    file.save()
    assert (read_tags(path).mb_album, read_tags(path).mb_artists) == ("", ARTISTS[1:])


def test_tags_say_by_which_table_they_were_read(tmp_path: Path) -> None:
    found = read_tags(tagged.make(tmp_path, "bare mp3"))
    assert found.is_complete
    assert found.read_by == TABLE
    assert not TagsFound().is_complete


def test_no_two_fields_of_a_form_share_a_key() -> None:
    for form in Form:
        keys = [key.casefold() for one in TAG_FIELDS for key in one.keys.get(form, ())]
        assert len(keys) == len(set(keys)), form
