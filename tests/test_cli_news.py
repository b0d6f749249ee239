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
