"""A run from folder to catalogue: all is counted once, and a failure costs what it must."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from tagger.catalog import Catalog
from tagger.models.files import read_card
from tagger.records import Status
from tagger.tagging.run import TagRun, count_files
from tests.bombs import comments
from tests.library import (
    contents,
    crash_on_some,
    genre_of,
    journal,
    make_track,
    make_tracks,
    request_for,
    statuses,
)

pytestmark = pytest.mark.usefixtures("in_process")


# Counting


def test_a_second_run_analyses_nothing(music: Path, catalog: Catalog, model: Path) -> None:
    make_tracks(music, 3)
    make_track(music / "silent.flac", gain=0.0)
    (music / "empty.mp3").touch()
    first = TagRun(request_for(model, music), catalog)
    assert len(list(first.results())) == 5
    assert first.n_analysed == 5
    second = TagRun(request_for(model, music), catalog)
    assert statuses(list(second.results())) == {
        "00.flac": "unchanged",
        "01.flac": "unchanged",
        "02.flac": "unchanged",
        "silent.flac": "unchanged",
        "empty.mp3": "failed",
    }
    assert second.n_analysed == 0


def test_only_what_is_new_or_changed_is_analysed(
    music: Path, catalog: Catalog, model: Path
) -> None:
    make_tracks(music, 3)
    list(TagRun(request_for(model, music), catalog).results())
    make_track(music / "new.flac")
    make_track(music / "01.flac", 2.0)
    again = TagRun(request_for(model, music), catalog)
    assert statuses(list(again.results())) == {
        "00.flac": "unchanged",
        "01.flac": "written",
        "02.flac": "unchanged",
        "new.flac": "written",
    }
    assert again.n_analysed == 2


def test_each_track_is_ticked_and_counted_once(music: Path, catalog: Catalog, model: Path) -> None:
    make_tracks(music, 3)
    list(TagRun(request_for(model, music), catalog).results())
    make_tracks(music / "album", 40, album="Long", artist="Band")
    (music / "text.mp3").write_text("hello")
    request = request_for(model, music, music / "none")
    ticks: list[int] = []
    run = TagRun(request, catalog, tick=ticks.append)
    results = list(run.results())
    assert sum(ticks) == len(results) == count_files(request) == 45
    assert len({result.path for result in results}) == 45
    assert run.summary.by_status == {Status.UNCHANGED: 3, Status.WRITTEN: 40, Status.FAILED: 2}
    assert run.summary.by_genre == {"Rock": 40}


def test_a_run_is_recorded_with_its_summary(music: Path, catalog: Catalog, model: Path) -> None:
    make_tracks(music, 2)
    run = TagRun(request_for(model, music), catalog)
    list(run.results())
    (recorded,) = catalog.runs()
    assert (recorded.command, recorded.model_id) == ("tag", read_card(model).model_id)
    assert recorded.ended is not None
    assert recorded.summary.by_status == {Status.WRITTEN: 2}
    assert not recorded.summary.interrupted


def test_a_folder_may_be_larger_than_what_is_looked_up_at_once(
    music: Path, catalog: Catalog, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tagger.tagging.chunking._HUGE_FOLDER", 4)
    make_tracks(music, 11)
    results = list(TagRun(request_for(model, music), catalog).results())
    assert statuses(results) == {f"{i:02d}.flac": "written" for i in range(11)}


# Failures


def test_a_crash_in_a_decoder_costs_one_track_until_that_changes(
    music: Path, catalog: Catalog, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_tracks(music, 4)
    guilty = make_track(music / "crash.flac", genre="Dub")
    before = guilty.read_bytes()
    monkeypatch.undo()  # with workers, then
    monkeypatch.setattr("tagger.tagging.listening.analyse_task", crash_on_some)
    run = TagRun(request_for(model, music), catalog)
    (failed,) = [r.failure for r in run.results() if r.failure is not None]
    assert (failed.path, failed.stage) == (guilty, "decode")
    assert "SIGSEGV" in str(failed.reason)
    assert run.summary.by_status == {Status.WRITTEN: 4, Status.FAILED: 1}
    assert guilty.read_bytes() == before
    monkeypatch.undo()
    again = TagRun(request_for(model, music), catalog)
    assert statuses(again.results())["crash.flac"] == "failed"
    assert again.n_analysed == 0
    os.utime(guilty)
    changed = TagRun(request_for(model, music), catalog)
    assert statuses(changed.results())["crash.flac"] == "kept"  # for the tags it has, not for none
    assert catalog.counts().n_failures == 0


def test_a_file_whose_tag_is_absurd_is_told_at_once_and_not_opened_again(
    music: Path, catalog: Catalog, model: Path
) -> None:
    make_tracks(music, 1)
    (music / "absurd.flac").write_bytes(comments(5000))
    for n_analysed in (2, 0):
        run = TagRun(request_for(model, music), catalog)
        (failed,) = [r.failure for r in run.results() if r.failure is not None]
        assert (failed.path.name, failed.stage) == ("absurd.flac", "read")
        assert "more than 4,096 parts" in str(failed.reason)
        assert run.n_analysed == n_analysed


def test_a_full_disk_leaves_the_file_and_the_rest_is_done(
    music: Path,
    catalog: Catalog,
    place: Path,
    model: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    paths = make_tracks(music, 3)
    before = contents(music)
    real_write = os.fsync
    full: list[bool] = [True]

    def fsync(descriptor: int) -> None:
        if full:
            full.pop()
            raise OSError(errno.ENOSPC, "No space left on device")
        real_write(descriptor)

    monkeypatch.setattr("tagger.tags.writer.os.fsync", fsync)
    run = TagRun(request_for(model, music), catalog)
    (failed,) = [r for r in run.results() if r.failure is not None]
    assert failed.failure is not None
    assert failed.failure.stage == "write"
    assert "make room" in str(failed.reason)
    assert run.summary.by_status == {Status.WRITTEN: 2, Status.FAILED: 1}
    name = failed.path.name
    after = contents(music)
    assert set(after) == set(before)
    assert after[name] == before[name]
    assert sorted(journal(place)) == ["done", "done", "dropped"]
    again = TagRun(request_for(model, music), catalog)
    assert statuses(list(again.results()))[name] == "written"
    assert again.n_analysed == 0
    assert [genre_of(path) for path in paths] == [["Rock"]] * 3


@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_is_read_only_is_not_written(
    music: Path, catalog: Catalog, model: Path, what: str
) -> None:
    protected = make_track(music / "album" / "a.flac")
    make_track(music / "b.flac")
    before = protected.read_bytes()
    chosen = protected if what == "file" else protected.parent
    chosen.chmod(0o444 if what == "file" else 0o555)
    results = list(TagRun(request_for(model, music), catalog).results())
    chosen.chmod(0o755)
    assert statuses(results) == {"a.flac": "failed", "b.flac": "written"}
    assert "read-only" in str(next(r.reason for r in results if r.failure))
    assert protected.read_bytes() == before
    again = TagRun(request_for(model, music), catalog)
    assert statuses(list(again.results())) == {"a.flac": "written", "b.flac": "unchanged"}
    assert again.n_analysed == 0
