"""Evidence in odd libraries, on a server, and in a watched folder."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tagger.tagging import chunking
from tests.catalogs import assert_consistent
from tests.library import (
    Outcome,
    contents,
    genre_of,
    make_track,
    run_tagger,
    set_tags,
    start_tagger,
    until,
)

Tag = Callable[..., Outcome]
_NAMES = (
    *("Björk", "坂本龍一", "방탄소년단", "Кино", "Ελευθερία"),
    *("أم كلثوم", "नुसरत", "שלמה", "ガガガSP", "カカカSP"),
)


@pytest.fixture
def tag(place: Path, model: Path, in_process: None) -> Tag:
    def run(*arguments: str | Path, at: str | Path = place) -> Outcome:
        told = run_tagger("tag", "--catalog", at, "--model", model, "--format", "jsonl", *arguments)
        assert told.code == 0 and "Traceback" not in told.err, told.err
        return told

    return run


def make_album(folder: Path, *genres: str, artist: str = "A", album: str = "One") -> list[Path]:
    """Tracks of an album, each with a genre; "" is a blank one."""
    return [
        make_track(folder / f"{n}.flac", 1.5, genre=genre, artist=artist, album=album, title=f"{n}")
        for n, genre in enumerate(genres)
    ]


def written(outcome: Outcome) -> dict[str, tuple[str, list[str], str | None, float]]:
    return {
        "/".join(Path(one["path"]).parts[-2:]): (
            one["status"],
            one["genres"],
            one["evidence"],
            one["confidence"],
        )
        for one in outcome.records
    }


def test_a_server_gives_the_same_as_a_file(
    tag: Tag, music: Path, place: Path, new_database: Callable[[], str]
) -> None:
    owners = make_album(music / "a", "Ambient", "Ambient", "")
    make_album(music / "b", "Dub", "Ambient", "", artist="B")
    make_album(music / "c", "", artist="A", album="Two")
    make_album(music / "d", "", artist="D")
    copy = music.parent / "copy"
    shutil.copytree(music, copy)
    database = new_database()
    for options in ((), ("--no-provenance",)):
        ours, theirs = tag(music, *options), tag(copy, *options, at=database)
        assert written(ours) == written(theirs)
    for root in (music, copy):
        for path in owners[:2]:
            set_tags(root / path.relative_to(music), genre="Techno")
    ours, theirs = tag(music), tag(copy, at=database)
    assert written(ours) == written(theirs)
    assert genre_of(music / "a" / "2.flac") == genre_of(copy / "a" / "2.flac") == ["Techno"]
    assert genre_of(music / "c" / "0.flac") == genre_of(copy / "c" / "0.flac") == ["Techno"]
    assert_consistent(place)
    assert_consistent(database)


def test_a_watched_folder_asks_the_artists_tracks_elsewhere(
    tmp_path: Path, model: Path, place: Path
) -> None:
    music = tmp_path / "music"
    make_album(music / "old", "Ambient", "Ambient", artist="Björk")
    options = ("--catalog", place, "--model", model, "--settle", "0.2")
    process = start_tagger("watch", music, *options)
    assert process.stderr is not None
    try:
        assert any(b"waiting" in line for line in process.stderr)
        aside = tmp_path / "aside"
        make_album(aside, "", "", artist="BJORK", album="New")
        aside.rename(music / "new")
        until(lambda: genre_of(music / "new" / "1.flac") == ["Ambient"])
    finally:
        process.terminate()
        process.communicate(timeout=60)
    assert genre_of(music / "new" / "0.flac") == ["Ambient"]


def test_a_library_whose_tags_contradict_each_other_everywhere(tag: Tag, music: Path) -> None:
    genres = ("Dub", "Ambient", "Techno", "Folk", "Jazz")
    for n in range(5):
        turned = genres[n:] + genres[:n]
        make_album(music / f"{n}", *turned, "", artist=f"A {n % 2}", album=f"{n}")
    persons = {path: path.read_bytes() for path in music.rglob("[0-4].flac")}
    told = tag(music)
    assert not any(one["evidence"] in ("album", "artist") for one in told.records)
    assert {path: path.read_bytes() for path in persons} == persons


def test_a_library_without_any_tag(tag: Tag, music: Path) -> None:
    for n in range(3):
        make_track(music / "loose" / f"{n}.flac")
    told = tag(music)
    assert {one["evidence"] for one in told.records} == {"sound"}
    assert set(tag(music).statuses.values()) == {"unchanged"}


def test_a_folder_that_is_cut_is_one_album_still(
    tag: Tag, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunking, "_HUGE_FOLDER", 2)
    monkeypatch.setattr("tagger.tagging.run._CHUNK_FILES", 2)
    monkeypatch.setattr("tagger.tagging.run._ROUNDS", 0)
    make_album(music, "", "", "", "", "", "Ambient", "Ambient")
    told = tag(music)
    assert [one["evidence"] for one in told.records].count("album") == 5
    assert all(genre_of(music / f"{n}.flac") == ["Ambient"] for n in range(7))


def test_names_in_every_script_are_artists_of_their_own(tag: Tag, music: Path) -> None:
    for n, name in enumerate(_NAMES):
        make_album(music / name / "1", f"Genre {n}", f"Genre {n}", artist=name)
        make_album(music / name / "2", "", artist=name, album="Two")
    tag(music)
    found = [genre_of(music / name / "2" / "0.flac") for name in _NAMES]
    assert found == [[f"Genre {n}"] for n in range(len(_NAMES))]
    before = contents(music)
    tag(music)
    assert contents(music) == before
