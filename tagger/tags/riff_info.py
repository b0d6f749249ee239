"""The INFO list of a WAV file: texts by four-letter ids, of which IGNR is the genre.

Source: Microsoft, "Multimedia Programming Interface", 1991.
"""

from __future__ import annotations

from tagger.tag_fields import Form
from tagger.tags.fields import Change, Container, Part, TagFaultError, split_joined, texts_said
from tagger.tags.limits import refuse_too_many

_GENRE = b"IGNR"
_FRAMES = {
    b"INAM": "TIT2",
    b"IART": "TPE1",
    b"IPRD": "TALB",
    b"ICRD": "TYER",
    b"ICMT": "COMM",
    b"ITRK": "TRCK",
    b"IPRT": "TRCK",
    b"ISFT": "TSSE",
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
    """Return what an INFO list says beside the genre, by ID3v2.3 frame id."""
    texts = [(_FRAMES[item_id], _text(t)) for item_id, t in _items(body) if item_id in _FRAMES]
    return [(f, t[:4] if f == "TYER" else t) for f, t in dict(reversed(texts)).items() if t]


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
    """Decode a text whose encoding nobody defined: UTF-8 if it is that, else Latin-1."""
    text = body.split(b"\0")[0]
    try:
        return text.decode("utf-8").strip()
    except UnicodeDecodeError:
        return text.decode("latin-1").strip()
