"""FLAC files: metadata blocks, of which one holds Vorbis comments, then the audio frames.

A change takes its room from a padding block. An ID3v2 tag in front of the stream, as some taggers
put there, has its genre changed too if it has one, and so has ID3v1 behind it; our own field
stands in the comments alone.
Where that tag says something and the comments nothing, it is the one written: most readers take
the first tag that is not empty, and comments with a genre alone would hide its title and artist.
Source: xiph.org, FLAC format, "METADATA_BLOCK".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import BinaryIO

from tagger.tags.ends import (
    head_tags,
    layout_of,
    plan_heads,
    plan_v1,
    read_heads,
    span_bytes,
    texts_of_v1,
)
from tagger.tags.fields import Change, Container, Part, Span, TagFaultError
from tagger.tags.id3 import is_silent, rest_of_id3, retagged
from tagger.tags.id3v1 import V1_GENRE, V1_SIZE, read_v1
from tagger.tags.limits import refuse_too_many
from tagger.tags.splices import Splice, digest, read_at, size_of
from tagger.tags.vorbis import (
    Comments,
    comment_bytes,
    parse_comments,
    read_comments,
    rest_of_comments,
    with_genres,
)

_PADDING, _COMMENTS = 1, 4
_HEADER_SIZE = 4
_NEW_PADDING = 4096
_LAST = 0x80
_VENDOR = b"tagger"


@dataclass(frozen=True, slots=True)
class _Block:
    kind: int
    offset: int
    size: int
    last: bool

    @property
    def body(self) -> int:
        return self.offset + _HEADER_SIZE

    @property
    def end(self) -> int:
        return self.body + self.size


def read(file: BinaryIO) -> list[Container]:
    """Return what the comments say, and an ID3v2 tag in front of them."""
    found = [read_comments(_comments(file, b)) for b in _blocks(file) if b.kind == _COMMENTS]
    found += read_heads(file)
    v1 = layout_of(file).v1
    return found if v1 is None else [*found, read_v1(read_at(file, v1, V1_SIZE))]


def plan(file: BinaryIO, change: Change) -> list[Splice]:
    """Return what to change so that the file carries these genres."""
    splices = plan_v1(layout_of(file), change)
    if id3_is_main(file):
        return [*splices, _plan_id3(file, change)]
    return [*splices, *_plan_comments(file, change), *plan_heads(file, change)]


def rest(file: BinaryIO) -> list[Part]:
    """Return all that a change of genre must leave alone."""
    parts = []
    for head in head_tags(file):
        parts += rest_of_id3(span_bytes(file, head))
    blocks = _blocks(file)
    for block in blocks:
        if block.kind == _COMMENTS:
            parts += rest_of_comments(_comments(file, block))
        elif block.kind != _PADDING:
            name = f"the FLAC metadata block of kind {block.kind}"
            parts.append((name, digest(file, block.body, block.end)))
    v1 = layout_of(file).v1
    if v1 is not None:
        parts.append(("the ID3v1 tag", read_at(file, v1, V1_GENRE)))
    return [*parts, *(("the audio", digest(file, *span)) for span in audio(file))]


def audio(file: BinaryIO) -> list[Span]:
    """Return where the frames stand."""
    v1 = layout_of(file).v1
    return [(_blocks(file)[-1].end, size_of(file) if v1 is None else v1)]


def id3_is_main(file: BinaryIO) -> bool:
    """Return whether an ID3v2 tag in front says something and the comments say nothing."""
    if any(_comments(file, b).comments for b in _blocks(file) if b.kind == _COMMENTS):
        return False
    return not all(is_silent(span_bytes(file, head)) for head in head_tags(file))


def _plan_id3(file: BinaryIO, change: Change) -> Splice:
    heads = head_tags(file)
    if len(heads) > 1:
        raise TagFaultError("it has two ID3v2 tags; join them with a tag editor")
    old = span_bytes(file, heads[0])
    return Splice(heads[0][0], len(old), retagged(old, change))


def _plan_comments(file: BinaryIO, change: Change) -> list[Splice]:
    blocks = _blocks(file)
    block = _comment_block(blocks)
    old = _comments(file, block) if block in blocks else Comments(_VENDOR, ())
    if not old.comments and change.is_blank:
        return []
    if not old.comments:
        repeated = [f"{t.comment_key}={t.text}" for t in texts_of_v1(file, layout_of(file))]
        old = replace(old, comments=tuple(text.encode("utf-8") for text in repeated))
    body = comment_bytes(with_genres(old, change))
    grown = len(body) - block.size
    padding = next((b for b in blocks if b.kind == _PADDING and b.size >= grown), None)
    if grown and padding is None:
        return _plan_with_new_padding(blocks, block, body)
    new = _block_bytes(_COMMENTS, body, last=block.last)
    splices = [Splice(block.offset, block.end - block.offset, new)]
    return [*splices, _resized(padding, grown)] if grown and padding else splices


def _comment_block(blocks: list[_Block]) -> _Block:
    """Return the block of comments; where there is none, an empty one behind STREAMINFO."""
    found = [block for block in blocks if block.kind == _COMMENTS]
    if len(found) > 1:
        raise TagFaultError("it has two blocks of Vorbis comments; remove one with metaflac")
    first = blocks[0]
    return found[0] if found else _Block(_COMMENTS, first.end, -_HEADER_SIZE, first.last)


def _plan_with_new_padding(blocks: list[_Block], block: _Block, body: bytes) -> list[Splice]:
    """Put padding behind the comments: what they leave free, or room for the next change."""
    left = block.size - len(body) - _HEADER_SIZE
    padding = _block_bytes(_PADDING, bytes(left if left >= 0 else _NEW_PADDING), last=block.last)
    new = _block_bytes(_COMMENTS, body, last=False) + padding
    splices = [Splice(block.offset, block.end - block.offset, new)]
    if block not in blocks and blocks[0].last:
        splices.append(Splice(blocks[0].offset, 1, bytes([blocks[0].kind])))
    return splices


def _resized(padding: _Block, taken: int) -> Splice:
    """Take room from a padding block, or give it some (``taken`` below zero)."""
    new = _block_bytes(_PADDING, bytes(padding.size - taken), last=padding.last)
    return Splice(padding.offset, padding.end - padding.offset, new)


def _block_bytes(kind: int, body: bytes, *, last: bool) -> bytes:
    if len(body) >= 1 << 24:
        raise TagFaultError("its Vorbis comments are full: a FLAC block holds 16 MB")
    return bytes([kind | (_LAST if last else 0)]) + len(body).to_bytes(3) + body


def _blocks(file: BinaryIO) -> list[_Block]:
    """Return the metadata blocks, or raise TagFaultError where they do not fit the file."""
    heads = head_tags(file)
    at = heads[-1][1] if heads else 0
    if read_at(file, at, 4) != b"fLaC":
        raise TagFaultError("it is not a FLAC file")
    at += 4
    blocks: list[_Block] = []
    while not blocks or not blocks[-1].last:
        header = read_at(file, at, _HEADER_SIZE)
        size = int.from_bytes(header[1:])
        block = _Block(header[0] & ~_LAST, at, size, bool(header[0] & _LAST))
        if block.kind == 127 or block.end > size_of(file):
            raise TagFaultError(f"its FLAC metadata is damaged at byte {at}")
        blocks.append(block)
        refuse_too_many(blocks)
        at = block.end
    return blocks


def _comments(file: BinaryIO, block: _Block) -> Comments:
    return parse_comments(read_at(file, block.body, block.size))
