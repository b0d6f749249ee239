"""``tagger playlist``: whole albums, other draws, playlists to go on from and to keep away from."""

from __future__ import annotations

import itertools
import json
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagger.catalog import CatalogEntry, Reader
from tagger.recommending.reading import places_in
from tagger.recommending.recommend import SimilarQuery, path_between, spread_out
from tagger.recommending.seeds import from_paths
from tests.catalogs import filled
from tests.library import Outcome, run_tagger
from tests.test_cli_playlist import at, degrees
from tests.test_playlist import read_m3u8

Tagger = Callable[..., Outcome]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a catalogue of tracks at every fifth degree, each by another artist."""
    music = tmp_path / "music"
    filled(tmp_path / "catalog.db", *(at(i * 5, music, f"Artist {i}") for i in range(18))).close()
    return tmp_path


@pytest.fixture
def playlist(place: Path) -> Tagger:
    def call(*arguments: str | Path, **variables: str) -> Outcome:
        catalog = place / "catalog.db"
        config = {"XDG_CONFIG_HOME": str(place), **variables}
        return run_tagger("playlist", *arguments, "--catalog", catalog, **config)

    return call


def song(place: Path, i: int) -> Path:
    return place / "music" / f"Artist {i}" / f"{i * 5:02d}.mp3"


# Another draw


def test_each_number_is_another_draw_and_the_same_one_the_same(
    place: Path, playlist: Tagger
) -> None:
    asked = ("--like", song(place, 0), "-n", "4", "-o", place / "a.m3u8")
    drawn = []
    for seed in ("1", "1", "2", "3"):
        assert playlist(*asked, "--seed", seed).code == 0
        drawn.append(degrees(place / "a.m3u8"))
    assert drawn[0] == drawn[1]
    assert len({tuple(one) for one in drawn}) == 3
    assert all(len(set(one)) == 4 and max(one) <= 16 * 5 for one in drawn)
    assert all(one == sorted(one) for one in drawn)  # the nearest first still


def test_a_way_is_drawn_as_well(place: Path, playlist: Tagger) -> None:
    ends = ("--from", song(place, 0), "--to", song(place, 17), "-n", "5", "-o", place / "a.m3u8")
    ways = set()
    for seed in "1234":
        assert playlist(*ends, "--seed", seed).code == 0
        ways.add(tuple(degrees(place / "a.m3u8")))
    assert len(ways) > 1
    assert {(way[0], way[-1]) for way in ways} == {(0, 85)}


# Nobody twice in a row


@given(st.lists(st.sampled_from("aaabbc"), min_size=1, max_size=9), st.sampled_from(["", "a"]))
def test_nobody_follows_himself_wherever_that_can_be_helped(artists: list[str], last: str) -> None:
    named = [(name, i) for i, name in enumerate(artists)]
    spread = spread_out(named, last)
    assert sorted(spread) == sorted(named)
    row = [*filter(None, [last]), *(name for name, _ in spread)]
    twice = sum(a == b for a, b in itertools.pairwise(row))
    n = len(artists)
    could = all(
        count <= (n if name == last else n + 1) // 2 for name, count in Counter(artists).items()
    )
    assert (twice == 0) == could


def test_no_artist_follows_himself_on_a_way_if_there_is_another(tmp_path: Path) -> None:
    music = tmp_path / "music"
    near = [at(d, music, "A") for d in (0, 30, 60)]
    others = [at(d, music, "B") for d in (36, 66, 90)]
    filled(tmp_path / "c.db", *near, *others).close()
    with Reader.open(tmp_path / "c.db") as reader:
        ends = from_paths(reader, [near[0].file.path, others[-1].file.path])
        way = path_between(reader, ends, SimilarQuery(n=4, max_per_artist=None))
    assert [row.artist for row in way] == ["A", "B", "A", "B"]


# Whole albums


def on_album(one: CatalogEntry, album: str, **tags: object) -> CatalogEntry:
    return replace(one, tags=replace(one.tags, album=album, **tags))  # type: ignore[arg-type]


@pytest.fixture
def albums(tmp_path: Path) -> Path:
    """Albums: One is near but for a track, Two follows, Three is far; a lone track is nearest."""
    music = tmp_path / "music"
    tracks = {
        "One": [(10, "A"), (14, "A"), (60, "A")],
        "Two": [(20, "B"), (24, "B")],
        "Three": [(70, "C"), (74, "C")],
    }
    entries = [
        on_album(at(d, music, artist), album)
        for album, listed in tracks.items()
        for d, artist in listed
    ]
    lone = [on_album(at(d, music, "Lone"), "") for d in (0, 5)]
    filled(tmp_path / "catalog.db", *lone, *entries).close()
    return tmp_path


def made(place: Path, *arguments: str | Path) -> list[int]:
    output = place / "a.m3u8"
    outcome = run_tagger("playlist", *arguments, "-o", output, "--catalog", place / "catalog.db")
    assert outcome.code == 0, outcome.err
    return degrees(output)


def test_whole_albums_are_taken_in_their_order_until_there_are_enough(albums: Path) -> None:
    like = ("--like", albums / "music" / "Lone" / "00.mp3", "--albums")
    assert made(albums, *like, "-n", "2") == [20, 24]  # One has a track that is far
    assert made(albums, *like, "-n", "3") == [20, 24, 10, 14, 60]
    assert made(albums, *like, "-n", "50") == [20, 24, 10, 14, 60, 70, 74]


def test_the_album_of_the_seed_itself_is_not_named(albums: Path) -> None:
    like = ("--like", albums / "music" / "B" / "20.mp3", "--albums", "-n", "50")
    assert 24 not in made(albums, *like)


def test_albums_of_one_name_are_told_apart_and_discs_kept_together(tmp_path: Path) -> None:
    music = tmp_path / "music"
    hits = [on_album(at(d, music, name), "Hits") for d, name in ((10, "A"), (14, "A"), (40, "B"))]
    discs = [
        on_album(at(d, music / disc, "C"), "Double", album_artist="C", disc=number)
        for d, disc, number in ((25, "CD2", 2), (21, "CD2", 2), (29, "CD1", 1))
    ]
    lone = on_album(at(0, music, "Lone"), "")
    filled(tmp_path / "catalog.db", lone, *hits, *discs).close()
    like = ("--like", music / "Lone" / "00.mp3", "--albums", "-n", "50")
    assert made(tmp_path, *like) == [10, 14, 29, 21, 25, 40]


def test_tracks_are_ordered_as_people_count(tmp_path: Path) -> None:
    music = tmp_path / "music"
    tracks = [on_album(at(d, music, "A"), "Long") for d in (100, 20, 9)]
    filled(tmp_path / "catalog.db", on_album(at(0, music, "L"), ""), *tracks).close()
    like = ("--like", music / "L" / "00.mp3", "--albums")
    assert made(tmp_path, *like) == [9, 20, 100]


def test_where_nothing_has_an_album_that_is_said(tmp_path: Path) -> None:
    filled(tmp_path / "catalog.db", *(on_album(at(d, tmp_path, "A"), "") for d in (0, 9))).close()
    asked = ("playlist", "--like", tmp_path / "A" / "00.mp3", "--albums")
    outcome = run_tagger(*asked, "--catalog", tmp_path / "catalog.db")
    assert outcome.code == 2
    assert "has an album in its tags" in outcome.err


# Playlists to keep away from, and to go on from


def test_what_stands_in_another_playlist_is_left_out(place: Path, playlist: Tagger) -> None:
    other = place / "other.m3u8"
    other.write_bytes(
        b"\xef\xbb\xbf#EXTM3U\r\n#EXTINF:1,x\r\nmusic/Artist 1/05.mp3\r\n"
        + f"file://{place}/music/Artist%202/10.mp3\r\n".encode()
        + b"http://radio.example/a\r\nmusic/gone.mp3\r\n"
    )
    asked = ("--like", song(place, 0), "-n", "2", "-o", place / "a.m3u8")
    assert playlist(*asked, "--exclude-playlist", other).code == 0
    assert degrees(place / "a.m3u8") == [15, 20]


def test_a_playlist_is_gone_on_with(place: Path, playlist: Tagger) -> None:
    mine = place / "mine.m3u8"
    text = f"{song(place, 8)}\nhttp://radio.example/a\nmusic/gone.mp3\n{song(place, 10)}\n"
    mine.write_text(text)
    assert playlist("--extend", mine, "-n", "2", "-o", place / "a.m3u8").code == 0
    lines = [one for one in (place / "a.m3u8").read_text().splitlines() if one[0] != "#"]
    assert lines == [
        "music/Artist 8/40.mp3",
        "http://radio.example/a",
        "music/gone.mp3",
        "music/Artist 10/50.mp3",
        "music/Artist 9/45.mp3",
        lines[-1],
    ]
    assert lines[-1] in ("music/Artist 7/35.mp3", "music/Artist 11/55.mp3")
    assert mine.read_text() == text


def test_a_persons_playlist_is_not_gone_on_with_in_its_own_place_unasked(
    place: Path, playlist: Tagger
) -> None:
    mine = place / "mine.m3u8"
    mine.write_text(f"{song(place, 8)}\n")
    assert playlist("--extend", mine, "-n", "2", "-o", mine).code == 2
    assert mine.read_text() == f"{song(place, 8)}\n"
    assert playlist("--extend", mine, "-n", "2", "-o", mine, "--force").code == 0
    assert len(read_m3u8(mine)) == 3
    outcome = playlist("--extend", mine, "-o", mine, "--save", "mine")
    assert outcome.code == 2
    assert "would grow each time" in outcome.err


def test_a_playlist_that_is_gone_on_with_and_kept_follows_both(
    place: Path, playlist: Tagger
) -> None:
    mine, output = place / "mine.m3u8", place / "more.m3u8"
    mine.write_text(f"{song(place, 8)}\n")
    assert playlist("--extend", mine, "-n", "2", "-o", output, "--save", "more").code == 0
    assert playlist("--refresh").out.startswith("unchanged")
    mine.write_text(f"{song(place, 0)}\n")
    assert playlist("--refresh").out.startswith("written")
    assert degrees(output) == [0, 5, 10]


@pytest.mark.parametrize(
    ("option", "told"), [("--extend", "No such file"), ("--exclude-playlist", "No such file")]
)
def test_a_playlist_that_is_not_there_is_named(
    place: Path, playlist: Tagger, option: str, told: str
) -> None:
    outcome = playlist("--genre", "Rock", option, place / "none.m3u8")
    assert outcome.code == 2
    assert f"{place}/none.m3u8: cannot be read: {told}" in outcome.err


def test_what_is_no_playlist_or_nothing_is_known_of_is_refused(
    place: Path, playlist: Tagger
) -> None:
    odd = place / "odd.m3u8"
    odd.write_bytes(b"RIFF\0\0\0\0")
    outcome = playlist("--extend", odd)
    assert outcome.code == 2
    assert "is no playlist" in outcome.err
    os.mkfifo(place / "pipe.m3u8")
    for endless in ("/dev/zero", place / "pipe.m3u8"):  # neither read on nor waited for
        outcome = playlist("--extend", endless)
        assert (outcome.code, "is no playlist" in outcome.err) == (2, True)
    odd.write_text("nobody.mp3\n")
    outcome = playlist("--extend", odd)
    assert outcome.code == 2
    assert "none of its tracks was heard" in outcome.err


def test_a_song_is_known_whatever_links_lead_to_it(place: Path, playlist: Tagger) -> None:
    (place / "disk").mkdir()
    (place / "music").mkdir()
    os.rename(place / "music", place / "disk" / "music")  # noqa: PTH104
    (place / "music").symlink_to(place / "disk" / "music")
    for i in (0, 1):
        target = place / "disk" / song(place, i).relative_to(place)
        target.parent.mkdir(parents=True)
        target.touch()
    other = place / "other.m3u8"
    other.write_text("disk/music/Artist 1/05.mp3\n")
    asked = ("--like", song(place, 0), "-n", "2", "-o", place / "a.m3u8")
    assert playlist(*asked, "--exclude-playlist", other).code == 0
    assert degrees(place / "a.m3u8") == [10, 15]


def test_names_are_read_as_the_bytes_that_they_are(tmp_path: Path) -> None:
    (tmp_path / "a.m3u").write_bytes(b"caf\xe9.mp3\nsub/../b.mp3\n./#c.mp3\n  \n")
    assert places_in(tmp_path / "a.m3u") == [
        tmp_path / os.fsdecode(b"caf\xe9.mp3"),
        tmp_path / "b.mp3",
        tmp_path / "#c.mp3",
    ]


# What files are called elsewhere


def lines(place: Path, name: str = "a.m3u8") -> list[str]:
    return [one for one in (place / name).read_text().splitlines() if one[0] != "#"]


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        ("/music", "/music/Artist 1/05.mp3"),
        ("/music/", "/music/Artist 1/05.mp3"),
        ("", "Artist 1/05.mp3"),
        ("Z:\\Music", "Z:\\Music\\Artist 1\\05.mp3"),
        ("\\\\nas\\music", "\\\\nas\\music\\Artist 1\\05.mp3"),
    ],
)
def test_files_are_named_as_they_are_called_elsewhere(
    place: Path, playlist: Tagger, there: str, expected: str
) -> None:
    asked = ("--like", song(place, 0), "-n", "2", "-o", place / "a.m3u8")
    assert playlist(*asked, "--path-map", f"{place}/music={there}").code == 0
    assert lines(place)[0] == expected
    by_variable = {"TAGGER_PATH_MAP": f"{place}/music={there}"}
    assert playlist(*asked, **by_variable).code == 0
    assert lines(place)[0] == expected


def test_the_deepest_folder_counts_and_a_playlist_may_have_its_own(
    place: Path, playlist: Tagger
) -> None:
    config = place / "tagger" / "config.toml"
    config.parent.mkdir()
    config.write_text(
        f'[path_map]\n"{place}" = "/all"\n"{place}/music/Artist 1" = "/one"\n'
        f'[playlist.a]\ngenre = "Rock"\nmax_duration = 9999\noutput = "{place}/a.m3u8"\n'
        f'[playlist.b]\ngenre = "Rock"\noutput = "{place}/b.m3u8"\n'
        f'path_map = {{"{place}" = "/phone"}}\n'
        f'[playlist.c]\ngenre = "Rock"\noutput = "{place}/c.m3u8"\npath_map = {{}}\n'
    )
    assert playlist("--refresh").code == 0
    assert {"/one/05.mp3", "/all/music/Artist 2/10.mp3"} <= set(lines(place))
    assert all(line.startswith("/phone/music/") for line in lines(place, "b.m3u8"))
    assert all(line.startswith("music/") for line in lines(place, "c.m3u8"))


def test_a_path_map_that_leads_nowhere_leaves_the_playlist_as_it_is(
    place: Path, playlist: Tagger
) -> None:
    asked = ("--like", song(place, 0), "-n", "2", "-o", place / "a.m3u8")
    playlist(*asked)
    before = (place / "a.m3u8").read_bytes()
    outcome = playlist(*asked, "--path-map", "/nowhere=/music")
    assert outcome.code == 2
    assert "path_map has no folder that holds it, only /nowhere" in outcome.err
    assert (place / "a.m3u8").read_bytes() == before
    assert playlist(*asked, "--path-map", "nonsense").code == 2


def test_odd_names_are_named_elsewhere_too_or_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    music = tmp_path / "music"
    odd = [os.fsdecode(b"caf\xe9"), "two\nlines", "#hash", "Jóga – ライブ"]
    entries = [at(i * 5, music, name) for i, name in enumerate(["seed", *odd])]
    filled(tmp_path / "catalog.db", *entries).close()
    asked = ("playlist", "--like", music / "seed" / "00.mp3", "--catalog", tmp_path / "catalog.db")
    output = ("-o", tmp_path / "a.m3u8")
    assert run_tagger(*asked, *output, "--path-map", f"{music}=/m").code == 0
    assert lines(tmp_path) == [
        "file:///m/caf%E9/05.mp3",
        "file:///m/two%0Alines/10.mp3",
        "/m/#hash/15.mp3",
        "/m/Jóga – ライブ/20.mp3",
    ]
    assert run_tagger(*asked, *output, "--path-map", f"{music}=").code == 0
    assert lines(tmp_path) == ["./#hash/15.mp3", "Jóga – ライブ/20.mp3"]
    assert caplog.text.count("no line can hold its name") == 2
    assert run_tagger(*asked, *output, "--path-map", f"{music}=Z:\\m").code == 0
    assert lines(tmp_path) == ["Z:\\m\\#hash\\15.mp3", "Z:\\m\\Jóga – ライブ\\20.mp3"]


def test_a_playlist_of_another_machine_is_read_by_the_same_map(
    place: Path, playlist: Tagger
) -> None:
    other = place / "other.m3u8"
    other.write_text("/music/Artist 1/05.mp3\nZ:\\Music\\Artist 2\\10.mp3\n")
    asked = ("--like", song(place, 0), "-n", "2", "-o", place / "a.m3u8", "--exclude-playlist")
    assert playlist(*asked, other, "--path-map", f"{place}/music=/music").code == 0
    assert lines(place) == ["/music/Artist 2/10.mp3", "/music/Artist 3/15.mp3"]
    assert playlist(*asked, other, "--path-map", f"{place}/music=Z:\\Music").code == 0
    assert lines(place)[0] == "Z:\\Music\\Artist 1\\05.mp3"


# Smart playlists of Navidrome


def test_a_smart_playlist_has_rules_in_the_librarys_spellings(
    place: Path, playlist: Tagger
) -> None:
    output = place / "Rock of the nineties.nsp"
    asked = ("--genre", "rOCK", "--year", "1990-1999", "-n", "40", "-o", output)
    assert playlist(*asked, "--save", "nineties").code == 0
    rules = json.loads(output.read_text())
    assert rules.pop("comment").startswith("made by tagger")
    assert rules == {
        "name": "Rock of the nineties",
        "all": [
            {"any": [{"is": {"genre": "Rock"}}]},
            {"gt": {"year": 1989}},
            {"lt": {"year": 2000}},
        ],
        "sort": "random",
        "limit": 40,
    }
    assert playlist("--refresh").out.startswith("unchanged")
    output.write_text(output.read_text().replace("40", "50"))
    assert playlist("--refresh").out.startswith("kept")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--genre", "Rock", "--like", "music/Artist 0/00.mp3"], "genre, year and n, not like"),
        (["--genre", "Rock", "--seed", "3"], "genre, year and n, not seed"),
        (["--like", "music/Artist 0/00.mp3"], "genre, year and n, not like"),
        (["--genre", "Polka"], "no track has the genre Polka; there are: Rock"),
    ],
)
def test_what_no_rule_can_say_is_refused(
    place: Path,
    playlist: Tagger,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    told: str,
) -> None:
    monkeypatch.chdir(place)
    outcome = playlist(*arguments, "-o", place / "a.nsp")
    assert outcome.code == 2
    assert told in outcome.err
    assert not (place / "a.nsp").exists()
