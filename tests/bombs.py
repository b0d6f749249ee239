"""Short files that cost a careless reader gigabytes or minutes, in each family of formats."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from functools import cache, partial

from tests import tagged
from tests.streams import OggPage

_MB = 1 << 20
_GB_IN_MB = 1024  # what a frame of 1 MB inflates to
_N_MANY = 1_700_000  # comments, items, atoms …


def synchsafe(number: int) -> bytes:
    return bytes(number >> shift & 127 for shift in (21, 14, 7, 0))


def frame(frame_id: bytes, body: bytes, flags: bytes = bytes(2)) -> bytes:
    return frame_id + synchsafe(len(body)) + flags + body


@cache
def deflated(first: bytes, letter: bytes, n_mb: int) -> bytes:
    """Return a text of so many megabytes, compressed to a thousandth.

    A megabyte is compressed once, and repeated: after a full flush nothing refers back.
    """
    packer = zlib.compressobj(9)
    packed = packer.compress(first) + packer.flush(zlib.Z_FULL_FLUSH)
    packed += (packer.compress(letter * _MB) + packer.flush(zlib.Z_FULL_FLUSH)) * n_mb
    checksum = zlib.adler32(first)
    for _ in range(n_mb):
        checksum = zlib.adler32(letter * _MB, checksum)
    return packed + b"\3\0" + checksum.to_bytes(4)


def inflating(n_mb: int) -> bytes:
    """Return a title that is short, and as long as that once it is inflated.

    Its length stands there as a plain number, as FFmpeg reads it.
    """
    body = (n_mb * _MB + 1).to_bytes(4) + deflated(b"\3", b"x", n_mb)
    return frame(b"TIT2", body, b"\0\x09")


def chapter(inner: bytes) -> bytes:
    return frame(b"CHAP", b"c\0" + bytes(16) + inner)


def nested(n_levels: int) -> bytes:
    """Return chapters within chapters."""
    inner = frame(b"TIT2", b"\3a")
    for _ in range(n_levels):
        inner = chapter(inner)
    return inner


def id3_tag(frames: bytes) -> bytes:
    return b"ID3\4\0\0" + synchsafe(len(frames)) + frames


def id3(frames: bytes) -> bytes:
    """Return an MP3 with frames in its tag."""
    return id3_tag(frames) + tagged.sound("mp3")


def _said(n_comments: int) -> bytes:
    block = ((3).to_bytes(4, "little") + b"A=b") * n_comments
    return bytes(4) + n_comments.to_bytes(4, "little") + block


def comments(n_comments: int) -> bytes:
    """Return a FLAC file of so many comments."""
    said, sound = _said(n_comments), tagged.sound("flac")
    return sound[:42] + b"\4" + len(said).to_bytes(3) + said + sound[42:]


def ogg_comments(kind: str, n_comments: int) -> bytes:
    """Return an Ogg file of so many comments; ``kind`` has a header packet of its own for them."""
    pages = _ogg_pages(tagged.sound(kind))
    prefix = {"opus": b"OpusTags", "ogg": b"\3vorbis"}[kind]
    packets = OggPage.to_packets(pages[1:2])
    packets[0] = prefix + _said(n_comments) + b"\1" * (kind == "ogg")
    new = OggPage.from_packets(packets, sequence=1, default_size=60_000)
    for page in (*new, *pages[2:]):
        page.serial = pages[0].serial
    for number, page in enumerate(pages[2:], 1 + len(new)):
        page.sequence = number
    return b"".join(page.write() for page in (pages[0], *new, *pages[2:]))


def _ogg_pages(data: bytes) -> list[OggPage]:
    file = io.BytesIO(data)
    pages = []
    while file.tell() < len(data):
        pages.append(OggPage(file))
    return pages


def ape_tag(n_items: int) -> bytes:
    items = b"\1\0\0\0\0\0\0\0abc\0x" * n_items
    size = (len(items) + 32).to_bytes(4, "little")
    footer = b"APETAGEX" + (2000).to_bytes(4, "little") + size + n_items.to_bytes(4, "little")
    return items + footer + bytes(12)


def ape_items(n_items: int) -> bytes:
    return tagged.sound("ape") + ape_tag(n_items)


def atom(kind: bytes, body: bytes) -> bytes:
    return (len(body) + 8).to_bytes(4) + kind + body


_MDIR = atom(b"hdlr", bytes(8) + b"mdirappl" + bytes(9))


def mp4_items(n_items: int) -> bytes:
    """Return an M4A with so many texts among its tags."""
    item = atom(b"\xa9nam", atom(b"data", (1).to_bytes(4) + bytes(4) + b"x"))
    meta = bytes(4) + _MDIR + atom(b"ilst", item * n_items)
    return _with_user_data(atom(b"meta", meta))


def mp4_texts(n_texts: int) -> bytes:
    """Return an M4A with so many texts of QuickTime's."""
    return _with_user_data(atom(b"\xa9nam", b"\0\1\0\0x") * n_texts)


def _with_user_data(udta: bytes) -> bytes:
    data = tagged.sound("m4a")
    at, old = data.index(b"moov") - 4, data.index(b"udta") - 4
    return data[:at] + atom(b"moov", data[at + 8 : old] + atom(b"udta", udta))


def packed_index(n_mb: int) -> bytes:
    """Return an M4A whose index is compressed, and so many megabytes long once inflated."""
    data = tagged.sound("m4a")
    at = data.index(b"moov") - 4
    packed = (n_mb * _MB).to_bytes(4) + deflated(b"", b"\0", n_mb)
    return data[:at] + atom(b"moov", atom(b"cmov", atom(b"dcom", b"zlib") + atom(b"cmvd", packed)))


def asf_attributes(n_objects: int) -> bytes:
    """Return a WMA with so many lists of 65,535 texts."""
    data = tagged.sound("wma")
    one = (4).to_bytes(2, "little") + b"A\0\0\0" + bytes(2) + (4).to_bytes(2, "little") + b"b\0\0\0"
    body = b"\xff\xff" + one * 0xFFFF
    kind = bytes.fromhex("40a4d0d207e3d21197f000a0c95ea850")
    objects = (kind + (len(body) + 24).to_bytes(8, "little") + body) * n_objects
    size = int.from_bytes(data[16:24], "little") + len(objects)
    count = int.from_bytes(data[24:28], "little") + n_objects
    head = data[:16] + size.to_bytes(8, "little") + count.to_bytes(4, "little") + data[28:30]
    return head + objects + data[30:]


def with_frame(kind: str, inner: bytes) -> bytes:
    """Return a file of a kind with an ID3v2 tag where that kind has it."""
    sound, tag = tagged.sound(kind), id3_tag(inner)
    if kind == "dsf":
        return tagged.with_dsf_tag(sound, tag)
    if kind in _CHUNKS:
        return tagged.with_chunks(sound, tagged.chunk(*_CHUNKS[kind](tag)))
    return tag + sound


_CHUNKS: dict[str, Callable[[bytes], tuple[bytes, bytes, str]]] = {
    "wav": lambda tag: (b"id3 ", tag, "<I"),
    "aiff": lambda tag: (b"ID3 ", tag, ">I"),
    "dff": lambda tag: (b"ID3 ", tag, ">Q"),
}
_KINDS_WITH_ID3 = ("mp3", "aac", "tta", "flac", "ape", "wv", "mpc", "dsf", *_CHUNKS)


def _inflating_frame(kind: str) -> bytes:
    return with_frame(kind, inflating(_GB_IN_MB))


INFLATING: dict[str, Callable[[], bytes]] = {
    **{f"a frame.{kind}": partial(_inflating_frame, kind) for kind in _KINDS_WITH_ID3},
    "many frames.mp3": lambda: id3(inflating(15) * 69),
    "a chapter.mp3": lambda: id3(chapter(inflating(_GB_IN_MB))),
    "a table of chapters.mp3": lambda: id3(
        frame(b"CTOC", b"c\0\3\1x\0" + inflating(_GB_IN_MB)),
    ),
    "a chapter in a chapter.mp3": lambda: id3(chapter(chapter(inflating(_GB_IN_MB)))),
    "in front of no music.mp3": lambda: id3_tag(inflating(_GB_IN_MB)) + bytes(4096),
}
"""Tags of a megabyte that inflate to a gigabyte."""

MANY: dict[str, Callable[[int], bytes]] = {
    "comments.flac": comments,
    "comments.opus": partial(ogg_comments, "opus"),
    "comments.ogg": partial(ogg_comments, "ogg"),
    "items.ape": ape_items,
    "items.wv": lambda n: tagged.sound("wv") + ape_tag(n),
    "items.mp3": lambda n: tagged.sound("mp3") + ape_tag(n),
    "frames.mp3": lambda n: id3(frame(b"TXXX", b"\3a\0b") * n),
    "chunks.wav": lambda n: tagged.with_chunks(tagged.sound("wav"), b"junk\0\0\0\0" * n),
    "texts.wav": lambda n: tagged.with_chunks(
        tagged.sound("wav"), tagged.chunk(b"LIST", b"INFO" + b"INAM\2\0\0\0x\0" * n)
    ),
    "items.m4a": mp4_items,
    "texts.m4a": mp4_texts,
}
"""Files with a number of parts in one tag."""

COSTLY: dict[str, Callable[[], bytes]] = {
    **INFLATING,
    **{name: partial(make, _N_MANY) for name, make in MANY.items()},
    "attributes.wma": lambda: asf_attributes(20),
    "chapters.mp3": lambda: id3(nested(3000)),
    "an index.m4a": lambda: packed_index(1900),
}
"""All of them, each as hard as it gets."""
