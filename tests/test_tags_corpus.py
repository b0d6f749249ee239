"""The corpus, written and read with other implementations, field by field.

TagLib, mutagen and FFmpeg read every file before and after. What they say of the genre must be
what was written; of all else, what they said before.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from tagger.tags import audio_identity, is_ours, provenance_text, read_tags, write_genres
from tests import tagged, try_files
from tests.corpus import CASES, Case
from tests.readers import differences, said

GENRES = ("Hip-Hop", "Café del Mar")
OURS = provenance_text(GENRES, 0.75, "cnn-1")


def _sound(path: Path, case: Case) -> bytes:
    """Return the sound: as it lies in the file where it lies in one piece, else decoded."""
    if case.kind in tagged.STREAMS:
        return tagged.sound(case.kind) if tagged.sound(case.kind) in path.read_bytes() else b""
    return tagged.decoded(path)


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
    before = said(path)
    sound = _sound(path, case)
    assert sound
    recording = audio_identity(path)
    write_genres(path, GENRES, provenance=OURS)
    found = read_tags(path)
    assert found.genres == GENRES
    assert is_ours(found)
    assert differences(before, said(path)) == []
    if not _is_out_of_taglibs_reach(case):
        assert tagged.taglib_tags(path)["GENRE"] in (["; ".join(GENRES)], list(GENRES))
    assert _sound(path, case) == sound
    assert audio_identity(path) == recording
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_difference_is_noticed_by_all_readers(tmp_path: Path) -> None:
    path = tagged.make(tmp_path, "mp3 v2.3")
    before = said(path)
    assert differences(before, said(path)) == []
    path.write_bytes(path.read_bytes().replace(b"An artist", b"No artist"))
    found = " ".join(differences(before, said(path)))
    assert all(name in found for name in ("by_taglib", "by_mutagen", "by_ffmpeg"))


def test_files_of_a_folder_can_be_tried_without_touching_them(tmp_path: Path) -> None:
    tagged.make(tmp_path, "wma")
    (tmp_path / "text.mp3").write_text("Dear diary")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    outcome = CliRunner().invoke(try_files.main, [str(tmp_path)])
    assert outcome.exit_code == 0
    assert "refused: text.mp3: it is no music file" in outcome.output
    assert "1 written, 1 refused, 0 with differences" in outcome.output
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
