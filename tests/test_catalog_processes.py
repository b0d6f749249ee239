"""Several processes, and processes that die: the catalogue fits together whatever happens."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from tagger.catalog import Catalog
from tests.catalogs import MODEL, Location, assert_consistent, begin, entries, filled, planned

# Processes that begin clean, without the threads of other tests, and import only once.
fresh = multiprocessing.get_context("forkserver")
fresh.set_forkserver_preload(["pytest", "numpy", "tagger.catalog", "alembic.command"])


def start(target: Callable[..., None], *arguments: object) -> ForkServerProcess:
    process = fresh.Process(target=target, args=arguments)
    process.start()
    return process


def finish(process: ForkServerProcess) -> int | None:
    process.join(60)
    return process.exitcode


def write_half_the_same_tracks(location: Location, first: int) -> None:
    """Record in 20 transactions; the tracks of every second one are the other process's too."""
    with Catalog.open(location) as catalog:
        run_id = begin(catalog)
        for start in range(0, 100, 10):
            catalog.record(run_id, entries(start, start + 10))
            catalog.record(run_id, entries(first + start, first + start + 10))


def make_and_begin(location: Location) -> None:
    with Catalog.open(location) as catalog:
        begin(catalog)


def die_while_recording(location: Location, n_statements: int) -> None:
    """Die as if the power were cut, at the n-th statement of a record."""
    catalog = Catalog.open(location)
    catalog.journal(1, [planned(one) for one in entries(10, 400)])
    statements = iter(range(1, n_statements))

    def die(*whatever: object) -> None:
        if next(statements, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute", die)
    catalog.record(1, entries(10, 400))


def test_two_processes_record_at_once_and_nothing_is_lost(location: Location) -> None:
    processes = [start(write_half_the_same_tracks, location, first) for first in (1000, 2000)]
    assert [finish(process) for process in processes] == [0, 0]
    assert_consistent(location)
    with Catalog.open(location) as catalog:
        wanted = [*entries(0, 100), *entries(1000, 1100), *entries(2000, 2100)]
        known = catalog.lookup([one.file for one in wanted], MODEL.model_id)
        assert [one.tags.title for one in known if one] == [one.tags.title for one in wanted]
        assert catalog.counts().n_tracks == 300
        assert len(catalog.embeddings(MODEL.model_id).track_ids) == 300


def test_several_processes_make_the_same_catalogue_at_once(empty_location: Location) -> None:
    location = empty_location
    processes = [start(make_and_begin, location) for _ in range(5)]
    assert [finish(process) for process in processes] == [0] * 5
    with Catalog.open(location) as catalog:
        assert len(catalog.runs()) == 5
    if isinstance(location, Path):
        assert [p.name for p in location.parent.iterdir()] == ["catalog.db"]


@pytest.mark.parametrize("n_statements", [1, 4, 9, 15])
def test_a_kill_in_the_middle_of_a_record_leaves_nothing_of_it(
    location: Location, n_statements: int
) -> None:
    filled(location, *entries(0, 10)).close()
    assert finish(start(die_while_recording, location, n_statements)) == -signal.SIGKILL
    with Catalog.open(location, read_only=True) as catalog:
        assert len(catalog.pending_writes()) == 390  # the journal was on disk, in the -wal file
    with Catalog.open(location) as catalog:
        assert catalog.counts().n_tracks == 10
        pending = catalog.pending_writes()
        assert [one.write.path for one in pending] == [one.file.path for one in entries(10, 400)]
        catalog.record(1, entries(10, 400))
        catalog.journal_done([one.journal_id for one in pending])
        assert catalog.pending_writes() == []
    assert_consistent(location)
