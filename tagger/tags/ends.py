"""Tags at the two ends of a stream: ID3v2 before it; APEv2, Lyrics3 and ID3v1 behind it.

Where they stand, what they say, and what of them must stay. Which of them gets a genre differs by
format: see `tagger.tags.id3_first` and `tagger.tags.ape_first`.
Source: id3.org (ID3v1, ID3v2), id3.org/Lyrics3v2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from tagger.tags.apev2 import FOOTER_SIZE, ape_size, read_ape, rest_of_ape
from tagger.tags.fields import Change, Container, Part, Span, TagFaultError
from tagger.tags.id3 import read_id3, rest_of_id3, retagged
from tagger.tags.id3_frames import HEADER_SIZE, tag_size
from tagger.tags.id3_genres import NO_GENRE, number_of_genre
from tagger.tags.id3v1 import V1_GENRE, V1_SIZE, V1Text, read_v1, v1_repeated
from tagger.tags.splices import Splice, digest, peek_at, read_at, size_of

_LYRICS3_MAX = 5100 + 20  # Version 1 has no size field; its text is at most 5100 bytes.


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the parts of a file stand, (start, end) each; ``tails`` lie behind the audio."""

    heads: tuple[Span, ...]
    audio: Span
    v1: int | None
    tails: dict[str, Span]

    @property
    def ape(self) -> Span | None:
        """Where the APEv2 tag stands."""
        return self.tails.get("APEv2")

    @property
    def appended(self) -> Span | None:
        """Where an ID3v2 tag behind the audio stands."""
        return self.tails.get("appended ID3v2")


def head_tags(file: BinaryIO) -> tuple[Span, ...]:
    """Return where the ID3v2 tags at the front of a file stand; usually one, or none."""
    tags: list[Span] = []
    at = 0
    while size := tag_size(peek_at(file, at, HEADER_SIZE)):
        tags.append((at, at + size))
        at += size
    return tuple(tags)


def read(file: BinaryIO) -> list[Container]:
    """Return what each tag of the file says."""
    layout = layout_of(file)
    found = read_heads(file)
    if layout.appended:
        found.append(read_id3(span_bytes(file, layout.appended)))
    if layout.ape:
        found.append(read_ape(span_bytes(file, layout.ape)))
    if layout.v1 is not None:
        found.append(read_v1(read_at(file, layout.v1, V1_SIZE)))
    return found


def read_heads(file: BinaryIO) -> list[Container]:
    """Return what each ID3v2 tag at the front of a file says."""
    return [read_id3(span_bytes(file, head)) for head in head_tags(file)]


def rest(file: BinaryIO) -> list[Part]:
    """Return all that a change of genre must leave alone."""
    layout = layout_of(file)
    parts = [part for head in layout.heads for part in rest_of_id3(span_bytes(file, head))]
    parts.append(("the audio", digest(file, *layout.audio)))
    for kind, span in reversed(layout.tails.items()):
        if kind == "APEv2":
            parts += rest_of_ape(span_bytes(file, span))
        else:
            parts.append((f"the {kind} tag", digest(file, *span)))
    if layout.v1 is not None:
        parts.append(("the ID3v1 tag", read_at(file, layout.v1, V1_GENRE)))
    return parts


def audio(file: BinaryIO) -> list[Span]:
    """Return where the sound stands."""
    return [layout_of(file).audio]


def plan_heads(file: BinaryIO, change: Change) -> list[Splice]:
    """Return the changes to ID3v2 tags in front of a stream whose main tag is another.

    They follow if they have a genre; our own field stands in the main tag alone.
    """
    splices = []
    for start, end in head_tags(file):
        data = read_at(file, start, end - start)
        found = read_id3(data)
        if found.genres or found.provenance is not None:
            splices.append(Splice(start, len(data), retagged(data, change, own_field=False)))
    return splices


def plan_v1(layout: Layout, change: Change) -> list[Splice]:
    """Return the change to an ID3v1 tag: one byte, 255 where its list lacks the genre."""
    if layout.v1 is None:
        return []
    number = number_of_genre(change.genres[0]) if change.genres else NO_GENRE
    return [Splice(layout.v1 + V1_GENRE, 1, bytes([number]))]


def texts_of_v1(file: BinaryIO, layout: Layout) -> list[V1Text]:
    """Return what ID3v1 says beside the genre, for a new tag that is to repeat it."""
    return [] if layout.v1 is None else v1_repeated(read_at(file, layout.v1, V1_SIZE))


def span_bytes(file: BinaryIO, span: Span) -> bytes:
    """Return the bytes of a part of a file."""
    return read_at(file, span[0], span[1] - span[0])


def layout_of(file: BinaryIO) -> Layout:
    """Find the tags of a file, or raise TagFaultError where they do not fit it."""
    size = size_of(file)
    heads = head_tags(file)
    front = heads[-1][1] if heads else 0
    if front > size:
        raise TagFaultError("its ID3v2 tag is cut short: the file ends before the tag does")
    has_v1 = size - front >= V1_SIZE and peek_at(file, size - V1_SIZE, 3) == b"TAG"
    v1 = size - V1_SIZE if has_v1 else None
    end = size if v1 is None else v1
    tails: dict[str, Span] = {}
    while (tail := _tail_before(file, front, end)) is not None:
        kind, start = tail
        if kind in tails:
            raise TagFaultError(f"it has two {kind} tags; remove one with a tag editor")
        tails[kind] = (start, end)
        end = start
    return Layout(heads, (front, end), v1, tails)


def _tail_before(file: BinaryIO, front: int, end: int) -> tuple[str, int] | None:
    """Return the kind and the start of the tag that ends at ``end``, None where none does."""
    for kind, length_before in _TAILS.items():
        if length := length_before(file, front, end):
            if length > end - front:
                raise TagFaultError(f"its {kind} tag is damaged: it claims more than the file")
            return kind, end - length
    return None


def _ape_before(file: BinaryIO, front: int, end: int) -> int:
    """Return the length of the APE tag that ends at ``end``, 0 where none does."""
    return ape_size(_last(file, front, end, FOOTER_SIZE))


def _appended_id3_before(file: BinaryIO, front: int, end: int) -> int:
    """Return the length of the ID3v2.4 tag whose footer ends at ``end``, 0 where none does."""
    footer = _last(file, front, end, HEADER_SIZE)
    return tag_size(b"ID3" + footer[3:]) if footer[:3] == b"3DI" else 0


def _lyrics3_before(file: BinaryIO, front: int, end: int) -> int:
    """Return the length of the Lyrics3 tag that ends at ``end``, 0 where none does."""
    mark = _last(file, front, end, 15)
    if mark[6:] == b"LYRICS200" and mark[:6].isdigit():
        return int(mark[:6]) + 15
    if mark[6:] == b"LYRICSEND":
        text = _last(file, front, end, min(_LYRICS3_MAX, end - front))
        begin = text.rfind(b"LYRICSBEGIN")
        return len(text) - begin if begin >= 0 else 0
    return 0


def _last(file: BinaryIO, front: int, end: int, length: int) -> bytes:
    return read_at(file, end - length, length) if end - front >= length else b""


_TAILS: dict[str, Callable[[BinaryIO, int, int], int]] = {
    "APEv2": _ape_before,
    "Lyrics3": _lyrics3_before,
    "appended ID3v2": _appended_id3_before,
}
