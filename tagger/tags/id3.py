"""ID3v2: what a tag says of the genre, and the tag with another genre and nothing else changed.

The tag is bytes here; where it stands (before the audio, in a chunk) is the families' concern.
New tags are ID3v2.3: of the three versions the one that every player and Windows read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from tagger.tag_fields import Form
from tagger.tags.fields import (
    OUR_FIELD,
    Change,
    Container,
    Part,
    TagFaultError,
    is_wanted,
    names_genre,
    split_joined,
    texts_said,
)
from tagger.tags.id3_frames import (
    Frame,
    Id3Tag,
    assemble,
    frame_content,
    make_frame,
    parse,
    refuse_unchangeable,
)
from tagger.tags.id3_genres import resolved

_V2_IDS = {
    "TCON": "TCO",
    "TXXX": "TXX",
    "TIT2": "TT2",
    "TPE1": "TP1",
    "TALB": "TAL",
    "UFID": "UFI",
    "TYER": "TYE",
    "TDAT": "TDA",
    "TRCK": "TRK",
    "TSSE": "TSS",
    "TENC": "TEN",
    "TCOM": "TCM",
    "TEXT": "TXT",
    "TPE4": "TP4",
    "TCOP": "TCR",
    "TBPM": "TBP",
    "TLAN": "TLA",
    "TMED": "TMT",
    "TSRC": "TRC",
    "WOAR": "WAR",
    "COMM": "COM",
}
_CODECS = {0: "latin-1", 1: "utf-16", 2: "utf-16-be", 3: "utf-8"}
# Frames that hold byte positions in the file: a tag of another length would make them wrong.
_POSITIONS = {"ASPI", "SEEK"}
_UNREAD_IN_V2 = {"TEXT": "TXXX:LYRICIST"}
_DATE = re.compile(r"(\d{4})(?:-(\d\d)-(\d\d))?")
_PLAIN_ID = re.compile(r"[A-Z][A-Z0-9]{2,3}")


def read_id3(data: bytes) -> Container:
    """Return what a whole ID3v2 tag says; raise TagFaultError where it is none that we know."""
    tag = parse(data)
    return Container(
        name=f"ID3v2.{tag.major}",
        genres=tuple(_genres(tag)),
        provenance=next((text for text in _our_texts(tag)), None),
        texts=texts_said(Form.ID3, _said(tag)),
    )


def is_silent(data: bytes) -> bool:
    """Return whether a tag has no text at all, so that readers look for another one."""
    return not any(frame.id.startswith(("T", "COM")) for frame in parse(data).frames)


def retagged(
    data: bytes,
    change: Change,
    *,
    own_field: bool = True,
    repeated: Iterable[tuple[str, str]] = (),
) -> bytes:
    """Return the tag with the genres changed, and our own field, or without it.

    It keeps its version, its length if there is room, and every other frame byte for byte.
    ``repeated`` are texts by ID3v2.3 frame id that another tag of the file has: a silent tag that
    gets a genre would hide them.
    """
    tag = parse(data)
    refuse_unchangeable(tag)
    _refuse_unreadable_genre(tag)
    ours = [_genre_frame(tag, change)] if change.genres else []
    if own_field and change.provenance is not None:
        ours.append(_text_frame(tag, "TXXX", [OUR_FIELD, change.provenance]))
    if tag.is_plain and any(b"\xff\0" in frame.raw for frame in ours):
        raise TagFaultError("its ID3v2 tag says that it is unsynchronised, and is not; repair it")
    frames = [*(f for text in repeated for f in _repeated_frames(tag, *text)), *_others(tag)]
    place = _place_of_genre(tag, frames)
    new = assemble(replace(tag, frames=(*frames[:place], *ours, *frames[place:])), room=len(data))
    if len(new) != len(data) and any(f.id in _POSITIONS for f in frames):
        raise TagFaultError("its ID3v2 tag has a seek index (ASPI or SEEK) and no room for a genre")
    return new


def new_id3(change: Change, repeated: Iterable[tuple[str, str]] = ()) -> bytes:
    """Return a new tag with the genres, our own field, and texts that another tag has."""
    empty = assemble(Id3Tag((3, 0), 0, b"", ()), room=0)
    return retagged(empty, change, repeated=repeated)


def rest_of_id3(data: bytes) -> list[Part]:
    """Return all that a change of genre must leave alone in a tag."""
    tag = parse(data)
    extended = tag.extended[:6] if tag.major == 3 else tag.extended
    head = bytes((*tag.version, tag.flags, tag.plain_sizes, tag.is_plain)) + extended
    parts = [("the version and flags of the ID3v2 tag", head)]
    parts += [(f"the ID3v2 frame {frame.id}", frame.raw) for frame in _others(tag)]
    return [*parts, ("the end of the ID3v2 tag", tag.junk)]


def _others(tag: Id3Tag) -> list[Frame]:
    """Return the frames that a change of genre leaves alone."""

    def is_ours(frame: Frame) -> bool:
        return _is_genre(frame) or _is_free_genre(tag, frame) or _is_our_field(tag, frame)

    return [frame for frame in tag.frames if not is_ours(frame)]


def _genre_frame(tag: Id3Tag, change: Change) -> Frame:
    if tag.major == 4:
        return _text_frame(tag, "TCON", change.genres)
    # v2.2 and v2.3 hold one text; "; " is what most players split, "/" is part of many a genre.
    if any(";" in genre for genre in change.genres):
        raise TagFaultError(f"ID3v2.{tag.major} could not tell a genre with a semicolon from two")
    return _text_frame(tag, "TCON", [change.joined])


def _refuse_unreadable_genre(tag: Id3Tag) -> None:
    for frame in tag.frames:
        if _is_genre(frame) and frame_content(tag, frame) is None:
            raise TagFaultError("its genre frame is encrypted or damaged; remove it first")


def _place_of_genre(tag: Id3Tag, others: list[Frame]) -> int:
    """Return where the genre goes: where it stood, else at the end, where it moves no picture."""
    for n, frame in enumerate(tag.frames):
        if _is_genre(frame):
            return sum(1 for before in tag.frames[:n] if before in others)
    if not tag.is_plain and all(_PLAIN_ID.fullmatch(f.id) and f.body for f in others):
        return len(others)
    texts = 0
    # Some readers stop at an empty or odd frame, or lose count in a picture of a tag that only says
    # it is unsynchronised; what is new stands before that, behind the texts.
    while texts < len(others) and others[texts].id.startswith("T") and others[texts].body:
        texts += 1
    return texts


def _has_id(frame: Frame, frame_id: str) -> bool:
    """Return whether a frame is of a kind, also where a v2.2 id stands in a later tag."""
    return frame.id.rstrip("\0 ") in (frame_id, _V2_IDS[frame_id])


def _is_genre(frame: Frame) -> bool:
    return _has_id(frame, "TCON")


def _is_free_genre(tag: Id3Tag, frame: Frame) -> bool:
    return _has_id(frame, "TXXX") and names_genre("".join(_texts(tag, frame)[:1]))


def _is_our_field(tag: Id3Tag, frame: Frame) -> bool:
    return _has_id(frame, "TXXX") and _texts(tag, frame)[:1] == [OUR_FIELD]


def _our_texts(tag: Id3Tag) -> list[str]:
    return ["".join(_texts(tag, f)[1:2]) for f in tag.frames if _is_our_field(tag, f)]


def _genres(tag: Id3Tag) -> list[str]:
    values = [t for f in tag.frames if _is_genre(f) for t in _texts(tag, f)]
    values += [t for f in tag.frames if _is_free_genre(tag, f) for t in _texts(tag, f)[1:]]
    if tag.major < 4:
        values = [genre for value in values for genre in split_joined(value)]
    return resolved(values)


def _said(tag: Id3Tag) -> Iterator[tuple[str, str]]:
    """Yield the texts of the frames that are read, by id; some have a name besides."""
    for frame in tag.frames:
        if _has_id(frame, "UFID"):
            owner, _, number = (frame_content(tag, frame) or b"").partition(b"\0")
            yield f"UFID:{owner.decode('latin-1')}", number.decode("ascii", "ignore")
        elif _has_id(frame, "TXXX"):
            name, *texts = _texts(tag, frame) or [""]
            yield from ((f"TXXX:{name}", text.strip()) for text in texts)
        elif is_wanted(Form.ID3, frame.id.rstrip("\0 ")):
            yield from ((frame.id.rstrip("\0 "), text.strip()) for text in _texts(tag, frame))


def _texts(tag: Id3Tag, frame: Frame) -> list[str]:
    """Return the values of a text frame, without the empty ones that only end it."""
    content = frame_content(tag, frame)
    if not content or content[0] not in _CODECS:
        return []
    codec = _CODECS[content[0]]
    text = content[1:]
    if content[0] in (1, 2) and len(text) % 2:
        text = text[:-1]
    # Each value in UTF-16 may have a byte order mark of its own; the codec drops but the first.
    values = [value.lstrip("\ufeff") for value in text.decode(codec, "replace").split("\0")]
    while values and not values[-1]:
        values.pop()
    return values


def _text_frame(tag: Id3Tag, frame_id: str, values: Iterable[str]) -> Frame:
    """Return a text frame, in the plainest encoding that holds it.

    Latin-1 is used for ASCII alone in v2.4, so that unsynchronisation never touches the frame.
    """
    text = "\0".join(values)
    if text.isascii() or (tag.major < 4 and _is_latin_1(text)):
        body = b"\0" + text.encode("latin-1")
    elif tag.major == 4:
        body = b"\3" + text.encode("utf-8")
    else:
        body = b"\1" + "\0".join(f"\ufeff{value}" for value in text.split("\0")).encode("utf-16-le")
    return make_frame(tag, _V2_IDS[frame_id] if tag.major == 2 else frame_id, body)


def _repeated_frames(tag: Id3Tag, key: str, text: str) -> list[Frame]:
    """Return the frames that say what another tag says; ``key`` is an id of ID3v2.3, or DATE."""
    if tag.major == 2 and key in _UNREAD_IN_V2:  # TagLib reads no such frame there
        key = _UNREAD_IN_V2[key]
    if key == "DATE":
        return _date_frames(tag, text)
    if key.startswith("TXXX:"):
        return [_text_frame(tag, "TXXX", [key.removeprefix("TXXX:"), text])]
    if key == "WOAR" and text.isascii():
        return [make_frame(tag, "WAR" if tag.major == 2 else key, text.encode("ascii"))]
    if key == "COMM":
        return [_comment_frame(tag, text)]
    is_year = key == "TYER" and tag.major == 4
    return [_text_frame(tag, "TDRC" if is_year else key, [text])]


def _date_frames(tag: Id3Tag, text: str) -> list[Frame]:
    """Return a date as each version has it; what is no plain date goes where any text may."""
    date = _DATE.fullmatch(text.strip())
    if date is None or (tag.major == 2 and date[2]):
        return [_text_frame(tag, "TXXX", ["DATE", text])]
    year, month, day = date.groups()
    if tag.major == 4:
        return [_text_frame(tag, "TDRC", [date[0]])]
    frames = [_text_frame(tag, "TYER", [year])]
    return [*frames, _text_frame(tag, "TDAT", [day + month])] if day else frames


def _comment_frame(tag: Id3Tag, text: str) -> Frame:
    """Return a comment, which has a language and a (here empty) description."""
    if _is_latin_1(text):
        body = b"\0eng\0" + text.encode("latin-1")
    else:
        body = b"\1eng" + "\ufeff\0\ufeff".encode("utf-16-le") + text.encode("utf-16-le")
    return make_frame(tag, "COM" if tag.major == 2 else "COMM", body)


def _is_latin_1(text: str) -> bool:
    return all(ord(c) < 256 for c in text)
