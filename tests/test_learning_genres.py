"""Genres as people write them, made one for each kind; every change is told."""

from __future__ import annotations

import pytest

from tagger.genre_text import key_of, why_no_genre
from tagger.learning.genres import clean


@pytest.mark.parametrize(
    ("written", "names", "out"),
    [
        ([["Hip-Hop"]] * 9 + [["hip hop"]] * 5, ("Hip-Hop",), ["hip hop"]),
        ([["House"]] * 12 + [["Deep House"]] * 3, ("House",), ["Deep House"]),
        ([["Rock"]] * 12 + [["Other"]] * 12, ("Rock",), ["Other"]),
        ([["Rock"]] * 12 + [["Pop"]] * 11 + [["Rock/Pop"]] * 3, ("Rock", "Pop"), ["Rock/Pop"]),
        ([["AC/DC-like"]] * 12, ("AC/DC-like",), []),
        ([["финский танго"]] * 8 + [["Финский Танго"]] * 4, ("финский танго",), ["Финский Танго"]),
        ([["Classical"]] * 12 + [["Classical/Live"]] * 3, ("Classical",), ["Classical/Live"]),
        ([["Classical"]] * 12 + [["Clasical"]] * 3, ("Classical",), ["Clasical"]),
        ([["サントラ"]] * 12 + [["Bebop"]] * 2, ("サントラ",), ["Bebop"]),
        ([["गीत"]] * 12 + [["गत"]] * 11, ("गीत", "गत"), []),  # apart by a vowel sign alone
        ([["🎸"]] * 12 + [["🎹❤️"]] * 11 + [["❤️"]] * 10, ("🎸", "🎹❤️", "❤️"), []),
        ([["Le\u0301ger"]] * 12 + [["Le\u0301ger "]] * 2, ("Léger",), ["Le\u0301ger "]),
        ([["\ufeffFunk"]] * 12, ("Funk",), ["\ufeffFunk"]),
        ([["Rock"]] * 9 + [["(17)Rock"]] * 3, ("Rock",), ["(17)Rock"]),
        ([["Rock"]] * 12 + [["Pop"]] * 11 + [["Rock\nPop"]], ("Rock", "Pop"), ["Rock\nPop"]),
        ([["Rock\nPop"]] * 12, ("Rock Pop",), ["Rock\nPop"]),
        ([["Drum & Bass"]] * 12 + [["R&B/Soul"]] * 11, ("Drum & Bass", "R&B/Soul"), []),
        ([["Rock"]] * 12 + [["(17)"]] * 5 + [["  "]] * 4, ("Rock",), ["(17)", "  "]),
        ([["Rock"]] * 12 + [["N/A"]] * 13 + [["no genre"]], ("Rock",), ["N/A", "no genre"]),
        ([["X" * 300]] * 12, ("X" * 300,), []),
    ],
)
def test_genres_are_cleaned_and_each_change_is_told(
    written: list[list[str]], names: tuple[str, ...], out: list[str]
) -> None:
    found = clean(written, [str(n % 5) for n in range(len(written))])
    assert found.names == names
    assert [change.written for change in found.changes] == out


@pytest.mark.parametrize(
    ("rare", "taken", "why"),
    [
        ("Classical/Live", ("Classical",), "several in one"),
        ("Classical; Музыка", ("Classical",), "several in one"),
        ("clasical", ("Classical",), "rare; looks misspelt"),
        ("Calssical", ("Classical",), "rare; looks misspelt"),
        ("Late Classical", ("Classical",), "rare; a kind of Classical"),
        ("1980s Hits", (), "too few tracks or artists to be learned"),
        ("Bop", (), "too few tracks or artists to be learned"),
    ],
)
def test_what_a_rare_genre_is_taken_for_is_told(
    rare: str, taken: tuple[str, ...], why: str
) -> None:
    common = ["Classical", "Pop", "1970s Hits"] * 12
    found = clean([[genre] for genre in (*common, rare)], [str(n % 5) for n in range(37)])
    assert [(c.written, c.taken, c.why) for c in found.changes] == [(rare, taken, why)]


def test_every_genre_that_is_learned_can_stand_in_a_tag() -> None:
    odd = ["\ufeffFunk", "a\0b", "Rock\r\nRoll", " Dub ", "\x1b[31mFado", "\ud800Fado"]
    found = clean([[genre] for genre in odd * 10], [str(n % 5) for n in range(60)])
    assert len(found.names) >= 5
    assert [why_no_genre(name) for name in found.names] == [""] * len(found.names)


def test_a_common_genre_with_a_slash_stays_whole_where_its_parts_stand_nowhere_alone() -> None:
    found = clean([["Folk/Country"]] * 20 + [["Folk"]] * 15, [str(n % 5) for n in range(35)])
    assert found.names == ("Folk/Country", "Folk")
    assert found.changes == ()


def test_a_genre_of_one_artist_is_not_learned() -> None:
    found = clean([["Rock"]] * 30 + [["Dub"]] * 30, ["a", "b", "c"] * 10 + ["d"] * 30)
    assert found.names == ("Rock",)
    assert found.changes[0].why == "too few tracks or artists to be learned"


def test_a_thousand_genres_are_cleaned_in_no_time() -> None:
    tracks = [[f"Genre {n}", f"genre-{n}"] for n in range(1000) for _ in range(10)]
    found = clean(tracks, [str(n) for n in range(len(tracks))])
    assert len(found.names) == 1000
    assert key_of("Genre 7") == "genre7"
