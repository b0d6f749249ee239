"""Which family of tags a file belongs to, told from its bytes and never from its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from mutagen.aiff import AIFF
from mutagen.apev2 import APEv2
from mutagen.flac import FLAC
from mutagen.id3 import ID3
from mutagen.mp4 import MP4
from mutagen.oggflac import OggFLAC
from mutagen.oggopus import OggOpus
from mutagen.oggspeex import OggSpeex
from mutagen.oggvorbis import OggVorbis
from mutagen.wave import WAVE

from tagger.tags import chunks, flac, mp3, mp4, ogg
from tagger.tags.fields import Change, Container, Part, TagFaultError
from tagger.tags.mpeg import has_mpeg_frames
from tagger.tags.mutagen_border import mutagen_faults
from tagger.tags.splices import Splice, peek_at, size_of


@dataclass(frozen=True, slots=True)
class Family:
    """A family of formats: how its tags are read, changed and compared.

    Args:
        name: For a person.
        read: What each tag of a file says.
        plan: What to change so that the file carries other genres.
        rest: All that a change of genre must leave alone.
        second_opinion: The genres as mutagen reads them, an independent reader;
            raises TagFaultError where mutagen cannot read the file.
    """

    name: str
    read: Callable[[BinaryIO], list[Container]]
    plan: Callable[[BinaryIO, Change], Sequence[Splice]]
    rest: Callable[[BinaryIO], list[Part]]
    second_opinion: Callable[[BinaryIO], list[str]]


def family_of(file: BinaryIO) -> Family:
    """Return the family of an open file, or raise TagFaultError on an unknown one."""
    if not size_of(file):
        raise TagFaultError("the file is empty")
    heads = mp3.head_tags(file)
    start = heads[-1][1] if heads else 0
    head = peek_at(file, start, 16)
    # An ID3v2 tag in front of anything but FLAC and MPEG audio is nothing that players expect.
    family = _FLAC if head[:4] == b"fLaC" else None if heads else _family_by_magic(file, head)
    if family is None and has_mpeg_frames(file, start):
        family = _MP3
    if family is None:
        raise TagFaultError(_unknown(head))
    return family


def _family_by_magic(file: BinaryIO, head: bytes) -> Family | None:
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return _WAV
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return _AIFF
    if head[:4] == b"OggS":
        return _OGG.get(ogg.codec_of(file) or "")
    return _MP4 if head[4:8] == b"ftyp" else None


def _unknown(head: bytes) -> str:
    if head[:4] in (b"RF64", b"BW64", b"riff", b"RIFX"):
        return "it is a WAV file of a 64-bit or rare kind; only plain WAV files are written"
    return "it is no music file of a kind whose tags the tagger knows"


def _by_mutagen(reader: Any, key: str) -> Callable[[BinaryIO], list[str]]:
    """Return a function that gives the genres as one of mutagen's readers finds them."""

    def genres(file: BinaryIO) -> list[str]:
        file.seek(0)
        with mutagen_faults():
            found = reader(file)
            tags = found if isinstance(found, (ID3, APEv2)) else found.tags
            value = tags[key] if tags and key in tags else []
            return [str(text) for text in getattr(value, "genres", value)]

    return genres


def _mp3_by_mutagen(file: BinaryIO) -> list[str]:
    if mp3.head_tags(file):
        return _by_mutagen(ID3, "TCON")(file)
    return _by_mutagen(APEv2, "Genre")(file)


def _ogg_family(name: str, reader: Any) -> Family:
    return Family(name, ogg.read, ogg.plan, ogg.rest, _by_mutagen(reader, "genre"))


_MP3 = Family("MP3", mp3.read, mp3.plan, mp3.rest, _mp3_by_mutagen)
_FLAC = Family("FLAC", flac.read, flac.plan, flac.rest, _by_mutagen(FLAC, "genre"))
_MP4 = Family("MP4", mp4.read, mp4.plan, mp4.rest, _by_mutagen(MP4, "\xa9gen"))
_WAV = Family("WAV", chunks.read, chunks.plan, chunks.rest, _by_mutagen(WAVE, "TCON"))
_AIFF = Family("AIFF", chunks.read, chunks.plan, chunks.rest, _by_mutagen(AIFF, "TCON"))
_OGG = {
    "Ogg Vorbis": _ogg_family("Ogg Vorbis", OggVorbis),
    "Opus": _ogg_family("Opus", OggOpus),
    "Speex": _ogg_family("Speex", OggSpeex),
    "Ogg FLAC": _ogg_family("Ogg FLAC", OggFLAC),
}
