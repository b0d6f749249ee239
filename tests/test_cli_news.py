"""What a nightly run says, and what a spreadsheet makes of a listing."""

import csv
import io
import os
from pathlib import Path

import pytest

from tests.library import Outcome, Run, make_track, run_tagger

pytestmark = pytest.mark.usefixtures("in_process")


def test_with_quiet_a_failure_is_told_once_until_the_file_changes(
    music: Path, place: Path, model: Path
) -> None:
    make_track(music / "a.flac")
    broken = music / "broken.flac"
    broken.write_bytes(b"fLaC" + bytes(100))

    def tag(*options: str) -> Outcome:
        return run_tagger("tag", "--catalog", place, "--model", model, *options, music)

    first = tag("--quiet")
    assert (first.code, first.err.count("broken.flac")) == (1, 1)
    again = tag("--quiet")
    assert (again.code, again.out, again.err) == (0, "", "")
    for loud in (("--quiet", "--all-failures"), (), ("--quiet", "--format", "jsonl")):
        outcome = tag(*loud)
        assert (outcome.code, "broken.flac" in outcome.out + outcome.err) == (1, True), loud
    os.utime(broken, (1, 1))
    assert tag("--quiet").code == 1


@pytest.mark.parametrize("start", "=+-@")
def test_csv_does_nothing_to_a_spreadsheet(music: Path, run: Run, place: Path, start: str) -> None:
    title = f"{start}cmd|'/c calc'!A1\x07"
    make_track(music / "a.mp3", title=title)
    run("tag", music)
    listed = run_tagger("list", "--catalog", place, "--format", "csv").out
    (row,) = csv.DictReader(io.StringIO(listed))
    assert row["title"].startswith("'" + start)
    assert "\x07" not in row["title"]
    assert 0 < float(row["confidence"]) < 1
    assert run("list").records[0]["title"] == title.strip()


@pytest.mark.parametrize(
    ("words", "meant"), [(("tga",), "tag"), (("catalog", "chek"), "check"), (("lits",), "list")]
)
def test_of_a_misspelt_command_the_nearest_one_is_said(words: tuple[str, ...], meant: str) -> None:
    outcome = run_tagger(*words)
    assert outcome.code == 2
    assert f"Did you mean '{meant}'?" in outcome.err


def test_a_misspelt_variable_is_told(place: Path, caplog: pytest.LogCaptureFixture) -> None:
    run_tagger("info", "--config", "--catalog", place, TAGGER_JOSB="2", TAGGER_REVIEW_PASSWORD="x")
    assert "TAGGER_JOSB is no setting; did you mean TAGGER_JOBS?" in caplog.text
    assert "PASSWORD" not in caplog.text


def test_a_folder_that_is_not_there_makes_no_catalogue(tmp_path: Path, place: Path) -> None:
    outcome = run_tagger("tag", "--catalog", place, tmp_path / "nowhere")
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert not place.exists()


def test_info_of_a_folder_says_what_to_do(music: Path, run: Run, place: Path) -> None:
    make_track(music / "a.flac")
    run("tag", music)
    outcome = run_tagger("info", music, "--catalog", place)
    assert outcome.code == 2
    assert "is a folder" in outcome.err
