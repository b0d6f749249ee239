"""Tagged files of every format in every state that collections hold, made on the spot.

Formats × kinds and mixtures of tags × what is in them: pictures, unknown and bad frames, no tag,
no padding, a huge tag. The genre is missing in most, so that it must be added.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

from tests import tagged

HUGE = 3 << 20
_INNER = {"wav": ("<I", b"id3 "), "aiff": (">I", b"ID3 "), "dff": (">Q", b"ID3 ")}


@dataclass(frozen=True)
class Case:
    """One file of the corpus."""

    name: str
    kind: str
    make: Callable[[], bytes]

    @property
    def extension(self) -> str:
        """The ending of its name."""
        return tagged.extension(self.kind)


@cache
def _id3_tags() -> dict[str, bytes]:
    """Return ID3v2 tags by what is special about them."""
    tags = {}
    for version in (2, 3, 4):
        name = f"ID3v2.{version}"
        tags[name] = tagged.rich_id3(version)
        tags[f"{name} without padding"] = tagged.rich_id3(version, padding=0)
        tags[f"{name} with a genre"] = tagged.rich_id3(version, "Blues")
        picture = "PIC" if version == 2 else "APIC"
        image = (b"\0PNG\x03\0" if version == 2 else b"\0image/png\0\x03huge\0") + bytes(HUGE)
        frames = [tagged.text_frame(version, "TT2" if version == 2 else "TIT2", "A title")]
        frames.append(tagged.frame(version, picture, image))
        tags[f"huge {name}"] = tagged.id3(version, frames, padding=0)
        tags[f"empty {name}"] = tagged.id3(version, [], padding=100)
    return tags


def _tails() -> dict[str, bytes]:
    """Return what may stand behind a stream."""
    odd = [("Title", b"A title"), ("Odd", b"\x01\x02"), ("Cover Art (Front)", b"a.png\0\x89PNG")]
    bare = bytearray(tagged.ape(odd)[32:])
    bare[-12:-8] = bytes(4)
    return {
        "ID3v1": tagged.id3v1(),
        "ID3v1 with a genre": tagged.id3v1(17),
        "APE": tagged.ape(odd),
        "APE without header": bytes(bare),
        "APE with a genre": tagged.ape([*odd, ("GENRE", b"Soul")]),
        "huge APE": tagged.ape([*odd, ("Cover Art (Back)", b"b.png\0" + bytes(HUGE))]),
        "APE and ID3v1": tagged.ape(odd) + tagged.id3v1(17),
        "APE, Lyrics3 and ID3v1": tagged.ape(odd) + tagged.LYRICS3 + tagged.id3v1(),
    }


def _between_tags(kind: str) -> list[Case]:
    """Return streams between tags: each head alone, each tail alone, and each with another."""
    heads, tails = _id3_tags(), _tails()
    cases = [Case(f"{kind}, bare", kind, partial(_joined, kind, "", ""))]
    cases += [Case(f"{kind}, {head}", kind, partial(_joined, kind, head, "")) for head in heads]
    cases += [Case(f"{kind}, {tail}", kind, partial(_joined, kind, "", tail)) for tail in tails]
    for number, head in enumerate(heads):
        tail = list(tails)[number % len(tails)]
        name = f"{kind}, {head}, {tail}"
        cases.append(Case(name, kind, partial(_joined, kind, head, tail)))
    return cases


def _joined(kind: str, head: str, tail: str) -> bytes:
    return _id3_tags().get(head, b"") + tagged.sound(kind) + _tails().get(tail, b"")


def _around_id3(kind: str) -> list[Case]:
    """Return files that have an ID3v2 tag within."""
    bare = Case(f"{kind}, bare", kind, partial(tagged.sound, kind))
    return [
        bare,
        *(Case(f"{kind}, {name}", kind, partial(_with_inner, kind, name)) for name in _id3_tags()),
    ]


def _with_inner(kind: str, name: str) -> bytes:
    tag = _id3_tags()[name]
    if kind == "dsf":
        return tagged.with_dsf_tag(tagged.sound(kind), tag)
    size, chunk_id = _INNER[kind]
    return tagged.with_chunks(tagged.sound(kind), tagged.chunk(chunk_id, tag, size))


def _wav_info(*texts: tuple[bytes, str], tag: str = "") -> bytes:
    chunks = [tagged.info(*texts)]
    if tag:
        chunks.append(tagged.chunk(b"id3 ", _id3_tags()[tag]))
    return tagged.with_chunks(tagged.sound("wav"), *chunks)


def _wav_with_info() -> list[Case]:
    texts = ((b"INAM", "A title"), (b"ISFT", "odd"))
    genre = (b"IGNR", "Soul")
    return [
        Case("wav, INFO", "wav", partial(_wav_info, *texts)),
        Case("wav, INFO with a genre", "wav", partial(_wav_info, genre, *texts)),
        Case("wav, INFO and ID3", "wav", partial(_wav_info, *texts, tag="ID3v2.3")),
        Case(
            "wav, INFO with a genre and ID3",
            "wav",
            partial(_wav_info, genre, *texts, tag="ID3v2.4"),
        ),
    ]


def _with_own_tags() -> list[Case]:
    """Return files of the formats whose tags are their own."""
    rich: dict[str, tuple[Callable[[], bytes], Callable[[], bytes]]] = {
        "flac": (tagged.rich_flac, lambda: tagged.rich_flac(bytes(HUGE))),
        "wma": (tagged.rich_wma, lambda: tagged.rich_wma(bytes(HUGE))),
    }
    for kind in ("m4a", "m4a_faststart"):
        make = partial(tagged.rich_mp4, kind)
        rich[kind] = (make, partial(make, bytes(HUGE)))
    for kind in ("ogg", "opus", "oga", "spx"):
        make = partial(tagged.rich_ogg, kind)
        rich[kind] = (make, partial(make, HUGE))
    cases = [Case(f"{kind}, bare", kind, partial(tagged.sound, kind)) for kind in rich]
    for kind, (usual, huge) in rich.items():
        cases += [Case(f"{kind}, rich", kind, usual), Case(f"{kind}, huge", kind, huge)]
    for head in ("ID3v2.3", "ID3v2.4 with a genre", "huge ID3v2.3"):
        cases.append(Case(f"flac, {head} in front", "flac", partial(_joined, "flac", head, "")))
    for tail in ("ID3v1", "ID3v1 with a genre"):
        cases.append(Case(f"flac, {tail} behind", "flac", partial(_joined, "flac", "", tail)))
    return cases


CASES = [
    *(case for kind in tagged.STREAMS for case in _between_tags(kind)),
    *(case for kind in ("wav", "aiff", "dsf", "dff") for case in _around_id3(kind)),
    *_wav_with_info(),
    Case("dff, texts of its own", "dff", tagged.edited_dsdiff),
    *_with_own_tags(),
]
