"""``tagger tag`` from the command line: what it prints, what it leaves in files, how it ends."""

from __future__ import annotations

import base64
import csv
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tagger.config import Settings
from tests.library import (
    LABELS,
    Outcome,
    contents,
    genre_of,
    make_model,
    make_track,
    make_tracks,
    run_tagger,
    set_tags,
)
from tests.sounds import FORMATS, VBR_WITHOUT_XING, make_chirp
from tests.tagged import taglib_tags

PROMISED = {
    "path",
    "status",
    "genres",
    "confidence",
    "probabilities",
    "n_segments",
    "before",
    "written",
    "model",
    "error",
    "reason_code",
    "suggestions",
}
LATIN = os.fsdecode(b"caf\xe9.mp3")

Tag = Callable[..., Outcome]


@pytest.fixture
def tag(tmp_path: Path, model: Path) -> Tag:
    """``tagger tag --format jsonl`` with a catalogue and a model."""

    def run(*arguments: str | Path, **variables: str) -> Outcome:
        common = ("--catalog", tmp_path / "catalog.db", "--model", model, "--format", "jsonl")
        return run_tagger("tag", *common, *arguments, **variables)

    return run


@pytest.fixture
def no_analysis(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """From here on, whatever needs an analysis fails."""

    def refuse(_function: object, tasks: list[object], **_options: object) -> list[object]:
        assert tasks == []
        return tasks

    with monkeypatch.context() as patch:
        patch.setattr("tagger.hearing.pool.map_unordered", refuse)
        yield


# One run over everything that a library may hold: what is told apart below is read off it.


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("everything")
    for ending in FORMATS:
        make_track(folder / "formats" / f"song{ending}")
    make_track(folder / "odd" / "persons.flac", genre="Trip-Hop", title="Mine")
    make_track(folder / "odd" / "silent.flac", gain=0.0)
    make_track(folder / "odd" / "short.flac", duration_s=0.3)
    make_track(folder / "odd" / LATIN)
    make_track(folder / "odd" / "two\nlines.mp3")
    make_chirp(folder / "odd" / "vbr.mp3", 4.0, encoding=VBR_WITHOUT_XING)
    (folder / "odd" / "text.mp3").write_text("Dear diary,\n" * 200)
    (folder / "odd" / "empty.mp3").touch()
    whole = make_track(folder / "odd" / "cut.flac").read_bytes()
    (folder / "odd" / "cut.flac").write_bytes(whole[:300])
    os.mkfifo(folder / "odd" / "fifo.mp3")
    (folder / "odd" / "broken.mp3").symlink_to("nowhere.mp3")
    (folder / "odd" / "loop").symlink_to("..")
    for hidden in (".hidden.mp3", "._song.mp3", "song.mp3.part", "cover.jpg"):
        (folder / "odd" / hidden).write_bytes(b"x")
    for system in ("@eaDir", "#recycle", ".Trash-1000"):
        make_track(folder / system / "song.flac")
    return folder


@pytest.fixture(scope="module")
def before(everything: Path) -> dict[str, tuple[bytes, int]]:
    return contents(everything)


@pytest.fixture(scope="module")
def first(
    everything: Path, before: dict[str, tuple[bytes, int]], model: Path
) -> tuple[Outcome, Path]:
    """The run, and its catalogue."""
    catalog = everything.with_name("everything.db")
    common = ("--catalog", catalog, "--model", model, "--format", "jsonl")
    return run_tagger("tag", *common, everything), catalog


def test_every_format_gets_its_genre(first: tuple[Outcome, Path], everything: Path) -> None:
    for ending in FORMATS:
        record = first[0].by_name[f"song{ending}"]
        assert (record["status"], record["written"]) == ("written", True)
        assert taglib_tags(everything / "formats" / f"song{ending}")["GENRE"] == ["Rock"]


def test_each_track_is_told_of_once_with_the_fields_promised(first: tuple[Outcome, Path]) -> None:
    paths = [record["path"] for record in first[0].records]
    assert len(paths) == len(set(paths)) == 20
    for record in first[0].records:
        assert set(record) >= PROMISED
        assert record["error"] is None or set(record["error"]) == {"stage", "reason"}
        assert 0 <= record["confidence"] <= 1


def test_what_was_heard_is_told_label_by_label(first: tuple[Outcome, Path]) -> None:
    record = first[0].by_name["song.mp3"]
    assert record["genres"] == ["Rock"]
    assert set(record["probabilities"]) == set(LABELS)
    assert sum(record["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert record["confidence"] == pytest.approx(record["probabilities"]["Rock"])
    assert record["n_segments"] >= 1
    assert record["model"].startswith("cnn-gru-")
    assert record["suggestions"][0] == {"genre": "Rock", "confidence": record["confidence"]}
    assert [one["confidence"] for one in record["suggestions"]] == sorted(
        (one["confidence"] for one in record["suggestions"]), reverse=True
    )


def test_a_persons_genre_is_kept(first: tuple[Outcome, Path]) -> None:
    record = first[0].by_name["persons.flac"]
    assert (record["status"], record["before"], record["written"]) == ("kept", ["Trip-Hop"], False)
    assert record["probabilities"]["Rock"] > 0.5


def test_a_persons_genre_bears_no_confidence_of_ours_after_a_move(
    music: Path, model: Path, tmp_path: Path
) -> None:
    path = make_track(music / "a.flac")
    set_tags(path, genre="Tango")
    common = ("--catalog", tmp_path / "catalog.db", "--model", model)
    lines = [run_tagger("tag", music, *common).out]
    path.rename(music / "b.flac")
    lines.append(run_tagger("tag", music, *common).out)
    assert [line.split()[:3] for line in lines] == [
        ["kept", "Tango", "a.flac"],
        ["moved", "Tango", "b.flac"],
    ]


def test_silence_and_very_short_sound_are_unsure(first: tuple[Outcome, Path]) -> None:
    for name, code, why in (
        ("silent.flac", "silent", "silent"),
        ("short.flac", "too_short", "too short: 0.3 s"),
    ):
        record = first[0].by_name[name]
        assert (record["status"], record["genres"], record["confidence"]) == ("unsure", [], 0.0)
        assert record["reason"].startswith(why)
        assert (record["reason_code"], record["suggestions"]) == (code, [])


def test_names_that_are_not_text_are_given_exactly(
    first: tuple[Outcome, Path], everything: Path
) -> None:
    record = first[0].by_name[LATIN]
    assert record["status"] == "written"
    assert record["path"] == str(everything / "odd" / LATIN)
    assert base64.b64decode(record["path_b64"]) == os.fsencode(everything / "odd" / LATIN)
    assert first[0].statuses["two\nlines.mp3"] == "written"
    assert genre_of(everything / "odd" / "two\nlines.mp3") == ["Rock"]


def test_a_vbr_mp3_without_its_table_is_heard_whole(first: tuple[Outcome, Path]) -> None:
    record = first[0].by_name["vbr.mp3"]
    assert (record["status"], record["n_segments"]) == ("written", 4)


def test_a_bad_file_is_named_with_a_reason_and_fails_alone(first: tuple[Outcome, Path]) -> None:
    outcome = first[0]
    assert outcome.code == 1
    codes = {"text.mp3": "not_audio", "empty.mp3": "empty", "cut.flac": "not_audio"}
    for name, code in codes.items():
        record = outcome.by_name[name]
        assert (record["status"], record["written"], record["genres"]) == ("failed", False, [])
        assert record["error"]["stage"] == "decode"
        assert record["reason_code"] == code
        lines = [line for line in outcome.err.splitlines() if name in line]
        assert len(lines) == 1
        assert record["error"]["reason"] in lines[0]


def test_what_was_not_written_is_byte_for_byte_what_it_was(
    first: tuple[Outcome, Path], everything: Path, before: dict[str, tuple[bytes, int]]
) -> None:
    written = {
        str(Path(r["path"]).relative_to(everything)) for r in first[0].records if r["written"]
    }
    after = contents(everything)
    assert {name for name in before if before[name] != after.get(name)} == written
    assert set(after) == set(before)


def test_what_is_passed_over_is_counted(first: tuple[Outcome, Path]) -> None:
    (summary,) = [line for line in first[0].err.splitlines() if " tracks in " in line]
    assert "14 written, 1 kept, 2 unsure, 3 failed" in summary
    skipped = summary.partition("skipped: ")[2]
    assert skipped == (
        "1 broken link, 2 hidden, 1 link to a folder, 1 not a regular file, "
        "3 trash or system folder, 1 unfinished download"
    )
    assert "by genre: Rock 14" in first[0].err.splitlines()


def test_the_end_names_the_command_that_fills_the_most(tmp_path: Path) -> None:
    music, place = tmp_path / "music", tmp_path / "c.db"
    make_tracks(music, 10)  # too short for anybody
    common = ("tag", music, "--catalog", place)
    step = (
        f"  10 answers in your browser settle 10 of them: tagger review {music} --catalog {place}"
    )
    assert step in run_tagger(*common).err
    assert "tagger review" not in run_tagger(*common).err, "no news"
    assert "tagger review" not in run_tagger(*common, "--force", "--quiet").err


@pytest.mark.usefixtures("no_analysis")
def test_a_second_run_analyses_nothing_and_changes_nothing(
    first: tuple[Outcome, Path], everything: Path, model: Path, tmp_path: Path
) -> None:
    catalog = shutil.copy(first[1], tmp_path / "copy.db")
    before = contents(everything)
    again = run_tagger(
        "tag", everything, "--catalog", catalog, "--model", model, "--format", "jsonl"
    )
    expected = {
        name: "failed" if status == "failed" else "unchanged"
        for name, status in first[0].statuses.items()
    }
    assert again.statuses == expected
    assert again.code == 1
    assert contents(everything) == before


# Options


def test_a_dry_run_touches_nothing_at_all(tag: Tag, music: Path, tmp_path: Path) -> None:
    make_tracks(music, 2)
    before = contents(tmp_path)
    folder_time = music.stat().st_mtime_ns
    for option in ("--dry-run", "--pretend"):
        outcome = tag(option, music)
        assert set(outcome.statuses.values()) == {"planned"}
        assert outcome.by_name["00.flac"]["genres"] == ["Rock"]
        assert outcome.by_name["00.flac"]["written"] is False
        assert outcome.code == 0
    assert contents(tmp_path) == before
    assert music.stat().st_mtime_ns == folder_time


def test_a_dry_run_says_what_could_not_be_written(tag: Tag, music: Path) -> None:
    locked, _ = make_tracks(music, 2)
    locked.chmod(0o444)
    planned, real = tag("--dry-run", music), tag(music)
    assert planned.statuses == {"00.flac": "failed", "01.flac": "planned"}
    assert f"{locked}: the file is read-only" in planned.err
    assert (planned.code, real.code) == (1, 1)
    assert planned.by_name["00.flac"]["reason"] == real.by_name["00.flac"]["reason"]


def test_a_dry_run_leaves_a_catalogue_alone(tag: Tag, music: Path, tmp_path: Path) -> None:
    make_tracks(music, 2)
    tag("--no-write", music)
    before = contents(tmp_path)
    outcome = tag("--dry-run", music)
    assert set(outcome.statuses.values()) == {"planned"}
    assert contents(tmp_path) == before


def test_what_was_recorded_is_written_later_without_an_analysis(
    tag: Tag, music: Path, request: pytest.FixtureRequest
) -> None:
    paths = make_tracks(music, 2)
    before = contents(music)
    assert set(tag("--no-write", music).statuses.values()) == {"predicted"}
    assert contents(music) == before
    request.getfixturevalue("no_analysis")
    assert set(tag("--no-write", music).statuses.values()) == {"unchanged"}
    assert set(tag(music).statuses.values()) == {"written"}
    assert [genre_of(path) for path in paths] == [["Rock"], ["Rock"]]


def test_other_settings_decide_anew_without_an_analysis(
    tag: Tag, music: Path, request: pytest.FixtureRequest
) -> None:
    mine = make_track(music / "mine.flac", genre="Trip-Hop")
    blank = make_track(music / "blank.flac")
    assert tag("--min-confidence", "0.9", music).statuses == {
        "mine.flac": "kept",
        "blank.flac": "unsure",
    }
    request.getfixturevalue("no_analysis")
    assert tag(music).statuses == {"mine.flac": "unchanged", "blank.flac": "written"}
    assert tag("--overwrite", music).statuses == {"mine.flac": "written", "blank.flac": "unchanged"}
    assert [genre_of(path) for path in (mine, blank)] == [["Rock"], ["Rock"]]


def test_min_confidence_says_from_where_on_a_genre_is_written(tag: Tag, music: Path) -> None:
    make_tracks(music, 1)
    record = tag("--min-confidence", "0.9", music).by_name["00.flac"]
    assert (record["status"], record["genres"]) == ("unsure", [])
    assert record["reason"] == "sounds like Rock (60 %), 90 % needed"


def test_only_writable_labels_are_written_unless_named(
    tag: Tag, music: Path, tmp_path: Path
) -> None:
    odd = make_model(tmp_path / "odd.pt", "Experimental")
    make_tracks(music, 1)
    refused = tag("--model", odd, music).by_name["00.flac"]
    assert refused["status"] == "unsure"
    assert "--genres" in refused["reason"]
    assert tag("--model", odd, "--genres", "rock,Folk", music).statuses == {"00.flac": "unchanged"}
    assert tag("--model", odd, "--genres", "all", music).by_name["00.flac"]["genres"] == [
        "Experimental"
    ]


def test_several_genres_are_written_when_asked_for(tag: Tag, music: Path) -> None:
    (path,) = make_tracks(music, 1)
    record = tag("--max-genres", "2", "--min-confidence", "0.1", music).by_name["00.flac"]
    assert len(record["genres"]) == 2
    assert genre_of(path) == record["genres"]


def test_an_albums_tracks_are_surer_together(tag: Tag, music: Path, tmp_path: Path) -> None:
    make_tracks(music / "album", 4, album="Together", artist="Band")
    make_track(music / "album" / "single.flac", artist="Band")
    asked = ("--dry-run", "--min-confidence", "0.9", music)
    assert set(tag(*asked, "--by", "track").statuses.values()) == {"unsure"}
    by_album = tag(*asked, "--by", "album").statuses
    assert by_album.pop("single.flac") == "unsure"
    assert set(by_album.values()) == {"planned"}
    assert Settings().by == "album"
    assert tag(*asked).statuses == {**by_album, "single.flac": "unsure"}


def test_an_album_that_grows_is_voted_on_again(tag: Tag, music: Path, tmp_path: Path) -> None:
    make_track(music / "a.flac", album="Together", artist="Band")
    assert tag("--min-confidence", "0.9", music).statuses == {"a.flac": "unsure"}
    make_track(music / "b.flac", album="Together", artist="Band")
    assert tag("--min-confidence", "0.9", music).statuses == {
        "a.flac": "written",
        "b.flac": "written",
    }


def test_what_matches_a_glob_is_left_out(tag: Tag, music: Path) -> None:
    make_tracks(music, 2)
    make_track(music / "live" / "c.flac")
    outcome = tag("--exclude", "live", "--exclude", "01.*", music)
    assert outcome.statuses == {"00.flac": "written"}
    assert "2 excluded" in outcome.err


def test_force_analyses_again(tag: Tag, music: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_tracks(music, 2)
    tag(music)
    analysed: list[object] = []

    def note(_function: object, tasks: list[object], **_options: object) -> list[object]:
        analysed.extend(tasks)
        return []

    monkeypatch.setattr("tagger.hearing.pool.map_unordered", note)
    tag(music)
    assert analysed == []
    tag("--force", music)
    assert len(analysed) == 2


def test_the_time_of_change_is_kept_when_asked(tag: Tag, music: Path) -> None:
    honest, preserved = make_track(music / "a" / "a.flac"), make_track(music / "b" / "b.flac")
    for path in (honest, preserved):
        os.utime(path, ns=(10**18, 10**18))
    tag(music / "a")
    tag("--preserve-mtime", music / "b")
    assert honest.stat().st_mtime_ns != 10**18
    assert preserved.stat().st_mtime_ns == 10**18
    assert [genre_of(path) for path in (honest, preserved)] == [["Rock"], ["Rock"]]


def test_a_field_of_ours_says_whose_the_genre_is_unless_refused(tag: Tag, music: Path) -> None:
    with_, without = make_track(music / "a" / "a.flac"), make_track(music / "b" / "b.flac")
    model_id = tag(music / "a").by_name["a.flac"]["model"]
    tag("--no-provenance", music / "b")
    assert taglib_tags(with_)["TAGGER_GENRE"] == [f"Rock; 0.60; {model_id}"]
    assert "TAGGER_GENRE" not in taglib_tags(without)


@pytest.mark.usefixtures("model")
def test_linked_folders_are_entered_when_asked(tag: Tag, music: Path, tmp_path: Path) -> None:
    make_track(tmp_path / "elsewhere" / "a.flac")
    (music / "link").symlink_to(tmp_path / "elsewhere")
    assert tag(music).records == []
    assert tag("--follow-symlinks", music).statuses == {"a.flac": "written"}


def test_a_genre_that_a_person_changed_is_never_touched_again(tag: Tag, music: Path) -> None:
    (path,) = make_tracks(music, 1)
    tag(music)
    set_tags(path, genre="Shoegaze")
    before = contents(music)
    for options in ((), ("--force",), ("--min-confidence", "0"), ("--by", "track")):
        assert tag(*options, music).statuses["00.flac"] in ("kept", "unchanged")
    assert contents(music) == before


def test_what_we_wrote_is_replaced_when_another_genre_is_heard(
    tag: Tag, music: Path, tmp_path: Path
) -> None:
    (path,) = make_tracks(music, 1)
    tag(music)
    other = make_model(tmp_path / "folk.pt", "Folk")
    record = tag("--model", other, music).by_name["00.flac"]
    assert (record["status"], record["before"]) == ("written", ["Rock"])
    assert genre_of(path) == ["Folk"]


def test_files_of_ours_are_known_without_their_catalogue(
    tag: Tag, music: Path, tmp_path: Path
) -> None:
    make_tracks(music, 1)
    tag(music)
    before = contents(music)
    other = ("--catalog", tmp_path / "other.db")
    assert tag(*other, music).statuses == {"00.flac": "unchanged"}
    assert contents(music) == before
    listed = run_tagger("list", *other, "--format", "jsonl").records
    assert [row["status"] for row in listed] == ["written"]


# Settings


def test_settings_come_from_the_environment_and_the_config_file(
    music: Path, tmp_path: Path, model: Path
) -> None:
    make_tracks(music, 1)
    folder = tmp_path / "config" / "tagger"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(f'model = "{model}"\nmin_confidence = 0.9\n')
    variables = {
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "TAGGER_CATALOG": str(tmp_path / "mine.db"),
    }
    assert run_tagger("tag", "--format", "jsonl", music, **variables).statuses == {
        "00.flac": "unsure"
    }
    variables["TAGGER_MIN_CONFIDENCE"] = "0.5"
    assert run_tagger("tag", "--format", "jsonl", music, **variables).statuses == {
        "00.flac": "written"
    }
    assert (tmp_path / "mine.db").exists()


def test_genres_that_say_nothing_are_counted_and_filled_only_when_a_setting_says_so(
    tag: Tag, music: Path
) -> None:
    named = {"a.flac": "Other", "b.flac": "genre", "c.flac": "Trip-Hop"}
    for name, genre in named.items():
        set_tags(make_track(music / name), genre=genre)
    before = contents(music)
    for _ in range(2):
        outcome = tag(music)
        assert "kept, though it says nothing: 2 with a genre like" in outcome.err
        assert 'treat_as_blank = ["Other", "genre"] in /nonexistent' in outcome.err
    assert contents(music) == before
    outcome = tag(music, TAGGER_TREAT_AS_BLANK="other,Unknown")
    assert outcome.statuses == {"a.flac": "written", "b.flac": "unchanged", "c.flac": "unchanged"}
    assert "though it says nothing: 1 with" in outcome.err
    assert genre_of(music / "a.flac") == ["Rock"]


def test_a_label_is_written_by_another_name_if_the_genre_map_says_so(tag: Tag, music: Path) -> None:
    (path,) = make_tracks(music, 1)
    assert tag(music, TAGGER_GENRE_MAP="Rock=").statuses == {"00.flac": "unsure"}
    assert tag(music, TAGGER_GENRE_MAP="rock=Rock'n'Roll").statuses == {"00.flac": "written"}
    assert genre_of(path) == ["Rock'n'Roll"]
    assert tag(music, TAGGER_GENRE_MAP="rock=Rock'n'Roll").statuses == {"00.flac": "unchanged"}
    assert tag(music).statuses == {"00.flac": "written"}
    assert genre_of(path) == ["Rock"]
    wrong = tag(music, TAGGER_GENRE_MAP="Roc=Rap")
    assert (wrong.code, "genre_map" in wrong.err) == (2, True)


def test_a_genre_map_may_speak_of_another_models_labels(tag: Tag, music: Path) -> None:
    make_track(music / "a.flac")
    both = {"TAGGER_GENRE_MAP": "Rock=Loud,International="}
    assert tag(music, **both).code == 0
    assert genre_of(music / "a.flac") == ["Loud"]
    typo = tag(music, TAGGER_GENRE_MAP="Rokc=Loud")
    assert (typo.code, "does not know Rokc" in typo.err) == (2, True)


def test_the_catalogue_is_in_the_data_folder_unless_told_otherwise(
    music: Path, tmp_path: Path, model: Path
) -> None:
    make_tracks(music, 1)
    run_tagger("tag", "--model", model, music, XDG_DATA_HOME=str(tmp_path / "data"))
    assert (tmp_path / "data" / "tagger" / "catalog.db").exists()


def test_a_home_folder_in_a_setting_is_found(music: Path, tmp_path: Path, model: Path) -> None:
    make_tracks(music, 1)
    variables = {"HOME": str(tmp_path), "TAGGER_CATALOG": "~/mine.db"}
    assert run_tagger("tag", "--model", model, music, **variables).code == 0
    assert (tmp_path / "mine.db").exists()


# Output


def test_csv_has_a_header_and_a_row_each(tag: Tag, music: Path) -> None:
    make_track(music / 'a "b", c\nd.flac', title="x")
    rows = list(csv.DictReader(io.StringIO(tag("--format", "csv", music).out)))
    assert [row["path"] for row in rows] == [str(music / 'a "b", c\\nd.flac')]
    assert (rows[0]["status"], rows[0]["genres"]) == ("written", "Rock")
    assert json.loads(rows[0]["probabilities"])["Rock"] > 0.5


def test_text_shows_each_tracks_genre_or_why_there_is_none(tag: Tag, music: Path) -> None:
    make_track(music / "a.flac")
    make_track(music / "b.flac", gain=0.0)
    make_track(music / "c.flac", genre="ロック")
    make_track(music / "d\x1b[2J.flac", genre="Evil\x1b[2J")
    lines = tag("--format", "text", "--verbose", music).out.splitlines()
    assert lines == [
        "written   Rock            60 %  a.flac",
        "unsure    –                     b.flac — silent",
        "kept      ロック                c.flac — you or another program set its genre",
        "kept      Evil\\x1b[2J           d\\x1b[2J.flac — you or another program set its genre",
    ]


def test_quiet_prints_errors_alone(tag: Tag, music: Path) -> None:
    make_tracks(music, 1)
    (music / "empty.mp3").touch()
    outcome = tag("--format", "text", "--quiet", music)
    assert outcome.out == ""
    assert outcome.err.splitlines() == [
        f"{music / 'empty.mp3'}: the file is empty: delete it or put the real one back"
    ]


# Paths


def test_a_file_is_told_of_once_however_often_it_is_named(tag: Tag, music: Path) -> None:
    paths = make_tracks(music / "album", 2)
    outcome = tag(music, music, music / "album", paths[0], str(music) + "/./album/")
    assert sorted(Path(r["path"]).name for r in outcome.records) == ["00.flac", "01.flac"]


def test_relative_paths_and_dots_name_the_same_files(
    tag: Tag, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_tracks(music / "album", 1)
    tag(music)
    monkeypatch.chdir(music / "album")
    for path in (".", "../album", "00.flac"):
        outcome = tag(path)
        assert [r["path"] for r in outcome.records] == [str(music / "album" / "00.flac")]
        assert [r["status"] for r in outcome.records] == ["unchanged"]


def test_dots_behind_a_link_lead_where_the_system_says(
    tag: Tag, music: Path, tmp_path: Path
) -> None:
    make_track(tmp_path / "real" / "here.flac")
    (tmp_path / "real" / "inner").mkdir()
    (music / "link").symlink_to(tmp_path / "real" / "inner")
    assert tag("--dry-run", str(music / "link") + "/..").statuses == {"here.flac": "planned"}


def test_a_library_may_be_a_link(tag: Tag, music: Path, tmp_path: Path) -> None:
    make_tracks(music, 1)
    link = tmp_path / "link"
    link.symlink_to(music)
    assert [r["path"] for r in tag(link).records] == [str(link / "00.flac")]
    assert tag(link).statuses == {"00.flac": "unchanged"}
    assert len(tag(link, music).records) == 1


# How it ends


def test_a_missing_path_fails_and_the_others_are_done(tag: Tag, music: Path) -> None:
    make_tracks(music, 1)
    outcome = tag(music / "none", music)
    assert outcome.code == 1
    assert outcome.statuses == {"00.flac": "written", "none": "failed"}
    assert outcome.by_name["none"]["error"]["stage"] == "scan"
    assert f"{music / 'none'}: no such file or folder" in outcome.err


def test_nothing_but_missing_paths_cannot_start(tag: Tag, music: Path, tmp_path: Path) -> None:
    outcome = tag(music / "none")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith(f"error: {music / 'none'}: no such file or folder")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Missing argument"),
        (["--by", "year", "."], "--by"),
        (["--genres", "Polka", "."], "Polka"),
        (["--genres", ",", "."], "--genres"),
        (["--min-confidence", "2", "."], "--min-confidence"),
        (["--min-confidence", "nan", "."], "--min-confidence"),
        (["--jobs", "0", "."], "--jobs"),
        (["--timeout", "inf", "."], "--timeout"),
        (["--format", "xml", "."], "--format"),
        (["--model", "nobody", "."], "nobody"),
        (["--catalog", "postgresql://localhost:1/db", "."], "cannot be reached"),
        (["--colour", "."], "--colour"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_is_wrong(
    tag: Tag, arguments: list[str], said: str
) -> None:
    outcome = tag(*arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert said in outcome.err
    assert "Traceback" not in outcome.err


def test_verbose_shows_where_an_error_came_from(tag: Tag, music: Path) -> None:
    outcome = tag("--verbose", music / "none")
    assert outcome.code == 2
    assert "Traceback" in outcome.err
    assert "ScanError" in outcome.err


def test_an_empty_folder_is_nothing_to_do(tag: Tag, music: Path) -> None:
    outcome = tag(music)
    assert (outcome.code, outcome.out) == (0, "")
    assert "0 tracks" in outcome.err
    assert "nothing to do" in outcome.err
