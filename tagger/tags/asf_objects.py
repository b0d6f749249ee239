"""ASF objects as they lie in the header of a file: kinds, offsets and sizes.

What they hold is left to asf.py.
Source: Microsoft, "Advanced Systems Format (ASF) Specification" 01.20.05, 2, 3 and 10.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from tagger.tags.fields import TagFaultError
from tagger.tags.limits import refuse_too_many
from tagger.tags.splices import peek_at, read_at, size_of

HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
CONTENT = bytes.fromhex("3326b2758e66cf11a6d900aa0062ce6c")
EXTENDED_CONTENT = bytes.fromhex("40a4d0d207e3d21197f000a0c95ea850")
METADATA = bytes.fromhex("eacbf8c5af5b77488467aa8c44fa4cca")
METADATA_LIBRARY = bytes.fromhex("941c23449894d149a1411d134e457054")
PADDING = bytes.fromhex("74d40618dfca0945a4ba9aabcb96aae8")
ENCRYPTION = (
    bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e"),
    bytes.fromhex("14e68a292226174cb935dae07ee9289c"),
)
SIGNATURE = bytes.fromhex("fcb3112223bdd211b4b700a0c955fc6e")
_EXTENSION = bytes.fromhex("b503bf5f2ea9cf118ee300c00c205365")

OBJECT_HEADER_SIZE = 24
_HEADER_SIZE = 30
_EXTENSION_SIZE = 22  # Between the header of the extension object and the objects in it.


@dataclass(frozen=True, slots=True)
class AsfObject:
    """An object: its kind, and where it stands."""

    kind: bytes
    offset: int
    size: int

    @property
    def body(self) -> int:
        """Where it begins behind its own header."""
        return self.offset + OBJECT_HEADER_SIZE

    @property
    def end(self) -> int:
        """Where the next object begins."""
        return self.offset + self.size


@dataclass(frozen=True, slots=True)
class AsfHeader:
    """The header of a file: its objects, and those within its extension object."""

    objects: tuple[AsfObject, ...]
    inner: tuple[AsfObject, ...]
    end: int

    def one(self, kind: bytes) -> AsfObject | None:
        """Return the only object of a kind, None if there is none; refuse several."""
        found = [o for o in self.objects if o.kind == kind]
        if len(found) > 1:
            raise TagFaultError(f"its ASF header has {len(found)} objects of one kind; remux it")
        return found[0] if found else None


def asf_object_bytes(kind: bytes, body: bytes) -> bytes:
    """Return an object."""
    return kind + (OBJECT_HEADER_SIZE + len(body)).to_bytes(8, "little") + body


def asf_header(file: BinaryIO) -> AsfHeader:
    """Take the header apart, or raise TagFaultError where it does not fit the file."""
    start = read_at(file, 0, _HEADER_SIZE)
    end = int.from_bytes(start[16:24], "little")
    objects = _objects(file, _HEADER_SIZE, min(end, size_of(file)))
    if end > size_of(file) or len(objects) != int.from_bytes(start[24:28], "little"):
        raise TagFaultError("it is damaged or cut short: its ASF header does not fit")
    _refuse_cut_data(file, end)
    inner = [_inner(file, o) for o in objects if o.kind == _EXTENSION]
    return AsfHeader(objects, tuple(found for some in inner for found in some), end)


def _inner(file: BinaryIO, extension: AsfObject) -> tuple[AsfObject, ...]:
    return _objects(file, extension.body + _EXTENSION_SIZE, extension.end)


def _objects(file: BinaryIO, at: int, end: int) -> tuple[AsfObject, ...]:
    objects = []
    while at < end:
        found = _object_at(file, at)
        if found.size < OBJECT_HEADER_SIZE or found.end > end:
            raise TagFaultError(f"it is damaged or cut short: no ASF object fits at byte {at}")
        objects.append(found)
        refuse_too_many(objects)
        at = found.end
    return tuple(objects)


def _object_at(file: BinaryIO, at: int) -> AsfObject:
    header = peek_at(file, at, OBJECT_HEADER_SIZE)
    return AsfObject(header[:16], at, int.from_bytes(header[16:], "little"))


def _refuse_cut_data(file: BinaryIO, header_end: int) -> None:
    """Refuse a file that ends before the sound does, which follows the header."""
    data = _object_at(file, header_end)
    if header_end + OBJECT_HEADER_SIZE > size_of(file) or data.end > size_of(file):
        raise TagFaultError("it is cut short: it ends before its sound does")
