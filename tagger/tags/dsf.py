"""DSF files: a header that points at an ID3v2 tag behind the sound, at the end of the file.

Source: Sony, "DSF File Format Specification" 1.01, 2005.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from tagger.tags.fields import Change, Container, Part, Span, TagFaultError
from tagger.tags.id3 import new_id3, read_id3, rest_of_id3, retagged
from tagger.tags.splices import Splice, digest, read_at, size_of

HEADER_SIZE = 28
_FILE_SIZE = 12
_POINTER = 20


@dataclass(frozen=True, slots=True)
class _Header:
    """What the header says: how long the file is, and where its tag begins (0: none)."""

    size: int
    pointer: int


def read(file: BinaryIO) -> list[Container]:
    """Return what the tag says."""
    tag = _tag(file, _header(file))
    return [read_id3(tag)] if tag else []


def plan(file: BinaryIO, change: Change) -> list[Splice]:
    """Return what to change so that the file carries these genres."""
    header = _header(file)
    if header.size != size_of(file):
        raise TagFaultError("it is damaged or cut short: it has not the size it says")
    old = _tag(file, header)
    new = retagged(old, change) if old else new_id3(change)
    place = header.pointer or header.size
    return [
        Splice(_FILE_SIZE, 8, (place + len(new)).to_bytes(8, "little")),
        Splice(_POINTER, 8, place.to_bytes(8, "little")),
        Splice(place, len(old), new),
    ]


def rest(file: BinaryIO) -> list[Part]:
    """Return all that a change of genre must leave alone."""
    header = _header(file)
    tag = _tag(file, header)
    parts = [("the DSF header", read_at(file, 0, _FILE_SIZE))]
    parts += [("the audio", digest(file, *span)) for span in audio(file)]
    return parts + (rest_of_id3(tag) if tag else [])


def audio(file: BinaryIO) -> list[Span]:
    """Return where the sound stands, with what describes it."""
    return [(HEADER_SIZE, _header(file).pointer or size_of(file))]


def _header(file: BinaryIO) -> _Header:
    data = read_at(file, 0, HEADER_SIZE)
    size = int.from_bytes(data[_FILE_SIZE:_POINTER], "little")
    pointer = int.from_bytes(data[_POINTER:], "little")
    if pointer and not HEADER_SIZE <= pointer < size_of(file):
        raise TagFaultError("it is damaged or cut short: its tag lies outside the file")
    return _Header(size, pointer)


def _tag(file: BinaryIO, header: _Header) -> bytes:
    """Return all that lies behind the sound, which is the tag; b"" where there is none."""
    if not header.pointer:
        return b""
    return read_at(file, header.pointer, size_of(file) - header.pointer)
