"""ID3v2 tags as frames of raw bytes, in all three versions: taken apart and put together again.

What a frame means is left to `tagger.tags.id3`. Nothing is converted: a frame that is not replaced
comes out byte for byte as it went in, with its flags, whatever it holds.
Source: id3.org, id3v2-00, id3v2.3.0, id3v2.4.0-structure.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from tagger.tags.fields import TagFaultError
from tagger.tags.limits import (
    MAX_DEPTH,
    MAX_INFLATED,
    refuse_inflating,
    refuse_too_deep,
    refuse_too_many,
)

HEADER_SIZE = 10
NEW_PADDING = 2048
"""Room left in a tag that had to grow, so that its next change moves no audio."""

_UNSYNCHRONISED, _EXTENDED, _FOOTER = 0x80, 0x40, 0x10
_MAX_READ = 1 << 16  # of a compressed text
_FALSE_SYNC = re.compile(rb"\xff[\xe0-\xff]")
# Ids with a blank or a NUL at the end occur (v2.2 ids in v2.3 tags); they are kept as they are.
_ID = re.compile(rb"[A-Z0-9][ -~]{1,3}\0?")


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: its id, its flags, the body behind its header, and all of it as it stands."""

    id: str
    flags: int
    body: bytes
    raw: bytes


@dataclass(frozen=True, slots=True)
class Id3Tag:
    """An ID3v2 tag.

    Args:
        version: (2, 3 or 4, revision).
        flags: Those of the tag's header.
        extended: The extended header as it stands, or b"".
        frames: In order.
        plain_sizes: v2.4 with sizes that are not synchsafe, as old iTunes wrote them.
        is_plain: Its flag says that it is unsynchronised as a whole, and it is not, as id3lib
            wrote it: FFmpeg and mutagen read what stands there, so that is kept.
        junk: What stands behind the frames and is neither a frame nor padding.
    """

    version: tuple[int, int]
    flags: int
    extended: bytes
    frames: tuple[Frame, ...]
    plain_sizes: bool = False
    junk: bytes = b""
    is_plain: bool = False

    @property
    def major(self) -> int:
        """2, 3 or 4, for ID3v2.2, ID3v2.3 and ID3v2.4."""
        return self.version[0]


def tag_size(header: bytes) -> int:
    """Return the length of the tag that begins with these ten bytes; 0 where none does."""
    if len(header) < HEADER_SIZE or header[:3] != b"ID3" or max(header[6:10]) > 127:
        return 0
    footer = HEADER_SIZE if header[3] == 4 and header[5] & _FOOTER else 0
    return HEADER_SIZE + _synchsafe(header[6:10]) + footer


def parse(data: bytes) -> Id3Tag:
    """Take a whole tag apart; raise TagFaultError where it is none that we know."""
    size, major = tag_size(data), data[3] if len(data) > 3 else 0
    if not size or len(data) < size:
        raise TagFaultError("its ID3v2 tag is cut short")
    if major not in (2, 3, 4):
        raise TagFaultError(f"its tag is ID3v2.{major}, which nobody has defined yet")
    flags = data[5]
    if major == 2 and flags & _EXTENDED:
        raise TagFaultError("its ID3v2.2 tag is compressed, in a way nobody has defined")
    body = data[HEADER_SIZE : HEADER_SIZE + _synchsafe(data[6:10])]
    is_plain = major < 4 and bool(flags & _UNSYNCHRONISED) and _is_plain(body, major)
    if major < 4 and flags & _UNSYNCHRONISED and not is_plain:
        body = synchronised(body)
    extended = body[: _extended_size(body, major)] if flags & _EXTENDED else b""
    tag = Id3Tag((major, data[4]), flags, extended, (), is_plain=is_plain)
    tag = _with_split_frames(tag, body[len(extended) :])
    _refuse_bombs(tag)
    # A chunk may be longer than the tag in it; what is no padding there must not be lost.
    return replace(tag, junk=tag.junk + data[size:]) if data[size:].strip(b"\0") else tag


def _is_plain(body: bytes, major: int) -> bool:
    """Return whether a body whose tag says that it is unsynchronised is not.

    There is no false synchronisation in one that is; or else its frames fit only as they stand.
    """
    if _FALSE_SYNC.search(body):
        return True
    ends = (_split(one, major, plain_sizes=False)[1] for one in (body, synchronised(body)))
    as_it_stands, decoded = (bool(end.strip(b"\0")) for end in ends)
    return decoded and not as_it_stands


def _with_split_frames(tag: Id3Tag, body: bytes) -> Id3Tag:
    """Find the frames; v2.4 is tried with synchsafe sizes first, then with plain ones."""
    frames, rest = _split(body, tag.major, plain_sizes=False)
    if tag.major == 4 and rest.strip(b"\0"):
        plain_frames, plain_rest = _split(body, 4, plain_sizes=True)
        if not plain_rest.strip(b"\0"):
            return replace(tag, frames=plain_frames, plain_sizes=True)
    return replace(tag, frames=frames, junk=rest if rest.strip(b"\0") else b"")


def _split(body: bytes, major: int, *, plain_sizes: bool) -> tuple[tuple[Frame, ...], bytes]:
    """Return the frames at the start of a tag's body, and what follows them."""
    frames: list[Frame] = []
    at = 0
    while (frame := _frame_at(body, at, major, plain_sizes=plain_sizes)) is not None:
        frames.append(frame)
        refuse_too_many(frames)
        at += len(frame.raw)
    return tuple(frames), body[at:]


def _frame_at(body: bytes, at: int, major: int, *, plain_sizes: bool) -> Frame | None:
    id_size, header_size = (3, 6) if major == 2 else (4, 10)
    header = body[at : at + header_size]
    if len(header) < header_size or not _ID.fullmatch(header[:id_size]):
        return None
    size = header[id_size : 2 * id_size]
    if major == 4 and not plain_sizes:
        if max(size) > 127:
            return None
        length = _synchsafe(size)
    else:
        length = int.from_bytes(size)
    raw = body[at : at + header_size + length]
    if len(raw) < header_size + length:
        return None
    flags = int.from_bytes(header[2 * id_size :])
    return Frame(header[:id_size].decode("latin-1"), flags, raw[header_size:], raw)


def make_frame(tag: Id3Tag, frame_id: str, body: bytes) -> Frame:
    """Return a frame without flags, in the version of a tag."""
    encoded = frame_id.encode("ascii")
    if tag.major == 2:
        raw = encoded + len(body).to_bytes(3) + body
    elif tag.major == 4 and not tag.plain_sizes:
        raw = encoded + _to_synchsafe(len(body)) + b"\0\0" + body
    else:
        raw = encoded + len(body).to_bytes(4) + b"\0\0" + body
    return Frame(frame_id, 0, body, raw)


def refuse_unchangeable(tag: Id3Tag) -> None:
    """Raise TagFaultError where a change would do harm to the rest of a tag."""
    if tag.junk:
        last = tag.frames[-1].id if tag.frames else "its header"
        raise TagFaultError(f"its ID3v2 tag is damaged behind {last}; repair it with a tag editor")
    if tag.extended and _has_checksum(tag):
        raise TagFaultError("its ID3v2 tag has a checksum, which a new genre would make wrong")


def assemble(tag: Id3Tag, room: int) -> bytes:
    """Put a tag together, of the length ``room`` if that is enough, else with new padding."""
    frames = b"".join(frame.raw for frame in tag.frames)
    footer_size = HEADER_SIZE if tag.major == 4 and tag.flags & _FOOTER else 0
    whole_tag = tag.major < 4 and bool(tag.flags & _UNSYNCHRONISED) and not tag.is_plain
    body = tag.extended + frames
    body = unsynchronised(body) if whole_tag else body
    padding = room - HEADER_SIZE - footer_size - len(body)
    if footer_size:
        padding = 0  # A tag with a footer must have none (id3v2.4.0-structure, 3.3).
    elif padding < 0:
        padding = NEW_PADDING
    if tag.extended and tag.major == 3:
        body = _with_padding_size(tag, padding) + frames
    size = _to_synchsafe(len(body) + padding)
    header = b"ID3" + bytes((*tag.version, tag.flags)) + size
    footer = b"3DI" + header[3:] if footer_size else b""
    return header + body + bytes(padding) + footer


def _with_padding_size(tag: Id3Tag, padding: int) -> bytes:
    if tag.flags & _UNSYNCHRONISED and not tag.is_plain:
        raise TagFaultError("its ID3v2.3 tag has an extended header that is unsynchronised")
    return tag.extended[:6] + padding.to_bytes(4) + tag.extended[10:]


def _extended_size(body: bytes, major: int) -> int:
    size = 4 + int.from_bytes(body[:4]) if major == 3 else _synchsafe(body[:4])
    if not (10 if major == 3 else 6) <= size <= min(len(body), 64):
        raise TagFaultError("the extended header of its ID3v2 tag is damaged; repair it first")
    return size


def _has_checksum(tag: Id3Tag) -> bool:
    return bool(tag.extended[4] & 0x80 if tag.major == 3 else tag.extended[5] & 0x20)


def frame_content(tag: Id3Tag, frame: Frame) -> bytes | None:
    """Return what a frame holds, unpacked; None where it is encrypted or damaged.

    Source: id3v2.3.0, 3.3.1; id3v2.4.0-structure, 4.1.2.
    """
    if tag.major == 2:
        return frame.body
    marks = _marks(tag)
    if frame.flags & marks.encrypted:
        return None
    body = _unwrapped(tag, frame)
    return _inflated(body, _MAX_READ) if frame.flags & marks.packed else body


class _Marks(NamedTuple):
    """The bits of a frame's flags that say what was done to its body."""

    grouped: int
    packed: int
    encrypted: int


def _marks(tag: Id3Tag) -> _Marks:
    return _Marks(0x40, 0x08, 0x04) if tag.major == 4 else _Marks(0x20, 0x80, 0x40)


def _unwrapped(tag: Id3Tag, frame: Frame) -> bytes:
    """Return a frame's body without what its flags put in front, and synchronised."""
    marks, v4 = _marks(tag), tag.major == 4
    has_length = frame.flags & 0x01 if v4 else frame.flags & marks.packed
    body = frame.body[(1 if frame.flags & marks.grouped else 0) + (4 if has_length else 0) :]
    if v4 and (frame.flags & 0x02 or tag.flags & _UNSYNCHRONISED):
        body = synchronised(body)
    return body


def _inflated(body: bytes, most: int) -> bytes | None:
    try:
        return zlib.decompressobj().decompress(body, most)
    except zlib.error:
        return None


def _refuse_bombs(tag: Id3Tag) -> None:
    """Raise TagLimitError where compressed frames hold too much, inflating no more than is allowed.

    Other readers inflate whole frames, and those in chapters as well.
    """
    n_bytes = 0
    for body in _packed_bodies(tag, tag.frames, MAX_DEPTH):
        n_bytes += len(_inflated(body, MAX_INFLATED + 1 - n_bytes) or b"")
        refuse_inflating(n_bytes)


def _packed_bodies(tag: Id3Tag, frames: Iterable[Frame], depth: int) -> Iterator[bytes]:
    """Yield what is compressed in frames, and in chapters among them down to a depth."""
    for frame in frames:
        if tag.major > 2 and frame.flags & _marks(tag).packed:
            yield _unwrapped(tag, frame)
        elif frame.id in _BEHIND_NAMES:
            inner, _ = _split(_chapter_frames(frame), tag.major, plain_sizes=tag.plain_sizes)
            refuse_too_deep(depth if inner else 1)
            yield from _packed_bodies(tag, inner, depth - 1)


# Frames that have frames in them, behind a name and, of a chapter, four numbers.
_BEHIND_NAMES = ("CHAP", "CTOC")
_TIMES_OF_CHAPTER = 16


def _chapter_frames(frame: Frame) -> bytes:
    """Return where the frames in a chapter, or a table of them, stand (id3v2-chapters 1.0)."""
    _, _, rest = frame.body.partition(b"\0")
    if frame.id == "CHAP":
        return rest[_TIMES_OF_CHAPTER:]
    n_names = rest[1] if len(rest) > 1 else 0
    return b"".join(rest[2:].split(b"\0", n_names)[n_names:])


def synchronised(data: bytes) -> bytes:
    """Undo unsynchronisation."""
    return data.replace(b"\xff\0", b"\xff")


def unsynchronised(data: bytes) -> bytes:
    r"""Break up what looks like an MPEG frame.

    >>> synchronised(unsynchronised(b"\xff\xfb\xff\0\xff")) == b"\xff\xfb\xff\0\xff"
    True
    """
    return re.sub(rb"\xff(?=[\xe0-\xff\0]|\Z)", b"\xff\0", data)


def _synchsafe(four: bytes) -> int:
    return four[0] << 21 | four[1] << 14 | four[2] << 7 | four[3] if len(four) == 4 else 0


def _to_synchsafe(number: int) -> bytes:
    if number >= 1 << 28:
        raise TagFaultError("its ID3v2 tag has no room for a genre: it is 256 MB long")
    return bytes(number >> shift & 127 for shift in (21, 14, 7, 0))
