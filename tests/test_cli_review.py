"""`tagger review` as a process: served, answered, ended by a signal, and killed in the middle."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2
import pytest

from tagger.catalog import Catalog
from tests.library import (
    Run,
    contents,
    genre_of,
    make_tracks,
    run_tagger,
    set_tags,
    start_tagger,
    until,
)

pytestmark = pytest.mark.usefixtures("in_process")


@pytest.fixture
def album(music: Path, run: Run) -> Path:
    """An album of three tracks without a genre, heard."""
    for path in make_tracks(music, 3):
        set_tags(path, artist="Ann", album="One")
    assert run("tag", "--no-write", music).code == 0
    return music


class Browser:
    """Follows the address that a review has printed, and does what its page would."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stderr is not None
        self.said = process.stderr.readline().decode()
        found = re.search(r"(http://localhost:\d+)/open\S+", self.said)
        assert found is not None, self.said
        self.base = found[1]
        self.client = httpx2.Client(base_url=self.base, timeout=30)
        assert self.client.get(found[0].removeprefix(self.base)).status_code == 200
        page = self.client.get("/")
        assert page.status_code == 200
        self.token = re.findall(r'name="token" content="([^"]+)"', page.text)[0]
        self.text = page.text

    def do(self, action: str, **body: object) -> str:
        headers = {"origin": self.base, "x-tagger-token": self.token}
        answer = self.client.post(f"/do/{action}", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        self.text = answer.text
        return self.text

    def answer(self, *genres: str) -> str:
        (number,) = re.findall(r'data-question="(\d+)"', self.text)
        return self.do("answer", question=int(number), genres=list(genres))


def ended(process: subprocess.Popen[bytes]) -> None:
    """End a review, and its workers, which outlive it for a while."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)


@contextmanager
def reviewing(place: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], Browser]]:
    process = start_tagger("review", "--catalog", str(place), "--no-browser", *arguments)
    try:
        yield process, Browser(process)
    finally:
        ended(process)


def test_a_question_is_answered_written_and_taken_back(album: Path, place: Path) -> None:
    before = {path.name: path.read_bytes() for path in album.iterdir()}
    with reviewing(place) as (process, browser):
        browser.answer("Trip-Hop")
        until(lambda: genre_of(album / "02.flac") == ["Trip-Hop"])
        browser.do("undo")
        until(lambda: genre_of(album / "00.flac") == [])
        assert "One" in browser.text
        browser.answer("Dub")
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        assert process.stderr is not None
        said = b"".join(process.stderr.readline() for _ in range(2)).decode()
    assert "answers: 1; tracks settled: 3; blanks left: 0" in said
    assert {tuple(genre_of(path)) for path in album.iterdir()} == {("Dub",)}
    with Catalog.open(place) as catalog:
        (run,) = [one for one in catalog.runs() if one.command == "review"]
    assert run_tagger("undo", "--catalog", place, str(run.run_id)).code == 0
    assert {path.name: path.read_bytes() for path in album.iterdir()} == before


def test_after_a_kill_the_next_start_writes_what_was_answered(album: Path, place: Path) -> None:
    with (
        reviewing(place) as (process, browser),
        Catalog.open(place) as catalog,
        catalog.writing(),  # nobody else may touch files meanwhile
    ):
        browser.answer("Dub")
        process.kill()
        process.wait(60)
    assert {tuple(genre_of(path)) for path in album.iterdir()} == {()}
    with reviewing(place) as (process, browser):
        until(lambda: {tuple(genre_of(path)) for path in album.iterdir()} == {("Dub",)})
        process.terminate()
        assert process.wait(60) == 0


def test_undo_of_a_review_that_runs_stops_it(album: Path, place: Path) -> None:
    before = {path.name: path.read_bytes() for path in album.iterdir()}
    with reviewing(place) as (_, browser):
        browser.answer("Dub")
        until(lambda: genre_of(album / "02.flac") == ["Dub"])
        assert run_tagger("undo", "--catalog", place).code == 0
    assert {path.name: path.read_bytes() for path in album.iterdir()} == before


def test_what_is_there_is_played_and_shown(album: Path, place: Path) -> None:
    with reviewing(place) as (_, browser):
        (file_id, *_) = re.findall(r'<option value="(\d+)"', browser.text)
        sound = browser.client.get(f"/sound/{file_id}")
        assert (sound.status_code, sound.headers["content-type"]) == (200, "audio/wav")
        assert sound.content[:4] == b"RIFF"
        assert browser.client.get(f"/cover/{file_id}").status_code == 404
        set_tags(album / "00.flac", title="Another")
        assert browser.client.get(f"/sound/{file_id}").status_code == 404


def test_a_port_that_is_taken_is_an_error_with_a_reason(album: Path, place: Path) -> None:
    with reviewing(place) as (_, browser):
        port = browser.base.rpartition(":")[2]
        outcome = run_tagger("review", "--catalog", place, "--no-browser", "--port", port)
    assert outcome.code == 2
    assert f"nothing can be served at 127.0.0.1 port {port}: Address already in use" in outcome.err


def test_a_dry_look_changes_nothing(album: Path, place: Path) -> None:
    before = contents(album)
    with reviewing(place) as (process, browser):
        browser.do("skip", question=1)
        process.send_signal(signal.SIGINT)
        process.wait(60)
    assert contents(album) == before
    assert [
        run["command"]
        for run in run_tagger("runs", "--catalog", place, "--format", "jsonl").records
    ] == ["tag"]
