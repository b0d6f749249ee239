"""What other implementations read of a file's tags, beside the genre: TagLib, mutagen, FFmpeg."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import mutagen
from mutagen.apev2 import APEv2
from mutagen.id3 import ID3

from tests import tagged

Fields = dict[str, Any]
# What a new tag repeats of ID3v1 or INFO, so that it hides none of that.
_REPEATED = (
    *("TIT2", "TPE1", "TALB", "TDRC", "TRCK", "TSSE", "COMM::ENG"),
    *("TITLE", "ARTIST", "ALBUM", "YEAR", "DATE", "TRACK", "TRACKNUMBER", "COMMENT"),
)


def by_taglib(path: Path) -> Fields:
    """Return what TagLib reads; {} where it cannot read the file."""
    try:
        return dict(tagged.taglib_tags(path))
    except OSError:
        return {}


def by_mutagen(path: Path) -> Fields:
    """Return all that mutagen reads of each kind of tag."""
    fields: Fields = {}
    for reader in (mutagen.File, ID3, APEv2):
        try:
            found: Any = reader(path)
        except mutagen.MutagenError:
            continue
        tags = found.tags if found is not None and reader is mutagen.File else found
        for key, value in dict(tags or {}).items():
            fields[f"{reader.__name__} {key}"] = repr(value)
        fields["pictures"] = [picture.data for picture in getattr(found, "pictures", [])]
    return fields


def by_ffmpeg(path: Path) -> Fields:
    """Return what FFmpeg reads; {} where it cannot read the file."""
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            streams = container.streams.audio[:1]
            return dict(container.metadata) | {k: v for s in streams for k, v in s.metadata.items()}
    except av.error.FFmpegError:
        return {}


READERS: tuple[Callable[[Path], Fields], ...] = (by_taglib, by_mutagen, by_ffmpeg)


def _is_about_genre(key: str) -> bool:
    name = key.casefold().replace("/", "_")
    return any(word in name for word in ("genre", "tcon", "\xa9gen", "gnre"))


def said(path: Path) -> list[Fields]:
    """Return what each reader says of a file, beside the genre."""
    return [
        {key: value for key, value in read(path).items() if not _is_about_genre(key)}
        for read in READERS
    ]


def differences(before: list[Fields], after: list[Fields]) -> list[str]:
    """Return in words what readers say otherwise than before, but for what a new tag repeats."""
    found = []
    for read, old, new in zip(READERS, before, after, strict=True):
        found += [
            f"{read.__name__}: {key} was {old[key]!r:.60}, is {new.get(key)!r:.60}"
            for key in old
            if new.get(key) != old[key]
        ]
        found += [
            f"{read.__name__}: {key} is new: {new[key]!r:.60}"
            for key in new
            if key not in old and not key.upper().endswith(_REPEATED)
        ]
    return found
