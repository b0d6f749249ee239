"""WAV, AIFF and DSDIFF files: chunks, one of which may hold an ID3v2 tag.

The ID3 chunk gets the genre and our own field, and is added at the end where there is none. Where
a WAV file has a list of INFO texts, its genre (IGNR) is set as well: some players and Windows read
nothing else. Sizes that do not fit the file are refused, as are RF64 and W64, whose sizes lie
elsewhere. Source: Microsoft, "Multimedia Programming Interface", 1991; Apple, AIFF-C, 1991;
Philips, DSDIFF 1.5, 2004.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Literal

from tagger.tag_fields import Form
from tagger.tags.alphabets import shown, sure
from tagger.tags.fields import Change, Container, Part, Span, TagFaultError, texts_said
from tagger.tags.id3 import is_silent, new_id3, read_id3, rest_of_id3, retagged
from tagger.tags.limits import refuse_too_many
from tagger.tags.riff_info import info_texts, is_info, read_info, rest_of_info, retagged_info
from tagger.tags.splices import Splice, digest, peek_at, read_at, size_of

_ID3_IDS = (b"id3 ", b"ID3 ")
_SOUND_IDS = (b"data", b"SSND", b"DSD ", b"DST ")
# DSDIFF's chunks of chunks, and where in them the first one begins.
_INNER_STARTS = {b"PROP": 4, b"DIIN": 0}
_EDITED_TEXTS = {b"DITI": "TIT2", b"DIAR": "TPE1"}


@dataclass(frozen=True, slots=True)
class _Kind:
    """How a kind of file writes sizes, in which order and how many bytes, and names its tag."""

    order: Literal["little", "big"]
    width: int
    id3_id: bytes

    @property
    def header_size(self) -> int:
        """Length of a chunk's id and size."""
        return 4 + self.width

    def size_bytes(self, size: int) -> bytes:
        """Return a size as the files of this kind write it."""
        if size >= 1 << 8 * self.width:
            raise TagFaultError("it is too long to hold a genre: a chunk's size ends at 4 GB")
        return size.to_bytes(self.width, self.order)

    def chunk_bytes(self, chunk_id: bytes, body: bytes) -> bytes:
        """Return a chunk; one of odd length has a byte of padding."""
        return chunk_id + self.size_bytes(len(body)) + body + bytes(len(body) % 2)


_KINDS = {
    b"RIFF": _Kind("little", 4, b"id3 "),
    b"FORM": _Kind("big", 4, b"ID3 "),
    b"FRM8": _Kind("big", 8, b"ID3 "),
}


@dataclass(frozen=True, slots=True)
class _Chunk:
    id: bytes
    offset: int
    body: int
    size: int

    @property
    def end(self) -> int:
        """Where the next chunk begins."""
        return self.body + self.size + self.size % 2


@dataclass(frozen=True, slots=True)
class _Form:
    """A file's chunks, and how it writes sizes.

    Args:
        kind: How it writes sizes.
        chunks: In order.
        fault: What does not fit, or "".
        inner: Chunks in two of DSDIFF's: the sound's properties, where some writers put the tag,
            and the edited texts (title and artist).
    """

    kind: _Kind
    chunks: tuple[_Chunk, ...]
    fault: str
    inner: tuple[_Chunk, ...] = ()

    def of_id(self, *ids: bytes) -> list[_Chunk]:
        """Return the chunks that have one of these ids."""
        return [chunk for chunk in self.chunks if chunk.id in ids]

    @property
    def inner_id3(self) -> list[_Chunk]:
        """ID3 chunks that stand where none belongs, among the properties of the sound."""
        return [chunk for chunk in self.inner if chunk.id in _ID3_IDS]


def read(file: BinaryIO) -> list[Container]:
    """Return what the ID3 chunk and the INFO list say."""
    form = _form(file)
    id3 = [*form.of_id(*_ID3_IDS), *form.inner_id3]
    found = [read_id3(_body(file, chunk)) for chunk in id3]
    if texts := _edited_texts(file, form):
        found.append(Container("DIIN", texts=texts_said(Form.DIIN, texts)))
    return found + [read_info(_body(file, chunk)) for chunk in _infos(file, form)]


def plan(file: BinaryIO, change: Change) -> list[Splice]:
    """Return what to change so that the file carries these genres."""
    form = _form(file)
    if form.fault:
        raise TagFaultError(form.fault)
    kind = form.kind
    splices = _plan_id3(file, form, change)
    for chunk in _infos(file, form):
        new = kind.chunk_bytes(chunk.id, retagged_info(_body(file, chunk), change))
        splices.append(Splice(chunk.offset, chunk.end - chunk.offset, new))
    size = size_of(file) - kind.header_size + sum(len(s.new) - s.length for s in splices)
    return [*splices, Splice(4, kind.width, kind.size_bytes(size))]


def rest(file: BinaryIO) -> list[Part]:
    """Return all that a change of genre must leave alone."""
    form = _form(file)
    infos = _infos(file, form)
    form_type = peek_at(file, form.kind.header_size, 4)
    parts = [("the kind of file", peek_at(file, 0, 4) + form_type)]
    for chunk in form.chunks:
        if chunk.id in _ID3_IDS:
            parts += rest_of_id3(_body(file, chunk))
        elif chunk in infos:
            parts += rest_of_info(_body(file, chunk))
        else:
            name = f"the chunk {chunk.id.decode('latin-1')!r}"
            parts.append((name, digest(file, chunk.offset, chunk.end)))
    return parts


def audio(file: BinaryIO) -> list[Span]:
    """Return where the sound stands."""
    return [(c.body, c.body + c.size) for c in _form(file).of_id(*_SOUND_IDS)]


def _form(file: BinaryIO) -> _Form:
    """Find the chunks, as far as their sizes make sense."""
    kind = _KINDS[read_at(file, 0, 4)]
    end = kind.header_size + int.from_bytes(read_at(file, 4, kind.width), kind.order)
    fault = "" if end == size_of(file) else "its size and the size that it says it has differ"
    chunks, misfit = _chunks(file, kind, kind.header_size + 4, min(end, size_of(file)))
    fault = fault or misfit
    inner = [
        _chunks(file, kind, chunk.body + _INNER_STARTS[chunk.id], chunk.end)
        for chunk in chunks
        if chunk.id in _INNER_STARTS
    ]
    return _Form(
        kind,
        chunks,
        fault and f"it is damaged or cut short: {fault}",
        tuple(chunk for found, _ in inner for chunk in found),
    )


def _chunks(file: BinaryIO, kind: _Kind, at: int, end: int) -> tuple[tuple[_Chunk, ...], str]:
    """Return the chunks between two places, and what does not fit there, or ""."""
    chunks: list[_Chunk] = []
    while at < end:
        header = peek_at(file, at, kind.header_size)
        size = int.from_bytes(header[4:], kind.order)
        chunk = _Chunk(header[:4], at, at + kind.header_size, size)
        if len(header) < kind.header_size or chunk.end > end:
            return tuple(chunks), f"the size of its chunk at byte {at} does not fit the file"
        chunks.append(chunk)
        refuse_too_many(chunks)
        at = chunk.end
    return tuple(chunks), ""


def _body(file: BinaryIO, chunk: _Chunk) -> bytes:
    return read_at(file, chunk.body, chunk.size)


def _infos(file: BinaryIO, form: _Form) -> list[_Chunk]:
    if form.kind.order == "big":
        return []
    return [chunk for chunk in form.of_id(b"LIST") if is_info(peek_at(file, chunk.body, 4))]


def _plan_id3(file: BinaryIO, form: _Form, change: Change) -> list[Splice]:
    found = form.of_id(*_ID3_IDS)
    if len(found) > 1:
        raise TagFaultError("it has two ID3 chunks; remove one with a tag editor")
    if form.inner_id3:
        raise TagFaultError("its ID3 tag stands among the sound's properties; move it to the end")
    if not found and change.is_blank:
        return []
    if not found:
        new = form.kind.chunk_bytes(form.kind.id3_id, new_id3(change, _repeated(file, form)))
        return [Splice(size_of(file), 0, new)]
    chunk = found[0]
    old = _body(file, chunk)
    repeated = _repeated(file, form) if is_silent(old) and not change.is_blank else []
    new = form.kind.chunk_bytes(chunk.id, retagged(old, change, repeated=repeated))
    return [Splice(chunk.offset, chunk.end - chunk.offset, new)]


def _repeated(file: BinaryIO, form: _Form) -> list[tuple[str, str]]:
    """Return what other tags say: readers that find an ID3 tag with a genre look no further."""
    infos = [info_texts(_body(file, chunk)) for chunk in _infos(file, form)[:1]]
    edited = _edited_texts(file, form, lambda data: sure(data, "its DIIN chunk"))
    return [text for texts in (*infos, edited) for text in texts]


def _edited_texts(
    file: BinaryIO, form: _Form, decode: Callable[[bytes], str] = shown
) -> list[tuple[str, str]]:
    """Return title and artist of a DSDIFF file by ID3 frame id; a count of bytes goes before."""
    found = [c for c in form.inner if c.id in _EDITED_TEXTS and form.kind.width == 8]
    texts = [(_EDITED_TEXTS[c.id], decode(_body(file, c)[4:])) for c in found]
    return [(frame_id, text.strip("\0 ")) for frame_id, text in texts if text.strip("\0 ")]
