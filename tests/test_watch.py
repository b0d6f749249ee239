"""``tagger watch``: real files and events; most in this process, some in one of their own."""

from __future__ import annotations

import ctypes
import errno
import json
import logging
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from watchdog.observers import inotify_c

from tagger import tags
from tagger.catalog import Catalog
from tagger.cli import watch
from tagger.errors import TaggerError, TagWriteError
from tagger.tagging.decision import Intent
from tagger.tagging.run import TagRun
from tagger.watch import Batch, Tried, Watcher
from tagger.watch.roots import WatchedRoots
from tests.catalogs import assert_consistent
from tests.library import (
    DEADLINE_S,
    Outcome,
    genre_of,
    make_track,
    make_tracks,
    request_for,
    run_tagger,
    start_tagger,
    until,
)

pytestmark = pytest.mark.usefixtures("in_process")  # where a watcher is not a process of its own

SETTLE_S = 0.2

WatchWhile = Callable[..., Outcome]


def put(path: Path, duration_s: float = 1.5) -> None:
    """Let a track appear whole, as a download manager does."""
    hidden = make_track(path.with_name(f".{path.name}"), duration_s)
    hidden.rename(path)


def asked(place: Path, question: str) -> list[tuple[Any, ...]]:
    """The catalogue's answer to a question in SQL; nothing where it is not there yet."""
    try:
        with closing(sqlite3.connect(f"file:{place}?mode=ro", uri=True)) as database:
            return database.execute(question).fetchall()
    except sqlite3.OperationalError:
        return []


def finished_runs(place: Path) -> list[dict[str, int]]:
    """What the runs that have ended came to, by status, the first one first."""
    rows = asked(place, "SELECT by_status FROM runs WHERE ended_at IS NOT NULL ORDER BY run_id")
    return [json.loads(text) for (text,) in rows]


def n_vanished(place: Path) -> int:
    """How many files are marked as gone."""
    return len(asked(place, "SELECT file_id FROM files WHERE vanished_at IS NOT NULL"))


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set while the watcher waits, and does not run."""
    waits, real = threading.Event(), Watcher.next

    def wait(watcher: Watcher) -> Batch:
        waits.set()
        batch = real(watcher)
        waits.clear()
        return batch

    monkeypatch.setattr(Watcher, "next", wait)
    return waits


@pytest.fixture
def put_off(monkeypatch: pytest.MonkeyPatch) -> list[TaggerError]:
    """What made the watcher put a batch off."""
    errors: list[TaggerError] = []
    real = watch._put_off

    def note(error: TaggerError, batch: Batch) -> Tried:
        errors.append(error)
        return real(error, batch)

    monkeypatch.setattr(watch, "_put_off", note)
    return errors


@pytest.fixture
def watch_while(music: Path, place: Path, model: Path, waits: threading.Event) -> WatchWhile:
    """Watch the folder for music while something is done, and end with SIGTERM."""

    def watch(doing: Callable[[], object], *options: str | Path) -> Outcome:
        faults: list[BaseException] = []
        has_ended = threading.Event()

        def act() -> None:
            try:
                until(lambda: finished_runs(place))
                doing()
                until(waits.is_set)
            except BaseException as exc:  # noqa: BLE001 - it is raised again below
                faults.append(exc)
            finally:
                if not has_ended.is_set():  # else the signal would end the tests
                    os.kill(os.getpid(), signal.SIGTERM)

        common = ("--catalog", place, "--model", model, "--settle", str(SETTLE_S))
        time.sleep(1.5 * SETTLE_S)  # what is there has settled
        acting = threading.Thread(target=act)
        acting.start()
        outcome = run_tagger("watch", *common, "--format", "jsonl", *options, music)
        has_ended.set()
        acting.join()
        for fault in faults:
            raise fault
        return outcome

    return watch


def test_what_is_there_is_tagged_and_then_what_arrives(
    music: Path, place: Path, watch_while: WatchWhile
) -> None:
    make_track(music / "old" / "a.flac")

    def arrive() -> None:
        put(music / "new" / "b.flac")
        until(lambda: len(finished_runs(place)) == 2)
        put(music / "new" / "c.flac")
        until(lambda: len(finished_runs(place)) == 3)

    outcome = watch_while(arrive)
    assert outcome.code == 0
    assert [Path(one["path"]).name for one in outcome.records] == ["a.flac", "b.flac", "c.flac"]
    # Its own writes have made no further run, and nothing was heard twice.
    assert finished_runs(place) == [
        {"written": 1},
        {"written": 1},
        {"unchanged": 1, "written": 1},
    ]


def test_playlists_that_are_kept_grow_with_the_library_and_a_players_command_is_run(
    watch_while: WatchWhile, music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # To the network all sound the same; lengths tell recordings apart.
    for name, duration_s in (("a", 1.5), ("b", 6.0)):
        make_track(music / "old" / f"{name}.flac", duration_s)
    config, output, called = tmp_path / "config.toml", tmp_path / "rock.m3u8", tmp_path / "called"
    program = f"open({str(called)!r}, 'a').write('x')"
    config.write_text(
        f'[playlist.rock]\ngenre = "Rock"\nmax_per_artist = 0\noutput = "{output}"\n'
        f'[playlist.broken]\ngenre = "Polka"\noutput = "{tmp_path / "polka.m3u8"}"\n'
        f"[after]\ncommand = {json.dumps([sys.executable, '-c', program])}\n"
    )
    monkeypatch.setattr("tagger.config.config_path", lambda: config)

    def n_songs() -> int:
        return output.read_text().count("#EXTINF") if output.exists() else 0

    def arrive() -> None:
        until(lambda: n_songs() == 2)
        put(music / "new" / "c.flac", 11.0)
        until(lambda: n_songs() == 3)
        until(lambda: called.read_text() == "xx")

    outcome = watch_while(arrive)
    assert outcome.code == 0
    assert f"written    rock  3 tracks in {output}" in outcome.err
    assert outcome.err.count("failed     broken") == 1  # and not after each batch
    assert {Path(record["path"]).suffix for record in outcome.records} == {".flac"}


def test_a_file_that_is_still_being_written_is_left_until_it_is_whole(
    music: Path, place: Path, watch_while: WatchWhile
) -> None:
    whole = make_track(music.parent / "a.flac").read_bytes()

    def write_slowly() -> None:
        for start in range(0, len(whole), len(whole) // 20 + 1):
            with (music / "a.flac").open("ab") as file:  # let go in between, as rsync --append does
                file.write(whole[start : start + len(whole) // 20 + 1])
            time.sleep(0.05)
        until(lambda: len(finished_runs(place)) == 2)

    outcome = watch_while(write_slowly, "--settle", "2")
    assert outcome.statuses == {"a.flac": "written"}
    assert "failed" not in outcome.err


def test_a_download_that_stalls_is_left_until_its_program_lets_go(
    music: Path, place: Path, watch_while: WatchWhile
) -> None:
    whole = make_track(music.parent / "a.flac", 6.0).read_bytes()

    def stall() -> None:
        with (music / "a.flac").open("wb") as file:
            file.write(whole[: len(whole) // 2])
            file.flush()
            put(music / "b" / "b.flac")
            until(lambda: genre_of(music / "b" / "b.flac"))  # its folder has long come to rest
            file.write(whole[len(whole) // 2 :])
        until(lambda: genre_of(music / "a.flac"))
        assert (music / "a.flac").read_bytes().endswith(whole[-1000:])

    assert watch_while(stall).statuses == {"a.flac": "written", "b.flac": "written"}


def test_without_events_it_looks_for_itself(
    music: Path, place: Path, watch_while: WatchWhile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("tagger.watch.notices.Notices.arm")

    def arrive() -> None:
        put(music / "a" / "a.flac")
        until(lambda: len(finished_runs(place)) == 2)

    assert watch_while(arrive, "--poll", "0.2").statuses == {"a.flac": "written"}


def test_where_the_system_can_watch_no_more_it_says_so_and_looks_for_itself(
    music: Path, place: Path, watch_while: WatchWhile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "inotify watch limit reached")

    monkeypatch.setattr("tagger.watch.notices.Observer.schedule", full)
    monkeypatch.setattr("tagger.watch.lookout.SILENT_POLL_S", 0.2)

    def arrive() -> None:
        put(music / "a.flac")
        until(lambda: len(finished_runs(place)) == 2)

    outcome = watch_while(arrive)
    assert outcome.statuses == {"a.flac": "written"}
    assert outcome.err.count("fs.inotify.max_user_watches") == 1


def test_where_new_folders_reach_the_limit_it_says_so_and_looks_for_itself_at_once(
    music: Path, place: Path, watch_while: WatchWhile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tagger.watch.lookout.SILENT_POLL_S", 0.2)
    real = inotify_c.inotify_add_watch

    def full_below(descriptor: int, path: bytes, mask: int) -> int:
        if path == os.fsencode(music):
            return int(real(descriptor, path, mask))
        ctypes.set_errno(errno.ENOSPC)
        return -1

    def arrive() -> None:
        monkeypatch.setattr(inotify_c, "inotify_add_watch", full_below)
        (music / "album" / "disc 1").mkdir(parents=True)
        time.sleep(5 * SETTLE_S)
        put(music / "album" / "disc 1" / "a.flac")
        until(lambda: {"written": 1} in finished_runs(place))

    outcome = watch_while(arrive)
    assert outcome.statuses == {"a.flac": "written"}
    assert outcome.err.count("fs.inotify.max_user_watches") == 1


def test_a_folder_that_is_itself_a_link_is_watched(
    music: Path, place: Path, watch_while: WatchWhile
) -> None:
    music.rmdir()
    real = music.parent / "disk"
    real.mkdir()
    music.symlink_to(real)

    def arrive() -> None:
        put(real / "a.flac")
        until(lambda: len(finished_runs(place)) == 2)

    assert [one["path"] for one in watch_while(arrive).records] == [str(music / "a.flac")]


def test_a_watched_folder_deleted_and_made_anew_is_watched_on(
    music: Path, place: Path, watch_while: WatchWhile
) -> None:
    make_track(music / "a" / "a.flac")

    def replace() -> None:
        shutil.rmtree(music)
        music.mkdir()
        time.sleep(5 * SETTLE_S)
        put(music / "b.flac")
        until(lambda: {"written": 1} in finished_runs(place)[1:])

    assert watch_while(replace).statuses == {"a.flac": "written", "b.flac": "written"}


def test_links_are_followed_by_looking_through_them(
    music: Path, place: Path, watch_while: WatchWhile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tagger.watch.lookout.SILENT_POLL_S", 0.2)
    (music / "circle").symlink_to(music)
    (music.parent / "elsewhere").mkdir()
    (music / "link").symlink_to(music.parent / "elsewhere")

    def arrive() -> None:
        put(music.parent / "elsewhere" / "a.flac")
        until(lambda: len(finished_runs(place)) == 2)

    outcome = watch_while(arrive, "--follow-symlinks")
    assert [one["path"] for one in outcome.records] == [str(music / "link" / "a.flac")]
    assert "linked folders raise no events" in outcome.err


def test_where_events_were_lost_it_looks_for_itself(
    music: Path, place: Path, watch_while: WatchWhile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tagger.watch.notices.Notices._note", lambda *_: None)

    def arrive() -> None:
        put(music / "a.flac")
        logging.getLogger("watchdog.observers.inotify_c").warning("Inotify queue overflowed")
        until(lambda: len(finished_runs(place)) == 2)

    assert watch_while(arrive).statuses == {"a.flac": "written"}


def test_a_folder_moved_in_is_tagged_and_one_renamed_is_not_heard_again(
    music: Path, place: Path, watch_while: WatchWhile
) -> None:
    make_tracks(music.parent / "album" / "disc 1", 2)

    def move() -> None:
        (music.parent / "album").rename(music / "album")
        until(lambda: len(finished_runs(place)) == 2)
        (music / "album").rename(music / "renamed")
        until(lambda: len(finished_runs(place)) == 3)

    assert watch_while(move).code == 0
    assert finished_runs(place)[1:] == [{"written": 2}, {"moved": 2}]
    assert_consistent(place)


def test_names_that_are_not_utf_8_arrive_like_others(
    music: Path, place: Path, watch_while: WatchWhile
) -> None:
    source = make_track(music.parent / "a.flac")

    def arrive() -> None:
        folder = Path(os.fsdecode(os.fsencode(music) + b"/caf\xe9"))
        folder.mkdir()
        shutil.copy(source, folder / os.fsdecode(b"na\xefve.flac"))
        until(lambda: len(finished_runs(place)) == 2)

    assert [one["status"] for one in watch_while(arrive).records] == ["written"]


def test_files_that_were_deleted_are_marked_by_the_next_walk(
    music: Path, place: Path, watch_while: WatchWhile
) -> None:
    make_tracks(music / "kept", 3)
    make_tracks(music / "gone", 2)

    def delete() -> None:
        shutil.rmtree(music / "gone")
        until(lambda: n_vanished(place) == 2)
        until(lambda: len(finished_runs(place)) == 2)

    outcome = watch_while(delete, "--rescan", "0.005")
    assert outcome.code == 0
    assert finished_runs(place)[1] == {"unchanged": 3}
    assert len(outcome.records) == 5  # those of the first run


def test_more_than_half_gone_is_not_marked_and_makes_no_run_at_each_look(
    music: Path, place: Path, watch_while: WatchWhile, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracks = make_tracks(music / "album", 4)
    looks: list[Batch] = []
    tag = watch._Session._tag

    def note(session: watch._Session, batch: Batch, catalog: Catalog) -> Tried:
        looks.append(batch)
        return tag(session, batch, catalog)

    monkeypatch.setattr(watch._Session, "_tag", note)

    def delete() -> None:
        for path in tracks[:3]:
            path.unlink()
        n_looks = len(looks)
        until(lambda: len(looks) > n_looks + 3)
        put(music / "new" / "b.flac")
        until(lambda: genre_of(music / "new" / "b.flac"))

    watch_while(delete, "--rescan", "0.002")
    assert n_vanished(place) == 0
    assert finished_runs(place) == [{"written": 4}, {"written": 1}]


def test_a_file_whose_place_another_takes_is_marked_as_gone(
    music: Path, place: Path, watch_while: WatchWhile
) -> None:
    make_tracks(music / "album", 4)

    def convert() -> None:
        put(music / "album" / "00.ogg")
        (music / "album" / "00.flac").unlink()
        until(lambda: n_vanished(place) == 1)

    outcome = watch_while(convert, "--rescan", "0.005")
    assert outcome.statuses["00.ogg"] == "written"


def test_a_disk_that_goes_and_comes_back_is_waited_for(
    music: Path, place: Path, watch_while: WatchWhile, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_tracks(music, 2)
    away = music.parent / "away"
    look, n_looks, is_missed = WatchedRoots.look, count(), threading.Event()

    def look_and_note(roots: WatchedRoots) -> list[Path]:
        next(n_looks)
        come = look(roots)
        if not roots.there:
            is_missed.set()
        return come

    monkeypatch.setattr(WatchedRoots, "look", look_and_note)

    def go_and_come() -> None:
        music.rename(away)
        put(away / "new" / "x.flac")
        assert is_missed.wait(DEADLINE_S)
        before = next(n_looks)
        time.sleep(5 * SETTLE_S)
        assert next(n_looks) - before < 50  # it waits, and does not turn in circles
        assert n_vanished(place) == 0
        away.rename(music)
        until(lambda: len(finished_runs(place)) == 2)
        put(music / "newer" / "y.flac")
        until(lambda: len(finished_runs(place)) == 3)

    outcome = watch_while(go_and_come, "--rescan", "0.005")
    assert outcome.code == 0
    assert outcome.err.count("waiting for it to come back") == 1
    assert outcome.err.count(f"{music}: is there\n") == 1
    assert n_vanished(place) == 0
    assert finished_runs(place)[1:] == [{"written": 1}, {"written": 1}]


def test_what_fails_since_its_folder_has_gone_is_no_error(
    music: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error = TaggerError("no such folder", music)
    watch._put_off(error, Batch((music,), None, is_due=False))
    assert capsys.readouterr().err == f"error: {music}: no such folder\n"
    music.rmdir()
    watch._put_off(error, Batch((music,), None, is_due=False))
    assert capsys.readouterr().err == ""


def test_a_locked_catalogue_is_waited_for_and_the_batch_tried_again(
    music: Path,
    place: Path,
    watch_while: WatchWhile,
    put_off: list[TaggerError],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tagger.cli.watch.Catalog.open", partial(Catalog.open, wait_s=0.1))
    monkeypatch.setattr("tagger.watch.watcher._FIRST_PAUSE_S", 0.2)

    def lock() -> None:
        with closing(sqlite3.connect(place, isolation_level=None)) as database:
            database.execute("BEGIN EXCLUSIVE")
            put(music / "a.flac")
            until(lambda: put_off)
            database.execute("ROLLBACK")
        until(lambda: genre_of(music / "a.flac"))
        until(lambda: len(finished_runs(place)) == 2)

    outcome = watch_while(lock)
    assert outcome.code == 0
    assert "has held the catalogue locked" in outcome.err
    assert "trying again in 0 s" in outcome.err
    assert outcome.statuses == {"a.flac": "written"}


def test_a_catalogue_that_is_gone_is_not_made_anew_but_waited_for(
    music: Path,
    place: Path,
    watch_while: WatchWhile,
    put_off: list[TaggerError],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tagger.watch.watcher._FIRST_PAUSE_S", 0.2)
    away = place.parent / "away"

    def go_and_come() -> None:
        away.mkdir()
        for path in place.parent.glob(f"{place.name}*"):
            path.rename(away / path.name)
        put(music / "a.flac")
        until(lambda: put_off)
        assert not place.exists()
        for path in away.iterdir():
            path.rename(place.parent / path.name)
        until(lambda: len(finished_runs(place)) == 2)

    outcome = watch_while(go_and_come)
    assert f"error: {place}: there is no catalogue here yet" in outcome.err
    assert outcome.statuses == {"a.flac": "written"}


def test_a_batch_can_be_taken_back(music: Path, place: Path, watch_while: WatchWhile) -> None:
    make_track(music / "a.flac")

    def arrive() -> None:
        put(music / "new" / "b.flac")
        until(lambda: len(finished_runs(place)) == 2)

    watch_while(arrive)
    assert run_tagger("undo", "--catalog", place).code == 0
    assert genre_of(music / "a.flac") == ["Rock"]
    assert genre_of(music / "new" / "b.flac") == []


def test_what_is_no_place_for_music_is_not_waited_for(
    music: Path, place: Path, watch_while: WatchWhile
) -> None:
    def arrive() -> None:
        for name in (".stversions", "@eaDir"):
            put(music / name / "x.flac")
        put(music / "a.flac")
        until(lambda: len(finished_runs(place)) == 2)

    assert watch_while(arrive).statuses == {"a.flac": "written"}


def test_what_was_refused_is_tried_again(
    music: Path, place: Path, watch_while: WatchWhile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tagger.watch.retries._FIRST_PAUSE_S", 0.5)
    refusals = iter([True])
    carry_out = tags.carry_out_all

    def refuse_once(
        prepared: Sequence[tags.PreparedWrite], *, preserve_mtime: bool
    ) -> list[TagWriteError | None]:
        if next(refusals, False):
            return [TagWriteError("the disk is full", one.write.path) for one in prepared]
        return carry_out(prepared, preserve_mtime=preserve_mtime)

    monkeypatch.setattr("tagger.tagging.settling.carry_out_all", refuse_once)

    def arrive() -> None:
        put(music / "a.flac")
        until(lambda: len(finished_runs(place)) == 3)

    # Whole looks in between, which find nothing new, do not make it forget.
    outcome = watch_while(arrive, "--rescan", "0.002")
    assert [one["status"] for one in outcome.records] == ["failed", "written"]
    assert "a.flac: the disk is full" in outcome.err


def test_what_was_heard_but_not_decided_on_is_not_taken_for_done(
    music: Path, place: Path, watch_while: WatchWhile, model: Path
) -> None:
    def hear() -> None:
        put(music / "a.flac")
        asked_for = request_for(model, music, intent=Intent(write=False))
        # As a run that breaks off leaves it; the watcher lets it be as long as it is open.
        with (music / "a.flac").open("ab"), Catalog.open(place) as catalog:
            list(TagRun(asked_for, catalog).results())
        until(lambda: len(finished_runs(place)) == 3)

    assert watch_while(hear).statuses == {"a.flac": "written"}
    assert finished_runs(place)[1:] == [{"predicted": 1}, {"written": 1}]


def test_a_failure_is_told_once(music: Path, place: Path, watch_while: WatchWhile) -> None:
    (music / "broken.flac").write_bytes(b"no sound")

    def arrive() -> None:
        put(music / "a.flac")
        until(lambda: len(finished_runs(place)) == 2)

    outcome = watch_while(arrive)
    assert outcome.code == 0
    assert outcome.err.count("broken.flac: ") == 1
    assert outcome.statuses == {"broken.flac": "failed", "a.flac": "written"}


@pytest.mark.parametrize("name", ["nothing", "song.flac"])
def test_what_cannot_be_watched_ends_with_2(
    music: Path, place: Path, model: Path, name: str
) -> None:
    make_track(music / "song.flac")
    outcome = run_tagger("watch", "--catalog", place, "--model", model, music / name)
    assert outcome.code == 2
    assert outcome.err.startswith(f"error: {music / name}: ")
    assert not place.exists()


@pytest.mark.parametrize("number", ["nan", "inf"])
@pytest.mark.parametrize("option", ["--settle", "--poll", "--rescan"])
def test_a_time_that_never_comes_is_refused(
    music: Path, place: Path, option: str, number: str
) -> None:
    outcome = run_tagger("watch", "--catalog", place, option, number, music)
    assert outcome.code == 2
    assert f"{number} is not" in outcome.err


# Whole processes


def start_watching(music: Path, place: Path, model: Path) -> subprocess.Popen[bytes]:
    common = ("--catalog", place, "--model", model, "--settle", "0.2", "--format", "jsonl")
    return start_tagger("watch", *common, "--jobs", "2", music)


def wait_for_rest(process: subprocess.Popen[bytes]) -> None:
    assert process.stderr is not None
    while b"waiting for new files" not in process.stderr.readline():
        assert process.poll() is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_end_while_it_waits_it_ends_with_0(
    music: Path, place: Path, model: Path, number: signal.Signals
) -> None:
    process = start_watching(music, place, model)
    wait_for_rest(process)
    os.killpg(process.pid, number)
    out, err = process.communicate(timeout=DEADLINE_S)
    assert (process.returncode, out, err) == (0, b"", b"")


def test_killed_in_the_middle_of_a_batch_it_finishes_the_work_when_it_is_started_again(
    music: Path, place: Path, model: Path
) -> None:
    process = start_watching(music, place, model)
    assert process.stdout is not None
    wait_for_rest(process)
    paths = [path for i in range(8) for path in make_tracks(music / str(i), 4)]
    process.stdout.readline()
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    process = start_watching(music, place, model)
    wait_for_rest(process)
    until(lambda: all(genre_of(path) for path in paths))
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=DEADLINE_S)
    assert process.returncode in (0, 130)
    assert_consistent(place)


def test_told_to_end_in_the_middle_of_a_run_it_ends_with_130(
    music: Path, place: Path, model: Path
) -> None:
    for i in range(40):
        make_tracks(music / str(i), 2)
    process = start_watching(music, place, model)
    assert process.stdout is not None
    assert process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 130
    assert b"interrupted; what was finished stays finished" in err
