"""APEv2 tags as raw items: the genre changed, everything else byte for byte as it was.

Source: wiki.hydrogenaud.io, APEv2 specification.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tagger.genre_text import without_repeats
from tagger.tag_fields import Form
from tagger.tags.fields import (
    OUR_FIELD,
    Change,
    Container,
    Part,
    TagFaultError,
    is_wanted,
    texts_said,
)
from tagger.tags.limits import refuse_too_many

FOOTER_SIZE = 32
_MAGIC = b"APETAGEX"
_HAS_HEADER = 1 << 31
_KEY = re.compile(rb"[ -~]{2,255}")
_KIND = 0b110  # Item flags, bits 1 and 2: 0 is text in UTF-8.


@dataclass(frozen=True, slots=True)
class _Item:
    key: bytes
    value: bytes
    flags: int
    raw: bytes


@dataclass(frozen=True, slots=True)
class _ApeTag:
    footer: bytes
    has_header: bool
    items: tuple[_Item, ...]


def ape_size(footer: bytes) -> int:
    """Return the length of the APE tag that ends with these 32 bytes; 0 where none does."""
    if len(footer) < FOOTER_SIZE or footer[:8] != _MAGIC:
        return 0
    size, flags = int.from_bytes(footer[12:16], "little"), int.from_bytes(footer[20:24], "little")
    return size + (FOOTER_SIZE if flags & _HAS_HEADER else 0)


def read_ape(data: bytes) -> Container:
    """Return what a whole APE tag says."""
    items = _parse(data).items
    return Container(
        name="APEv2",
        genres=without_repeats(_values(items, "genre")),
        provenance=next(iter(_values(items, OUR_FIELD)), None),
        texts=texts_said(Form.APE, _said(items)),
    )


def retagged_ape(data: bytes, change: Change, *, own_field: bool) -> bytes:
    """Return the tag with the genres changed, and our own field, or without it."""
    tag = _parse(data)
    ours = [_text_item("Genre", change.genres)] if change.genres else []
    if own_field and change.provenance is not None:
        ours.append(_text_item(OUR_FIELD, (change.provenance,)))
    kept = [item for item in tag.items if not _is_ours(item)]
    first = next((n for n, item in enumerate(tag.items) if _is(item, "genre")), len(tag.items))
    place = sum(1 for item in tag.items[:first] if item in kept)
    items = [*kept[:place], *ours, *kept[place:]]
    return _assemble(tag, items)


def new_ape(change: Change, others: Iterable[tuple[str, str]] = ()) -> bytes:
    """Return a new tag with the genres, our own field, and other texts by key."""
    footer = _MAGIC + (2000).to_bytes(4, "little") + bytes(8)
    footer += _HAS_HEADER.to_bytes(4, "little") + bytes(8)
    items = tuple(_text_item(key, (text,)) for key, text in others)
    return retagged_ape(_assemble(_ApeTag(footer, True, items), items), change, own_field=True)


def rest_of_ape(data: bytes) -> list[Part]:
    """Return all that a change of genre must leave alone in a tag."""
    tag = _parse(data)
    parts = [("the version and flags of the APE tag", tag.footer[:12] + tag.footer[20:])]
    others = (item for item in tag.items if not _is_ours(item))
    return parts + [(f"the APE item {i.key.decode('latin-1')}", i.raw) for i in others]


def _parse(data: bytes) -> _ApeTag:
    footer = data[-FOOTER_SIZE:]
    has_header = data[:8] == _MAGIC and len(data) > FOOTER_SIZE
    body = data[FOOTER_SIZE if has_header else 0 : -FOOTER_SIZE]
    items, at = [], 0
    while at < len(body):
        item = _item_at(body, at)
        items.append(item)
        refuse_too_many(items)
        at += len(item.raw)
    # TagLib drops items without a value but counts them: their number alone proves no damage.
    is_odd = any(not _KEY.fullmatch(item.key) for item in items)
    if is_odd and len(items) != int.from_bytes(footer[16:20], "little"):
        raise TagFaultError("its APE tag is damaged: it does not have as many items as it says")
    return _ApeTag(footer, has_header, tuple(items))


def _item_at(body: bytes, at: int) -> _Item:
    size = int.from_bytes(body[at : at + 4], "little")
    end_of_key = body.find(b"\0", at + 8)
    stop = end_of_key + 1 + size
    if end_of_key < 0 or stop > len(body):
        raise TagFaultError(f"its APE tag is damaged at byte {at}; repair it with a tag editor")
    key, value = body[at + 8 : end_of_key], body[end_of_key + 1 : stop]
    return _Item(key, value, int.from_bytes(body[at + 4 : at + 8], "little"), body[at:stop])


def _assemble(tag: _ApeTag, items: Sequence[_Item]) -> bytes:
    body = b"".join(item.raw for item in items)
    counts = (len(body) + FOOTER_SIZE).to_bytes(4, "little") + len(items).to_bytes(4, "little")
    footer = tag.footer[:12] + counts + tag.footer[20:]
    if not tag.has_header:
        return body + footer
    is_header = int.from_bytes(footer[20:24], "little") | 1 << 29
    return footer[:20] + is_header.to_bytes(4, "little") + footer[24:] + body + footer


def _text_item(key: str, values: tuple[str, ...]) -> _Item:
    value = "\0".join(values).encode("utf-8")
    raw = len(value).to_bytes(4, "little") + bytes(4) + key.encode("ascii") + b"\0" + value
    return _Item(key.encode("ascii"), value, 0, raw)


def _is(item: _Item, key: str) -> bool:
    return item.key.decode("latin-1").casefold() == key.casefold()


def _is_ours(item: _Item) -> bool:
    return _is(item, "genre") or _is(item, OUR_FIELD)


def _values(items: tuple[_Item, ...], key: str) -> list[str]:
    return [value for item in items if _is(item, key) for value in _texts(item)]


def _texts(item: _Item) -> list[str]:
    return [] if item.flags & _KIND else item.value.decode("utf-8", "replace").split("\0")


def _said(items: tuple[_Item, ...]) -> Iterator[tuple[str, str]]:
    for item in items:
        if is_wanted(Form.APE, key := item.key.decode("latin-1")):
            yield from ((key, text) for text in _texts(item))
