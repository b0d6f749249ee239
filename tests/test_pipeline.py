"""A run from folder to catalogue: crashes, kills, refusals and other runs cost what they must."""

from __future__ import annotations

import ctypes
import errno
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from tagger.card import read_card
from tagger.catalog import Catalog
from tagger.decision import Intent, make_policy
from tagger.pipeline import TagRun, count_files
from tagger.records import Status, TrackResult
from tagger.scan import ScanOptions
from tagger.settling import TagRequest
from tests.catalogs import assert_consistent
from tests.library import (
    contents,
    crash_on_some,
    genre_of,
    hang_on_some,
    make_track,
    make_tracks,
    run_out_of_memory,
    run_tagger,
)

NEEDS_ROOT_TO_BE_REFUSED = "import os, sys; os.setgroups([]); os.setgid(65534); os.setuid(65534)"


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """An empty folder for music."""
    folder = tmp_path / "music"
    folder.mkdir()
    return folder


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where the catalogue is."""
    return tmp_path / "catalog.db"


@pytest.fixture
def catalog(place: Path) -> Iterator[Catalog]:
    with Catalog.open(place) as opened:
        yield opened


def request_for(
    model: Path, *paths: Path, intent: Intent | None = None, **options: Any
) -> TagRequest:
    card = read_card(model)
    return TagRequest(
        paths=paths,
        model_path=model,
        card=card,
        policy=make_policy(card.labels, card.writable, card.thresholds),
        intent=intent or Intent(),
        scan=ScanOptions(),
        n_jobs=2,
        **options,
    )


def statuses(results: list[TrackResult]) -> dict[str, str]:
    return {result.path.name: str(result.status) for result in results}


def journal(place: Path) -> list[str]:
    with closing(sqlite3.connect(place)) as database:
        rows = database.execute("SELECT state FROM journal ORDER BY journal_id").fetchall()
    return [state for (state,) in rows]


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
    monkeypatch.setattr("tagger.pipeline._HUGE_FOLDER", 4)
    make_tracks(music, 11)
    results = list(TagRun(request_for(model, music), catalog).results())
    assert statuses(results) == {f"{i:02d}.flac": "written" for i in range(11)}


# Failures


def test_a_crash_in_a_decoder_costs_one_track(
    music: Path, catalog: Catalog, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_tracks(music, 4)
    make_track(music / "crash.flac")
    make_track(music / "greedy.flac")
    before = (music / "crash.flac").read_bytes()
    monkeypatch.setattr("tagger.pipeline.analyse", crash_on_some)
    run = TagRun(request_for(model, music), catalog)
    failed = {r.path.name: r.failure for r in run.results() if r.failure is not None}
    assert list(failed) == ["crash.flac"]
    assert (failed["crash.flac"].stage, "SIGSEGV" in failed["crash.flac"].reason) == (
        "analyse",
        True,
    )
    assert run.summary.by_status == {Status.WRITTEN: 5, Status.FAILED: 1}
    assert (music / "crash.flac").read_bytes() == before
    monkeypatch.undo()
    again = TagRun(request_for(model, music), catalog)
    assert statuses(list(again.results()))["crash.flac"] == "written"
    assert catalog.counts().n_failures == 0


def test_what_the_system_ends_costs_one_track(
    music: Path, catalog: Catalog, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_tracks(music, 3)
    make_track(music / "greedy.flac")
    monkeypatch.setattr("tagger.pipeline.analyse", run_out_of_memory)
    results = list(TagRun(request_for(model, music), catalog).results())
    (failed,) = [r for r in results if r.status is Status.FAILED]
    assert failed.path.name == "greedy.flac"
    assert "memory" in failed.reason
    assert len(results) == 4


def test_a_hang_costs_one_track_and_loading_the_model_is_not_timed(
    music: Path, catalog: Catalog, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_tracks(music, 3)
    persons = make_track(music / "hang.flac", genre="Dub")
    monkeypatch.setattr("tagger.pipeline.analyse", hang_on_some)
    run = TagRun(request_for(model, music, timeout_s=1.0), catalog)
    (failed,) = [r for r in run.results() if r.status is Status.FAILED]
    assert failed.path == persons
    assert "--timeout" in failed.reason
    assert run.summary.by_status == {Status.WRITTEN: 3, Status.FAILED: 1}
    monkeypatch.undo()
    again = list(TagRun(request_for(model, music), catalog).results())
    assert statuses(again)["hang.flac"] == "kept"  # by the tags it has, not by none


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
    assert "make room" in failed.reason
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


def test_a_catalogue_without_room_ends_the_run_with_one_line(
    music: Path, place: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_tracks(music, 20, title="x" * 20_000)
    with Catalog.open(place) as catalog:
        monkeypatch.setattr(Catalog, "open", lambda *_args, **_kwargs: catalog)
        with catalog._engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()

        def limit(connection: sqlite3.Connection, *_rest: object) -> None:
            connection.execute(f"PRAGMA max_page_count = {pages + 4}")

        catalog._engine.dispose()
        event.listen(catalog._engine, "connect", limit)
        outcome = run_tagger("tag", music, "--model", model, "--format", "jsonl", "--quiet")
    assert outcome.code in (1, 2)
    (line,) = outcome.err.splitlines()
    assert line.startswith(f"error: {place}: the disk is full; make room")
    assert_consistent(place)


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
    assert "read-only" in next(r.reason for r in results if r.failure)
    assert protected.read_bytes() == before
    again = TagRun(request_for(model, music), catalog)
    assert statuses(list(again.results())) == {"a.flac": "written", "b.flac": "unchanged"}
    assert again.n_analysed == 0


def _without_root_override() -> None:
    """Let mode bits count for root too (Linux); for others they do anyway."""
    libc = ctypes.CDLL(None)
    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP


def test_an_unreadable_folder_or_file_fails_alone_and_is_tried_again(
    music: Path, place: Path, model: Path
) -> None:
    closed = make_track(music / "closed" / "a.flac").parent
    secret = make_track(music / "b.flac")
    make_track(music / "c.flac")

    def tag() -> subprocess.CompletedProcess[str]:
        command: list[str | Path] = [sys.executable, "-m", "tagger", "tag", music]
        return subprocess.run(
            [*command, "--catalog", place, "--model", model, "--jobs", "1"],
            preexec_fn=_without_root_override,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    closed.chmod(0)
    secret.chmod(0)
    outcome = tag()
    closed.chmod(0o755)
    secret.chmod(0o644)
    assert outcome.returncode == 1, outcome.stderr
    assert f"{closed}: Permission denied: give yourself the right" in outcome.stderr
    assert f"{secret}: Permission denied: give yourself the right" in outcome.stderr
    assert "1 written" in outcome.stderr
    again = tag()
    assert again.returncode == 0, again.stderr
    assert "2 written" in again.stderr
