"""Between hearing and recording: other programs, kills and Ctrl-C lose and damage nothing."""

from __future__ import annotations

import errno
import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import mutagen
import pytest

from tagger.catalog import Catalog
from tagger.hearing.analysis import AnalysisTask, Heard, analyse_task
from tagger.records import Decision, Status, TrackFailure
from tagger.tagging.decision import Intent
from tagger.tagging.run import TagRun
from tagger.tagging.settling import _unless_taken_back
from tagger.tags import prepare_write
from tests.catalogs import assert_consistent
from tests.library import (
    Run,
    genre_of,
    journal,
    make_model,
    make_track,
    make_tracks,
    request_for,
    run_tagger,
    set_tags,
    statuses,
)

pytestmark = pytest.mark.usefixtures("in_process", "ctrl_c_is_heard")


@pytest.fixture
def ctrl_c_is_heard() -> Iterator[None]:
    """Ctrl-C ends a run, also where whoever started the tests ignores it, as `nohup` may."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


# What others do meanwhile


def test_a_file_that_changes_while_it_is_heard_is_left_to_the_next_run(
    music: Path, catalog: Catalog, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, other = make_tracks(music, 2)

    def change_first(*arguments: Any, **options: Any) -> object:
        make_track(path, 2.0)
        return prepare_write(*arguments, **options)

    monkeypatch.setattr("tagger.tagging.settling.prepare_write", change_first)
    request = request_for(model, other, path)
    results = statuses(list(TagRun(request, catalog).results()))
    monkeypatch.undo()
    assert sorted(results.values()) == ["failed", "written"]
    again = TagRun(request, catalog)
    assert sorted(statuses(list(again.results())).values()) == ["unchanged", "written"]
    assert again.n_analysed == 1


def test_a_genre_set_after_the_recording_with_the_old_time_is_kept(
    music: Path, catalog: Catalog, model: Path
) -> None:
    (path,) = make_tracks(music, 1, title="A title")
    stat = path.stat()
    list(TagRun(request_for(model, music, intent=Intent(write=False)), catalog).results())
    set_tags(path, genre="Dub")  # fits into the padding
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert path.stat().st_size == stat.st_size
    results = list(TagRun(request_for(model, music), catalog).results())
    assert statuses(results) == {"00.flac": "kept"}
    assert genre_of(path) == ["Dub"]
    again = TagRun(request_for(model, music), catalog)
    assert statuses(list(again.results())) == {"00.flac": "unchanged"}


def test_a_genre_that_somebody_made_their_own_unnoticed_is_kept(
    music: Path, catalog: Catalog, place: Path, model: Path, tmp_path: Path
) -> None:
    """Such as on a disk that tells no time of status change: that the genre is ours is not so."""
    (path,) = make_tracks(music, 1, title="A title")
    folk = make_model(tmp_path / "folk.pt", "Folk")
    list(TagRun(request_for(folk, music, intent=Intent(write=False)), catalog).results())
    list(TagRun(request_for(model, music), catalog).results())
    stat = path.stat()
    file = mutagen.File(path)
    del file["TAGGER_GENRE"]
    file.save()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert path.stat().st_size == stat.st_size
    with closing(sqlite3.connect(place)) as database, database:
        database.execute("UPDATE files SET ctime_ns = NULL")
    again = TagRun(request_for(folk, music), catalog)
    assert statuses(list(again.results())) == {"00.flac": "kept"}
    assert again.n_analysed == 0
    assert genre_of(path) == ["Rock"]


def test_a_file_that_somebody_tags_while_it_is_heard_gets_no_row_of_what_it_was(
    music: Path, catalog: Catalog, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = make_tracks(music, 1)

    def hear(task: AnalysisTask) -> Heard | TrackFailure:
        set_tags(path, genre="Dub")
        return analyse_task(task)

    monkeypatch.setattr("tagger.tagging.listening.analyse_task", hear)
    assert statuses(list(TagRun(request_for(model, music), catalog).results())) == {
        "00.flac": "kept"
    }
    assert list(catalog.tracks()) == []
    assert genre_of(path) == ["Dub"]


def test_a_failure_that_is_remembered_is_not_recorded_again(
    music: Path, catalog: Catalog, place: Path, model: Path
) -> None:
    (music / "broken.flac").write_bytes(b"no sound")
    for _ in range(2):
        (result,) = TagRun(request_for(model, music), catalog).results()
        assert result.status is Status.FAILED
    with closing(sqlite3.connect(place)) as database:
        assert database.execute("SELECT run_id FROM failures").fetchall() == [(1,)]


@pytest.mark.parametrize(
    ("gone", "status"),
    [
        (("Rock", "Folk", "Dub"), Status.KEPT),
        (("Folk", "Rock"), Status.KEPT),
        (("ROCK", "folk"), Status.KEPT),
        (("Rock",), Status.WRITTEN),
        ((), Status.WRITTEN),
    ],
)
def test_genres_are_kept_out_where_all_of_them_were_taken_back(
    gone: tuple[str, ...], status: Status
) -> None:
    wanted = Decision(Path("/music/a.flac"), ("Rock", "Folk"), Status.WRITTEN, 0.9, None)
    assert _unless_taken_back(wanted, gone).status is status


def test_a_kill_between_tag_and_row_is_mended_where_times_are_kept(
    music: Path, catalog: Catalog, place: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = make_tracks(music, 1, title="A title")  # leaves padding, so that the length stays
    monkeypatch.setattr("tagger.tagging.settling.Settler._record", _die)
    with pytest.raises(RuntimeError):
        list(TagRun(request_for(model, music, preserve_mtime=True), catalog).results())
    monkeypatch.undo()
    assert genre_of(path) == ["Rock"]
    assert journal(place) == ["intended"]
    again = TagRun(request_for(model, music), catalog)
    assert statuses(list(again.results())) == {"00.flac": "unchanged"}
    assert again.n_analysed == 0
    assert journal(place)[0] == "done"
    listed = list(catalog.tracks())
    assert [(row.status, row.genres) for row in listed] == [(Status.WRITTEN, ("Rock",))]


def _die(*_whatever: object) -> None:
    raise RuntimeError("as a kill would")


def test_copies_that_a_kill_left_are_removed(music: Path, catalog: Catalog, model: Path) -> None:
    make_tracks(music / "album", 1)
    leftover = music / "album" / ".0123456789abcdef.tagger-copy"
    other = music / "album" / ".0123456789abcdef.somebodys-copy"
    for path in (leftover, other):
        path.write_bytes(b"x")
    for intent in (Intent(dry_run=True), Intent(write=False)):
        list(TagRun(request_for(model, music, intent=intent), catalog).results())
        assert leftover.exists()
    list(TagRun(request_for(model, music), catalog).results())
    assert not leftover.exists()
    assert other.exists()


def test_two_names_of_one_file_are_written_once_and_stay_one(
    music: Path, catalog: Catalog, model: Path
) -> None:
    (path,) = make_tracks(music, 1, title="A title")
    (music / "other.flac").hardlink_to(path)
    results = list(TagRun(request_for(model, music), catalog).results())
    assert sorted(statuses(results).values()) == ["unchanged", "written"]
    assert path.stat().st_nlink == 2
    assert genre_of(music / "other.flac") == ["Rock"]
    again = list(TagRun(request_for(model, music), catalog).results())
    assert set(statuses(again).values()) == {"unchanged"}


def test_hard_links_are_split_only_if_asked_for(music: Path, run: Run) -> None:
    path = make_track(music / "a.mp3")
    (music / "b.mp3").hardlink_to(path)
    before = path.read_bytes()
    refused = run("tag", music)
    assert (refused.code, set(refused.statuses.values())) == (1, {"failed"})
    assert "2 hard links" in refused.err
    assert "--allow-copies" in refused.err
    assert path.read_bytes() == before
    allowed = run("tag", "--allow-copies", music)
    assert (allowed.code, set(allowed.statuses.values())) == (0, {"written"})
    assert genre_of(path) == genre_of(music / "b.mp3") == ["Rock"]
    assert run("undo").statuses == {"a.mp3": "restored", "b.mp3": "restored"}
    assert path.read_bytes() == (music / "b.mp3").read_bytes() == before


# Writes in place that break off


def a_disk_that_goes_away() -> Callable[..., None]:
    """Return what overwrites half of the bytes that it is given, and from then on fails."""
    is_there = iter([True])

    def overwrite(descriptor: int, offset: int, data: bytes) -> None:
        if next(is_there, False):
            os.pwrite(descriptor, data[: max(1, len(data) // 2)], offset)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    return overwrite


def test_a_file_left_half_written_by_a_fault_is_put_back_by_the_next_run(
    music: Path, catalog: Catalog, place: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, other = make_tracks(music, 2, title="A title")
    before = broken.read_bytes(), broken.stat().st_mtime_ns
    monkeypatch.setattr("tagger.tags.inplace._write_at", a_disk_that_goes_away())
    results = list(TagRun(request_for(model, broken), catalog).results())
    monkeypatch.undo()
    assert statuses(results) == {"00.flac": "failed"}
    assert "half written and could not be put back" in str(results[0].reason)
    assert broken.read_bytes() != before[0]
    assert journal(place) == ["intended"]
    again = TagRun(request_for(model, other, intent=Intent(write=False)), catalog)
    assert statuses(list(again.results())) == {"01.flac": "predicted"}
    assert (broken.read_bytes(), broken.stat().st_mtime_ns) == before
    assert journal(place) == ["dropped"]
    last = TagRun(request_for(model, music), catalog)
    assert statuses(list(last.results())) == {"00.flac": "written", "01.flac": "written"}
    assert last.n_analysed == 0
    assert_consistent(place)


def test_a_file_half_written_that_somebody_changed_since_is_left_alone(
    music: Path, catalog: Catalog, place: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (broken,) = make_tracks(music, 1, title="A title")
    monkeypatch.setattr("tagger.tags.inplace._write_at", a_disk_that_goes_away())
    list(TagRun(request_for(model, broken), catalog).results())
    monkeypatch.undo()
    make_track(broken, 2.0, title="Another")
    theirs = broken.read_bytes()
    list(TagRun(request_for(model, music, intent=Intent(write=False)), catalog).results())
    assert broken.read_bytes() == theirs
    assert journal(place) == ["dropped"]


def test_a_file_half_written_that_is_out_of_reach_is_put_back_once_it_is_there_again(
    music: Path, catalog: Catalog, place: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (broken,) = make_tracks(music / "disk", 1, title="A title")
    before = broken.read_bytes()
    other = make_track(music / "b.flac")
    monkeypatch.setattr("tagger.tags.inplace._write_at", a_disk_that_goes_away())
    list(TagRun(request_for(model, broken), catalog).results())
    monkeypatch.undo()
    assert broken.read_bytes() != before
    away = broken.parent.rename(music.parent / "away")
    list(TagRun(request_for(model, other), catalog).results())
    assert journal(place)[0] == "intended"
    away.rename(broken.parent)
    list(TagRun(request_for(model, other), catalog).results())
    assert broken.read_bytes() == before
    assert journal(place)[0] == "dropped"


def test_a_write_through_a_copy_stays_open_while_its_library_is_away(
    music: Path, catalog: Catalog, place: Path, model: Path
) -> None:
    """As on another machine that shares the catalogue and does not mount that library."""
    one = make_track(music / "disk" / "a.flac")
    other = make_track(music / "b.flac")
    list(TagRun(request_for(model, one.parent), catalog).results())
    with closing(sqlite3.connect(place)) as database, database:
        database.execute("DELETE FROM rollbacks")
        database.execute("UPDATE journal SET state = 'intended'")
    away = one.parent.rename(music.parent / "away")
    list(TagRun(request_for(model, other), catalog).results())
    assert journal(place) == ["intended", "done"]
    away.rename(one.parent)
    list(TagRun(request_for(model, other), catalog).results())
    assert journal(place) == ["done", "done"]
    assert genre_of(one) == ["Rock"]


# Ctrl-C


def interrupt_at(n_writes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Ctrl-C be pressed in the middle of the n-th write of a tag."""
    writes = iter(range(1, n_writes))

    def press(*arguments: Any, **options: Any) -> object:
        if next(writes, None) is None:
            signal.raise_signal(signal.SIGINT)
        return prepare_write(*arguments, **options)

    monkeypatch.setattr("tagger.tagging.settling.prepare_write", press)


def test_ctrl_c_in_a_write_loses_no_result(
    music: Path, place: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = make_tracks(music, 70)
    common = ("--catalog", place, "--model", model, "--format", "jsonl", "--by", "track")
    run_tagger("tag", *common, "--no-write", music)
    interrupt_at(40, monkeypatch)
    outcome = run_tagger("tag", *common, music)
    monkeypatch.undo()
    assert outcome.code == 130
    written = [path for path in paths if genre_of(path)]
    assert len(written) == 64  # two groups of 32: the one that was under way is finished
    assert {Path(r["path"]) for r in outcome.records if r["written"]} == set(written)
    assert "64 tracks" in outcome.err
    assert outcome.err.splitlines()[-1].startswith("interrupted")
    assert set(journal(place)) == {"done"}
    with Catalog.open(place) as catalog:
        assert catalog.runs()[0].summary.interrupted
        assert catalog.runs()[0].summary.by_status == {Status.WRITTEN: 64}
    again = run_tagger("tag", *common, music)
    assert again.code == 0
    assert sorted(again.statuses.values()) == ["unchanged"] * 64 + ["written"] * 6


def test_ctrl_c_while_tracks_are_heard_keeps_what_was_heard(
    music: Path, place: Path, model: Path
) -> None:
    """Results come by album, and Ctrl-C comes before the album is whole."""
    make_tracks(music, 40, album="Long", artist="Band")
    request = request_for(model, music)

    presses = iter([False] * 34 + [True])

    def press(_n_tracks: int) -> None:
        if next(presses, False):
            signal.raise_signal(signal.SIGINT)

    with Catalog.open(place) as catalog:
        run = TagRun(request, catalog, tick=press)
        with pytest.raises(KeyboardInterrupt):
            list(run.results())
        assert run.summary.interrupted
        again = TagRun(request, catalog)
        assert set(statuses(list(again.results())).values()) == {"written"}
        assert again.n_analysed == 5
    assert_consistent(place)


def test_a_reader_that_goes_away_ends_the_run_in_good_order(
    music: Path, catalog: Catalog, model: Path
) -> None:
    make_tracks(music, 3)
    run = TagRun(request_for(model, music), catalog)
    results = run.results()
    next(results)
    results.close()
    assert run.summary.interrupted
    assert catalog.runs()[0].ended is not None
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_strange_track_gets_no_genre_from_the_album_that_it_lies_in(
    music: Path, place: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_tracks(music, 4, album="Long", artist="Band")

    def hear(task: AnalysisTask) -> Heard | TrackFailure:
        heard = analyse_task(task)
        if isinstance(heard, TrackFailure) or task.path.name != "00.flac":
            return heard
        even = dict.fromkeys(heard[0].probabilities, 0.25)
        return (replace(heard[0], probabilities=even, confidence=0.25, is_novel=True),)

    monkeypatch.setattr("tagger.tagging.listening.analyse_task", hear)
    expected = {
        "00.flac": "unsure",
        "01.flac": "written",
        "02.flac": "written",
        "03.flac": "written",
    }
    with Catalog.open(place) as catalog:
        assert statuses(list(TagRun(request_for(model, music), catalog).results())) == expected
        again = TagRun(request_for(model, music), catalog)  # from what is recorded
        assert set(statuses(list(again.results())).values()) == {"unchanged"}
        assert again.n_analysed == 0
