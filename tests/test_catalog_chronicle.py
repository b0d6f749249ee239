"""The chronicle beside a catalogue: what was written is known, and taken back, without it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tagger.catalog import Catalog, WriteQuery, chronicle
from tagger.errors import CatalogError
from tagger.tags import read_tags
from tests import tagged
from tests.catalogs import assert_consistent
from tests.library import (
    Run,
    contents,
    genre_of,
    journal,
    make_track,
    make_tracks,
    set_tags,
)

pytestmark = pytest.mark.usefixtures("in_process")


def lose(place: Path) -> None:
    """Let the catalogue be gone, but not its chronicle."""
    for path in place.parent.glob(f"{place.name}*"):
        if path != chronicle.path_of(place):
            path.unlink()


def lines(place: Path) -> list[bytes]:
    """The lines of writes that were made."""
    found = chronicle.path_of(place).read_bytes().splitlines(keepends=True)
    return [line for line in found if not line.startswith((b'{"open"', b'{"closed"'))]


def test_without_the_catalogue_all_is_taken_back_byte_for_byte(
    music: Path, run: Run, place: Path
) -> None:
    odd = music / os.fsdecode(b"caf\xe9\n.flac")
    paths = [make_track(music / "a.flac", title="A"), make_track(music / "b.mp3"), make_track(odd)]
    before = {path: path.read_bytes() for path in paths}
    run("tag", music)
    lose(place)
    (listed,) = run("runs").records
    assert (listed["id"], listed["written"], listed["undoable"]) == (1, 3, 3)
    assert listed["paths"] == [str(music)]
    outcome = run("undo")
    assert outcome.code == 0
    assert all(record["exact"] for record in outcome.records)
    assert {path: path.read_bytes() for path in paths} == before
    assert_consistent(place)


def test_what_was_taken_back_is_remembered_without_the_catalogue(
    music: Path, run: Run, place: Path
) -> None:
    (path,) = make_tracks(music, 1)
    run("tag", music)
    run("undo")
    lose(place)
    assert run("tag", music).statuses == {"00.flac": "kept"}
    assert genre_of(path) == []
    assert [record["command"] for record in run("runs").records] == ["tag", "undo", "tag"]


def test_numbers_go_on_where_they_were(music: Path, run: Run, place: Path) -> None:
    first, second = make_track(music / "a.flac"), make_track(music / "b" / "b.flac")
    run("tag", first)
    lose(place)
    run("tag", second)
    lose(place)
    with Catalog.open(place) as catalog:
        assert [run.run_id for run in catalog.runs()] == [2, 1]
        assert [e.journal_id for e in catalog.standing_writes(WriteQuery(run_id=2))] == [2]
    assert run("undo").statuses == {"b.flac": "restored"}
    assert run("undo").statuses == {"a.flac": "restored"}


def test_reading_only_makes_no_catalogue(music: Path, run: Run, place: Path) -> None:
    make_tracks(music, 1)
    run("tag", music)
    lose(place)
    before = contents(place.parent)
    assert run("undo", "--dry-run").statuses == {"00.flac": "planned"}
    assert len(run("runs").records) == 1
    assert contents(place.parent) == before


def test_damaged_lines_are_passed_over(music: Path, run: Run, place: Path) -> None:
    make_tracks(music, 4)
    run("tag", music)
    whole = lines(place)
    odd = {**json.loads(whole[1]), "kept": "bm8="}
    damaged = [whole[0], b"{}\n", json.dumps(odd).encode() + b"\n", b"\xff\n", b"[1]\n", whole[2]]
    chronicle.path_of(place).write_bytes(b"".join(damaged) + whole[3][:-20])
    lose(place)
    assert run("undo").statuses == {"00.flac": "restored", "02.flac": "restored"}


def test_a_line_cut_short_does_no_harm_to_the_next(music: Path, run: Run, place: Path) -> None:
    first, second = make_track(music / "a.flac"), make_track(music / "b.flac")
    run("tag", first)
    (whole,) = lines(place)
    chronicle.path_of(place).write_bytes(whole + whole[:100])
    run("tag", second)
    assert len(lines(place)) == 3
    lose(place)
    with Catalog.open(place) as catalog:
        assert catalog.runs()[0].n_standing == 1
        assert catalog.runs()[1].n_standing == 1


def test_a_line_is_short_whatever_the_file_holds(music: Path, run: Run, place: Path) -> None:
    path = make_track(music / "a.mp3")
    data = path.read_bytes()
    frames = [tagged.text_frame(3, "TCON", "Dub")]
    frames.append(tagged.frame(3, "APIC", b"\0image/png\0\x03\0" + os.urandom(200_000)))
    path.write_bytes(tagged.id3(3, frames) + data[data.index(b"\xff\xfb") :])
    run("tag", "--overwrite", music)
    assert genre_of(path) == ["Rock"]
    assert len(chronicle.path_of(place).read_bytes()) < 1000
    assert run("undo").records[0]["exact"]
    assert read_tags(path).genres == ("Dub",)


def test_without_room_for_the_chronicle_the_next_run_puts_it_down(
    music: Path, run: Run, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = make_tracks(music, 1)

    def full(*_: object) -> None:
        raise CatalogError("No space left on device", chronicle.path_of(place))

    monkeypatch.setattr(chronicle, "append", full)
    outcome = run("tag", music)
    monkeypatch.undo()
    assert outcome.code == 2
    assert genre_of(path) == ["Rock"]
    assert journal(place) == ["intended"]
    assert lines(place) == []
    assert run("tag", music).statuses == {"00.flac": "unchanged"}
    assert journal(place) == ["done"]
    assert len(lines(place)) == 1


def test_only_writes_that_were_made_are_in_it(music: Path, run: Run, place: Path) -> None:
    protected, _, kept = make_tracks(music, 3)
    protected.chmod(0o444)
    set_tags(kept, genre="Jazz")
    run("tag", music)
    (line,) = map(json.loads, lines(place))
    assert (line["path"], line["before"], line["after"]) == (str(music / "01.flac"), [], ["Rock"])
