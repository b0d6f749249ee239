"""MP3 files: ID3v2 in front of the audio; behind it APEv2, Lyrics3 and ID3v1, in any order.

Which tag gets the genre:

=====================  =========================================================================
what the file has      what is written
=====================  =========================================================================
ID3v2                  that tag, in its version; a genre in APEv2 follows; ID3v1's genre byte too
APEv2, no ID3v2        the APE tag; ID3v1's genre byte too
ID3v1 alone, nothing   a new ID3v2.3 tag that repeats what ID3v1 says: many a player reads no
                       further once there is an ID3v2 tag, and would lose title and artist
=====================  =========================================================================

Source: id3.org (ID3v1, ID3v2), id3.org/Lyrics3v2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from tagger.tags.apev2 import FOOTER_SIZE, ape_size, read_ape, rest_of_ape, retagged_ape
from tagger.tags.fields import Change, Container, Part, TagFaultError
from tagger.tags.id3 import new_id3, read_id3, rest_of_id3, retagged
from tagger.tags.id3_frames import HEADER_SIZE, tag_size
from tagger.tags.id3_genres import NO_GENRE, genre_of_number, number_of_genre
from tagger.tags.splices import Splice, digest, peek_at, read_at, size_of

_V1_SIZE = 128
_V1_GENRE = 127
_LYRICS3_MAX = 5100 + 20  # Version 1 has no size field; its text is at most 5100 bytes.

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Layout:
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
    layout = _layout(file)
    found = [read_id3(read_at(file, start, end - start)) for start, end in layout.heads]
    if layout.appended:
        found.append(read_id3(_bytes(file, layout.appended)))
    if layout.ape:
        found.append(read_ape(_bytes(file, layout.ape)))
    if layout.v1 is not None:
        found.append(_read_v1(read_at(file, layout.v1, _V1_SIZE)))
    return found


def plan(file: BinaryIO, change: Change) -> list[Splice]:
    """Return what to change so that the file carries these genres, by the table above."""
    layout = _layout(file)
    if len(layout.heads) > 1 or layout.appended:
        raise TagFaultError("it has two ID3v2 tags, or one at its end; join them with a tag editor")
    splices = []
    ape_is_main = not layout.heads and layout.ape is not None
    if layout.heads:
        ((start, end),) = layout.heads
        splices.append(Splice(start, end - start, retagged(_bytes(file, (start, end)), change)))
    elif not ape_is_main:
        splices.append(Splice(0, 0, new_id3(change, _v1_texts(file, layout))))
    if layout.ape:
        old = _bytes(file, layout.ape)
        found = read_ape(old)
        if ape_is_main or found.genres or found.provenance is not None:
            new = retagged_ape(old, change, own_field=ape_is_main)
            splices.append(Splice(layout.ape[0], len(old), new))
    if layout.v1 is not None:
        number = number_of_genre(change.genres[0]) if change.genres else NO_GENRE
        splices.append(Splice(layout.v1 + _V1_GENRE, 1, bytes([number])))
    return splices


def rest(file: BinaryIO) -> list[Part]:
    """Return all that a change of genre must leave alone."""
    layout = _layout(file)
    parts = [part for head in layout.heads for part in rest_of_id3(_bytes(file, head))]
    parts.append(("the audio", digest(file, *layout.audio)))
    for kind, span in reversed(layout.tails.items()):
        if kind == "APEv2":
            parts += rest_of_ape(_bytes(file, span))
        else:
            parts.append((f"the {kind} tag", digest(file, *span)))
    if layout.v1 is not None:
        parts.append(("the ID3v1 tag", read_at(file, layout.v1, _V1_GENRE)))
    return parts


def _bytes(file: BinaryIO, span: Span) -> bytes:
    return read_at(file, span[0], span[1] - span[0])


def _layout(file: BinaryIO) -> _Layout:
    size = size_of(file)
    heads = head_tags(file)
    front = heads[-1][1] if heads else 0
    if front > size:
        raise TagFaultError("its ID3v2 tag is cut short: the file ends before the tag does")
    has_v1 = size - front >= _V1_SIZE and peek_at(file, size - _V1_SIZE, 3) == b"TAG"
    v1 = size - _V1_SIZE if has_v1 else None
    end = size if v1 is None else v1
    tails: dict[str, Span] = {}
    while (tail := _tail_before(file, front, end)) is not None:
        kind, start = tail
        if kind in tails:
            raise TagFaultError(f"it has two {kind} tags; remove one with a tag editor")
        tails[kind] = (start, end)
        end = start
    return _Layout(heads, (front, end), v1, tails)


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


def _v1_text(data: bytes, start: int, length: int) -> str:
    return data[start : start + length].split(b"\0")[0].decode("latin-1").strip()


def _read_v1(data: bytes) -> Container:
    genre = genre_of_number(data[_V1_GENRE])
    return Container(
        name="ID3v1",
        genres=(genre,) if genre else (),
        title=_v1_text(data, 3, 30),
        artist=_v1_text(data, 33, 30),
        album=_v1_text(data, 63, 30),
    )


def _v1_texts(file: BinaryIO, layout: _Layout) -> list[tuple[str, str]]:
    """Return what ID3v1 says beside the genre, by ID3v2.3 frame id."""
    if layout.v1 is None:
        return []
    data = read_at(file, layout.v1, _V1_SIZE)
    is_v11 = data[125] == 0 and data[126] != 0
    texts = [
        ("TIT2", _v1_text(data, 3, 30)),
        ("TPE1", _v1_text(data, 33, 30)),
        ("TALB", _v1_text(data, 63, 30)),
        ("TYER", _v1_text(data, 93, 4)),
        ("COMM", _v1_text(data, 97, 28 if is_v11 else 30)),
        ("TRCK", str(data[126]) if is_v11 else ""),
    ]
    return [(frame_id, text) for frame_id, text in texts if text]
