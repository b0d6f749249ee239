"""``tagger playlist``: of a genre, like some tracks, from one to another; and where it cannot."""

from __future__ import annotations

import itertools
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tagger.catalog import CatalogEntry
from tagger.records import TagsFound
from tests.catalogs import entry, filled
from tests.library import Outcome, make_track, run_tagger
from tests.test_playlist import read_m3u8


def at(degrees: float, root: Path, artist: str, genre: str = "Rock") -> CatalogEntry:
    """A track whose embedding points somewhere in a plane."""
    name = f"{artist}/{degrees:02.0f}.mp3"
    tags = TagsFound((genre,), None, f"At {degrees:.0f}", artist)
    one = entry(name, root=root, tags=tags, genres=(genre,))
    angle = np.deg2rad(degrees)
    vector = np.zeros(8, np.float32)
    vector[:2] = np.cos(angle), np.sin(angle)
    assert one.prediction is not None
    return replace(one, prediction=replace(one.prediction, embedding=vector))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a catalogue of tracks at every sixth degree, by five artists."""
    folder = tmp_path_factory.mktemp("playlists")
    music = folder / "music"
    tracks = [at(i * 6, music, f"Artist {i % 5}", "Folk" if i > 10 else "Rock") for i in range(16)]
    filled(folder / "catalog.db", *tracks).close()
    return folder


def playlist(folder: Path, *arguments: str | Path) -> Outcome:
    return run_tagger("playlist", "--catalog", folder / "catalog.db", *arguments)


def degrees(path: Path) -> list[int]:
    return [int(Path(os.fsdecode(one)).stem) for one in read_m3u8(path)]


def track(folder: Path, i: int) -> Path:
    return folder / "music" / f"Artist {i % 5}" / f"{i * 6:02d}.mp3"


def test_of_a_genre(folder: Path, tmp_path: Path) -> None:
    outcome = playlist(folder, "--genre", "folk", "-o", tmp_path / "a.m3u8")
    assert (outcome.code, outcome.out) == (0, "")
    assert outcome.err == f"5 tracks in {tmp_path / 'a.m3u8'}\n"
    assert sorted(degrees(tmp_path / "a.m3u8")) == [66, 72, 78, 84, 90]


def test_like_one_track_or_several(folder: Path, tmp_path: Path) -> None:
    place = tmp_path / "a.m3u8"
    assert playlist(folder, "--like", track(folder, 0), "-n", "4", "-o", place).code == 0
    assert sorted(degrees(place)) == [6, 12, 18, 24]
    few = ("-n", "3", "-o", place)
    assert playlist(folder, "--like", track(folder, 0), track(folder, 8), *few).code == 0
    assert sorted(degrees(place)) == [18, 24, 30]
    only_folk = ("--genre", "Folk", "-n", "2", "-o", place)
    assert playlist(folder, "--like", track(folder, 0), *only_folk).code == 0
    assert sorted(degrees(place)) == [66, 72]


def test_no_artist_follows_itself(folder: Path, tmp_path: Path) -> None:
    place = tmp_path / "a.m3u8"
    playlist(folder, "--genre", "Rock", "--max-per-artist", "0", "-o", place)
    artists = [os.path.dirname(path) for path in read_m3u8(place)]  # noqa: PTH120
    assert len(artists) == 11
    assert all(a != b for a, b in itertools.pairwise(artists))


def test_from_one_track_to_another(folder: Path, tmp_path: Path) -> None:
    place = tmp_path / "a.m3u8"
    ends = ("--from", track(folder, 0), "--to", track(folder, 15))
    assert playlist(folder, *ends, "-n", "6", "-o", place).code == 0
    assert degrees(place) == [0, 18, 36, 54, 72, 90]


def test_a_dash_is_stdout(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    asked = ("--like", "music/Artist 0/00.mp3", "-n", "2")
    assert playlist(folder, *asked, "-o", "-").out == playlist(folder, *asked).out
    assert not (folder / "-").exists()


def test_a_playlist_that_is_a_link_counts_from_where_it_leads(folder: Path, tmp_path: Path) -> None:
    real = tmp_path / "a" / "b" / "real.m3u8"
    real.parent.mkdir(parents=True)
    link = folder / "mine.m3u8"
    link.symlink_to(real)
    playlist(folder, "--like", track(folder, 0), "-n", "2", "-o", link)
    lines = [line for line in real.read_text().splitlines() if not line.startswith("#")]
    assert len(lines) == 2
    assert all((real.parent / line).resolve().is_relative_to(folder) for line in lines)


def test_without_a_file_it_is_printed_relative_to_where_one_is(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    outcome = playlist(folder, "--like", "music/Artist 0/00.mp3", "-n", "2")
    assert (outcome.code, outcome.err) == (0, "")
    head, seal, *rest = outcome.out.splitlines()
    assert head == "#EXTM3U"
    assert seal.startswith("# made by tagger")
    assert rest == [
        "#EXTINF:240,Artist 1 - At 6",
        "music/Artist 1/06.mp3",
        "#EXTINF:240,Artist 2 - At 12",
        "music/Artist 2/12.mp3",
    ]
    outcome = playlist(folder, "--like", "music/Artist 0/00.mp3", "-n", "2", "--absolute")
    assert outcome.out.splitlines()[3] == str(folder / "music" / "Artist 1" / "06.mp3")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "give one of --genre, --like and --from"),
        (["a.mp3"], "say --like before the tracks"),
        (["--from", "a.mp3"], "--from and --to go together"),
        (["--from", "a.mp3", "--to", "b.mp3", "--like", "c.mp3"], "give one of"),
        (["--from", "a.mp3", "--to", "./a.mp3"], "name the same track"),
        (["--from", "/no/a.mp3", "--to", "/no/b.mp3"], "/no/a.mp3: it is not in the catalogue"),
        (["--like", "/no/a.mp3"], "no such file"),
        (["--genre", "Polka"], "there are: Rock, Folk"),
        (
            ["--genre", "Rock", "--under", "/no"],
            "no other recording that was heard is of the genre Rock, in /no",
        ),
        (["--genre", "Rock", "-n", "1"], "-n"),
    ],
)
def test_what_cannot_be_made_ends_with_2_and_leaves_the_old_file(
    folder: Path, tmp_path: Path, arguments: list[str], told: str
) -> None:
    place = tmp_path / "a.m3u8"
    playlist(folder, "--genre", "Folk", "-o", place)
    before = place.read_bytes()
    outcome = playlist(folder, *arguments, "-o", place)
    assert (outcome.code, outcome.out) == (2, "")
    assert told in outcome.err
    assert place.read_bytes() == before


def test_a_place_that_cannot_be_written_ends_with_2(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "diary.txt").write_text("mine")
    for place, told in (
        (tmp_path, "this is a folder"),
        (tmp_path / "none" / "a.m3u8", "No such file or directory"),
        (tmp_path / "diary.txt", "--force"),
    ):
        outcome = playlist(folder, "--genre", "Rock", "-o", place)
        assert (outcome.code, outcome.out) == (2, "")
        assert outcome.err.startswith(f"error: {place}: ")
        assert told in outcome.err
    assert (tmp_path / "diary.txt").read_text() == "mine"
    playlist(folder, "--genre", "Rock", "-o", tmp_path / "diary.txt", "--force")
    assert len(read_m3u8(tmp_path / "diary.txt")) == 10


def test_like_a_file_outside_the_catalogue_needs_its_model(
    folder: Path, tmp_path: Path, model: Path
) -> None:
    new = make_track(tmp_path / "new.flac")
    outcome = playlist(folder, "--like", new, "--model", model)
    assert outcome.code == 2
    assert "no track was heard by that model" in outcome.err
