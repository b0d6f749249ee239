"""Vorbis comments as raw bytes: the same block serves FLAC, Ogg Vorbis, Opus and Speex.

Comments that are not the genre or our own field stay byte for byte and in order, also those
without "=" and with odd keys. Source: xiph.org, "Ogg Vorbis I format specification: comment field".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tagger.genre_text import without_repeats
from tagger.tag_fields import Form
from tagger.tags.fields import (
    OUR_FIELD,
    Change,
    Container,
    Part,
    TagFaultError,
    is_wanted,
    texts_said,
)
from tagger.tags.limits import refuse_too_many


@dataclass(frozen=True, slots=True)
class Comments:
    """A comment block: the vendor string, the comments, and what stands behind them."""

    vendor: bytes
    comments: tuple[bytes, ...]
    tail: bytes = b""


def parse_comments(data: bytes) -> Comments:
    """Take a comment block apart, or raise TagFaultError where it is damaged."""
    vendor, at = _string_at(data, 0)
    count = int.from_bytes(data[at : at + 4], "little")
    at += 4
    comments = []
    for _ in range(count):
        comment, at = _string_at(data, at)
        comments.append(comment)
        refuse_too_many(comments)
    return Comments(vendor, tuple(comments), data[at:])


def comment_bytes(block: Comments) -> bytes:
    """Put a comment block together."""
    strings = b"".join(_sized(comment) for comment in block.comments)
    count = len(block.comments).to_bytes(4, "little")
    return _sized(block.vendor) + count + strings + block.tail


def read_comments(block: Comments) -> Container:
    """Return what the comments say."""
    return Container(
        name="Vorbis comment",
        genres=without_repeats(_values(block, "GENRE")),
        provenance=next(iter(_values(block, OUR_FIELD)), None),
        texts=texts_said(Form.VORBIS, _said(block)),
    )


def with_genres(block: Comments, change: Change) -> Comments:
    """Return the comments with one GENRE each for the genres, where the first one stood."""
    ours = [f"GENRE={genre}" for genre in change.genres]
    if change.provenance is not None:
        ours.append(f"{OUR_FIELD}={change.provenance}")
    place = next((n for n, c in enumerate(block.comments) if _key(c) == "GENRE"), None)
    before = block.comments if place is None else block.comments[:place]
    after = () if place is None else block.comments[place:]
    new = (*_others(before), *(text.encode("utf-8") for text in ours), *_others(after))
    return Comments(block.vendor, new, block.tail)


def rest_of_comments(block: Comments) -> list[Part]:
    """Return all that a change of genre must leave alone in a comment block."""
    parts = [("the vendor string", block.vendor)]
    others = _others(block.comments)
    return parts + [(f"the comment {_key(c) or c[:20]!r}", c) for c in others]


def _others(comments: tuple[bytes, ...]) -> list[bytes]:
    return [comment for comment in comments if _key(comment) not in ("GENRE", OUR_FIELD)]


def _key(comment: bytes) -> str:
    key, equals, _ = comment.partition(b"=")
    return key.decode("latin-1").upper() if equals else ""


def _values(block: Comments, key: str) -> list[str]:
    return [_value(comment) for comment in block.comments if _key(comment) == key]


def _value(comment: bytes) -> str:
    return comment.partition(b"=")[2].decode("utf-8", "replace")


def _said(block: Comments) -> Iterator[tuple[str, str]]:
    for comment in block.comments:
        if is_wanted(Form.VORBIS, key := _key(comment)):
            yield key, _value(comment)


def _string_at(data: bytes, at: int) -> tuple[bytes, int]:
    size = int.from_bytes(data[at : at + 4], "little")
    stop = at + 4 + size
    if at + 4 > len(data) or stop > len(data):
        raise TagFaultError("its Vorbis comments are damaged; repair them with a tag editor")
    return data[at + 4 : stop], stop


def _sized(string: bytes) -> bytes:
    return len(string).to_bytes(4, "little") + string
