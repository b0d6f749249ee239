"""ID3v1: 128 bytes of fixed fields at the end of a file, of which the last one is a genre's number.

Source: id3.org, ID3v1 and ID3v1.1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tagger.tag_fields import Form
from tagger.tags.alphabets import shown, sure, whole
from tagger.tags.fields import Container, texts_said
from tagger.tags.id3_genres import genre_of_number

V1_SIZE = 128
V1_GENRE = 127
"""Where the genre's number stands in the tag."""


@dataclass(frozen=True, slots=True)
class V1Text:
    """A field of an ID3v1 tag beside the genre, and what ID3v2.3, APEv2 and FLAC call it."""

    frame_id: str
    ape_key: str
    comment_key: str
    text: str


def read_v1(data: bytes) -> Container:
    """Return what a tag says."""
    genre = genre_of_number(data[V1_GENRE])
    return Container(
        name="ID3v1",
        genres=(genre,) if genre else (),
        texts=texts_said(Form.V1, ((text.comment_key, text.text) for text in v1_texts(data))),
    )


def v1_texts(data: bytes, decode: Callable[[bytes], str] = shown) -> list[V1Text]:
    """Return what a tag says beside the genre.

    Args:
        data: The tag.
        decode: Makes text of a field's bytes.
    """
    is_v11 = data[125] == 0 and data[126] != 0
    texts = [
        V1Text("TIT2", "Title", "TITLE", decode(_field(data, 3, 30))),
        V1Text("TPE1", "Artist", "ARTIST", decode(_field(data, 33, 30))),
        V1Text("TALB", "Album", "ALBUM", decode(_field(data, 63, 30))),
        V1Text("TYER", "Year", "DATE", decode(_field(data, 93, 4))),
        V1Text("COMM", "Comment", "COMMENT", decode(_field(data, 97, 28 if is_v11 else 30))),
        V1Text("TRCK", "Track", "TRACKNUMBER", str(data[126]) if is_v11 else ""),
    ]
    return [text for text in texts if text.text]


def v1_repeated(data: bytes) -> list[V1Text]:
    """Return what a new tag is to repeat; raise TagFaultError where its alphabet is unknown."""
    return v1_texts(data, lambda field: sure(field, "its ID3v1 tag"))


def _field(data: bytes, start: int, length: int) -> bytes:
    return whole(data[start : start + length].split(b"\0")[0], length).strip()
