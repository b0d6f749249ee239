"""MPD itself shows our tags, loads and plays our playlists, and queues what goes with a song."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests import tagged
from tests.catalogs import filled
from tests.library import make_track, run_tagger
from tests.players.conftest import Player
from tests.test_cli_playlist import at
from tests.writing import write_genres

GENRE = "Trip-Hop"
# MPD 0.23 shows no tag at all of these, whoever wrote it.
_UNSHOWN = {"bare dff"}
SHOWN = sorted(set(tagged.BARE) - _UNSHOWN)


@pytest.mark.parametrize("version", [2, 3, 4])
def test_mpd_shows_our_genre_in_each_version_of_id3(player: Player, version: int) -> None:
    title = tagged.text_frame(version, "TT2" if version == 2 else "TIT2", "A title")
    song = player.music / "song.mp3"
    song.write_bytes(tagged.id3(version, [title]) + tagged.sound("mp3"))
    write_genres(song, [GENRE], provenance=f"{GENRE}; 0.90; cnn-1")
    player.look()
    assert player.mpc("find", "title", "A title", "genre", GENRE) == ["song.mp3"]


def test_mpd_shows_our_genre_in_every_format_that_it_plays(player: Player) -> None:
    for kind in SHOWN:
        folder = player.music / kind
        folder.mkdir()
        write_genres(tagged.make(folder, kind), [GENRE], provenance=f"{GENRE}; 0.90; cnn-1")
    player.look()
    known = {str(Path(line).parent) for line in player.mpc("listall")}
    shown = {str(Path(line).parent) for line in player.mpc("find", "genre", GENRE)}
    assert known == set(SHOWN)
    assert shown == known


def library(player: Player, n: int = 4) -> Path:
    """Put songs into MPD's folder and a catalogue; one has a name full of traps."""
    names = ["Artist 0/00.mp3", "Jóga – ライブ/06.mp3", "#hash/12.mp3", 'it\'s "so"/18.mp3'][:n]
    entries = []
    for i, name in enumerate(names):
        make_track(player.music / name, 20.0)
        entries.append(at(i * 6, player.music, str(Path(name).parent)))
    catalog = player.place / "catalog.db"
    filled(catalog, *entries).close()
    player.look()
    assert sorted(player.mpc("listall")) == sorted(names)
    return catalog


@pytest.mark.parametrize("where", ["morning.m3u8", "Playlists/morning.m3u8"])
def test_a_playlist_in_the_music_folder_is_loaded_and_played(player: Player, where: str) -> None:
    catalog = library(player)
    output = player.music / where
    output.parent.mkdir(exist_ok=True)
    asked = ("playlist", "--like", player.music / "Artist 0/00.mp3", "--catalog", catalog)
    assert run_tagger(*asked, "-o", output).code == 0
    player.mpc("load", where)
    assert player.mpc("playlist", "-f", "%file%") == [
        "Jóga – ライブ/06.mp3",
        "#hash/12.mp3",
        'it\'s "so"/18.mp3',
    ]
    player.mpc("play")
    assert player.mpc("current", "-f", "%file%") == ["Jóga – ライブ/06.mp3"]


@pytest.mark.parametrize("there", ["", "{music}"])
def test_a_playlist_in_the_folder_of_playlists_is_loaded(player: Player, there: str) -> None:
    catalog = library(player)
    asked = ("playlist", "--like", player.music / "Artist 0/00.mp3", "--catalog", catalog)
    named = f"{player.music}={there.format(music=player.music)}"
    output = player.lists / "morning.m3u"
    assert run_tagger(*asked, "--path-map", named, "-o", output).code == 0
    assert player.mpc("lsplaylists") == ["morning"]
    player.mpc("load", "morning")
    assert len(player.mpc("playlist", "-f", "%file%")) == 3


def test_what_goes_with_the_song_that_plays_is_queued(player: Player) -> None:
    catalog = library(player)
    player.mpc("add", "Artist 0/00.mp3")
    player.mpc("play")
    player.mpc("pause")
    asked = ("similar", "--mpd", "--catalog", catalog, "-n", "2")
    outcome = run_tagger(*asked, **player.variables)
    assert outcome.code == 0, outcome.err
    assert player.mpc("playlist", "-f", "%file%") == [
        "Artist 0/00.mp3",
        "Jóga – ライブ/06.mp3",
        "#hash/12.mp3",
    ]
    assert run_tagger(*asked, **player.variables).code == 0
    assert player.mpc("playlist", "-f", "%file%")[3:] == ['it\'s "so"/18.mp3']


def test_where_nothing_plays_that_is_said(player: Player) -> None:
    catalog = library(player)
    outcome = run_tagger("similar", "--mpd", "--catalog", catalog, **player.variables)
    assert outcome.code == 2
    assert "plays nothing" in outcome.err


def test_a_song_that_mpd_has_not_seen_yet_is_named(player: Player) -> None:
    catalog = library(player)
    player.mpc("add", "Artist 0/00.mp3")
    player.mpc("play")
    os.remove(player.music / "#hash/12.mp3")  # noqa: PTH107
    player.look()
    asked = ("similar", "--mpd", "--catalog", catalog, "-n", "3")
    outcome = run_tagger(*asked, **player.variables)
    assert outcome.code == 1
    assert "MPD does not know #hash/12.mp3" in outcome.err
    assert len(player.mpc("playlist", "-f", "%file%")) == 3
