"""What a run says besides of evidence: albums of several genres, little measured, odd wishes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.library import Outcome, make_track, run_tagger

Tag = Callable[..., Outcome]
pytestmark = pytest.mark.usefixtures("in_process")
_TOO_FEW = "your tags are too few to measure how often an album or an artist tells a genre"


@pytest.fixture
def tag(place: Path, model: Path) -> Tag:
    def run(*arguments: str | Path) -> Outcome:
        return run_tagger("tag", "--catalog", place, "--model", model, *arguments)

    return run


def make_album(folder: Path, *genres: str, artist: str = "A") -> list[Path]:
    """Tracks of an album, each with a genre; "" is a blank one."""
    return [
        make_track(folder / f"{n}.flac", genre=genre, artist=artist, album="One", title=f"{n}")
        for n, genre in enumerate(genres)
    ]


def test_an_album_that_is_half_the_owners_genre_and_half_ours_is_told(
    tag: Tag, music: Path
) -> None:
    make_album(music / "a", "Ambient", "", "")  # one witness is not believed here
    told = tag(music)
    line = (
        "several genres on One by A: Rock 2 of this run beside Ambient 1 that stood there "
        f"({music / 'a'})"
    )
    assert told.err.splitlines().count(line) == 1
    assert "several genres" not in tag(music).err


def test_an_album_of_one_genre_or_of_the_owners_own_several_is_not_told(
    tag: Tag, music: Path
) -> None:
    make_album(music / "a", "Ambient", "Ambient", "ambient", "")
    make_album(music / "b", "Rock", "Dub", "Jazz", "", artist="B")
    make_album(music / "c", "", "", artist="C")
    assert "several genres" not in tag(music).err


def make_compilation(folder: Path, *tracks: tuple[str, str], album_artist: str = "") -> None:
    """Tracks of one album by an artist and with a genre each."""
    for n, (artist, genre) in enumerate(tracks):
        make_track(
            folder / f"{n}.flac",
            artist=artist,
            genre=genre,
            album="Hits",
            albumartist=album_artist,
            title=f"{n}",
        )


@pytest.mark.parametrize(
    ("artists", "album_artist", "by"),
    [
        (("Various Artists",) * 3, "", " by Various Artists"),
        (("X", "X", "Y"), "Various Artists", " by Various Artists"),
        (("X", "X", "Y"), "", ""),
        (("X", "X", "X feat. Z"), "X", " by X"),
    ],
)
def test_whoever_its_tracks_are_by_an_album_of_several_genres_is_told(
    tag: Tag, music: Path, artists: tuple[str, ...], album_artist: str, by: str
) -> None:
    genres = ("Ambient", "", "")
    make_compilation(music, *zip(artists, genres, strict=True), album_artist=album_artist)
    line = f"several genres on Hits{by}: Rock 2 of this run beside Ambient 1 that stood there"
    assert tag(music).err.count(line) == 1


def test_what_programs_write_where_they_know_no_album_is_none(tag: Tag, music: Path) -> None:
    for n, genre in enumerate(("Ambient", "")):
        make_track(music / f"{n}.flac", genre=genre, album="Unknown Album", title=f"{n}")
    assert "several genres" not in tag(music).err


def test_what_says_nothing_is_no_other_genre(tag: Tag, music: Path) -> None:
    make_album(music / "a", "Other", "", "")
    assert "several genres" not in tag(music).err


def test_a_dry_run_says_it_too(tag: Tag, music: Path) -> None:
    make_album(music / "a", "Ambient", "", "")
    assert "several genres on One by A: Rock 2 of this run" in tag(music, "--dry-run").err


def test_of_very_many_such_albums_the_rest_are_counted(
    tag: Tag, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tagger.tagging.run._MOST_MIXTURES", 1)
    for name in "abc":
        make_album(music / name, "Ambient", "", artist=name)
    told = tag(music).err
    assert told.count("several genres on One by") == 1
    assert "several genres on 2 more albums\n" in told


def test_that_too_little_could_be_measured_is_told_where_evidence_was_used(
    tag: Tag, music: Path
) -> None:
    make_album(music / "a", "", "")
    assert _TOO_FEW not in tag(music).err
    make_album(music / "b", "Ambient", "Ambient", "", artist="B")
    told = tag(music).err
    assert f"{_TOO_FEW}: two recordings that agree are taken as 90 % sure" in told
    for n in range(24):
        make_album(music / f"c{n}", "Dub", "Dub", artist=f"C {n}")
    make_album(music / "d", "Ambient", "Ambient", "", artist="D")
    assert _TOO_FEW not in tag(music).err


def test_that_by_track_asks_no_album_is_told(tag: Tag, music: Path) -> None:
    make_album(music, "Ambient", "Ambient", "")
    told = tag(music, "--by", "track", "--evidence", "album,sound")
    assert "--by track asks no album: of --evidence the album's part was left out" in told.err
    assert "--by track" not in tag(music, "--by", "track").err
    told = tag(music, "--by", "track", "--evidence", "album")
    assert told.code == 2 and "leaves nothing that could decide" in told.err
