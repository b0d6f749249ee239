"""Whole runs that are interrupted, killed, doubled, starved or refused."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import psutil
import pytest
from sqlalchemy import Engine, event

from tagger.catalog import Catalog
from tests.catalogs import Location, assert_consistent
from tests.library import (
    DEADLINE_S,
    contents,
    genre_of,
    journal,
    make_track,
    make_tracks,
    run_tagger,
    start_tagger,
    until,
)
from tests.tagged import decoded

pytestmark = pytest.mark.usefixtures("in_process")  # where a run is not a process of its own


@pytest.mark.parametrize(("n_pages", "code"), [(0, 2), (50, 1)])
def test_a_catalogue_without_room_ends_the_run_with_one_line(
    music: Path,
    place: Path,
    model: Path,
    monkeypatch: pytest.MonkeyPatch,
    n_pages: int,
    code: int,
) -> None:
    make_tracks(music, 12, title="x" * 9000)  # some pages each
    monkeypatch.setattr("tagger.tagging.run._FLUSH_FILES", 4)
    Catalog.open(place).close()
    with closing(sqlite3.connect(place)) as database:
        (size,) = database.execute("PRAGMA page_count").fetchone()

    def limit(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {size + n_pages}")

    event.listen(Engine, "connect", limit)
    try:
        asked = ("--by", "track", "--model", model, "--catalog", place, "--quiet")
        outcome = run_tagger("tag", music, *asked)
    finally:
        event.remove(Engine, "connect", limit)
    assert outcome.code == code
    (line,) = outcome.err.splitlines()
    assert line.startswith(f"error: {place}: the disk is full; make room")
    assert_consistent(place)


@pytest.fixture
def as_nobody() -> Iterator[Callable[..., AbstractContextManager[None]]]:
    """A context without root's rights, which would be refused nothing; a no-op for others."""

    @contextmanager
    def dropped() -> Iterator[None]:
        is_root = os.geteuid() == 0
        if is_root:
            os.seteuid(65534)
        try:
            yield
        finally:
            if is_root:
                os.seteuid(0)

    yield dropped


def test_what_may_not_be_read_fails_alone_and_is_tried_again(
    model: Path, as_nobody: Callable[..., AbstractContextManager[None]]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        closed = make_track(folder / "music" / "closed" / "a.flac").parent
        secret = make_track(folder / "music" / "b.flac")
        make_track(folder / "music" / "c.flac")
        (folder / "model.pt").write_bytes(model.read_bytes())
        common = ("--model", folder / "model.pt", "--catalog", folder / "catalog.db")
        for path in (folder, *folder.rglob("*")):
            os.chown(path, 65534 if os.geteuid() == 0 else -1, -1)
        closed.chmod(0)
        secret.chmod(0)
        with as_nobody():
            first = run_tagger("tag", *common, folder / "music")
        closed.chmod(0o755)
        secret.chmod(0o644)
        with as_nobody():
            second = run_tagger("tag", *common, folder / "music")
    assert first.code == 1
    for path in (closed, secret):
        assert f"{path}: Permission denied: give yourself the right to it" in first.err
    assert "1 written, 2 failed" in first.err
    assert second.code == 0
    assert "2 written, 1 unchanged" in second.err


def test_a_catalogue_that_may_not_be_written_ends_with_2(
    model: Path, as_nobody: Callable[..., AbstractContextManager[None]]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        track = make_track(folder / "music" / "a.flac")
        before = track.read_bytes()
        (folder / "model.pt").write_bytes(model.read_bytes())
        (folder / "shelf").mkdir()
        folder.chmod(0o755)
        (folder / "shelf").chmod(0o555)
        common = ("--model", folder / "model.pt", "--catalog", folder / "shelf" / "catalog.db")
        with as_nobody():
            outcome = run_tagger("tag", *common, track)
        (folder / "shelf").chmod(0o755)
        assert track.read_bytes() == before
    assert (outcome.code, outcome.out) == (2, "")
    (line,) = outcome.err.splitlines()
    assert line.startswith(f"error: {folder / 'shelf' / 'catalog.db'}: ")
    assert "choose another --catalog" in line


@pytest.mark.parametrize("kind", ["corrupt", "newer", "foreign"])
def test_an_unusable_catalogue_ends_with_2_and_is_left_alone(
    music: Path, place: Path, model: Path, kind: str
) -> None:
    (track,) = make_tracks(music, 1)
    Catalog.open(place).close()
    if kind == "corrupt":
        data = bytearray(place.read_bytes())
        data[4096:] = bytes(b ^ 0xA5 for b in data[4096:])
        place.write_bytes(data)
    elif kind == "newer":
        with closing(sqlite3.connect(place)) as database, database:
            database.execute("UPDATE alembic_version SET version_num = '9999'")
    else:
        place.write_text("Dear diary,\n")
    before = (track.read_bytes(), place.read_bytes())
    outcome = run_tagger("tag", music, "--model", model, "--catalog", place)
    assert (outcome.code, outcome.out) == (2, "")
    (line,) = outcome.err.splitlines()
    assert line.startswith(f"error: {place}: ")
    assert (track.read_bytes(), place.read_bytes()) == before


# Whole processes


def wait_for_line(process: subprocess.Popen[bytes]) -> bytes:
    assert process.stdout is not None
    return process.stdout.readline()


def test_ctrl_c_at_the_terminal_ends_with_130_and_the_next_run_goes_on(
    music: Path, place: Path, model: Path
) -> None:
    paths = make_tracks(music, 20)
    before = {path: decoded(path) for path in paths}
    common = ("--catalog", place, "--model", model, "--format", "jsonl", "--by", "track")
    process = start_tagger("tag", *common, "--jobs", "2", music)
    wait_for_line(process)
    os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to all processes of the group
    _, err = process.communicate(timeout=DEADLINE_S)
    said = err.decode().splitlines()
    if process.returncode == 130:
        assert said[-1] == "interrupted; what was finished stays finished, run again to go on"
    assert process.returncode in (0, 130)  # 0: all was done by then
    expected = ("second): ", "by genre", "interrupted", "heard and recorded: ")
    assert all(any(part in line for part in expected) for line in said), said
    assert_consistent(place)
    again = run_tagger("tag", *common, music)
    assert again.code == 0
    assert len(again.records) == 20
    assert all(genre_of(path) == ["Rock"] for path in paths)
    assert {path: decoded(path) for path in paths} == before


def test_ctrl_c_before_the_first_result_is_as_clean(music: Path, place: Path, model: Path) -> None:
    make_tracks(music, 20)
    process = start_tagger("tag", "--catalog", place, "--model", model, "--jobs", "2", music)
    until(psutil.Process(process.pid).children)  # its workers, which import torch
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 130
    assert out == b""
    assert err.decode().splitlines()[-1].startswith("interrupted")
    assert b"Traceback" not in err
    assert b"Warning" not in err
    assert_consistent(place)


def test_a_kill_at_any_moment_leaves_each_file_old_or_new(
    music: Path, place: Path, model: Path
) -> None:
    paths = make_tracks(music, 80)
    sound = {path: decoded(path) for path in paths}
    old = contents(music)
    common = ("--catalog", place, "--model", model, "--format", "jsonl", "--by", "track")
    run_tagger("tag", *common, "--no-write", music)
    choose = random.Random(0)
    n_killed = 0
    for _ in range(4):
        process = start_tagger("tag", *common, music)
        while process.poll() is None and not any(music.glob(".*.tagger-copy")):
            time.sleep(0.001)
        time.sleep(choose.uniform(0, 0.05))
        process.kill()  # workers there are none
        process.communicate()
        n_killed += process.returncode == -signal.SIGKILL
        assert_consistent(place)
        for path in paths:
            assert path.read_bytes() == old[path.name][0] or genre_of(path) == ["Rock"]
            assert decoded(path) == sound[path]
    assert n_killed >= 2
    again = run_tagger("tag", *common, music)
    assert again.code == 0
    assert set(again.statuses.values()) <= {"written", "unchanged"}
    assert all(genre_of(path) == ["Rock"] for path in paths)
    assert {path.name for path in music.iterdir()} == {path.name for path in paths}
    assert "intended" not in journal(place)
    assert_consistent(place)


def test_two_runs_at_once_share_a_library(music: Path, location: Location, model: Path) -> None:
    paths = make_tracks(music, 40)
    common = ("--catalog", location, "--model", model, "--format", "jsonl")
    data = {"XDG_DATA_HOME": os.environ["XDG_DATA_HOME"]}  # where a database has its chronicle
    run_tagger("tag", *common, "--no-write", music, **data)
    processes = [start_tagger("tag", *common, music, **data) for _ in range(2)]
    ends = [(*process.communicate(timeout=DEADLINE_S), process.returncode) for process in processes]
    assert all(genre_of(path) == ["Rock"] for path in paths)
    for _, err, _ in ends:
        assert b"Traceback" not in err
    assert [code for _, _, code in ends] == [0, 0], ends
    assert_consistent(location)
    assert journal(location).count("done") == len(paths)
    assert "intended" not in journal(location)
    again = run_tagger("tag", *common, music, **data)
    assert set(again.statuses.values()) == {"unchanged"}


def test_output_that_nobody_reads_ends_a_command_quietly(
    music: Path, place: Path, model: Path
) -> None:
    make_tracks(music, 40)
    common = ("--catalog", str(place), "--model", str(model))
    run_tagger("tag", *common, "--no-write", music)
    for command in ("list", "tag"):
        asked = ["tag", *common, "--dry-run", str(music)] if command == "tag" else ["list", *common]
        asked = [x for x in asked if command == "tag" or x not in ("--model", str(model))]
        process = start_tagger(*asked)
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        err = process.stderr.read().decode()
        process.stderr.close()
        assert process.wait(DEADLINE_S) == (130 if command == "tag" else 0)
        assert "Traceback" not in err
        assert "BrokenPipe" not in err


@pytest.mark.parametrize("streams", [">&- 2>&- <&-", "2>&-", "2</dev/null"])
def test_a_command_whose_output_is_closed_or_whose_messages_cannot_be_written_still_works(
    music: Path, place: Path, model: Path, streams: str
) -> None:
    (path,) = make_tracks(music, 1)
    script = f'exec "$@" {streams}'
    tag: list[str | Path] = [
        sys.executable,
        "-m",
        "tagger",
        "tag",
        "--catalog",
        place,
        "--model",
        model,
        music,
    ]
    done = subprocess.run(["sh", "-c", script, "sh", *tag], check=False, timeout=DEADLINE_S)
    assert done.returncode == 0
    assert genre_of(path) == ["Rock"]
    assert_consistent(place)


def test_output_that_cannot_be_written_is_told_in_a_line(
    music: Path, place: Path, model: Path
) -> None:
    make_tracks(music, 1)
    run_tagger("tag", "--catalog", place, "--model", model, "--no-write", music)
    # Open to be read alone, it takes as little as a full disk does.
    script = 'exec "$@" 1</dev/null'
    for command in (["list"], ["report", "-o", "-"]):
        asked = [sys.executable, "-m", "tagger", *command, "--catalog", str(place)]
        done = subprocess.run(
            ["sh", "-c", script, "sh", *asked],
            check=False,
            timeout=DEADLINE_S,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
        assert "error: standard output cannot be written" in done.stderr
