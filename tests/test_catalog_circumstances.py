"""Odd places and bad days: a network share, a kill without WAL, a disk that fills, no rights."""

from __future__ import annotations

import logging
import resource
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tagger.catalog import Catalog
from tagger.catalog.upkeep import back_up, check
from tagger.errors import CatalogError
from tagger.files import mounts
from tests.catalogs import MODEL, SURE, assert_consistent, begin, entries, filled
from tests.library import contents, environment


@pytest.fixture
def on_a_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every folder is on a network share."""
    monkeypatch.setattr(mounts, "_listed", lambda: "1 0 0:1 / / rw - nfs4 nas:/ rw")


def mode_of(place: Path) -> str:
    with closing(sqlite3.connect(place)) as database:
        (mode,) = database.execute("PRAGMA journal_mode").fetchone()
    return str(mode)


# A network share


def test_the_kind_of_a_disk_is_what_stat_says(tmp_path: Path) -> None:
    said = subprocess.run(["stat", "-f", "-c", "%t", tmp_path], check=True, capture_output=True)
    assert mounts._magic(tmp_path) == int(said.stdout, 16)
    assert mounts._magic(tmp_path / "none") == 0


@pytest.mark.usefixtures("on_a_share")
def test_on_a_share_there_is_no_wal_and_one_warning(
    place: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with filled(place, *entries(0, 10)) as catalog:
        assert [p.name for p in place.parent.iterdir()] == [place.name]
        assert catalog.counts().n_tracks == 10
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert f"{place} is on a network share (NFS)" in record.getMessage()
    assert mode_of(place) == "delete"
    Catalog.open(place, read_only=True).close()
    assert len(caplog.records) == 1


def test_a_catalogue_that_was_moved_to_a_share_does_without_wal_and_back_again(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(place, *entries(0, 10)).close()
    assert mode_of(place) == "wal"
    with monkeypatch.context() as patch:
        patch.setattr(mounts, "_listed", lambda: "1 0 0:1 / / rw - cifs //nas/ rw")
        Catalog.open(place).close()
    assert mode_of(place) == "delete"
    Catalog.open(place).close()
    assert mode_of(place) == "wal"


@pytest.mark.usefixtures("on_a_share")
def test_on_a_share_a_reader_sees_nothing_half_done(place: Path) -> None:
    filled(place, *entries(0, 500)).close()
    with closing(sqlite3.connect(place, isolation_level=None)) as other:
        other.execute("PRAGMA cache_size = 1")  # so that changes reach the file before their end
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE tracks SET reason_code = hex(randomblob(400))")
        with pytest.raises(CatalogError, match="locked for too long"):
            Catalog.open(place, read_only=True, wait_s=0.1)
        other.execute("ROLLBACK")
    with Catalog.open(place, read_only=True) as catalog:
        assert {row.reason for row in catalog.tracks()} == {SURE}


DIE = """
import os, signal, sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("PRAGMA cache_size = 1")
database.execute("BEGIN IMMEDIATE")
database.execute("UPDATE tracks SET reason_code = hex(randomblob(400))")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.usefixtures("on_a_share")
def test_a_kill_without_wal_is_told_to_readers_and_mended_by_the_next_run(place: Path) -> None:
    filled(place, *entries(0, 500)).close()
    done = subprocess.run([sys.executable, "-c", DIE, place], check=False)
    assert done.returncode == -signal.SIGKILL
    before = contents(place.parent)
    with pytest.raises(CatalogError, match="the next tagger tag puts that right"):
        Catalog.open(place, read_only=True)
    assert contents(place.parent) == before
    with Catalog.open(place) as catalog:
        assert {row.reason for row in catalog.tracks()} == {SURE}
    assert_consistent(place)


# A disk that fills


def tagger_with_room(n_bytes: int, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a process whose files can grow no larger than so."""
    return subprocess.run(
        [sys.executable, "-m", "tagger", *arguments],
        env=environment(),
        check=False,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, n_bytes)),
    )


@pytest.mark.parametrize("command", ["backup", "export"])
def test_what_finds_no_room_leaves_nothing_behind(place: Path, command: str) -> None:
    filled(place, *entries(0, 600)).close()
    before = contents(place.parent)
    target = place.with_name("target")
    outcome = tagger_with_room(40_000, "catalog", command, "--catalog", place, "-o", target)
    assert (outcome.returncode, outcome.stdout) == (2, "")
    (line,) = outcome.stderr.splitlines()
    assert line.startswith(f"error: {target}: ")
    assert contents(place.parent) == before


def test_a_catalogue_that_finds_no_room_stays_as_it_was(
    place: Path, music: Path, model: Path
) -> None:
    filled(place, *entries(0, 600)).close()
    asked = ("--catalog", place, "--model", model, "--quiet")
    outcome = tagger_with_room(20_000, "tag", *asked, music)
    assert outcome.returncode == 2
    (line,) = outcome.stderr.splitlines()
    assert line.startswith(f"error: {place}: ")
    assert_consistent(place)
    with Catalog.open(place) as catalog:
        assert catalog.counts().n_tracks == 600


# No rights


def test_a_catalogue_that_may_only_be_read_is_checked_and_backed_up(
    place: Path, tmp_path: Path
) -> None:
    filled(place, *entries(0, 10)).close()
    place.chmod(0o444)
    target = tmp_path / "elsewhere.db"
    assert check(place).complaints == ()
    assert back_up(place, target) == target
    with Catalog.open(target) as catalog:
        catalog.record(begin(catalog), entries(10, 12))
        assert len(catalog.embeddings(MODEL.model_id).track_ids) == 12
