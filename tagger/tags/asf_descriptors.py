"""What the objects of an ASF header say of a track: named values, and five texts without names.

Source: Microsoft, "Advanced Systems Format (ASF) Specification" 01.20.05, 3.10, 3.11, 4.7 and 4.8.
"""

from __future__ import annotations

from dataclasses import dataclass

from tagger.tags.fields import TagFaultError
from tagger.tags.limits import refuse_too_many

_TEXT = 0
_NUMBERS = (3, 4, 5)  # of 32, 64 and 16 bits
_MAX_SIZE = 0xFFFF


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A named value.

    Args:
        name: Its name.
        text: What it says, or "" where that is no text.
        raw: All of it as it stands.
        number: What it says, where that is a whole number.
    """

    name: str
    text: str
    raw: bytes
    number: int | None = None

    @property
    def shown(self) -> str:
        """What it says, a number in digits."""
        return self.text if self.number is None else str(self.number)


def parse_descriptors(body: bytes) -> tuple[Descriptor, ...]:
    """Take the body of an Extended Content Description object apart."""
    at, found = 2, []
    refuse_too_many(range(int.from_bytes(body[:2], "little")))
    for _ in range(int.from_bytes(body[:2], "little")):
        start = at
        name, at = _sized(body, at)
        kind = int.from_bytes(body[at : at + 2], "little")
        value, at = _sized(body, at + 2)
        found.append(_descriptor(name, kind, value, body[start:at]))
    if at != len(body):
        raise _damaged()
    return tuple(found)


def parse_library(body: bytes) -> tuple[Descriptor, ...]:
    """Take the body of a Metadata or Metadata Library object apart."""
    at, found = 2, []
    refuse_too_many(range(int.from_bytes(body[:2], "little")))
    for _ in range(int.from_bytes(body[:2], "little")):
        start, fields = at, body[at + 4 : at + 12]
        len_name = int.from_bytes(fields[:2], "little")
        at += 12 + len_name
        stop = at + int.from_bytes(fields[4:], "little")
        if len(fields) < 8 or stop > len(body):
            raise _damaged()
        kind = int.from_bytes(fields[2:4], "little")
        name = body[at - len_name : at]
        found.append(_descriptor(name, kind, body[at:stop], body[start:stop]))
        at = stop
    return tuple(found)


def descriptors_body(descriptors: list[Descriptor]) -> bytes:
    """Return the body of an Extended Content Description object."""
    if len(descriptors) > _MAX_SIZE:
        raise TagFaultError("its ASF tags are full: they hold 65535 values")
    count = len(descriptors).to_bytes(2, "little")
    return count + b"".join(descriptor.raw for descriptor in descriptors)


def text_descriptor(name: str, text: str) -> Descriptor:
    """Return a descriptor that holds a text."""
    sizes_and_bytes = [_with_size(_encoded(name)), bytes(2), _with_size(_encoded(text))]
    return Descriptor(name, text, b"".join(sizes_and_bytes))


def content_texts(body: bytes) -> tuple[str, ...]:
    """Return title, artist, copyright, description and rating of a Content Description object."""
    sizes = [int.from_bytes(body[at : at + 2], "little") for at in range(0, 10, 2)]
    if 10 + sum(sizes) > len(body):
        raise _damaged()
    ends = [10 + sum(sizes[: n + 1]) for n in range(5)]
    return tuple(_decoded(body[end - size : end]) for size, end in zip(sizes, ends, strict=True))


def _descriptor(name: bytes, kind: int, value: bytes, raw: bytes) -> Descriptor:
    text = _decoded(value) if kind == _TEXT else ""
    number = int.from_bytes(value, "little") if kind in _NUMBERS else None
    return Descriptor(_decoded(name), text, raw, number)


def _sized(body: bytes, at: int) -> tuple[bytes, int]:
    stop = at + 2 + int.from_bytes(body[at : at + 2], "little")
    if at + 2 > len(body) or stop > len(body):
        raise _damaged()
    return body[at + 2 : stop], stop


def _with_size(data: bytes) -> bytes:
    if len(data) > _MAX_SIZE:
        raise TagFaultError("a genre is too long for ASF tags: a value holds 64 KB")
    return len(data).to_bytes(2, "little") + data


def _encoded(text: str) -> bytes:
    return text.encode("utf-16-le") + b"\0\0"


def _decoded(data: bytes) -> str:
    return data.decode("utf-16-le", "replace").split("\0")[0]


def _damaged() -> TagFaultError:
    return TagFaultError("its ASF tags are damaged; repair them with a tag editor")
