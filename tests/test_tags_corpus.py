"""The corpus, written and read with other implementations, field by field.

TagLib, mutagen and FFmpeg read every file before and after. What they say of the genre must be
what was written; of all else, what they said before.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import mutagen
import pytest
from mutagen.apev2 import APEv2
from mutagen.id3 import ID3

from tagger.tags import is_ours, provenance_text, read_tags, write_genres
from tests import tagged
from tests.corpus import CASES, Case

GENRES = ("Hip-Hop", "Café del Mar")
OURS = provenance_text(GENRES, 0.75, "cnn-1")
Fields = dict[str, Any]


def _by_taglib(path: Path) -> Fields:
    return dict(tagged.taglib_tags(path))


def _by_mutagen(path: Path) -> Fields:
    """Return all that mutagen reads of each kind of tag."""
    fields: Fields = {}
    for reader in (mutagen.File, ID3, APEv2):
        try:
            found: Any = reader(path)
        except mutagen.MutagenError:
            continue
        tags = found if reader is not mutagen.File else found.tags
        for key, value in dict(tags or {}).items():
            fields[f"{reader.__name__} {key}"] = repr(value)
        pictures = getattr(found, "pictures", [])
        fields["pictures"] = [picture.data for picture in pictures]
    return fields


def _by_ffmpeg(path: Path) -> Fields:
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            return dict(container.metadata) | dict(container.streams.audio[0].metadata)
    except av.error.InvalidDataError:
        return {}  # FFmpeg knows no ID3v2 tag in front of APE, WavPack and Musepack.


REPEATED = (
    *("TIT2", "TPE1", "TALB", "TDRC", "TRCK", "TSSE", "COMM::ENG"),
    *("TITLE", "ARTIST", "ALBUM", "YEAR", "DATE", "TRACK", "TRACKNUMBER", "COMMENT"),
)
READERS = [_by_taglib, _by_mutagen, _by_ffmpeg]


def _is_about_genre(key: str) -> bool:
    name = key.casefold().replace("/", "_")
    return any(word in name for word in ("genre", "tcon", "\xa9gen", "content type"))


def _others(read: Callable[[Path], Fields], path: Path) -> Fields:
    return {key: value for key, value in read(path).items() if not _is_about_genre(key)}


def _sound(path: Path, case: Case) -> bytes:
    """Return the sound: as it lies in the file where it lies in one piece, else decoded."""
    if case.kind in tagged.STREAMS:
        return tagged.sound(case.kind) if tagged.sound(case.kind) in path.read_bytes() else b""
    return tagged.decoded(path)


def _check_others(before: Fields, after: Fields) -> None:
    assert {key: after.get(key) for key in before} == before
    # A new tag repeats what ID3v1 or INFO says, so that it hides none of that.
    added = [key for key in after.keys() - before.keys() if not key.upper().endswith(REPEATED)]
    assert added == []


def _is_out_of_taglibs_reach(case: Case) -> bool:
    """Return whether the genre goes into an APE tag that TagLib does not see."""
    has_id3 = "ID3v2" in case.name and "empty" not in case.name
    has_ape = "APE" in case.name
    if case.kind == "tta":
        return has_ape and not has_id3
    return "Lyrics3" in case.name and (case.kind in tagged.BEHIND or not has_id3)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_genre_changes_and_nothing_else(tmp_path: Path, case: Case) -> None:
    path = tmp_path / f"song{case.extension}"
    path.write_bytes(case.make())
    before = [_others(read, path) for read in READERS]
    sound = _sound(path, case)
    assert sound
    write_genres(path, GENRES, provenance=OURS)
    found = read_tags(path)
    assert found.genres == GENRES
    assert is_ours(found)
    for read, fields in zip(READERS, before, strict=True):
        _check_others(fields, _others(read, path))
    if not _is_out_of_taglibs_reach(case):
        assert tagged.taglib_tags(path)["GENRE"] in (["; ".join(GENRES)], list(GENRES))
    assert _sound(path, case) == sound
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
