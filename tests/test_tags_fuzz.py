"""Damaged files and odd genres by chance: no crash, no change of a file reported as failed."""

from __future__ import annotations

import random
import unicodedata
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tagger.errors import TagReadError, TagWriteError
from tagger.tags import is_ours, provenance_text, read_tags, write_genres
from tests import tagged

N_MUTANTS = 40


def _mutant(data: bytes, chance: random.Random) -> bytes:
    """Return a file with bytes changed, cut out, doubled or cut off, mostly in its tags."""
    mutant = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        near_an_end = chance.choice([300, 5000, len(mutant) or 1])
        at = min(chance.randrange(near_an_end), len(mutant) - 1)
        at = len(mutant) - 1 - at if chance.random() < 0.25 else at
        kind = chance.randrange(5)
        if not mutant:
            break
        if kind == 0:
            mutant[at] = chance.randrange(256)
        elif kind == 1:
            mutant[at] ^= 1 << chance.randrange(8)
        elif kind == 2:
            mutant[at : at + 4] = chance.choice([b"\xff" * 4, bytes(4), b"\0\0\0\1", b"\x7f" * 4])
        elif kind == 3:
            del mutant[at : at + chance.randint(1, 64)]
        else:
            del mutant[max(at, 1) :]
    return bytes(mutant)


@pytest.mark.parametrize("kind", tagged.RICH)
def test_a_damaged_file_is_either_written_whole_or_left_alone(tmp_path: Path, kind: str) -> None:
    whole = tagged.RICH[kind]()
    if "v2.4" in kind:
        whole = whole + tagged.ape([("Genre", b"Blues")]) + tagged.LYRICS3 + tagged.id3v1(0)
    path = tmp_path / f"song{tagged.extension(kind)}"
    n_written = 0
    for seed in range(N_MUTANTS):
        mutant = _mutant(whole, random.Random(f"{kind} {seed}"))
        path.write_bytes(mutant)
        try:
            read_tags(path)
            write_genres(path, ["Folk"], provenance="Folk; 0.50; cnn-1")
        except (TagReadError, TagWriteError):
            assert path.read_bytes() == mutant, seed
        else:
            n_written += 1
            assert read_tags(path).genres == ("Folk",), seed
        assert list(tmp_path.iterdir()) == [path]
    assert n_written < N_MUTANTS


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


def _can_be_held(text: str) -> bool:
    odd = any(unicodedata.category(c) in ("Cc", "Cs") or c in "\ufeff\ufffe\uffff" for c in text)
    return bool(text.strip()) and text == text.strip() and not odd


GENRES = st.lists(
    st.text(min_size=1, max_size=40).filter(_can_be_held),
    min_size=1,
    max_size=3,
    unique_by=str.casefold,
)


@pytest.mark.parametrize("kind", ["mp3 v2.3", "mp3 v2.4", "flac", "m4a", "wav"])
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
        assert kind not in ("flac", "m4a")
    else:
        found = read_tags(path)
        assert list(found.genres) == genres
        assert found.provenance == text
        assert is_ours(found)
