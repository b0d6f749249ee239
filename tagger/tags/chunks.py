"""WAV and AIFF files: chunks, one of which may hold an ID3v2 tag, and in WAV another INFO texts.

The ID3 chunk gets the genre and our own field, and is added at the end where there is none. Where
a WAV file has a list of INFO texts, its genre (IGNR) is set as well: some players and Windows read
nothing else. Sizes that do not fit the file are refused, as are RF64 and W64, whose sizes lie
elsewhere. Source: Microsoft, "Multimedia Programming Interface", 1991; Apple, AIFF-C, 1991.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO, Literal

from tagger.tags.fields import Change, Container, Part, TagFaultError, split_joined
from tagger.tags.id3 import new_id3, read_id3, rest_of_id3, retagged
from tagger.tags.splices import Splice, digest, peek_at, read_at, size_of

_HEADER_SIZE = 8
_FORM_SIZE = 12
_ID3_IDS = (b"id3 ", b"ID3 ")
_INFO_GENRE = b"IGNR"


@dataclass(frozen=True, slots=True)
class _Chunk:
    id: bytes
    offset: int
    size: int

    @property
    def body(self) -> int:
        return self.offset + _HEADER_SIZE

    @property
    def end(self) -> int:
        """Where the next chunk begins: a chunk of odd length has a byte of padding."""
        return self.body + self.size + self.size % 2


@dataclass(frozen=True, slots=True)
class _Form:
    """A file's chunks, its byte order, and whether all sizes fit."""

    order: Literal["little", "big"]
    chunks: tuple[_Chunk, ...]
    fault: str

    @property
    def is_wav(self) -> bool:
        return self.order == "little"


def read(file: BinaryIO) -> list[Container]:
    """Return what the ID3 chunk and the INFO list say."""
    form = _form(file)
    found = []
    for chunk in form.chunks:
        if chunk.id in _ID3_IDS:
            found.append(read_id3(_id3_bytes(file, chunk)))
        elif _is_info(file, form, chunk):
            found.append(_read_info(file, chunk))
    return sorted(found, key=lambda container: container.name == "INFO")


def plan(file: BinaryIO, change: Change) -> list[Splice]:
    """Return what to change so that the file carries these genres."""
    form = _form(file)
    if form.fault:
        raise TagFaultError(form.fault)
    infos = [chunk for chunk in form.chunks if _is_info(file, form, chunk)]
    splices = [_plan_id3(file, form, change), *(_plan_info(file, c, change) for c in infos)]
    size = size_of(file) - _HEADER_SIZE + sum(len(s.new) - s.length for s in splices)
    if size >= 1 << 32:
        raise TagFaultError("it is too long to hold a genre: a chunk's size ends at 4 GB")
    return [*splices, Splice(4, 4, size.to_bytes(4, form.order))]


def rest(file: BinaryIO) -> list[Part]:
    """Return all that a change of genre must leave alone."""
    form = _form(file)
    parts = [("the kind of file", peek_at(file, 0, 4) + peek_at(file, 8, 4))]
    for chunk in form.chunks:
        if chunk.id in _ID3_IDS:
            parts += rest_of_id3(_id3_bytes(file, chunk))
        elif _is_info(file, form, chunk):
            items = _info_items(file, chunk)
            parts += [
                (f"the INFO text {i.decode('latin-1')}", b) for i, b in items if i != _INFO_GENRE
            ]
        else:
            name = f"the chunk {chunk.id.decode('latin-1')!r}"
            parts.append((name, digest(file, chunk.offset, chunk.end)))
    return parts


def _form(file: BinaryIO) -> _Form:
    """Find the chunks, as far as their sizes make sense."""
    head = read_at(file, 0, _FORM_SIZE)
    order: Literal["little", "big"] = "little" if head[:4] == b"RIFF" else "big"
    end = _HEADER_SIZE + int.from_bytes(head[4:8], order)
    fault = "" if end == size_of(file) else "its size and the size that it says it has differ"
    chunks: list[_Chunk] = []
    at = _FORM_SIZE
    while at < min(end, size_of(file)):
        header = peek_at(file, at, _HEADER_SIZE)
        chunk = _Chunk(header[:4], at, int.from_bytes(header[4:], order))
        if len(header) < _HEADER_SIZE or chunk.end > min(end, size_of(file)):
            fault = fault or f"the size of its chunk at byte {at} does not fit the file"
            break
        chunks.append(chunk)
        at = chunk.end
    return _Form(order, tuple(chunks), fault and f"it is damaged or cut short: {fault}")


def _id3_bytes(file: BinaryIO, chunk: _Chunk) -> bytes:
    return read_at(file, chunk.body, chunk.size)


def _plan_id3(file: BinaryIO, form: _Form, change: Change) -> Splice:
    found = [chunk for chunk in form.chunks if chunk.id in _ID3_IDS]
    if len(found) > 1:
        raise TagFaultError("it has two ID3 chunks; remove one with a tag editor")
    if not found:
        chunk_id = _ID3_IDS[0] if form.is_wav else _ID3_IDS[1]
        new = _chunk_bytes(chunk_id, new_id3(change), form.order)
        return Splice(size_of(file), 0, new)
    chunk = found[0]
    new = _chunk_bytes(chunk.id, retagged(_id3_bytes(file, chunk), change), form.order)
    return Splice(chunk.offset, chunk.end - chunk.offset, new)


def _chunk_bytes(chunk_id: bytes, body: bytes, order: Literal["little", "big"]) -> bytes:
    return chunk_id + len(body).to_bytes(4, order) + body + bytes(len(body) % 2)


def _is_info(file: BinaryIO, form: _Form, chunk: _Chunk) -> bool:
    return form.is_wav and chunk.id == b"LIST" and peek_at(file, chunk.body, 4) == b"INFO"


def _info_items(file: BinaryIO, chunk: _Chunk) -> list[tuple[bytes, bytes]]:
    """Return the id and the raw body of each text in an INFO list."""
    data = read_at(file, chunk.body, chunk.size)[4:]
    items, at = [], 0
    while at < len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        if at + 8 + size > len(data):
            raise TagFaultError("its INFO list is damaged; repair it with a tag editor")
        items.append((data[at : at + 4], data[at + 8 : at + 8 + size]))
        at += 8 + size + size % 2
    return items


def _read_info(file: BinaryIO, chunk: _Chunk) -> Container:
    texts = {item_id: _info_text(body) for item_id, body in reversed(_info_items(file, chunk))}
    return Container(
        name="INFO",
        genres=split_joined(texts.get(_INFO_GENRE, "")),
        title=texts.get(b"INAM", ""),
        artist=texts.get(b"IART", ""),
        album=texts.get(b"IPRD", ""),
    )


def _info_text(body: bytes) -> str:
    """Decode a text whose encoding nobody defined: UTF-8 if it is that, else Latin-1."""
    text = body.split(b"\0")[0]
    try:
        return text.decode("utf-8").strip()
    except UnicodeDecodeError:
        return text.decode("latin-1").strip()


def _plan_info(file: BinaryIO, chunk: _Chunk, change: Change) -> Splice:
    if any(";" in genre for genre in change.genres):
        raise TagFaultError("its INFO list could not tell a genre with a semicolon from two")
    items = _info_items(file, chunk)
    ids = [item_id for item_id, _ in items]
    first = ids.index(_INFO_GENRE) if _INFO_GENRE in ids else len(items)
    genre = [(_INFO_GENRE, change.joined.encode("utf-8") + b"\0")] if change.genres else []
    others = [item for item in items[first:] if item[0] != _INFO_GENRE]
    new = [*items[:first], *genre, *others]
    body = b"INFO" + b"".join(_chunk_bytes(item_id, text, "little") for item_id, text in new)
    return Splice(chunk.offset, chunk.end - chunk.offset, _chunk_bytes(b"LIST", body, "little"))
