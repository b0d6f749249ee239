"""``tagger catalog``: what its commands print, write and exit with."""

from __future__ import annotations

import base64
import csv
import json
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from pyarrow import parquet

from tagger.catalog import FailedFile
from tagger.reasons import Reason
from tagger.records import Stage, TrackFailure
from tests.catalogs import assert_consistent, audio_file, entries, entry, filled
from tests.library import Outcome, contents, run_tagger

LATIN = b"caf\xe9\n.mp3"
NAMES = ["00000.mp3", "00001.mp3", os.fsdecode(LATIN), 'q", \N{SNOWMAN}.mp3']


@pytest.fixture
def catalog(place: Path) -> Path:
    """A catalogue with two tracks and two odd names, closed."""
    odd = [
        entry(f"album/{name}", n, tags=entry("a", n).tags) for n, name in enumerate(NAMES[2:], 2)
    ]
    filled(place, *entries(0, 2), *odd).close()
    return place


def run(catalog: Path, *arguments: str | Path) -> Outcome:
    return run_tagger("catalog", arguments[0], "--catalog", catalog, *arguments[1:])


def test_check_exits_with_0_or_1_and_names_what_is_wrong(catalog: Path) -> None:
    sound = run(catalog, "check")
    assert (sound.code, sound.out) == (0, "")
    assert "all is well" in sound.err
    with closing(sqlite3.connect(catalog)) as database:
        database.execute("UPDATE tracks SET title = 'x' WHERE track_id > 2")
        database.commit()
    wrong = run(catalog, "check")
    assert wrong.code == 1
    assert "out of step with their text: 2 (the first is track 3)" in wrong.out
    assert "tagger catalog restore FILE" in wrong.err
    (record,) = run(catalog, "check", "--format", "jsonl").records
    assert (record["n"], record["example"]) == (2, "track 3")


@pytest.mark.parametrize("command", ["check", "backup", "export", "upgrade"])
def test_without_a_catalogue_there_is_one_line_and_exit_code_2(place: Path, command: str) -> None:
    outcome = run(place, command)
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1
    assert "there is no catalogue here yet" in outcome.err
    assert contents(place.parent) == {}


def test_backup_prints_its_path_and_restore_says_what_it_kept(catalog: Path) -> None:
    chosen = catalog.with_name("my copy.db")
    assert run(catalog, "backup", "-o", chosen).out == f"{chosen}\n"
    default = Path(run(catalog, "backup").out.strip())
    assert default.match("catalog.db.backup.*Z.bak")
    outcome = run(catalog, "restore", default)
    assert outcome.code == 0
    assert "what was there before is now" in outcome.err
    for path in (catalog, chosen, default):
        assert_consistent(path)


def test_a_backup_that_cannot_be_made_is_one_line(catalog: Path) -> None:
    before = contents(catalog.parent)
    for target in (catalog, catalog.parent / "none" / "copy.db"):
        outcome = run(catalog, "backup", "-o", target)
        assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert contents(catalog.parent) == before


def test_csv_shows_control_characters_and_holds_odd_paths_exactly(catalog: Path) -> None:
    target = catalog.with_name("export.csv")
    assert run(catalog, "export", "-o", target).code == 0
    with target.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["path"] for row in rows] == [
        f"/music/album/{name}".replace("\n", "\\n") for name in NAMES
    ]
    assert base64.b64decode(rows[2]["path_b64"]) == b"/music/album/" + LATIN
    assert [row["path_b64"] == "" for row in rows] == [True, True, False, True]
    assert json.loads(rows[0]["probabilities"]) == {"Pop": 0.25, "Rock": 0.75}


def test_json_lines_go_to_standard_output(catalog: Path) -> None:
    records = run(catalog, "export", "--format", "jsonl").records
    assert [Path(record["path"]).name for record in records] == NAMES
    assert records[0]["genres"] == ["Rock"]
    assert records[0]["mtime_ns"] == 1_700_000_000_123_456_789


@pytest.mark.parametrize("format_", ["csv", "jsonl", "parquet"])
def test_an_export_takes_the_place_of_an_older_one(catalog: Path, format_: str) -> None:
    asked = ("export", "--format", format_, "-o", catalog.with_name("export"))
    assert run(catalog, *asked).code == 0
    again = run(catalog, *asked)
    assert again.code == 0, again.err


def test_parquet_says_the_same_as_json_lines(catalog: Path) -> None:
    target = catalog.with_name("export.parquet")
    assert run(catalog, "export", "--format", "parquet", "-o", target).code == 0
    rows = parquet.read_table(target).to_pylist()
    for row, record in zip(rows, run(catalog, "export", "--format", "jsonl").records, strict=True):
        assert dict(row.pop("probabilities")) == record.pop("probabilities")
        if "path_b64" in record:
            assert row.pop("path") == r"/music/album/caf\xe9\n.mp3"
            del record["path"]
        assert {k: v for k, v in row.items() if k in record} == record
        assert all(v is None for k, v in row.items() if k not in record)


def test_parquet_without_pyarrow_is_one_line(
    catalog: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    outcome = run(catalog, "export", "--format", "parquet", "-o", catalog.with_name("x"))
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "-m pip install pyarrow" in outcome.err
    assert [p.name for p in catalog.parent.iterdir()] == [catalog.name]


def test_an_export_replaces_a_file_whole_or_not_at_all(
    catalog: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = catalog.with_name("export.csv")
    target.write_text("path,path_b64,title\nwhat was there")
    link = catalog.with_name("link.csv")
    link.symlink_to(target)
    monkeypatch.setitem(sys.modules, "tagger.cli.catalog.parquet", None)
    with pytest.raises(ImportError):
        run(catalog, "export", "--format", "parquet", "--force", "-o", link)
    assert target.read_text().endswith("what was there")
    run(catalog, "export", "-o", link)
    assert link.is_symlink()
    assert target.read_bytes().startswith(b"path,")
    assert sorted(p.name for p in catalog.parent.iterdir()) == [
        "catalog.db",
        "export.csv",
        "link.csv",
    ]


def test_an_export_into_no_ordinary_file_is_refused(catalog: Path) -> None:
    fifo = catalog.with_name("fifo")
    os.mkfifo(fifo)
    for target in (fifo, catalog.parent, catalog.parent / "none" / "x", catalog / "x"):
        outcome = run(catalog, "export", "-o", target)
        assert (outcome.code, outcome.err.count("\n")) == (2, 1)
        assert "cannot be written" in outcome.err


def test_an_export_names_what_failed(place: Path) -> None:
    bad = audio_file("bad.mp3")
    with filled(place) as catalog:
        catalog.record_failures(
            1, [FailedFile(bad, TrackFailure(bad.path, Stage.DECODE, Reason.told("is text")))]
        )
    (record,) = run(place, "export", "--format", "jsonl").records
    assert (record["path"], record["status"], record["reason"]) == (
        str(bad.path),
        "failed",
        "is text",
    )
    assert (record["model"], record["probabilities"], record["size_bytes"]) == (None, {}, None)
