"""Damaged files and odd genres by chance: no crash, no change of a file reported as failed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tagger.errors import TagWriteError
from tagger.genre_text import why_no_genre
from tagger.tags import is_ours, provenance_text, read_tags
from tests import fuzz_tags, tagged
from tests.writing import write_genres

N_MUTANTS = 12


@pytest.mark.parametrize("kind", fuzz_tags.KINDS)
def test_a_damaged_file_is_either_written_whole_or_left_alone(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"song{tagged.extension(kind)}"
    for number in range(N_MUTANTS):
        assert fuzz_tags.outcome(path, fuzz_tags.mutant(kind, number)) in ("written", "refused")


def test_chance_makes_files_that_are_written_and_files_that_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    mutants = [fuzz_tags.mutant("mp3 with all tags", number) for number in range(20)]
    assert len(set(mutants)) == 20
    assert {fuzz_tags.outcome(path, mutant) for mutant in mutants} == {"written", "refused"}


@pytest.mark.parametrize("kind", sorted(tagged.RICH.keys() - tagged.BEHIND))
def test_a_file_cut_off_anywhere_in_its_tags_is_left_alone_or_whole(
    tmp_path: Path, kind: str
) -> None:
    whole = tagged.RICH[kind]()
    path = tmp_path / f"song{tagged.extension(kind)}"
    for length in (0, 1, 3, 4, 7, 8, 9, 10, 11, 12, 16, 27, 28, 40, 100, 500, 2000):
        path.write_bytes(whole[:length])
        with pytest.raises(TagWriteError):
            write_genres(path, ["Folk"], provenance=None)
        assert path.read_bytes() == whole[:length]


HOLD_ANY_GENRE = {"flac", "ogg", "opus", "oga", "spx", "m4a", "m4a_faststart", "wma"}
HOLD_ANY_GENRE |= tagged.BEHIND
GENRES = st.lists(
    st.text(min_size=1, max_size=40).filter(lambda text: not why_no_genre(text)),
    min_size=1,
    max_size=3,
    unique_by=str.casefold,
)


@pytest.mark.parametrize("kind", tagged.RICH)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(genres=GENRES)
@example(genres=["R&B/Soul", "Drum & Bass"])
@example(genres=["Rock; Pop"])
@example(genres=["(17)", "ÿþ", "日本のロック 🎸"])
@example(genres=["RX"])
def test_any_genre_is_read_back_as_it_was_written_or_refused(
    tmp_path: Path, kind: str, genres: list[str]
) -> None:
    path = tagged.make(tmp_path, kind)
    before = path.read_bytes()
    text = provenance_text(genres, 0.5, "cnn-1")
    try:
        write_genres(path, genres, provenance=text)
    except TagWriteError:
        assert path.read_bytes() == before
        # ID3 and INFO alone cannot hold every name: numbers, references and semicolons.
        assert kind not in HOLD_ANY_GENRE
    else:
        found = read_tags(path)
        assert list(found.genres) == genres
        assert found.provenance == text
        assert is_ours(found)
        if kind in HOLD_ANY_GENRE:
            assert tagged.taglib_tags(path)["GENRE"] == genres
