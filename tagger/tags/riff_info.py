"""The INFO list of a WAV file: texts by four-letter ids, of which IGNR is the genre.

Source: Microsoft, "Multimedia Programming Interface", 1991.
"""

from __future__ import annotations

from tagger.tag_fields import Form
from tagger.tags.alphabets import shown, sure
from tagger.tags.fields import Change, Container, Part, TagFaultError, split_joined, texts_said
from tagger.tags.limits import refuse_too_many

_GENRE = b"IGNR"
# What TagLib reads of a list, and what it reads the same of in ID3v2.3: once there is an ID3 tag
# it looks at that alone. ITRK is read by FFmpeg and by players.
_REPEATED = {
    b"INAM": "TIT2",
    b"IART": "TPE1",
    b"IPRD": "TALB",
    b"ICRD": "DATE",
    b"ICMT": "COMM",
    b"ITRK": "TRCK",
    b"IPRT": "TRCK",
    b"ISFT": "TSSE",
    b"ITCH": "TENC",
    b"IMUS": "TCOM",
    b"IWRI": "TEXT",
    b"IEDT": "TPE4",
    b"ICOP": "TCOP",
    b"IBPM": "TBPM",
    b"ILNG": "TLAN",
    b"IMED": "TMED",
    b"ISRC": "TSRC",
    b"IBSU": "WOAR",
    b"IENG": "TXXX:ARRANGER",
    b"ISTR": "TXXX:PERFORMER",
    b"PRT1": "TXXX:DISCSUBTITLE",
    b"ICNT": "TXXX:MusicBrainz Album Release Country",
}


def is_info(body: bytes) -> bool:
    """Return whether the body of a LIST chunk, or its first bytes, is an INFO list."""
    return body[:4] == b"INFO"


def read_info(body: bytes) -> Container:
    """Return what an INFO list says."""
    texts = {item_id: _text(text) for item_id, text in reversed(_items(body))}
    said = ((item_id.decode("latin-1"), text) for item_id, text in texts.items())
    return Container(
        name="INFO",
        genres=split_joined(texts.get(_GENRE, "")),
        texts=texts_said(Form.INFO, said),
    )


def info_texts(body: bytes) -> list[tuple[str, str]]:
    """Return what a new tag is to repeat, by ID3v2.3 frame id: the last of each counts.

    Raises:
        TagFaultError: Its alphabet is unknown.
    """
    found = {item_id: text.split(b"\0")[0] for item_id, text in _items(body)}
    if found.get(b"IPRT"):  # before ITRK, as TagLib has it
        found.pop(b"ITRK", None)
    return [
        (_REPEATED[item_id], sure(text, "its INFO list"))
        for item_id, text in found.items()
        if item_id in _REPEATED and text.strip()
    ]


def retagged_info(body: bytes, change: Change) -> bytes:
    """Return an INFO list with the genres changed."""
    if any(";" in genre for genre in change.genres):
        raise TagFaultError("its INFO list could not tell a genre with a semicolon from two")
    items = _items(body)
    ids = [item_id for item_id, _ in items]
    first = ids.index(_GENRE) if _GENRE in ids else len(items)
    genre = [(_GENRE, change.joined.encode("utf-8") + b"\0")] if change.genres else []
    others = [item for item in items[first:] if item[0] != _GENRE]
    new = [*items[:first], *genre, *others]
    return body[:4] + b"".join(_item_bytes(item_id, text) for item_id, text in new)


def rest_of_info(body: bytes) -> list[Part]:
    """Return all that a change of genre must leave alone in an INFO list."""
    others = [item for item in _items(body) if item[0] != _GENRE]
    return [(f"the INFO text {item_id.decode('latin-1')}", text) for item_id, text in others]


def _items(body: bytes) -> list[tuple[bytes, bytes]]:
    """Return the id and the raw text of each item."""
    items, at = [], 4
    while at < len(body):
        size = int.from_bytes(body[at + 4 : at + 8], "little")
        if at + 8 + size > len(body):
            raise TagFaultError("its INFO list is damaged; repair it with a tag editor")
        items.append((body[at : at + 4], body[at + 8 : at + 8 + size]))
        refuse_too_many(items)
        at += 8 + size + size % 2
    return items


def _item_bytes(item_id: bytes, text: bytes) -> bytes:
    return item_id + len(text).to_bytes(4, "little") + text + bytes(len(text) % 2)


def _text(body: bytes) -> str:
    """Return a text, whose encoding nobody defined."""
    return shown(body.split(b"\0")[0]).strip()
