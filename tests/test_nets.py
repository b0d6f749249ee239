"""One bad file never ends a batch, whatever goes wrong with it."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from tagger.catalog import CatalogEntry
from tagger.catalog.faults import reason_of
from tagger.errors import CatalogError, RowError, TagReadError
from tagger.nets import net
from tagger.tagging.ledger import put_down
from tests.catalogs import assert_consistent, entry
from tests.library import (
    Outcome,
    Run,
    genre_of,
    journal,
    make_track,
    make_tracks,
    map_in_process,
    run_tagger,
)

pytestmark = pytest.mark.usefixtures("in_process")


def breaks_on(monkeypatch: pytest.MonkeyPatch, target: str, path_of: Callable[..., object]) -> None:
    """Let a function break where a path among its arguments is that of bad.flac."""
    module, _, name = target.rpartition(".")
    real = getattr(__import__(module, fromlist=[name]), name)

    def broken(*arguments: Any, **options: Any) -> Any:
        if "bad.flac" in str(path_of(*arguments)):
            raise KeyError("nobody foresaw this")
        return real(*arguments, **options)

    monkeypatch.setattr(target, broken)


BORDERS: dict[str, tuple[str, Callable[..., object], str]] = {
    "hearing": ("tagger.hearing.analysis._hear", lambda path, *_: path, "analyse"),
    "reading": ("tagger.tags.reader.open_regular", lambda path: path, "read"),
    "preparing": ("tagger.tags.preparing._prepared", lambda path, *_: path, "write"),
    "recording": ("tagger.catalog.recording._track_values", lambda _, one: one.file.path, "record"),
}


@pytest.mark.parametrize("border", BORDERS)
def test_what_nobody_foresaw_costs_one_file_and_is_told(
    music: Path,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    caught: list[str],
    place: Path,
    border: str,
) -> None:
    paths = make_tracks(music, 5)
    make_track(music / "bad.flac")
    target, path_of, stage = BORDERS[border]
    breaks_on(monkeypatch, target, path_of)
    outcome = run("tag", music)
    assert outcome.code == 1
    failed = outcome.by_name.pop("bad.flac")
    assert failed["error"]["stage"] == stage
    assert "KeyError" in failed["error"]["reason"]
    assert outcome.statuses == {**{path.name: "written" for path in paths}, "bad.flac": "failed"}
    assert [genre_of(path) for path in paths] == [["Rock"]] * 5
    assert "nobody foresaw this" in caught[-1]
    assert "Traceback" in caught[-1]
    assert set(journal(place)) == {"done"}
    assert_consistent(place)
    caught.clear()


def test_a_write_that_breaks_nobody_knows_where_is_seen_to_by_the_next_run(
    music: Path, run: Run, monkeypatch: pytest.MonkeyPatch, caught: list[str], place: Path
) -> None:
    make_tracks(music, 2)
    make_track(music / "bad.flac")
    breaks_on(monkeypatch, "tagger.tags.batch._carried_out", lambda write, *_: write.write.path)
    assert run("tag", music).statuses["bad.flac"] == "failed"
    assert sorted(journal(place)) == ["done", "done", "intended"]
    caught.clear()
    monkeypatch.undo()
    monkeypatch.setattr("tagger.hearing.pool.map_unordered", map_in_process)
    assert run("tag", music).statuses["bad.flac"] == "written"


def test_an_error_of_the_catalogue_and_an_interrupt_pass_a_net() -> None:
    with pytest.raises(CatalogError, match="locked"), net(Path("/a"), TagReadError):
        raise CatalogError("locked")
    with pytest.raises(KeyboardInterrupt), net(Path("/a"), TagReadError):
        raise KeyboardInterrupt


def test_a_batch_that_fails_is_split_until_the_guilty_stand_alone(caught: list[str]) -> None:
    items = [entry(f"{n}.mp3") for n in range(9)]
    guilty = {items[2].file.path, items[7].file.path}
    done: list[CatalogEntry] = []

    def put(some: Sequence[CatalogEntry]) -> None:
        if any(one.file.path in guilty for one in some):
            raise ValueError("one of these")
        done.extend(some)

    assert put_down(put, items).keys() == guilty
    assert [one.file.path for one in done] == [
        one.file.path for one in items if one.file.path not in guilty
    ]
    caught.clear()


def tag(url: str, model: Path, music: Path) -> Outcome:
    return run_tagger("tag", "--catalog", url, "--model", model, "--format", "jsonl", music)


def test_postgresql_takes_a_genre_of_any_length(
    music: Path, model: Path, new_database: Callable[[], str]
) -> None:
    genre = random.Random(0).randbytes(4_500).hex()  # what repeats itself is stored shorter
    make_track(music / "long.flac", genre=genre)
    make_track(music / "a.flac")
    url = new_database()
    assert tag(url, model, music).statuses == {"long.flac": "kept", "a.flac": "written"}
    listed = run_tagger("list", "--catalog", url, "--genre", genre.upper(), "--format", "jsonl")
    assert list(listed.by_name) == ["long.flac"]


def test_a_path_too_long_for_postgresql_costs_its_own_file(
    music: Path, model: Path, new_database: Callable[[], str]
) -> None:
    make_tracks(music, 3)
    near = make_track(music / "deep.flac")
    deep = music.joinpath(*(random.Random(n).randbytes(100).hex() for n in range(14)))
    deep.mkdir(parents=True)
    near.rename(deep / "deep.flac")
    outcome = tag(new_database(), model, music)
    assert outcome.code == 1
    assert outcome.statuses.pop("deep.flac") == "failed"
    assert "too long" in outcome.by_name["deep.flac"]["error"]["reason"]
    assert list(outcome.statuses.values()).count("written") == 3


def test_row_errors_are_of_our_family() -> None:
    assert str(RowError("too long", Path("/a"))) == "/a: too long"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("FATAL:  the database system is in recovery mode", "recovering"),
        ("FATAL:  the database system is starting up", "starting"),
        ("FATAL:  sorry, too many clients already", "connections"),
        ('FATAL:  too many connections for database "music"', "connections"),
        ('FATAL:  too many connections for role "me"', "connections"),
        ('FATAL:  database "music" does not exist', "createdb"),
    ],
)
def test_a_server_that_takes_nobody_in_says_why(said: str, told: str) -> None:
    error = OperationalError(None, None, psycopg.OperationalError(f"connection failed: {said}"))
    assert told in str(reason_of(error))


def test_a_statement_that_the_server_broke_off_for_its_length_says_so() -> None:
    error = OperationalError("SELECT 1", None, psycopg.errors.QueryCanceled("canceling statement"))
    assert "statement_timeout" in str(reason_of(error))
