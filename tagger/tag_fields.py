"""What is read of a file's tags: one line a field, with what each format calls it.

This table is all that a new field needs to be read, kept and exported, beside a migration that
adds its column: the tag families (``tagger.tags``), the catalogue and its exports go by it. A file
whose tags were read by another table is read once more by the next run.

Keys are those that people see in tag editors; their case does not matter. An ID3v2 frame goes by
its id (that of version 2.2 as well), ``TXXX`` by its description, ``UFID`` by its owner; a
free-form MP4 atom by ``----:mean:name``. Of several keys the first that says something counts.
Source: picard-docs.musicbrainz.org, "Appendix B: Tag Mapping"; id3.org; xiph.org, "Ogg Vorbis
comment field recommendations".
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import Enum, StrEnum
from typing import Any

_MUSICBRAINZ = "http://musicbrainz.org"  # who numbers recordings, in a UFID frame
_ITUNES = "----:com.apple.iTunes"
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_YEAR = re.compile(r"(?<![0-9])([12][0-9]{3})(?:[0-9]{4})?(?![0-9])")
_NUMBER = re.compile(r"[0-9]+")
_MOST_DISCS = 999


class Form(StrEnum):
    """A form that tags have; several families of files share one."""

    ID3 = "id3"
    VORBIS = "vorbis"
    APE = "ape"
    MP4 = "mp4"
    ASF = "asf"
    INFO = "info"
    V1 = "v1"
    DIIN = "diin"


class FieldKind(Enum):
    """What a field holds; its value is what it holds where the tags say nothing."""

    TEXT = ""
    NUMBER = None
    TEXTS = ()


def first_text(texts: Iterable[str]) -> str:
    """Return the first text that says something, or ""."""
    return next((text for text in texts if text.strip()), "")


def first_code(texts: Iterable[str]) -> str:
    """Return the first text in the one way that a code is written here.

    >>> first_code(["us-rc1-76-07839"])
    'USRC17607839'
    """
    return first_text(texts).strip().upper().replace("-", "")


def first_lowered(texts: Iterable[str]) -> str:
    """Return the first text in lower case."""
    return first_text(texts).strip().lower()


def ids(texts: Iterable[str]) -> tuple[str, ...]:
    """Return all MusicBrainz ids, once each; how several are joined differs by program.

    >>> len(ids(["89AD4AC3-39F7-470E-963A-56509C546377; 125ec42a-7229-4250-afc5-e057484327fe"]))
    2
    """
    return tuple(dict.fromkeys(one for text in texts for one in _ID.findall(text.lower())))


def first_id(texts: Iterable[str]) -> str:
    """Return the first MusicBrainz id, or ""."""
    return next(iter(ids(texts)), "")


def first_year(texts: Iterable[str]) -> int | None:
    """Return the first year from 1000 to 2999, however a date is written.

    >>> first_year(["n. d.", "03/11/1977"]), first_year(["19990401"]), first_year(["0000"])
    (1977, 1999, None)
    """
    found = (_YEAR.search(text) for text in texts)
    return next((int(year[1]) for year in found if year), None)


def first_disc(texts: Iterable[str]) -> int | None:
    """Return the first number of a disc; how many there are may follow.

    >>> first_disc(["0", "2/3"]), first_disc(["99999999999999999999"])
    (2, None)
    """
    found = (_NUMBER.search(text) for text in texts)
    numbers = (int(number[0][:9]) for number in found if number)
    return next((number for number in numbers if 1 <= number <= _MOST_DISCS), None)


@dataclass(frozen=True, slots=True)
class TagField:
    """A field of the table.

    Args:
        name: Its name in ``TagsFound`` and in the catalogue.
        about: What it says, in words for a person.
        kind: What it holds.
        read: Makes its value of the texts that a tag has for it, in order of preference.
        keys: What each form calls it.
    """

    name: str
    about: str
    kind: FieldKind
    read: Callable[[Sequence[str]], Any]
    keys: Mapping[Form, tuple[str, ...]]


def _field(
    about: str,
    read: Callable[[Sequence[str]], Any],
    kind: FieldKind = FieldKind.TEXT,
    **keys: str | tuple[str, ...],
) -> Any:
    """Return a field of TagsFound, with its line of the table."""
    by_form = {Form(form): (k,) if isinstance(k, str) else k for form, k in keys.items()}
    line = {"about": about, "kind": kind, "read": read, "keys": by_form}
    return field(default=kind.value, metadata=line)


# A field is a few lines here, its formats side by side, and not a line a format.
# fmt: off
@dataclass(frozen=True, slots=True)
class TagsFound:
    """What a file's tags say, as far as the tagger cares.

    Args:
        genres: Genres found in any container of the file, without duplicates, in order.
        provenance: Our own field as it stands, or None.
        read_by: The table that they were read by, as ``TABLE``; "" for tags that were not read.
        overruled: What named genres of ours here when a person had set others, or none, in their
            place; see ``tags.overruled_in``. The catalogue knows it, no file does.
    """

    genres: tuple[str, ...] = ()
    provenance: str | None = None
    title: str = _field(
        "as in the tag", first_text,
        id3=("TIT2", "TT2"), vorbis="TITLE", ape="Title", mp4="©nam", asf="Title",
        info="INAM", v1="TITLE", diin="TIT2")
    artist: str = _field(
        "as in the tag", first_text,
        id3=("TPE1", "TP1"), vorbis="ARTIST", ape="Artist", mp4="©ART", asf="Author",
        info="IART", v1="ARTIST", diin="TPE1")
    album: str = _field(
        "as in the tag", first_text,
        id3=("TALB", "TAL"), vorbis="ALBUM", ape="Album", mp4="©alb", asf="WM/AlbumTitle",
        info="IPRD", v1="ALBUM")
    album_artist: str = _field(
        "as in the tag", first_text,
        id3=("TPE2", "TP2"), vorbis=("ALBUMARTIST", "ALBUM ARTIST"),
        ape=("Album Artist", "AlbumArtist"), mp4="aART", asf="WM/AlbumArtist")
    mb_recording: str = _field(
        "the recording's MusicBrainz id, if tagged", first_lowered,
        id3=f"UFID:{_MUSICBRAINZ}", vorbis="MUSICBRAINZ_TRACKID", ape="MUSICBRAINZ_TRACKID",
        mp4=f"{_ITUNES}:MusicBrainz Track Id", asf="MusicBrainz/Track Id")
    isrc: str = _field(
        "the recording's ISRC, if tagged", first_code,
        id3=("TSRC", "TRC"), vorbis="ISRC", ape="ISRC", mp4=f"{_ITUNES}:ISRC", asf="WM/ISRC")
    year: int | None = _field(
        "year of release; else that of the first one", first_year, FieldKind.NUMBER,
        id3=("TDRC", "TYER", "TYE", "TDRL", "TDOR", "TORY", "TOR", "TXXX:originalyear"),
        vorbis=("DATE", "YEAR", "RELEASEDATE", "ORIGINALDATE", "ORIGINALYEAR"),
        ape=("Year", "Date", "OriginalDate", "OriginalYear"),
        mp4=("©day", f"{_ITUNES}:ORIGINALDATE", f"{_ITUNES}:ORIGINALYEAR"),
        asf=("WM/Year", "WM/OriginalReleaseTime", "WM/OriginalReleaseYear"),
        info="ICRD", v1="DATE")
    disc: int | None = _field(
        "number of the disc in its album", first_disc, FieldKind.NUMBER,
        id3=("TPOS", "TPA"), vorbis=("DISCNUMBER", "DISC"), ape=("Disc", "DiscNumber"),
        mp4="disk", asf="WM/PartOfSet")
    mb_album: str = _field(
        "the release's MusicBrainz id, if tagged", first_id,
        id3="TXXX:MusicBrainz Album Id", vorbis="MUSICBRAINZ_ALBUMID", ape="MUSICBRAINZ_ALBUMID",
        mp4=f"{_ITUNES}:MusicBrainz Album Id", asf="MusicBrainz/Album Id")
    mb_artists: tuple[str, ...] = _field(
        "the artists' MusicBrainz ids, if tagged", ids, FieldKind.TEXTS,
        id3="TXXX:MusicBrainz Artist Id", vorbis="MUSICBRAINZ_ARTISTID",
        ape="MUSICBRAINZ_ARTISTID", mp4=f"{_ITUNES}:MusicBrainz Artist Id",
        asf="MusicBrainz/Artist Id")
    mb_album_artists: tuple[str, ...] = _field(
        "the album artists' MusicBrainz ids, if tagged", ids, FieldKind.TEXTS,
        id3="TXXX:MusicBrainz Album Artist Id", vorbis="MUSICBRAINZ_ALBUMARTISTID",
        ape="MUSICBRAINZ_ALBUMARTISTID", mp4=f"{_ITUNES}:MusicBrainz Album Artist Id",
        asf="MusicBrainz/Album Artist Id")
    read_by: str = field(default="", compare=False, repr=False)
    overruled: str | None = field(default=None, compare=False, repr=False)

    @property
    def is_complete(self) -> bool:
        """Whether they were read by the table as it is now, and not by an older one."""
        return self.read_by == TABLE
# fmt: on


TAG_FIELDS = tuple(TagField(one.name, **one.metadata) for one in fields(TagsFound) if one.metadata)
"""The table, in its order."""

TABLE = hashlib.sha256(
    repr([(one.name, one.read.__name__, one.keys) for one in TAG_FIELDS]).encode()
).hexdigest()[:12]
"""Tells this table from others, so that tags read by an older one are read again."""
