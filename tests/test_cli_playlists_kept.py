"""``tagger playlist --save`` and ``--refresh``: playlists that stay fresh, and stay a person's."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from tagger.catalog import Catalog
from tests.catalogs import begin, filled
from tests.library import Outcome, run_tagger
from tests.test_cli_playlist import at, degrees

Tagger = Callable[..., Outcome]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a catalogue of tracks at every sixth degree; settings go beside it."""
    music = tmp_path / "music"
    filled(tmp_path / "catalog.db", *(at(i * 6, music, f"Artist {i}") for i in range(6))).close()
    return tmp_path


@pytest.fixture
def playlist(place: Path) -> Tagger:
    def call(*arguments: str | Path, **variables: str) -> Outcome:
        variables = {"TAGGER_CATALOG": str(place / "catalog.db"), **variables}
        return run_tagger("playlist", *arguments, XDG_CONFIG_HOME=str(place), **variables)

    return call


def seed(place: Path, i: int = 0) -> Path:
    return place / "music" / f"Artist {i}" / f"{i * 6:02d}.mp3"


def settings(place: Path, text: str, name: str = "config.toml") -> Path:
    file = place / "tagger" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def add(place: Path, *tracks: float) -> None:
    """Let the library grow."""
    with Catalog.open(place / "catalog.db") as catalog:
        new = [at(where, place / "music", f"Artist at {where}") for where in tracks]
        catalog.record(begin(catalog), new)


def morning(place: Path) -> Path:
    """A playlist in the settings; its file is returned."""
    output = place / "morning.m3u8"
    settings(place, f'[playlist.morning]\nlike = ["{seed(place)}"]\nn = 2\noutput = "{output}"\n')
    return output


def test_a_playlist_of_the_settings_is_made_and_made_anew_when_the_library_changed(
    place: Path, playlist: Tagger
) -> None:
    output = morning(place)
    outcome = playlist("--refresh")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == f"written    morning  2 tracks in {output}\n"
    assert degrees(output) == [6, 12]
    os.utime(output, ns=(1, 1))
    assert playlist("--refresh").out.startswith("unchanged  morning")
    assert output.stat().st_mtime_ns == 1
    add(place, -5)
    assert playlist("--refresh", "morning").out.startswith("written")
    assert degrees(output) == [-5, 6]


def test_a_playlist_that_somebody_changed_is_kept_and_said(place: Path, playlist: Tagger) -> None:
    output = morning(place)
    playlist("--refresh")
    output.write_text(output.read_text() + "mine.mp3\n")
    changed = output.read_bytes()
    add(place, -5)
    outcome = playlist("--refresh")
    assert (outcome.code, output.read_bytes()) == (0, changed)
    assert "kept       morning" in outcome.out
    assert "it was changed by hand; --refresh --force replaces it" in outcome.out
    assert playlist("--refresh", "--force").out.startswith("written")
    assert degrees(output) == [-5, 6]


@pytest.mark.parametrize("theirs", ["", "#EXTM3U\nmine.mp3\n"])
def test_what_a_person_has_there_is_kept(place: Path, playlist: Tagger, theirs: str) -> None:
    output = morning(place)
    output.write_text(theirs)
    outcome = playlist("--refresh")
    assert (outcome.code, output.read_text()) == (0, theirs)
    assert "the tagger did not write it" in outcome.out


def test_a_dry_run_writes_nothing(place: Path, playlist: Tagger) -> None:
    output = morning(place)
    assert playlist("--refresh", "--dry-run").out.startswith("planned    morning  2 tracks")
    assert not output.exists()
    output = place / "rock.m3u8"
    asked = ("--genre", "Rock", "-o", output, "--save", "rock", "--dry-run")
    assert playlist(*asked).err == f"6 tracks in {output} would be written\n"
    assert not output.exists()
    assert not (place / "tagger" / "playlists.toml").exists()


def test_one_that_fails_stops_no_other_and_ends_with_1(place: Path, playlist: Tagger) -> None:
    good, bad = place / "good.m3u8", place / "bad.m3u8"
    settings(
        place,
        f'[playlist.gone]\nlike = ["{place}/gone.mp3"]\noutput = "{bad}"\n'
        f'[playlist.polka]\ngenre = "Polka"\noutput = "{bad}2"\n'
        f'[playlist.folder]\ngenre = "Rock"\noutput = "{place}/none/a.m3u8"\n'
        f'[playlist.good]\ngenre = "Rock"\noutput = "{good}"\n',
    )
    outcome = playlist("--refresh", "--quiet")
    assert outcome.code == 1
    assert [line.split()[:2] for line in outcome.out.splitlines()] == [
        ["failed", "gone:"],
        ["failed", "polka:"],
        ["failed", "folder:"],
    ]
    assert "none of the tracks that it is to be like is in the catalogue" in outcome.out
    assert len(degrees(good)) == 6
    assert not bad.exists()


def test_a_seed_that_is_gone_is_left_out_as_long_as_another_is_there(
    place: Path, playlist: Tagger, caplog: pytest.LogCaptureFixture
) -> None:
    output = place / "a.m3u8"
    settings(
        place,
        f'[playlist.a]\nlike = ["{place}/gone.mp3", "{seed(place)}"]\nn = 2\noutput = "{output}"\n',
    )
    assert playlist("--refresh").code == 0
    assert degrees(output) == [6, 12]
    assert f"{place}/gone.mp3: not in the catalogue, left out" in caplog.text


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ('genre = "Rock"', "playlist.a: it has no output"),
        ('output = "/a.m3u8"', "give one of genre, like and from … to"),
        ('genre = "Rock"\noutput = "a.m3u8"', "output must be a path from the root or from ~"),
        ('genre = "Rock"\noutput = "/a.m3u8"\nyears = "1990"', "unknown key 'years'; known: year"),
        ('genre = 3\noutput = "/a.m3u8"', "genre must be a genre or a list of genres, not 3"),
        ('genre = "Rock"\nn = 1\noutput = "/a.m3u8"', "n must be a whole number from 2"),
        ('genre = "Rock"\nn = true\noutput = "/a.m3u8"', "n must be a whole number from 2"),
        ('genre = "Rock"\nyear = "soon"\noutput = "/a.m3u8"', "names no years"),
        ('genre = "Rock"\nmin_duration = nan\noutput = "/a.m3u8"', "min_duration must be seconds"),
        ('from = "/a.mp3"\noutput = "/a.m3u8"', "from and to go together"),
        ('genre = "Rock"\nyear = 1990-01-01\noutput = "/a.m3u8"', "without dates and times"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused_with_its_file(
    place: Path, playlist: Tagger, table: str, told: str
) -> None:
    file = settings(place, f"[playlist.a]\n{table}\n")
    outcome = playlist("--refresh")
    assert (outcome.code, outcome.out) == (2, "")
    assert str(file) in outcome.err
    assert told in outcome.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--refresh"], "there are: none; keep one with --save NAME"),
        (["--refresh", "evening"], "no playlist is called evening"),
        (["--refresh", "-n", "3"], "-n does not go with --refresh"),
        (["--refresh", "--like", "a.mp3"], "--like does not go with --refresh"),
        (["--genre", "Rock", "--save", "rock"], "--save needs a name, and -o FILE"),
        (["--genre", "Rock", "--save", " ", "-o", "a.m3u8"], "--save needs a name"),
    ],
)
def test_what_cannot_be_meant_ends_with_2(
    playlist: Tagger, arguments: list[str], told: str
) -> None:
    outcome = playlist(*arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert told in outcome.err


def test_what_is_saved_is_made_anew_as_it_was_asked_for(place: Path, playlist: Tagger) -> None:
    output = place / "a.m3u8"
    new = ("--like", seed(place), "--year", "1990-")  # nothing is that new
    assert playlist(*new, "-o", output, "--save", "später").code == 2
    assert not (place / "tagger" / "playlists.toml").exists()
    asked = ("--like", seed(place), "-n", "3", "--min-duration", "10", "--absolute")
    assert playlist(*asked, "-o", output, "--save", "später").code == 0
    saved = tomllib.loads((place / "tagger" / "playlists.toml").read_text())
    assert saved == {
        "playlist": {
            "später": {
                "like": [str(seed(place))],
                "n": 3,
                "min_duration": 10.0,
                "output": str(output),
                "absolute": True,
            }
        }
    }
    assert playlist("--refresh", "später").out.startswith("unchanged")
    add(place, -5)
    assert playlist("--refresh", "später").out.startswith("written")
    assert degrees(output) == [-5, 6, 12]


def test_a_name_that_is_not_utf8_is_saved_as_well(place: Path, playlist: Tagger) -> None:
    odd = Path(os.fsdecode(os.fsencode(place) + b"/caf\xe9"))
    with Catalog.open(place / "catalog.db") as catalog:
        catalog.record(begin(catalog), [at(5, odd, "Odd")])
    asked = ("--like", odd / "Odd" / "05.mp3", "-n", "2", "-o", odd / "a.m3u8")
    odd.mkdir()
    assert playlist(*asked, "--save", "odd").code == 0
    assert playlist("--refresh").out.startswith("unchanged")


def test_comments_and_other_playlists_stay_when_one_is_saved(place: Path, playlist: Tagger) -> None:
    before = (
        "# mine\n[playlist.first]  # the best\ngenre = ['Rock']\n"
        f"output = '{place}/first.m3u8'\n\n[playlist.a]\ngenre = 'Rock'\noutput = '/x'\n\n# end\n"
    )
    file = settings(place, before, "playlists.toml")
    assert playlist("--genre", "Rock", "-o", place / "a.m3u8", "--save", "a").code == 0
    text = file.read_text()
    assert text.startswith(before.partition("[playlist.a]")[0])
    assert tomllib.loads(text)["playlist"]["a"] == {
        "genre": ["Rock"],
        "output": str(place / "a.m3u8"),
    }
    assert playlist("--refresh").out.count("\n") == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("playlist = [", "not TOML"),
        ("playlist = 3", "tables [playlist.NAME] alone"),
        ("jobs = 3", "tables [playlist.NAME] alone"),
        ("playlist.a = 3", "playlist.a must be a table"),
        ("\udce9", "not UTF-8"),
        ("a = " + "[" * 20_000, "not TOML"),
    ],
)
def test_a_file_of_saved_ones_that_is_damaged_is_left_alone(
    place: Path, playlist: Tagger, text: str, told: str
) -> None:
    file = settings(place, "", "playlists.toml")
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    for arguments in (["--refresh"], ["--genre", "Rock", "-o", place / "a.m3u8", "--save", "b"]):
        outcome = playlist(*arguments)
        assert outcome.code == 2
        assert told in outcome.err
    assert file.read_bytes() == text.encode("utf-8", "surrogateescape")


def test_a_link_that_leads_nowhere_is_no_empty_file(place: Path, playlist: Tagger) -> None:
    file = settings(place, "", "playlists.toml")
    file.unlink()
    file.symlink_to(place / "away" / "playlists.toml")
    for arguments in (["--refresh"], ["--genre", "Rock", "-o", place / "a.m3u8", "--save", "b"]):
        outcome = playlist(*arguments)
        assert outcome.code == 2
        assert f"{file}: a link to {place}/away/playlists.toml, which is not there" in outcome.err
    assert not (place / "a.m3u8").exists()


def test_config_toml_is_never_written_and_its_names_are_taken(
    place: Path, playlist: Tagger
) -> None:
    morning(place)
    file = place / "tagger" / "config.toml"
    before = (file.read_bytes(), file.stat().st_mtime_ns)
    outcome = playlist("--genre", "Rock", "-o", place / "b.m3u8", "--save", "morning")
    assert outcome.code == 2
    assert "playlist.morning stands there" in outcome.err
    assert playlist("--genre", "Rock", "-o", place / "b.m3u8", "--save", "b").code == 0
    assert (file.read_bytes(), file.stat().st_mtime_ns) == before
    settings(place, '[playlist.morning]\ngenre = "Rock"\noutput = "/x"\n', "playlists.toml")
    outcome = playlist("--refresh")
    assert outcome.code == 2
    assert "as well" in outcome.err


def test_what_the_catalogue_does_not_know_cannot_be_kept(place: Path, playlist: Tagger) -> None:
    outcome = playlist("--like", place / "new.mp3", "-o", place / "a.m3u8", "--save", "a")
    assert outcome.code == 2
    assert "needs it in the catalogue" in outcome.err


def test_playlists_in_the_settings_do_not_hinder_other_commands(place: Path) -> None:
    settings(place, '[playlist.a]\nno = "sense"\n')
    outcome = run_tagger("info", "--config", XDG_CONFIG_HOME=str(place))
    assert (outcome.code, outcome.err) == (0, "")
    outcome = run_tagger("info", "--config", TAGGER_PLAYLIST="a")
    assert (outcome.code, outcome.out) == (2, "")
    assert "TAGGER_PLAYLIST" in outcome.err


def test_two_playlists_of_one_place_are_refused_before_anything_is_saved(
    place: Path, playlist: Tagger
) -> None:
    output = morning(place)
    playlist("--refresh")
    before = output.read_bytes()
    (place / "link.m3u8").symlink_to(output)
    asked = ("--genre", "Rock", "-o", place / "link.m3u8", "--force", "--save", "evening")
    outcome = playlist(*asked)
    assert outcome.code == 2
    assert "playlist.morning and playlist.evening have the same file" in outcome.err
    assert output.read_bytes() == before
    assert not (place / "tagger" / "playlists.toml").exists()
    text = (place / "tagger" / "config.toml").read_text()
    settings(place, text + text.replace("morning]", "evening]"))
    outcome = playlist("--refresh")
    assert (outcome.code, outcome.out) == (2, "")
    assert "have the same file" in outcome.err
