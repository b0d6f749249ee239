"""``tagger list``, ``similar`` and ``info``: what the catalogue answers."""

from __future__ import annotations

import base64
import csv
import io
import os
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest

from tagger.catalog import Catalog
from tagger.cli.screen import Screen, width_of
from tests.catalogs import entry, filled
from tests.library import (
    LABELS,
    Outcome,
    contents,
    make_model,
    make_track,
    map_in_process,
    run_tagger,
)

ROW = {"path", "title", "artist", "album", "year", "genres", "confidence", "duration_s"}
LATIN = os.fsdecode(b"caf\xe9.mp3")

Ask = Callable[..., Outcome]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, model: Path) -> Path:
    """A tagged library; its catalogue is ``catalog.db`` beside ``music``."""
    folder = tmp_path_factory.mktemp("library")
    music = folder / "music"
    make_track(
        music / "blue" / "1.flac", artist="Joni", title="One", album="Blue", date="1971-06-22"
    )
    # Of different lengths: to this network they sound like one recording.
    make_track(music / "blue" / "2.flac", 6.0, artist="Joni", title="Two", album="Blue")
    make_track(music / "mine.flac", 10.0, artist="Me", title="Mine", genre="Trip-Hop", date="1994")
    make_track(music / "quiet.flac", gain=0.0, artist="Cage")
    make_track(music / LATIN, 14.0)
    make_track(music / "two\nlines.flac", 18.0, artist="Ev\x1b[2Jil")
    (music / "empty.mp3").touch()
    with mock.patch("tagger.hearing.pool.map_unordered", map_in_process):
        run_tagger("tag", music, "--catalog", folder / "catalog.db", "--model", model)
    return folder


@pytest.fixture
def ask(library: Path) -> Ask:
    """A command on that catalogue, with ``--format jsonl``."""

    def run(command: str, *arguments: str | Path) -> Outcome:
        common = ("--catalog", library / "catalog.db", "--format", "jsonl")
        return run_tagger(command, *common, *arguments)

    return run


def names(outcome: Outcome) -> list[str]:
    assert (outcome.code, outcome.err) == (0, "")
    return [Path(record["path"]).name for record in outcome.records]


def test_an_empty_catalogue_is_told_from_one_without_such_a_track(place: Path) -> None:
    Catalog.open(place).close()
    none = run_tagger("list", "--catalog", place, "--genre", "Polka")
    told = "the catalogue is empty; tagger tag FOLDER puts tracks in it\n"
    assert (none.code, none.out, none.err) == (0, "", told)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (["--genre", "Polka"], "no track has the genre Polka; there are: Rock, Trip-Hop"),
        (["--genre", "trip-hop", "--artist", "Joni"], "no track is like that"),
        (["--under", "/nowhere"], "no track of the catalogue lies in /nowhere"),
        (["--year", "1900"], "no track is like that"),
    ],
)
def test_where_nothing_is_found_that_is_said(library: Path, asked: list[str], told: str) -> None:
    none = run_tagger("list", "--catalog", library / "catalog.db", *asked)
    assert (none.code, none.out, none.err) == (0, "", told + "\n")


def test_tracks_without_a_genre_are_listed(ask: Ask) -> None:
    assert names(ask("list", "--blank")) == ["quiet.flac"]


def test_on_a_terminal_a_line_is_cut_and_has_a_head(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tagger.cli.list_.screen_of_stdout", lambda: Screen(width=50))
    head, *lines = run_tagger("list", "--catalog", library / "catalog.db").out.splitlines()
    assert head == "genre             sure  time  track"
    assert len(lines) == 7
    assert all(width_of(line) <= 50 for line in lines)
    (one,) = [line for line in lines if "One" in line]
    assert one.startswith("Rock") and one.endswith("…")
    assert one.index("Joni") == head.index("track")


def test_list_gives_every_track_with_the_fields_promised(ask: Ask) -> None:
    outcome = ask("list")
    assert sorted(names(outcome)) == sorted(
        ["1.flac", "2.flac", "mine.flac", "quiet.flac", LATIN, "two\nlines.flac", "empty.mp3"]
    )
    assert all(set(record) >= ROW for record in outcome.records)
    row = outcome.by_name["1.flac"]
    assert (row["title"], row["artist"], row["album"]) == ("One", "Joni", "Blue")
    assert row["genres"] == ["Rock"]
    assert row["confidence"] > 0.5
    assert row["duration_s"] == pytest.approx(1.5, abs=0.01)


def test_a_persons_genre_has_no_confidence_of_ours(ask: Ask) -> None:
    row = ask("list", "--genre", "trip-hop").by_name["mine.flac"]
    assert (row["genres"], row["confidence"]) == (["Trip-Hop"], None)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--genre", "rock", "--artist", "jon"], ["1.flac", "2.flac"]),
        (["--artist", "nobody"], []),
        (["--min-confidence", "0.99", "--artist", "Joni"], ["1.flac", "2.flac"]),
        (["--min-confidence", "0.99"], ["1.flac", "2.flac"]),
        (["--status", "failed"], ["empty.mp3"]),
        (["--status", "unsure"], ["quiet.flac"]),
        (["--status", "kept"], ["mine.flac"]),
        (["--artist", "joni", "--sort", "duration", "-n", "1"], ["1.flac"]),
        (["--artist", "joni", "--sort", "title"], ["1.flac", "2.flac"]),
        (["--year", "1971"], ["1.flac"]),
        (["--year", "1971-1994"], ["1.flac", "mine.flac"]),
        (["--year", "1972-"], ["mine.flac"]),
        (["--year", "-1993"], ["1.flac"]),
        (["--year", "1972-1993"], []),
        (["--sort", "year", "-n", "2"], ["1.flac", "mine.flac"]),
        (["--year", "-"], None),
        (["--year", "94"], None),
        (["--year", "1994-1971"], None),
        (["-n", "0"], None),
        (["--sort", "colour"], None),
    ],
)
def test_list_answers_what_is_asked(
    ask: Ask, options: list[str], expected: list[str] | None
) -> None:
    outcome = ask("list", *options)
    if expected is None:
        assert (outcome.code, outcome.out) == (2, "")
    else:
        assert names(outcome) == expected


def test_under_takes_relative_paths_and_files(
    ask: Ask, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(library)
    for folder in ("music/blue", "./music/blue/", library / "music" / "blue"):
        assert names(ask("list", "--under", folder)) == ["1.flac", "2.flac"]
    assert names(ask("list", "--under", "music/blue/2.flac")) == ["2.flac"]
    assert names(ask("list", "--under", "music/bl")) == []
    assert len(names(ask("list", "--under", "."))) == 7


def test_list_prints_lines_that_do_nothing_to_a_terminal(library: Path) -> None:
    outcome = run_tagger("list", "--catalog", library / "catalog.db", "--sort", "status")
    lines = outcome.out.splitlines()
    assert len(lines) == 7
    assert all(line.isprintable() for line in lines)
    assert any("caf\\xe9.mp3" in line for line in lines)
    assert any("the file is empty" in line and line.startswith("–") for line in lines)


def test_list_prints_csv(ask: Ask) -> None:
    rows = list(csv.DictReader(io.StringIO(ask("list", "--format", "csv").out)))
    assert len(rows) == 7
    assert set(rows[0]) == ROW


def test_similar_gives_the_nearest_tracks_first_and_never_the_one_itself(
    ask: Ask, library: Path
) -> None:
    outcome = ask("similar", library / "music" / "blue" / "1.flac")
    assert sorted(names(outcome)) == sorted(["2.flac", "mine.flac", LATIN, "two\nlines.flac"])
    assert all(set(record) >= ROW | {"similarity"} for record in outcome.records)
    found = [record["similarity"] for record in outcome.records]
    assert found == sorted(found, reverse=True)
    assert all(-1 <= similarity <= 1 for similarity in found)


def test_the_same_sound_is_not_named(ask: Ask, tmp_path: Path) -> None:
    catalog = tmp_path / "catalog.db"
    filled(catalog, entry("a.mp3", 1), entry("b.mp3", 1), entry("c.mp3", 2)).close()
    assert names(ask("similar", "--catalog", catalog, "/music/a.mp3")) == ["c.mp3"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["-n", "1"], 1),
        (["--genre", "Trip-Hop"], 1),
        (["--same-genre"], 3),
        (["--max-per-artist", "1"], 4),
        (["--max-per-artist", "0"], 4),
        (["--max-duration", "11"], 2),
        (["--min-duration", "16"], 1),
        (["--under", "blue"], 1),
        (["--year", "1990-"], 1),
    ],
)
def test_similar_is_narrowed_down(
    ask: Ask, library: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], expected: int
) -> None:
    monkeypatch.chdir(library / "music")
    assert len(names(ask("similar", "blue/1.flac", *options))) == expected


def test_why_says_what_a_match_has_in_common(ask: Ask, library: Path) -> None:
    seeds = (library / "music" / "blue" / "1.flac", library / "music" / LATIN)
    plain = ask("similar", seeds[0]).records
    assert not any({"shared_genres", "nearest"} & set(record) for record in plain)
    found = ask("similar", *seeds, "--why").by_name
    assert found["2.flac"]["shared_genres"] == ["Rock"]
    assert found["mine.flac"]["shared_genres"] == []
    assert all(record["nearest"] in map(str, seeds) for record in found.values())
    text = ask("similar", seeds[0], "--why", "--format", "text").out
    assert "       both Rock\n" in text
    assert "       no genre in common\n" in text
    rows = csv.DictReader(io.StringIO(ask("similar", *seeds, "--why", "--format", "csv").out))
    assert {row["shared_genres"] for row in rows} == {"Rock", ""}


def test_similar_to_an_artist_or_to_a_mix_of_genres(ask: Ask) -> None:
    assert sorted(names(ask("similar", "--artist", "joni"))) == sorted(
        ["mine.flac", LATIN, "two\nlines.flac"]
    )
    assert "mine.flac" in names(ask("similar", "--mix", "Rock=2,trip-hop"))
    assert names(ask("similar", "--mix", "Rock", "--mix", "Trip-Hop=.5", "-n", "1"))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "name tracks"),
        (["a.mp3", "--artist", "Joni"], "name tracks"),
        (["--mix", "Rock=x"], "'x' is no number"),
        (["--mix", "Rock=-1"], "such as Rock=2"),
        (["--mix", "=2"], "such as Rock=2"),
        (["--mix", "Polka"], "no track of the genre 'Polka' was heard; there are: Rock, Trip-Hop"),
        (["--artist", "Jon"], "no track by 'Jon' was heard; there are: Joni"),
        (["--artist", "Joni", "--genre", "Polka"], "no track has the genre Polka; there are: Rock"),
        (
            ["--artist", "Joni", "--genre", "Rock", "--year", "1900"],
            "no other recording that was heard is of the genre Rock, of the years named",
        ),
    ],
)
def test_what_similar_cannot_answer_ends_with_2_and_a_line(
    ask: Ask, arguments: list[str], told: str
) -> None:
    outcome = ask("similar", *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert told in outcome.err


def test_a_file_outside_the_catalogue_is_listened_to_and_not_added(
    ask: Ask, library: Path, model: Path, tmp_path: Path
) -> None:
    before = contents(library)
    new = make_track(tmp_path / "new.flac", 22.0)
    outcome = ask("similar", new, "--model", model)
    assert len(names(outcome)) == 5
    assert contents(library) == before
    assert names(ask("similar", new, library / "music" / "blue" / "1.flac", "--model", model))


def test_a_file_outside_that_another_model_would_hear_is_not_compared(
    ask: Ask, library: Path, tmp_path: Path
) -> None:
    new = make_track(tmp_path / "new.flac")
    other = make_model(tmp_path / "other.pt", favourite="Folk")
    outcome = ask("similar", new, "--model", other)
    assert (outcome.code, outcome.out) == (2, "")
    assert "no track was heard by that model" in outcome.err
    outcome = ask("similar", new, library / "music" / "mine.flac", "--model", other)
    assert outcome.code == 2
    assert "by another model only" in outcome.err


@pytest.mark.parametrize(
    ("name", "told"),
    [("none.flac", "no such file"), ("folder", "a folder"), ("text.mp3", "text.mp3: ")],
)
def test_a_file_outside_that_cannot_be_heard_is_named(
    ask: Ask, model: Path, tmp_path: Path, name: str, told: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.mp3").write_text("no music")
    outcome = ask("similar", tmp_path / name, "--model", model)
    assert (outcome.code, outcome.out) == (2, "")
    assert told in outcome.err
    assert str(tmp_path / name) in outcome.err


@pytest.mark.parametrize("name", [LATIN, "two\nlines.flac"])
def test_odd_names_work_in_every_command(ask: Ask, library: Path, name: str) -> None:
    path = library / "music" / name
    (info,) = ask("info", path).records
    assert info["path"] == str(path)
    assert info["genres"] == ["Rock"]
    assert len(names(ask("similar", path))) == 4
    assert names(ask("list", "--under", path)) == [name]
    if name == LATIN:
        for record in (info, *ask("list", "--under", path).records):
            assert base64.b64decode(record["path_b64"]) == os.fsencode(path)


def test_info_of_a_track_adds_probabilities_and_runs(ask: Ask, library: Path) -> None:
    (info,) = ask("info", library / "music" / "blue" / "1.flac").records
    assert set(info) >= ROW | {"probabilities", "runs"}
    assert set(info["probabilities"]) == set(LABELS)
    assert info["model"].startswith("cnn-gru-")
    assert [run["command"] for run in info["runs"]] == ["tag"]


def test_info_of_a_file_that_failed_says_why(ask: Ask, library: Path) -> None:
    (info,) = ask("info", library / "music" / "empty.mp3").records
    assert info["status"] == "failed"
    assert info["reason"].startswith("the file is empty")
    assert info["probabilities"] == {}


def test_info_without_a_path_tells_of_catalogue_and_model(
    ask: Ask, library: Path, model: Path
) -> None:
    (info,) = ask("info", "--model", model).records
    assert info["catalog"] == {
        "path": str(library / "catalog.db"),
        "schema": info["catalog"]["schema"],
        "n_tracks": 6,
        "n_failures": 1,
    }
    told = info["model"]
    assert (told["labels"], told["writable"]) == (list(LABELS), ["Electronic", "Folk", "Rock"])
    assert (told["sample_rate"], told["max_segments"]) == (22_050, 4)
    assert told["first_segments"] == 4
    assert told["segment_s"] == pytest.approx(0.766, abs=1e-3)
    assert told["thresholds"] == dict.fromkeys(LABELS, 0.5)
    assert told["n_parameters"] > 0
    assert told["architecture"] == "cnn-gru"
    assert told["id"].startswith("cnn-gru-")


def test_info_tells_of_the_model_where_there_is_no_catalogue_yet(
    ask: Ask, tmp_path: Path, model: Path
) -> None:
    (info,) = ask("info", "--catalog", tmp_path / "none.db", "--model", model).records
    assert info["catalog"]["n_tracks"] == 0
    assert list(tmp_path.iterdir()) == []


def test_info_as_text_is_one_fact_a_line(library: Path, model: Path) -> None:
    common = ("--catalog", library / "catalog.db")
    text = run_tagger("info", *common, "--model", model).out
    assert "  n_tracks         6\n" in text
    text = run_tagger("info", *common, library / "music" / "two\nlines.flac").out
    assert all(line.isprintable() for line in text.splitlines())
    assert "Rock" in text


def test_info_as_text_has_a_word_for_a_threshold_that_nothing_reaches(tmp_path: Path) -> None:
    text = run_tagger("info", "--catalog", tmp_path / "none.db", "--model", "default").out
    assert "    Disco            never\n" in text
    assert "    Rock             0.570\n" in text


def test_info_config_prints_each_value_and_where_it_came_from(tmp_path: Path) -> None:
    folder = tmp_path / "tagger"
    folder.mkdir()
    (folder / "config.toml").write_text("max_genres = 2\n")
    outcome = run_tagger(
        "info",
        "--config",
        "--format",
        "jsonl",
        "--catalog",
        "mine.db",
        XDG_CONFIG_HOME=str(tmp_path),
        TAGGER_JOBS="3",
    )
    (settings,) = outcome.records
    assert settings["max_genres"] == {"value": 2, "source": str(folder / "config.toml")}
    assert settings["jobs"] == {"value": 3, "source": "TAGGER_JOBS"}
    assert settings["catalog"] == {"value": "mine.db", "source": "option"}
    assert settings["by"] == {"value": "album", "source": "default"}
    variables = {"TAGGER_GENRE_MAP": "Hip-Hop=Rap,Pop=", "TAGGER_TREAT_AS_BLANK": "Other"}
    text = run_tagger("info", "--config", TAGGER_JOBS="3", **variables).out
    assert "jobs             3  (TAGGER_JOBS)\n" in text
    assert "treat_as_blank   Other  (TAGGER_TREAT_AS_BLANK)\n" in text
    assert "genre_map        Hip-Hop → Rap, Pop → (never)  (TAGGER_GENRE_MAP)\n" in text


def test_a_setting_that_makes_no_sense_ends_with_2_and_names_its_place(tmp_path: Path) -> None:
    folder = tmp_path / "tagger"
    folder.mkdir()
    (folder / "config.toml").write_text("colour = 1\n")
    outcome = run_tagger("info", "--config", XDG_CONFIG_HOME=str(tmp_path))
    assert outcome.code == 2
    assert str(folder / "config.toml") in outcome.err
    assert "colour" in outcome.err


@pytest.mark.parametrize("command", ["list", "similar", "info"])
def test_a_question_to_no_catalogue_says_what_to_do(ask: Ask, tmp_path: Path, command: str) -> None:
    absent = ("--catalog", tmp_path / "none.db")
    outcome = ask(command, *absent, *([] if command == "list" else ["/music/a.mp3"]))
    assert (outcome.code, outcome.out) == (2, "")
    assert f"{tmp_path / 'none.db'}: there is no catalogue here yet" in outcome.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["similar", "info"])
def test_a_track_that_is_not_known_is_named(ask: Ask, library: Path, command: str) -> None:
    outcome = ask(command, library / "music" / "none.flac")
    assert (outcome.code, outcome.out) == (2, "")
    assert str(library / "music" / "none.flac") in outcome.err
    assert "tagger tag" in outcome.err


def test_nothing_is_similar_to_silence(ask: Ask, library: Path) -> None:
    outcome = ask("similar", library / "music" / "quiet.flac")
    assert outcome.code == 2
    assert "silent" in outcome.err


def test_questions_touch_nothing(ask: Ask, library: Path) -> None:
    before = contents(library)
    ask("list")
    ask("similar", library / "music" / "blue" / "1.flac")
    ask("info", library / "music" / "blue" / "1.flac")
    assert contents(library) == before


def test_an_empty_catalogue_is_said_to_be_empty(tmp_path: Path) -> None:
    empty = tmp_path / "empty.db"
    Catalog.open(empty).close()
    outcome = run_tagger("list", "--catalog", empty)
    assert (outcome.code, outcome.out) == (0, "")
    assert "tagger tag FOLDER" in outcome.err
    outcome = run_tagger("report", "--catalog", empty, "-o", tmp_path / "page.html")
    assert outcome.code == 0
    assert "tagger tag FOLDER" in outcome.err
