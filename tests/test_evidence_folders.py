"""Folders tell artist and album where tags do not, if they tell them rightly in this library."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tagger.evidence.folders import Held, Layout, Layouts, readings_of, without_year
from tagger.evidence.trials import Kind
from tagger.evidence.witnesses import Witnesses, about
from tagger.records import TagsFound
from tagger.tagging import testimony
from tests.library import Outcome, contents, genre_of, make_track, run_tagger, set_tags

Tag = Callable[..., Outcome]


def measured(*files: tuple[str, str, str]) -> Held | None:
    """What a library of (folder, artist, album) comes to, four tracks each."""
    layouts = Layouts()
    for folder, artist, album in files:
        for n in range(4):
            layouts.take(Path(f"/m/{folder}/{n}.mp3"), TagsFound(artist=artist, album=album))
    return layouts.surest()


def named(form: str, n_artists: int = 8) -> list[tuple[str, str, str]]:
    names = [(f"Artist {n}", f"Album {n}") for n in range(n_artists)]
    return [(form.format(artist=a, album=b), a, b) for a, b in names]


@pytest.mark.parametrize(
    ("form", "layout"),
    [
        ("{artist}/{album}", Layout.NESTED),
        ("{artist}/1994 - {album}", Layout.NESTED),
        ("{artist}/({artist} 1994) {album}", None),
        ("{artist}/{album} [2001]/CD2", Layout.NESTED),
        ("{artist} - {album}", Layout.JOINED),
        ("{artist}/{artist} - 1994 - {album}", None),  # each artist's base holds, but see below
        ("{album}/{artist}", None),
        ("{album}", None),
    ],
)
def test_a_layout_that_names_what_tags_name_holds(form: str, layout: Layout | None) -> None:
    held = measured(*named(form))
    if "{artist}/{artist} - " in form:
        assert held is not None and held.layout is Layout.JOINED and len(held.bases) == 8
    else:
        assert (held and held.layout) is layout
        assert held is None or held.bases == {"/m"}


def test_names_in_every_script_are_compared_as_artists_are() -> None:
    pairs = [
        ("Björk", "DEBUT"),
        ("宇多田ヒカル", "ファースト"),
        ("Κατερίνα", "Ώρα"),
        ("Кино", "Ночь"),
    ]
    folders = [("BJÖRK/Debut", *pairs[0]), *((f"{a}/{b}", a, b) for a, b in pairs[1:])]
    held = measured(
        *folders, ("The Cure/Faith", "Cure, The", "Faith"), *named("{artist}/{album}", 3)
    )
    assert held is not None and held.least == 1.0


def test_what_holds_for_too_few_or_too_seldom_is_not_believed() -> None:
    assert measured(*named("{artist}/{album}", 4)) is None  # artists
    wrong = [(f"Mixed/{n}", f"Artist {n}", f"Album {n}") for n in range(6)]
    assert measured(*named("{artist}/{album}", 8), *wrong) is None
    assert measured() is None


def test_below_a_folder_where_names_are_others_nothing_is_told() -> None:
    held = measured(
        *named("{artist}/{album}", 30), *[("Mixes/A/B", f"X{n}", "Y") for n in range(3)]
    )
    assert held is not None and held.bases == {"/m"}
    (reading,) = readings_of(Path("/m/Mixes/A/B/1.mp3"), TagsFound())
    assert held.told([reading]) is None


@pytest.mark.parametrize("artist", ["Various Artists", "Unknown Artist", "1994", ""])
def test_a_folder_that_names_nobody_tells_nothing(artist: str) -> None:
    for folder in (f"/m/{artist}/Hits", f"/{artist} - Hits"):
        found = [r for r in readings_of(Path(f"{folder}/1.mp3"), TagsFound()) if r.artist == artist]
        assert found == []


def test_what_tags_name_must_stand_in_the_folder() -> None:
    path = Path("/m/Joni/Blue/1.mp3")
    assert readings_of(path, TagsFound(artist="Joni", album="Blue")) == ()
    assert readings_of(path, TagsFound(artist="Sparks")) == ()
    assert readings_of(path, TagsFound(album="Hejira")) == ()
    assert readings_of(path, TagsFound(album="Blue", album_artist="Various Artists")) == ()
    (reading,) = readings_of(path, TagsFound(artist="JONI"))
    assert reading.told(TagsFound(artist="JONI")) == TagsFound(artist="JONI", album="Blue")


def test_a_year_that_is_the_title_stays() -> None:
    assert [without_year(one) for one in ("1984", "(1984)", "1999 - 1984", "2112")] == [
        "1984",
        "(1984)",
        "1984",
        "2112",
    ]


def test_what_folders_name_is_believed_as_far_as_both_hold() -> None:
    witnesses, places = Witnesses(), testimony.Places()
    for n in range(2):
        tags = TagsFound(artist="Joni", album="Blue", title=f"{n}")
        witnesses.add(n, about(Path(f"/m/Joni/Blue/{n}.mp3"), tags), ("Folk",))
    held = Held(Layout.NESTED, 0.9, frozenset({"/m"}))
    words = testimony.Testimony(witnesses.library(held), places, tuple(Kind), held=held)
    by_tags = words.said(Path("/m/Joni/Blue/9.mp3"), TagsFound(artist="Joni", album="Blue"))
    by_folder = words.said(Path("/m/Joni/Blue/9.mp3"), TagsFound())
    assert by_tags is not None and not by_tags.by_folder
    assert by_folder is not None and by_folder.by_folder
    assert by_folder.confidence == pytest.approx(0.9 * by_tags.confidence)
    assert words.said(Path("/n/Joni/Blue/9.mp3"), TagsFound()) is None


# Whole runs


@pytest.fixture
def tag(place: Path, model: Path) -> Tag:
    def run(*arguments: str | Path) -> Outcome:
        common = ("--catalog", place, "--model", model, "--format", "jsonl")
        return run_tagger("tag", *common, *arguments)

    return run


def make_library(music: Path, form: str = "{artist}/{album}") -> None:
    """Six artists with two albums of two tracks each, of one genre an artist, and tags."""
    for n in range(6):
        for m in range(2):
            artist, album = f"Artist {n}", f"Album {n}{m}"
            for k in range(2):
                make_track(
                    music / form.format(artist=artist, album=album) / f"{k}.flac",
                    artist=artist,
                    album=album,
                    title=f"{n}{m}{k}",
                    genre="Dub" if n % 2 else "Jazz",
                )


@pytest.mark.usefixtures("in_process")
def test_a_file_without_tags_is_filled_by_what_its_folders_name(tag: Tag, music: Path) -> None:
    make_library(music)
    on_album = make_track(music / "Artist 1/Album 11/9.flac")
    by_artist = make_track(music / "Artist 2/1994 - New/1.flac")
    loose = make_track(music / "Artist 1/loose.flac")
    told = tag(music)
    assert [genre_of(one) for one in (on_album, by_artist)] == [["Dub"], ["Jazz"]]
    assert told.by_name["9.flac"]["evidence"] == "album"
    said = next(one["said"] for one in told.records if one["path"] == str(by_artist))
    assert said["by"] == "artist" and said["by_folder"]
    assert "by_folder" in run_tagger("info", "--catalog", music.parent / "catalog.db", on_album).out
    assert genre_of(loose) == ["Rock"]  # by its sound: below this folder nothing is named so
    before = contents(music)
    assert set(tag(music).statuses.values()) == {"unchanged"} and contents(music) == before


@pytest.mark.usefixtures("in_process")
def test_where_folders_are_named_otherwise_nothing_is_guessed(tag: Tag, music: Path) -> None:
    make_library(music, "{album}/{artist}")
    make_track(music / "Artist 1/Album 11/9.flac")
    make_track(music / "Album 11/Artist 1/9.flac")
    assert {one["evidence"] for one in tag(music).records if one["path"].endswith("9.flac")} == {
        "sound"
    }


@pytest.mark.usefixtures("in_process")
def test_persons_genres_without_tags_speak_for_their_folder(tag: Tag, music: Path) -> None:
    make_library(music)
    for n in range(2):
        make_track(music / "Artist 7/Album 7" / f"{n}.flac", genre="Ska")
    blank = make_track(music / "Artist 7/Album 7/blank.flac", artist="Artist 7", album="Album 7")
    part = tag(music / "Artist 7", "--dry-run").by_name["blank.flac"]
    assert part["genres"] == ["Rock"]  # nothing is known yet of how folders are named elsewhere
    assert tag(music).by_name["blank.flac"]["said"]["by_folder"]
    assert genre_of(blank) == ["Ska"]


@pytest.mark.usefixtures("in_process")
def test_a_part_is_told_by_folders_what_the_whole_library_says(tag: Tag, music: Path) -> None:
    make_library(music)
    for n in range(2):
        make_track(music / "Artist 7/Album 7/CD1" / f"{n}.flac", genre="Ska")
    tag(music)
    blank = make_track(music / "Artist 7/Album 7/CD2/blank.flac")
    assert tag(blank.parent).by_name["blank.flac"]["evidence"] == "album"
    assert genre_of(blank) == ["Ska"]


@pytest.mark.usefixtures("in_process")
def test_what_folders_told_follows_a_correction(tag: Tag, music: Path) -> None:
    make_library(music)
    filled = make_track(music / "Artist 1/Album 11/9.flac")
    tag(music)
    for n in range(2):
        for album in ("Album 10", "Album 11"):
            set_tags(music / "Artist 1" / album / f"{n}.flac", genre="Ska")
    tag(music)
    assert genre_of(filled) == ["Ska"]


@pytest.mark.usefixtures("in_process")
def test_what_folders_told_is_said_in_words(place: Path, model: Path, music: Path) -> None:
    make_library(music)
    make_track(music / "Artist 1/Album 11/9.flac")
    told = run_tagger("tag", "--catalog", place, "--model", model, "--verbose", music)
    assert "its album, told by folders, says Dub (tracks: 2 of 2" in told.out
