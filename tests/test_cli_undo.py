"""`tagger runs` and `tagger undo`, on files written by real runs of a made-up network."""

from __future__ import annotations

import errno
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import mutagen
import pytest

from tagger.catalog import Catalog, WriteQuery
from tagger.tags import prepare_restore, read_tags
from tests import tagged
from tests.catalogs import assert_consistent
from tests.library import (
    Run,
    contents,
    genre_of,
    journal,
    make_model,
    make_track,
    make_tracks,
    run_tagger,
    set_tags,
    unlooked_at,
)

pytestmark = pytest.mark.usefixtures("in_process")


# Runs


def test_runs_are_listed_the_latest_first_with_what_they_did(music: Path, run: Run) -> None:
    make_track(music / "a.flac")
    make_track(music / "b.flac", genre="Jazz")
    make_track(music / "c.flac", gain=0.0)
    (music / "d.flac").write_bytes(b"no music")
    run("tag", music)
    run("tag", "--no-write", music / "a.flac")
    second, first = run("runs").records
    assert (first["id"], first["command"], first["paths"]) == (1, "tag", [str(music)])
    counted = {key: first[key] for key in ("written", "kept", "unsure", "failed", "undoable")}
    assert counted == {"written": 1, "kept": 1, "unsure": 1, "failed": 1, "undoable": 1}
    assert first["started"] <= first["ended"]
    assert (second["written"], second["unchanged"], second["undoable"]) == (0, 1, 0)
    assert [record["id"] for record in run("runs", "-n", "1").records] == [2]


def test_runs_read_well_as_text_and_csv(music: Path, run: Run, place: Path) -> None:
    make_tracks(music, 2)
    run("tag", music)
    text = run_tagger("runs", "--catalog", place)
    assert text.code == 0
    assert f"tag    2 written; 2 can be undone  [{music}]" in text.out
    header, row = run_tagger("runs", "--catalog", place, "--format", "csv").out.splitlines()
    assert header.startswith("id,command,started,ended")
    assert dict(zip(header.split(","), row.split(","), strict=True))["written"] == "2"


def test_a_run_that_was_killed_is_told_apart(place: Path) -> None:
    with Catalog.open(place) as catalog:
        catalog.begin_run("tag", None, [Path("/music")])
    assert "under way, or killed" in run_tagger("runs", "--catalog", place).out


def test_without_a_catalogue_both_commands_end_with_2(place: Path) -> None:
    for command in ("runs", "undo"):
        outcome = run_tagger(command, "--catalog", place)
        assert (outcome.code, outcome.out) == (2, "")
        assert "there is no catalogue here yet" in outcome.err
    assert not place.exists()


# Undo


def test_the_last_run_that_wrote_is_taken_back(music: Path, run: Run, place: Path) -> None:
    first, second = make_track(music / "a.flac"), make_track(music / "b.mp3", title="A title")
    before = {path: path.read_bytes() for path in (first, second)}
    run("tag", music)
    run("tag", music)  # writes nothing, and so is not the one that is meant
    outcome = run("undo")
    assert outcome.code == 0
    assert outcome.statuses == {"a.flac": "restored", "b.mp3": "restored"}
    record = outcome.by_name["b.mp3"]
    assert (record["before"], record["genres"], record["run"]) == (["Rock"], [], 1)
    assert all(record["exact"] and not record["reason"] for record in outcome.records)
    assert {path: path.read_bytes() for path in (first, second)} == before
    assert "2 restored" in outcome.err
    newest = run("runs").records[0]
    assert (newest["command"], newest["restored"]) == ("undo", 2)
    assert journal(place) == ["done"] * 4
    assert_consistent(place)


def test_a_second_undo_goes_further_back(music: Path, run: Run) -> None:
    first, second = make_track(music / "a" / "a.flac"), make_track(music / "b" / "b.flac")
    run("tag", first)
    run("tag", second)
    newest, oldest = run("undo"), run("undo")
    assert newest.statuses == {"b.flac": "restored"}
    assert "1 genre of run 1 can be taken back next: tagger undo 1" in newest.err
    assert oldest.statuses == {"a.flac": "restored"}
    assert "next" not in oldest.err
    nothing = run("undo")
    assert (nothing.code, nothing.out) == (0, "")
    assert "there is nothing to undo" in nothing.err
    assert genre_of(first) == genre_of(second) == []


def test_a_run_a_folder_or_a_genre_can_be_chosen(music: Path, run: Run, tmp_path: Path) -> None:
    folk = make_model(tmp_path / "folk.pt", "Folk")
    for name in ("a/1", "a/2", "b/1", "b/2"):
        make_track(music / f"{name.replace('/', '/' + name[0])}.flac")
    run("tag", music / "a")
    run("tag", "--model", folk, music / "b")
    assert run("undo", "--genre", "folk", "--under", music / "b" / "b1.flac").statuses == {
        "b1.flac": "restored"
    }
    assert run("undo", "--under", music / "a" / "a2.flac").statuses == {"a2.flac": "restored"}
    assert run("undo", "1").statuses == {"a1.flac": "restored"}
    assert run("undo", "--genre", "Dub").records == []
    assert genre_of(music / "b" / "b2.flac") == ["Folk"]


def test_a_run_that_never_was_ends_with_2(music: Path, run: Run) -> None:
    make_tracks(music, 1)
    run("tag", music)
    outcome = run("undo", "7")
    assert (outcome.code, outcome.out) == (2, "")
    assert "there was no run 7" in outcome.err


def test_a_dry_run_touches_nothing_at_all(music: Path, run: Run, place: Path) -> None:
    make_tracks(music, 2)
    run("tag", music)
    before, catalog = contents(music), place.read_bytes()
    outcome = run("undo", "--dry-run")
    assert outcome.statuses == {"00.flac": "planned", "01.flac": "planned"}
    assert outcome.records[0]["genres"] == []
    assert (contents(music), place.read_bytes()) == (before, catalog)


def test_a_genre_changed_since_is_left_alone_unless_forced(music: Path, run: Run) -> None:
    corrected, other = make_tracks(music, 2)
    run("tag", music)
    set_tags(corrected, genre="Krautrock")
    before = corrected.read_bytes()
    outcome = run("undo")
    assert outcome.code == 1
    assert outcome.statuses == {"00.flac": "failed", "01.flac": "restored"}
    assert "its genre was changed since: now Krautrock; --force puts" in outcome.err
    assert corrected.read_bytes() == before
    forced = run("undo", "--force")
    assert (forced.code, forced.statuses) == (0, {"00.flac": "restored"})
    assert genre_of(corrected) == genre_of(other) == []
    assert read_tags(corrected).provenance is None


def test_the_same_genre_set_by_a_person_is_not_taken_out(music: Path, run: Run) -> None:
    path = make_track(music / "a.flac")
    run("tag", music)
    make_track(path, 2.0, genre="Rock")  # another recording, which a person tagged
    before = path.read_bytes()
    outcome = run("undo")
    assert (outcome.code, outcome.statuses) == (1, {"a.flac": "failed"})
    assert "its genre was set anew since; --force puts" in outcome.err
    assert path.read_bytes() == before


def test_a_genre_that_a_person_had_set_comes_back(music: Path, run: Run) -> None:
    path = make_track(music / "a.flac", genre="Jazz")
    run("tag", "--overwrite", music)
    assert genre_of(path) == ["Rock"]
    assert run("undo").by_name["a.flac"]["genres"] == ["Jazz"]
    assert genre_of(path) == ["Jazz"]


def test_what_stands_as_before_already_is_unchanged(music: Path, run: Run) -> None:
    (path,) = make_tracks(music, 1)
    copy = path.read_bytes()
    run("tag", music)
    path.write_bytes(copy)
    assert run("undo").statuses == {"00.flac": "unchanged"}
    assert path.read_bytes() == copy


def test_what_else_was_changed_since_stays(music: Path, run: Run) -> None:
    path = make_track(music / "a.flac", title="A title")
    run("tag", music)
    set_tags(path, artist="A much longer name than there was room for" * 200)
    outcome = run("undo")
    assert (outcome.code, outcome.records[0]["exact"]) == (0, False)
    assert "genre alone: the file is not as that run left it" in outcome.records[0]["reason"]
    assert read_tags(path).artist.startswith("A much longer")
    assert read_tags(path).genres == ()


def test_a_file_that_is_gone_is_reported(music: Path, run: Run) -> None:
    gone, other = make_tracks(music, 2)
    run("tag", music)
    gone.unlink()
    outcome = run("undo")
    assert outcome.code == 1
    assert outcome.statuses == {"00.flac": "failed", "01.flac": "restored"}
    assert f"{gone}: it is gone" in outcome.err
    assert genre_of(other) == []


def test_a_file_that_cannot_be_looked_at_is_told_and_undone_later(
    music: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    shut, other = make_tracks(music, 2)
    run("tag", music)
    with monkeypatch.context() as patch:
        unlooked_at(patch, shut)
        outcome = run("undo")
    assert outcome.code == 1
    assert outcome.statuses == {"00.flac": "failed", "01.flac": "restored"}
    assert f"{shut}: Stale file handle" in outcome.err
    assert run("undo").statuses == {"00.flac": "restored"}
    assert (genre_of(shut), genre_of(other)) == ([], [])


def test_a_moved_file_is_found_once_a_run_has_seen_it(music: Path, run: Run) -> None:
    path = make_track(music / "old" / "a.flac")
    twin = make_track(music / "old" / "b.flac")
    run("tag", music)
    (music / "new").mkdir()
    moved = path.rename(music / "new" / "c.flac")
    assert run("undo", "--under", path).code == 1
    run("tag", "--no-write", music)
    outcome = run("undo", "--under", moved)
    assert (outcome.code, outcome.statuses) == (0, {"c.flac": "restored"})
    assert genre_of(moved) == []
    assert genre_of(twin) == ["Rock"]


def test_the_copy_of_a_file_that_is_gone_is_put_back(music: Path, run: Run) -> None:
    path = make_track(music / "a.flac")
    run("tag", music)
    copy = music / "copy.flac"
    copy.write_bytes(path.read_bytes())
    run("tag", music)
    path.unlink()
    assert run("undo").statuses == {"copy.flac": "restored"}
    assert genre_of(copy) == []


def test_a_file_that_is_there_is_put_back_before_any_copy_of_it(music: Path, run: Run) -> None:
    path = make_track(music / "b.flac")
    run("tag", music)
    copy = music / "a copy.flac"
    copy.write_bytes(path.read_bytes())
    run("tag", music)
    assert run("undo").statuses == {"b.flac": "restored"}
    assert (genre_of(path), genre_of(copy)) == ([], ["Rock"])


def test_what_was_taken_back_is_not_written_again_unless_forced(
    music: Path, run: Run, tmp_path: Path
) -> None:
    (path,) = make_tracks(music, 1)
    run("tag", music)
    run("undo")
    again = run("tag", music)
    assert again.statuses == {"00.flac": "kept"}
    assert (
        again.records[0]["reason"] == "Rock was taken back here; tagger tag --force writes it again"
    )
    assert run("tag", music).statuses == {"00.flac": "unchanged"}
    assert run("tag", "--dry-run", music).statuses == {"00.flac": "unchanged"}
    assert genre_of(path) == []
    folk = make_model(tmp_path / "folk.pt", "Folk")
    assert run("tag", "--model", folk, music).statuses == {"00.flac": "written"}
    assert run("tag", music).statuses == {"00.flac": "kept"}
    assert genre_of(path) == ["Folk"]
    assert run("tag", "--force", music).statuses == {"00.flac": "written"}
    assert genre_of(path) == ["Rock"]


def test_what_a_person_took_out_by_hand_is_not_written_again_unless_forced(
    music: Path, run: Run, tmp_path: Path
) -> None:
    (path,) = make_tracks(music, 1)
    run("tag", music)
    file: Any = mutagen.File(path)
    del file["genre"]
    file.save()
    again = run("tag", music)
    assert again.statuses == {"00.flac": "kept"}
    assert (
        again.records[0]["reason"] == "Rock was taken back here; tagger tag --force writes it again"
    )
    assert genre_of(path) == []
    folk = make_model(tmp_path / "folk.pt", "Folk")
    assert run("tag", "--model", folk, "--dry-run", music).statuses == {"00.flac": "planned"}
    assert run("tag", "--force", music).statuses == {"00.flac": "written"}


def test_our_field_goes_where_a_person_has_put_the_old_genre_back(music: Path, run: Run) -> None:
    blank, jazz = make_track(music / "a.flac"), make_track(music / "b.flac", genre="Jazz")
    run("tag", "--overwrite", music)
    file: Any = mutagen.File(blank)
    del file["genre"]
    file.save()
    set_tags(jazz, genre="Jazz")
    outcome = run("undo")
    assert (outcome.code, set(outcome.statuses.values())) == (0, {"restored"})
    assert (genre_of(blank), genre_of(jazz)) == ([], ["Jazz"])
    assert read_tags(blank).provenance is read_tags(jazz).provenance is None


@pytest.mark.parametrize("looks", [True, False], ids=["a run saw both", "a run saw the first"])
@pytest.mark.parametrize("options", [(), ("--no-provenance",)], ids=["signed", "unsigned"])
def test_a_genre_that_its_owner_replaced_and_set_again_is_left_alone(
    music: Path, run: Run, looks: bool, options: tuple[str, ...]
) -> None:
    (path,) = make_tracks(music, 1)
    run("tag", music, *options)
    set_tags(path, genre="Chiptune")
    run("tag", music, *options)
    set_tags(path, genre="Rock")
    if looks:
        run("tag", music, *options)
    outcome = run("undo", "1")
    assert outcome.statuses == {"00.flac": "failed"}
    assert outcome.records[0]["reason_code"] == "set_anew"
    assert genre_of(path) == ["Rock"]
    assert run("undo", "1", "--force").statuses == {"00.flac": "restored"}


def test_what_was_taken_back_is_listed_without_a_genre(music: Path, run: Run) -> None:
    make_tracks(music, 1)
    run("tag", music)
    assert run("list").records[0]["genres"] == ["Rock"]
    run("undo")
    assert run("list").records[0]["genres"] == []
    run("tag", music)
    assert run("list").records[0]["genres"] == []
    run("undo", "2")
    assert run("list").records[0]["genres"] == ["Rock"]


def test_an_undo_can_be_taken_back_by_its_number(music: Path, run: Run, place: Path) -> None:
    (path,) = make_tracks(music, 1)
    run("tag", music)
    written = read_tags(path)
    run("undo")
    assert run("undo", "2").statuses == {"00.flac": "restored"}
    assert read_tags(path) == written
    assert run("tag", music).statuses == {"00.flac": "unchanged"}
    with Catalog.open(place) as catalog:
        assert [entry.run_id for entry in catalog.standing_writes(WriteQuery())] == [1]
    assert run("undo").statuses == {"00.flac": "restored"}
    assert genre_of(path) == []


def test_an_undo_is_taken_back_byte_for_byte_where_it_took_a_whole_tag_out(
    music: Path, run: Run
) -> None:
    path = tagged.make(music, "bare mp3")
    run("tag", music)
    written = path.read_bytes()
    run("undo")
    again = run("undo", "2").records[0]
    assert (again["exact"], again["reason"]) == (True, "")
    assert path.read_bytes() == written


def test_a_file_edited_elsewhere_since_is_heard_again_after_the_undo(music: Path, run: Run) -> None:
    (path,) = make_tracks(music, 1)
    run("tag", music)
    shutil.copy(make_track(music.parent / "other.flac", 3.0), path)
    set_tags(path, genre="Rock")
    assert run("undo", "--force").statuses == {"00.flac": "restored"}
    run("tag", music)
    assert run("list").records[0]["duration_s"] == pytest.approx(3.0)


def test_ctrl_c_ends_an_undo_between_two_batches(
    music: Path, run: Run, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = make_tracks(music, 40)
    run("tag", music)
    calls = iter(range(1, 10))

    def press(*arguments: Any, **options: Any) -> object:
        if next(calls, None) == 5:
            signal.raise_signal(signal.SIGINT)
        return prepare_restore(*arguments, **options)

    monkeypatch.setattr("tagger.tagging.undo.prepare_restore", press)
    outcome = run("undo")
    monkeypatch.undo()
    assert outcome.code == 130
    assert outcome.err.splitlines()[-1].startswith("interrupted;")
    assert len(outcome.records) == 32  # the batch that was under way is finished
    assert sum(genre_of(path) == [] for path in paths) == 32
    assert [record["interrupted"] for record in run("runs").records] == [True, False]
    assert len(run("undo").records) == 8
    assert not any(genre_of(path) for path in paths)
    assert_consistent(place)


def test_a_fault_in_an_undo_leaves_the_file_and_its_entry_closed(
    music: Path, run: Run, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, other = make_tracks(music, 2)
    run("tag", music)
    before = path.read_bytes()
    replace = os.rename

    def full_once(source: Path, target: Path) -> None:
        monkeypatch.setattr(os, "rename", replace)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "rename", full_once)
    outcome = run("undo", "--under", path)
    assert outcome.statuses == {"00.flac": "failed"}
    assert "make room on that disk" in outcome.err
    assert (path.read_bytes(), genre_of(other)) == (before, ["Rock"])
    assert journal(place) == ["done", "done", "dropped"]
    assert run("undo").statuses == {"00.flac": "restored", "01.flac": "restored"}


def test_an_undo_that_is_left_half_written_is_mended_by_the_next_start(
    music: Path, run: Run, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = make_tracks(music, 1, title="A title")
    run("tag", music)
    before = path.read_bytes()
    is_there = iter([True])

    def go_away(descriptor: int, offset: int, data: bytes) -> None:
        if next(is_there, False):
            os.pwrite(descriptor, data[: max(1, len(data) // 2)], offset)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr("tagger.tags.inplace._write_at", go_away)
        assert run("undo").statuses == {"00.flac": "failed"}
    assert path.read_bytes() != before
    assert journal(place) == ["done", "intended"]
    assert run("undo").statuses == {"00.flac": "restored"}
    assert genre_of(path) == []
    assert journal(place) == ["done", "dropped", "done"]


def test_a_file_that_cannot_be_written_fails_alone(music: Path, run: Run, place: Path) -> None:
    protected, other = make_tracks(music, 2)
    run("tag", music)
    protected.chmod(0o444)
    outcome = run("undo")
    assert outcome.code == 1
    assert outcome.statuses == {"00.flac": "failed", "01.flac": "restored"}
    assert f"{protected}: the file is read-only" in outcome.err
    assert (genre_of(protected), genre_of(other)) == (["Rock"], [])
    assert sorted(journal(place)) == ["done", "done", "done"]
    protected.chmod(0o644)
    assert run("undo").statuses == {"00.flac": "restored"}
