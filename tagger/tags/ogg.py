"""Ogg files: Vorbis, Opus, Speex and FLAC streams, whose second packet holds Vorbis comments.

The pages of the headers are made anew by mutagen; if their number changes, all pages behind them
get new numbers and checksums, and nothing else. Source: RFC 3533; RFC 7845 (Opus); xiph.org.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any, BinaryIO

from tagger.tags.fields import Change, Container, Part, Span, TagFaultError
from tagger.tags.mutagen_border import OggPage, mutagen_faults
from tagger.tags.splices import Splice, digest, is_untouched, peek_at, read_at, size_of
from tagger.tags.vorbis import (
    Comments,
    comment_bytes,
    parse_comments,
    read_comments,
    rest_of_comments,
    with_genres,
)

_HEADER_SIZE = 27
_MAX_LACING = 255
_SEQUENCE, _CHECKSUM = 18, 22
_NEW_PADDING = 1024
_MAX_HEADER_PAGES = 4096  # 256 MB: more than any cover art in comments.
# The first packet's beginning -> (name, what the comment packet begins with).
_CODECS = {
    b"\x01vorbis": ("Ogg Vorbis", b"\x03vorbis"),
    b"OpusHead": ("Opus", b"OpusTags"),
    b"Speex   ": ("Speex", b""),
    b"\x7fFLAC": ("Ogg FLAC", b"\x84\0\0\0"),
}


@dataclass(frozen=True, slots=True)
class _Page:
    offset: int
    header: bytes
    lacing: bytes
    end: int

    @property
    def body(self) -> int:
        return self.offset + _HEADER_SIZE + len(self.lacing)

    @property
    def serial(self) -> bytes:
        return self.header[14:18]


@dataclass(frozen=True, slots=True)
class _Headers:
    """The header packets but the first, of which the comments are one, and their pages."""

    codec: str
    prefix: bytes
    pages: list[Any]
    packets: list[bytes]
    comments: Comments
    end: int


def codec_of(file: BinaryIO) -> str | None:
    """Return the name of the codec in an Ogg file, None for one that we do not know."""
    first = _page_at(file, 0)
    head = read_at(file, first.body, min(8, sum(first.lacing)))
    return next((name for magic, (name, _) in _CODECS.items() if head.startswith(magic)), None)


def read(file: BinaryIO) -> list[Container]:
    """Return what the comments say."""
    return [read_comments(_headers(file).comments)]


def plan(file: BinaryIO, change: Change) -> list[Splice]:
    """Return what to change so that the file carries these genres."""
    headers = _headers(file)
    _refuse_several_streams(file)
    packet = _comment_packet(headers, with_genres(headers.comments, change))
    pages = _paged([packet, *headers.packets[1:]], headers.pages)
    start = _page_at(file, 0).end
    new = b"".join(page.write() for page in pages)
    splices = [Splice(start, headers.end - start, new)]
    renumber = len(pages) != len(headers.pages)
    _refuse_damaged_pages(file, start, size_of(file) if renumber else headers.end)
    if renumber:
        splices += _renumbered(file, headers.end, len(pages) - len(headers.pages))
    return splices


def rest(file: BinaryIO) -> list[Part]:
    """Return all that a change of genre must leave alone: packets, positions, other comments."""
    headers = _headers(file)
    first = _page_at(file, 0)
    parts = [("the first Ogg header", read_at(file, 0, first.end))]
    parts += rest_of_comments(headers.comments)
    parts.append(("the data behind the comments", _kept_tail(headers.comments.tail)))
    parts += [("an Ogg header", packet) for packet in headers.packets[1:]]
    size = size_of(file)
    if is_untouched(file, headers.end, size):
        return [*parts, ("the audio", digest(file, headers.end, size))]
    audio = hashlib.blake2b(digest_size=20)
    for page in _pages(file, headers.end):
        audio.update(page.header[:_SEQUENCE] + page.lacing)
        audio.update(read_at(file, page.body, page.end - page.body))
    return [*parts, ("the audio", audio.digest())]


def audio(file: BinaryIO) -> list[Span]:
    """Return where the pages behind the headers stand."""
    return [(_headers(file).end, size_of(file))]


def without_numbers(data: bytes) -> bytes:
    r"""Return bytes of pages with their numbers and checksums blanked: a longer tag moves them on.

    >>> without_numbers(b"..OggS" + bytes(14) + b"12345678" + b"..")[20:]
    b'\x00\x00\x00\x00\x00\x00\x00\x00..'
    """
    blanked = bytearray(data)
    at = data.find(b"OggS")
    while at >= 0:
        place = slice(at + _SEQUENCE, at + _CHECKSUM + 4)
        blanked[place] = bytes(len(blanked[place]))
        at = data.find(b"OggS", at + 1)
    return bytes(blanked)


def _headers(file: BinaryIO) -> _Headers:
    codec = codec_of(file)
    if codec is None:
        raise TagFaultError("its Ogg stream is of a kind that the tagger does not know")
    prefix = next(prefix for name, prefix in _CODECS.values() if name == codec)
    pages, end = _header_pages(file, codec)
    with mutagen_faults():
        packets = OggPage.to_packets(pages, strict=True)
    packet = packets[0]
    size = len(prefix)
    if codec == "Ogg FLAC" and packet[:1] not in (b"\x04", b"\x84"):
        raise TagFaultError("its second Ogg packet does not hold comments")
    if codec != "Ogg FLAC" and not packet.startswith(prefix):
        raise TagFaultError("its second Ogg packet does not hold comments")
    return _Headers(codec, packet[:size], pages, packets, parse_comments(packet[size:]), end)


def _n_header_packets(codec: str, first: bytes) -> int:
    """Return how many header packets follow the first one; its fields say so in some codecs."""
    if codec == "Ogg FLAC":
        return max(1, int.from_bytes(first[7:9]))
    if codec == "Speex":
        return 1 + int.from_bytes(first[68:72], "little")
    return 2 if codec == "Ogg Vorbis" else 1


def _header_pages(file: BinaryIO, codec: str) -> tuple[list[Any], int]:
    """Return the pages of the headers but the first, and where they end."""
    first = _page_at(file, 0)
    at = first.end
    missing = _n_header_packets(codec, read_at(file, first.body, first.end - first.body))
    pages: list[Any] = []
    while missing > 0 or not pages[-1].complete:
        page = _page_at(file, at)
        pages.append(_editable(file, page))
        missing -= len(pages[-1].packets) - (not pages[-1].complete)
        at = page.end
        if len(pages) > _MAX_HEADER_PAGES or pages[-1].position > 0:
            raise TagFaultError("its Ogg headers run into the audio; remux the file first")
    return pages, at


def _editable(file: BinaryIO, page: _Page) -> Any:
    """Return a page as mutagen's object."""
    with mutagen_faults():
        return OggPage(BytesIO(read_at(file, page.offset, page.end - page.offset)))


def _refuse_damaged_pages(file: BinaryIO, start: int, stop: int) -> None:
    """Refuse pages whose checksum is wrong: a new one would make the damage sound like music."""
    for page in _pages(file, start, stop):
        with mutagen_faults():
            sound = _editable(file, page).write()
        if sound != read_at(file, page.offset, page.end - page.offset):
            raise TagFaultError(f"it is damaged: the Ogg page at byte {page.offset} is not sound")


def _comment_packet(headers: _Headers, comments: Comments) -> bytes:
    """Return the packet, of the old length where its padding allows."""
    if headers.codec == "Ogg FLAC":
        body = comment_bytes(comments)
        if len(body) >= 1 << 24:
            raise TagFaultError("its Vorbis comments are full: a FLAC block holds 16 MB")
        return headers.prefix[:1] + len(body).to_bytes(3) + body
    tail = _kept_tail(comments.tail)
    packet = headers.prefix + comment_bytes(Comments(comments.vendor, comments.comments, tail))
    if comments.tail.rstrip(b"\0") not in (b"", b"\x01"):
        return packet  # Data of somebody else: no padding can be told from it.
    room = len(headers.packets[0]) - len(packet)
    return packet + bytes(room if room >= 0 else _NEW_PADDING)


def _kept_tail(tail: bytes) -> bytes:
    """Return what stands behind the comments without padding (Vorbis: the framing bit)."""
    bare = tail.rstrip(b"\0")
    return bare if bare in (b"", b"\x01") else tail


def _paged(packets: list[bytes], old: list[Any]) -> list[Any]:
    with mutagen_faults():
        if [len(p) for p in packets] == [len(p) for p in OggPage.to_packets(old)]:
            return _refilled(b"".join(packets), old)
        pages: list[Any] = OggPage.from_packets(packets, sequence=old[0].sequence)
    for page in pages:
        page.serial = old[0].serial
    pages[-1].last = old[-1].last
    return pages


def _refilled(data: bytes, old: list[Any]) -> list[Any]:
    """Return pages that hold other bytes and are otherwise like the old ones."""
    stream = BytesIO(data)
    pages = []
    for page in old:
        page = OggPage(BytesIO(page.write()))
        page.packets = [stream.read(len(packet)) for packet in page.packets]
        pages.append(page)
    return pages


def _renumbered(file: BinaryIO, start: int, step: int) -> Iterator[Splice]:
    """Move the numbers of the pages from ``start`` on, which also changes their checksums."""
    for page in _pages(file, start):
        editable = _editable(file, page)
        with mutagen_faults():
            editable.sequence += step
            new = editable.write()[_SEQUENCE : _CHECKSUM + 4]
        yield Splice(page.offset + _SEQUENCE, len(new), new)


def _refuse_several_streams(file: BinaryIO) -> None:
    serials = {page.serial for page in _pages(file, 0)}
    if len(serials) > 1:
        raise TagFaultError("it holds several Ogg streams, each with its comments; split them")


def _pages(file: BinaryIO, start: int, stop: int | None = None) -> Iterator[_Page]:
    size = size_of(file)
    at, end = start, size if stop is None else stop
    while at < end:
        page = _page_within(file, at, size)
        yield page
        at = page.end


def _page_at(file: BinaryIO, at: int) -> _Page:
    return _page_within(file, at, size_of(file))


def _page_within(file: BinaryIO, at: int, size: int) -> _Page:
    """Return the page that begins at a place of a file; to ask for its size costs a good deal."""
    head = peek_at(file, at, _HEADER_SIZE + _MAX_LACING)
    if len(head) < _HEADER_SIZE or head[:4] != b"OggS":
        raise TagFaultError(f"it is damaged or cut short: no Ogg page begins at byte {at}")
    header, lacing = head[:_HEADER_SIZE], head[_HEADER_SIZE : _HEADER_SIZE + head[26]]
    end = at + _HEADER_SIZE + len(lacing) + sum(lacing)
    if len(lacing) < head[26] or end > size:
        raise TagFaultError(f"it is cut short: the Ogg page at byte {at} does not end")
    return _Page(at, header, lacing, end)
