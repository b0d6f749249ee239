"""The picture in a file: its front cover, if it has one that any browser shows."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mutagen
from mutagen.flac import Picture
from mutagen.flac import error as PictureError  # noqa: N812

_MOST_BYTES = 8 << 20
_FRONT = 3  # the kind of picture that a front cover is, in ID3, FLAC and ASF alike


def cover_of(path: Path) -> tuple[str, bytes] | None:
    """Return the media type and the bytes of a file's front cover, or of its first picture.

    Only JPEG, PNG and WebP count, and they are told by their content: what a tag calls a picture
    may be anything.
    """
    try:
        file: Any = mutagen.File(path)
    except (mutagen.MutagenError, OSError):
        return None
    if file is None:
        return None
    found = sorted(_pictures(file), key=lambda one: one[0] != _FRONT)
    shown = ((_media_type(data), data) for _, data in found if len(data) <= _MOST_BYTES)
    return next(((kind, data) for kind, data in shown if kind), None)


def _media_type(data: bytes) -> str:
    r"""Return what a picture is, "" if it is none that is shown.

    >>> _media_type(b"\xff\xd8\xff\xe0"), _media_type(b"<svg>")
    ('image/jpeg', '')
    """
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    return "image/webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else ""


def _pictures(file: Any) -> Iterator[tuple[int, bytes]]:
    """Yield (kind, bytes) of the pictures in a file, whatever its format."""
    yield from ((one.type, one.data) for one in getattr(file, "pictures", ()))
    tags = file.tags
    if tags is None:
        return
    if hasattr(tags, "getall"):
        yield from ((int(one.type), one.data) for one in tags.getall("APIC"))
        return
    for key, values in dict(tags).items():
        name = key.casefold()
        if name == "covr":
            yield from ((_FRONT, bytes(one)) for one in values)
        elif name == "metadata_block_picture":
            yield from _in_comments(values)
        elif name.startswith("cover art (front)") and isinstance(values.value, bytes):
            yield _FRONT, values.value.partition(b"\0")[2]
        elif name == "wm/picture":
            yield from (_in_asf(bytes(one.value)) for one in values)


def _in_comments(values: list[str]) -> Iterator[tuple[int, bytes]]:
    """Yield the pictures in comments; a text that is none is passed over.

    >>> list(_in_comments(["é", "a", "aGVsbG8="]))
    []
    """
    for text in values:
        try:
            one = Picture(base64.b64decode(text))
        except (ValueError, PictureError):
            continue
        yield one.type, one.data


def _in_asf(data: bytes) -> tuple[int, bytes]:
    """Return the picture of a WM/Picture: kind, length, two texts in UTF-16, bytes."""
    n_bytes = int.from_bytes(data[1:5], "little")
    return (data[0] if data else 0), data[len(data) - n_bytes :] if n_bytes > 0 else b""
