"""WMA and ASF files: the genre in the Extended Content Description object of the header.

Several genres are descriptors of the same name. Room comes from a padding object of the header;
where there is none or too little, the header grows. No object holds a byte position in the file,
but one holds the file's length. What is encrypted or signed is left alone.
Source: Microsoft, "Advanced Systems Format (ASF) Specification" 01.20.05.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from tagger.genre_text import without_repeats
from tagger.tag_fields import Form
from tagger.tags.asf_descriptors import (
    Descriptor,
    content_texts,
    descriptors_body,
    parse_descriptors,
    parse_library,
    text_descriptor,
)
from tagger.tags.asf_objects import (
    CONTENT,
    ENCRYPTION,
    EXTENDED_CONTENT,
    METADATA,
    METADATA_LIBRARY,
    OBJECT_HEADER_SIZE,
    PADDING,
    PROPERTIES,
    SIGNATURE,
    AsfHeader,
    AsfObject,
    asf_header,
    asf_object_bytes,
)
from tagger.tags.fields import Change, Container, Part, Span, TagFaultError, names_genre, texts_said
from tagger.tags.splices import Splice, digest, read_at, size_of

_GENRE, _OUR_FIELD = "WM/Genre", "TAGGER/GENRE"
_NEW_PADDING = 2048
_HEADER_LENGTH, _HEADER_COUNT = 16, 24
_FILE_LENGTH = 16  # In the body of the File Properties object.


def read(file: BinaryIO) -> list[Container]:
    """Return what the header says."""
    header = asf_header(file)
    found = _descriptors(file, header.one(EXTENDED_CONTENT))
    everywhere = (*found, *_in_library(file, header))
    return [
        Container(
            name="ASF",
            genres=without_repeats(d.text for d in everywhere if _is_genre(d)),
            provenance=next((d.text for d in found if d.name == _OUR_FIELD), None),
            texts=texts_said(
                Form.ASF, [*_content(file, header), *((d.name, d.shown) for d in everywhere)]
            ),
        )
    ]


def plan(file: BinaryIO, change: Change) -> list[Splice]:
    """Return what to change so that the file carries these genres."""
    header = asf_header(file)
    _refuse_protected(header)
    if any(_is_genre(d) for d in _in_library(file, header)):
        raise TagFaultError("its genre stands in the ASF Metadata Library; move it with an editor")
    old = header.one(EXTENDED_CONTENT)
    body = descriptors_body(_retagged(_descriptors(file, old), change))
    edits = _fitted(header, old, asf_object_bytes(EXTENDED_CONTENT, body))
    step = sum(len(edit.new) - edit.length for edit in edits)
    return edits + _resized(file, header, step, n_new=sum(edit.length == 0 for edit in edits))


def rest(file: BinaryIO) -> list[Part]:
    """Return all that a change of genre must leave alone."""
    header = asf_header(file)
    parts = [("the start of the ASF header", read_at(file, 0, 16) + read_at(file, 28, 2))]
    for found in header.objects:
        name = f"the ASF object {found.kind.hex()}"
        if found.kind == EXTENDED_CONTENT:
            others = [d for d in _descriptors(file, found) if not _is_ours(d)]
            parts += [(f"the ASF value {d.name}", d.raw) for d in others]
        elif found.kind == PROPERTIES:
            parts.append((name, _properties(file, found)))
        elif found.kind != PADDING:
            parts.append((name, digest(file, found.offset, found.end)))
    return [*parts, *(("the audio", digest(file, *span)) for span in audio(file))]


def audio(file: BinaryIO) -> list[Span]:
    """Return where the objects behind the header stand."""
    return [(asf_header(file).end, size_of(file))]


def _retagged(old: tuple[Descriptor, ...], change: Change) -> list[Descriptor]:
    ours = [text_descriptor(_GENRE, genre) for genre in change.genres]
    if change.provenance is not None:
        ours.append(text_descriptor(_OUR_FIELD, change.provenance))
    first = next((n for n, d in enumerate(old) if _is_genre(d)), len(old))
    before, after = ([d for d in part if not _is_ours(d)] for part in (old[:first], old[first:]))
    return [*before, *ours, *after]


def _fitted(header: AsfHeader, old: AsfObject | None, new: bytes) -> list[Splice]:
    """Put the new tags in the place of the old ones, and let padding take up the difference."""
    padding = next((o for o in header.objects if o.kind == PADDING), None)
    place, length = (old.offset, old.size) if old else (header.end, 0)
    edit = Splice(place, length, new)
    if padding is None and len(new) == length:
        return [edit]
    room, room_place = (padding.size, padding.offset) if padding else (0, header.end)
    left = length + room - len(new)
    padding_body = bytes(_padding_size(left))
    return [edit, Splice(room_place, room, asf_object_bytes(PADDING, padding_body))]


def _padding_size(left: int) -> int:
    return left - OBJECT_HEADER_SIZE if left >= OBJECT_HEADER_SIZE else _NEW_PADDING


def _resized(file: BinaryIO, header: AsfHeader, step: int, *, n_new: int) -> list[Splice]:
    """Say the header's new length and number of objects, and the file's new length."""
    count = (len(header.objects) + n_new).to_bytes(4, "little")
    splices = [
        Splice(_HEADER_LENGTH, 8, (header.end + step).to_bytes(8, "little")),
        Splice(_HEADER_COUNT, 4, count),
    ]
    properties = header.one(PROPERTIES)
    # A broadcast does not know its length, and says nothing or anything.
    if properties and _said_length(file, properties) == size_of(file):
        length = (size_of(file) + step).to_bytes(8, "little")
        splices.append(Splice(properties.body + _FILE_LENGTH, 8, length))
    return splices


def _refuse_protected(header: AsfHeader) -> None:
    kinds = {o.kind for o in header.objects}
    if kinds.intersection(ENCRYPTION):
        raise TagFaultError("it is encrypted (DRM); only its licence's owner may change it")
    if SIGNATURE in kinds:
        raise TagFaultError("it is digitally signed, and a new genre would break the signature")


def _properties(file: BinaryIO, found: AsfObject) -> bytes:
    """Return the file's properties, and in the place of its length whether that is true."""
    body = _body(file, found)
    is_true = _said_length(file, found) == size_of(file)
    return body[:_FILE_LENGTH] + bytes([is_true]) + body[_FILE_LENGTH + 8 :]


def _said_length(file: BinaryIO, properties: AsfObject) -> int:
    return int.from_bytes(read_at(file, properties.body + _FILE_LENGTH, 8), "little")


def _descriptors(file: BinaryIO, found: AsfObject | None) -> tuple[Descriptor, ...]:
    return parse_descriptors(_body(file, found)) if found else ()


def _content(file: BinaryIO, header: AsfHeader) -> Iterator[tuple[str, str]]:
    """Yield title and artist, which have no names in the file."""
    content = header.one(CONTENT)
    texts = content_texts(_body(file, content)) if content else ()
    yield from zip(("Title", "Author"), texts, strict=False)


def _in_library(file: BinaryIO, header: AsfHeader) -> list[Descriptor]:
    found = [o for o in header.inner if o.kind in (METADATA, METADATA_LIBRARY)]
    return [d for o in found for d in parse_library(_body(file, o))]


def _body(file: BinaryIO, found: AsfObject) -> bytes:
    return read_at(file, found.body, found.size - OBJECT_HEADER_SIZE)


def _is_ours(descriptor: Descriptor) -> bool:
    return _is_genre(descriptor) or descriptor.name == _OUR_FIELD


def _is_genre(descriptor: Descriptor) -> bool:
    return descriptor.name == _GENRE or names_genre(descriptor.name)
