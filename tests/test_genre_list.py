"""The owner's list of genres: what it says, in both forms, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagger.errors import ConfigError
from tagger.genre_list import GenreList, default_place, load_genre_list

LIST = """
allowed = ["Hip-Hop", "Jazz", "Bebop", "Hard Bop", "Drum & Bass"]
never = ["Seen Live"]

[parents]
Bebop = "Jazz"
"Hard Bop" = "Bebop"

[aliases]
Rap = "Hip-Hop"
"""


def loaded(folder: Path, text: str | bytes, name: str = "genres.toml") -> GenreList:
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_genre_list(str(file))


def test_a_genre_is_called_as_the_owner_spells_it(tmp_path: Path) -> None:
    genres = loaded(tmp_path, LIST)
    said = {text: genres.named(text) for text in ("hip hop", "RAP", "drum'n'bass", "Bebop")}
    assert said == {
        "hip hop": "Hip-Hop",
        "RAP": "Hip-Hop",
        "drum'n'bass": "Drum & Bass",
        "Bebop": "Bebop",
    }


def test_what_is_not_allowed_and_what_is_never_written_has_no_name(tmp_path: Path) -> None:
    genres = loaded(tmp_path, LIST)
    assert (genres.named("Polka"), genres.named("seen live")) == ("", "")
    assert loaded(tmp_path, 'never = ["Seen Live"]').named("Polka") == "Polka"


def test_only_spellings_of_one_word_are_one_genre(tmp_path: Path) -> None:
    """What else the tagger takes for the same, the owner may tell apart."""
    genres = loaded(tmp_path, 'allowed = ["Soundtrack", "Alternative", "Alternative Rock"]')
    assert genres.named("Alternative") == "Alternative"
    assert genres.named("OST") == ""


def test_parents_come_behind_the_styles_nearest_first(tmp_path: Path) -> None:
    genres = loaded(tmp_path, LIST)
    assert genres.written(["hard bop", "Rap"], with_parents=True) == (
        "Hard Bop",
        "Hip-Hop",
        "Bebop",
        "Jazz",
    )
    assert genres.written(["hard bop", "Rap"]) == ("Hard Bop", "Hip-Hop")


def test_without_a_file_nothing_changes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert not load_genre_list() and load_genre_list().named("Polka ") == "Polka "
    default_place().parent.mkdir()
    default_place().write_text('never = ["Polka"]')
    assert load_genre_list().named("polka") == ""


def test_a_mark_at_the_beginning_of_a_file_does_no_harm(tmp_path: Path) -> None:
    assert loaded(tmp_path, b"\xef\xbb\xbf" + LIST.encode()).named("rap") == "Hip-Hop"


REFUSED = {
    "": "no genre in it",
    "alowed = ['Rock']": "did you mean 'allowed'?",
    "allowed = []": "allowed is empty",
    "never = 'Rock'": "never must be a list",
    "[aliases]": "aliases is empty",
    "aliases = ['Rock']": "aliases must be a table",
    "allowed = ['Rock', ' Jazz']": "white space",
    "allowed = ['Rock; Jazz']": "two genres in MP3s",
    "allowed = ['--']": "no letter",
    "allowed = ['Rock']\nnever = ['rock']": "stands in never and in allowed",
    "[parents]\nA = 'B'\nB = 'C'\nC = 'A'": "circle: A > B > C > A",
    "[parents]\nRock = 'rock'": "circle",
    "[aliases]\nRap = 'Hip-Hop'\nRAP = 'Rock'": "names two genres",
    "[aliases]\nRap = ['Hip-Hop', 'Rock']": "names 2 genres",
    "[aliases]\nA = 'B'\nB = 'C'": "which is an alias itself",
    "[aliases]\nA = 'B'\nB = 'A'": "which is an alias itself",
    "[aliases]\nRap = 3": "must be a genre in quotes",
    "allowed = ['Rock', 'Metal']\n[aliases]\nmetal = 'Rock'": "it can be one",
    "[parents]\nBebop = 'Jaz'\n[aliases]\nJaz = 'Jazz'": "'Jaz' is a genre of the list",
    "allowed = ['Rock']\n[aliases]\nMetal = 'Rokc'": "did you mean 'Rock'?",
    "allowed = ['Rock']\n[parents]\nRock = 'Popular'": "'Popular' is not among allowed",
    "a = " + "[" * 100_000: "not TOML",
}


@pytest.mark.parametrize("text", REFUSED)
def test_a_list_that_makes_no_sense_is_refused_in_a_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, text)
    assert REFUSED[text] in str(caught.value) and str(tmp_path / "genres.toml") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_a_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not UTF-8"):
        loaded(tmp_path, LIST.encode("utf-16"))
    with pytest.raises(ConfigError, match="longer than 1 MB"):
        loaded(tmp_path, b"#" * (1 << 20) + b"\n#")
    with pytest.raises(ConfigError, match="No such file"):
        load_genre_list(str(tmp_path / "none.toml"))
    with pytest.raises(ConfigError, match="not a file"):
        load_genre_list(str(tmp_path))
    (tmp_path / "link").symlink_to(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="which is not there"):
        load_genre_list(str(tmp_path / "link"))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigError, match="not a file"):
        load_genre_list(str(tmp_path / "pipe"))


# Trees


TREE = """
- rock:
    - alternative rock:
        - britpop
    - r&b
- 80s
- no
- Post-Punk: []
- electronic: {house: [deep house]}
- ska: 2 tone
"""


def test_a_tree_as_lastgenre_takes_it_is_a_list(tmp_path: Path) -> None:
    genres = loaded(tmp_path, TREE, "tree.yaml")
    assert genres.allowed == (
        *("Rock", "Alternative Rock", "Britpop", "R&B", "80s", "No", "Post-Punk"),
        *("Electronic", "House", "Deep House", "Ska", "2 Tone"),
    )
    assert genres.above("britpop") == ("Alternative Rock", "Rock")
    assert genres.above("2 Tone") == ("Ska",)
    assert genres.named("Polka") == ""


def test_a_genre_in_two_places_is_a_kind_of_what_it_stands_under_first(tmp_path: Path) -> None:
    genres = loaded(tmp_path, "- latin:\n    - salsa\n- caribbean:\n    - salsa\n", "a.yml")
    assert genres.above("salsa") == ("Latin",)


REFUSED_TREES = {
    "": "no genre in it",
    "rock": "line 1: a tree of genres is a list",
    "- [": "not YAML",
    "- rock:\n    - punk:\n        - rock": "circle: Punk > Rock > Punk",
    "- rock:\n    - punk\n- punk:\n    - rock": "circle: Punk > Rock > Punk",
    "- &a rock\n- *a": "line 1: anchors",
    "- ? [rock]\n  : punk": "line 1: a genre must be a name",
    "- ''": "line 1: a genre must not be empty",
    "- rock; pop": "line 1: 'rock; pop' would read as two genres",
    "- '--'": "line 1: '--' has no letter",
    "[" * 100_000: "line 1: more than 50 levels",
}


@pytest.mark.parametrize("text", REFUSED_TREES)
def test_a_tree_that_makes_no_sense_is_refused_in_a_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, text, "tree.yaml")
    assert REFUSED_TREES[text] in str(caught.value) and "\n" not in str(caught.value)


# Facts of any list


words = st.sampled_from(["Rock", "rock", "Rap", "Hip-Hop", "Hip Hop", "Jazz", "Bebop", "Live", "X"])


@given(st.lists(words, max_size=4))
def test_what_a_list_gives_it_gives_again(genres: list[str]) -> None:
    listed = GenreList(
        allowed=("Rock", "Hip-Hop", "Jazz", "Bebop"),
        parents={"Bebop": "Jazz"},
        aliases={"Rap": "Hip-Hop"},
        never=("Live",),
    )
    for with_parents in (False, True):
        written = listed.written(genres, with_parents=with_parents)
        assert listed.written(written, with_parents=with_parents) == written
        assert set(written) <= set(listed.allowed)
    renamed = listed.renamed(genres)
    assert listed.renamed(renamed) == renamed
    assert bool(renamed) == bool(genres)
