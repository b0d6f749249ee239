"""Which family of tags a file belongs to, told from its bytes and never from its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from mutagen.aiff import AIFF
from mutagen.apev2 import APENoHeaderError, APEv2
from mutagen.asf import ASF
from mutagen.dsdiff import DSDIFF
from mutagen.dsf import DSF
from mutagen.flac import FLAC
from mutagen.id3 import ID3
from mutagen.mp4 import MP4
from mutagen.oggflac import OggFLAC
from mutagen.oggopus import OggOpus
from mutagen.oggspeex import OggSpeex
from mutagen.oggvorbis import OggVorbis
from mutagen.wave import WAVE

from tagger.tags import ape_first, asf, chunks, dsf, ends, flac, id3_first, mp4, ogg
from tagger.tags.asf_objects import HEADER as ASF_HEADER
from tagger.tags.fields import Change, Container, Part, Span, TagFaultError
from tagger.tags.mpeg import stream_kind
from tagger.tags.mutagen_border import Bounded, mutagen_faults
from tagger.tags.splices import Splice, peek_at, size_of

_WAV_64 = (b"RF64", b"BW64", b"riff", b"RIFX")
_FOREIGN = (*_WAV_64, b"RIFF", b"FORM", b"FRM8", b"OggS", b"DSD ", ASF_HEADER, b"\x1aE\xdf\xa3")


@dataclass(frozen=True, slots=True)
class Family:
    """A family of formats: how its tags are read, changed and compared.

    Args:
        name: For a person.
        read: What each tag of a file says.
        plan: What to change so that the file carries other genres.
        rest: All that a change of genre must leave alone.
        audio: Where the sound stands; the same bytes whatever the tags say.
        second_opinion: The genres as mutagen reads them, an independent reader;
            raises TagFaultError where mutagen cannot read the file.
    """

    name: str
    read: Callable[[BinaryIO], list[Container]]
    plan: Callable[[BinaryIO, Change], Sequence[Splice]]
    rest: Callable[[BinaryIO], list[Part]]
    audio: Callable[[BinaryIO], list[Span]]
    second_opinion: Callable[[BinaryIO], list[str]]


def family_of(file: BinaryIO) -> Family:
    """Return the family of an open file, or raise TagFaultError on an unknown one."""
    if not size_of(file):
        raise TagFaultError("the file is empty")
    heads = ends.head_tags(file)
    start = heads[-1][1] if heads else 0
    head = peek_at(file, start, 16)
    family = _family_between_tags(head)
    if family is None and not heads:
        family = _family_by_magic(file, head)
    # Sound in a foreign container (AVI …) has frames as well; a tag in front would ruin that.
    if family is None and (heads or not head.startswith(_FOREIGN)):
        family = _STREAMS.get(stream_kind(file, start) or "")
    if family is None:
        raise TagFaultError(_unknown(head))
    return family


def _family_between_tags(head: bytes) -> Family | None:
    """Return the family of a stream that may have an ID3v2 tag in front of it.

    In front of anything else such a tag is nothing that players expect.
    """
    is_musepack_7 = head[:3] == b"MP+" and head[3] & 0x0F == 7
    return _BETWEEN_TAGS.get(b"MPCK" if is_musepack_7 else head[:4])


def _family_by_magic(file: BinaryIO, head: bytes) -> Family | None:
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return _WAV
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return _AIFF
    if head[:4] == b"FRM8" and head[12:16] == b"DSD ":
        return _DSDIFF
    if head[:4] == b"DSD " and int.from_bytes(head[4:12], "little") == dsf.HEADER_SIZE:
        return _DSF
    if head[:4] == b"OggS":
        return _OGG.get(ogg.codec_of(file) or "")
    if head == ASF_HEADER:
        return _ASF
    return _MP4 if head[4:8] == b"ftyp" else None


def _unknown(head: bytes) -> str:
    if head.startswith(_WAV_64):
        return "it is a WAV file of a 64-bit or rare kind; only plain WAV files are written"
    if head[:3] == b"MP+" or head[:4] == b"ADIF":
        return "it is of a kind (Musepack before SV7, AAC with an ADIF header) that is not written"
    return "it is no music file of a kind whose tags the tagger knows"


def _by_mutagen(reader: Any, key: str) -> Callable[[BinaryIO], list[str]]:
    """Return a function that gives the genres as one of mutagen's readers finds them."""

    def genres(file: BinaryIO) -> list[str]:
        with mutagen_faults():
            try:
                found = reader(Bounded(file))
            except APENoHeaderError:
                return []  # an APE tag without any item is none to mutagen
            tags = found if isinstance(found, (ID3, APEv2)) else found.tags
            value = tags[key] if tags and key in tags else []
            return [str(text) for text in getattr(value, "genres", value)]

    return genres


def _id3_first_by_mutagen(file: BinaryIO) -> list[str]:
    layout = ends.layout_of(file)
    if layout.heads and not id3_first.ape_is_main(file, layout):
        return _by_mutagen(ID3, "TCON")(file)
    return _by_mutagen(APEv2, "Genre")(file)


def _flac_by_mutagen(file: BinaryIO) -> list[str]:
    if flac.id3_is_main(file):
        return _by_mutagen(ID3, "TCON")(file)
    return _by_mutagen(FLAC, "genre")(file)


def _id3_first(name: str) -> Family:
    return Family(name, ends.read, id3_first.plan, ends.rest, ends.audio, _id3_first_by_mutagen)


def _ape_first(name: str) -> Family:
    return Family(
        name, ends.read, ape_first.plan, ends.rest, ends.audio, _by_mutagen(APEv2, "Genre")
    )


def _chunked(name: str, reader: Any) -> Family:
    return Family(
        name, chunks.read, chunks.plan, chunks.rest, chunks.audio, _by_mutagen(reader, "TCON")
    )


def _ogg_family(name: str, reader: Any) -> Family:
    return Family(name, ogg.read, ogg.plan, ogg.rest, ogg.audio, _by_mutagen(reader, "genre"))


_STREAMS = {"MP3": _id3_first("MP3"), "AAC": _id3_first("AAC")}
_BETWEEN_TAGS = {
    b"fLaC": Family("FLAC", flac.read, flac.plan, flac.rest, flac.audio, _flac_by_mutagen),
    b"TTA1": _id3_first("TTA"),
    b"MAC ": _ape_first("Monkey's Audio"),
    b"wvpk": _ape_first("WavPack"),
    b"MPCK": _ape_first("Musepack"),
}
_MP4 = Family("MP4", mp4.read, mp4.plan, mp4.rest, mp4.audio, _by_mutagen(MP4, "\xa9gen"))
_ASF = Family("ASF", asf.read, asf.plan, asf.rest, asf.audio, _by_mutagen(ASF, "WM/Genre"))
_DSF = Family("DSF", dsf.read, dsf.plan, dsf.rest, dsf.audio, _by_mutagen(DSF, "TCON"))
_WAV = _chunked("WAV", WAVE)
_AIFF = _chunked("AIFF", AIFF)
_DSDIFF = _chunked("DSDIFF", DSDIFF)
_OGG = {
    "Ogg Vorbis": _ogg_family("Ogg Vorbis", OggVorbis),
    "Opus": _ogg_family("Opus", OggOpus),
    "Speex": _ogg_family("Speex", OggSpeex),
    "Ogg FLAC": _ogg_family("Ogg FLAC", OggFLAC),
}
