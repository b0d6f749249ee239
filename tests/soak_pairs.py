"""Two processes that tag the same library at once: `python -m tests.soak_pairs -n 50`.

Each round has a small library without genres and a catalogue that is absent, empty, or knows what
the tracks sound like. Two processes begin together, or one a moment later. In the end both have
come through, each file was written once and each track recorded once, the catalogue is sound, no
write is open, and a third run finds nothing to do.
"""

from __future__ import annotations

import multiprocessing
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any
from unittest import mock

import click

from tagger.catalog import Catalog
from tests.catalogs import Location, assert_consistent, database
from tests.library import (
    Outcome,
    genre_of,
    journal,
    make_model,
    make_track,
    map_in_process,
    run_tagger,
)
from tests.postgres import running_server

_SUFFIXES = (".flac", ".mp3", ".ogg", ".m4a")
_TIMEOUT_S = 120  # of a round that takes about one: longer, and somebody waits for somebody
_LAST_S = 10  # to end once all is said
_LATER_S = 0.3
_AT_ONCE = 2  # tracks written in a batch, so that even a small library takes several
_KNOWN = ("no catalogue yet", "an empty catalogue", "all heard before")

# Processes that have imported everything when they begin, so that they meet.
_fresh = multiprocessing.get_context("forkserver")
_fresh.set_forkserver_preload(["tests.library", "tests.postgres", "tagger.cli.tag", "alembic.op"])


@dataclass(frozen=True, slots=True)
class Tagging:
    """What a run came to, and how many tracks it listened to."""

    outcome: Outcome
    n_heard: int


@dataclass
class Soak:
    """A library that two processes tag.

    Args:
        folder: An empty folder.
        place: Gives where the catalogue of a round is to be.
        seed: Of what differs between the rounds.
    """

    folder: Path
    place: Callable[[], Location]
    seed: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._choose = random.Random(self.seed)
        self._model = make_model(self.folder / "model.pt")
        self._music = self.folder / "music"
        self._kept = self.folder / "kept"
        for album in ("a", "b"):
            for suffix in _SUFFIXES:
                make_track(self._kept / album / f"one{suffix}", 1.0)

    def run(self, n_rounds: int) -> None:
        """Tag so often, and look at what came of it."""
        for _ in range(n_rounds):
            shutil.rmtree(self._music, ignore_errors=True)
            shutil.copytree(self._kept, self._music)
            location = self._prepared()
            pair = self._tag_twice(location)
            self._check(location, pair)
            self.counts["rounds"] += 1

    def _prepared(self) -> Location:
        """Return where a round's catalogue is, or is to be."""
        location, known = self.place(), self._choose.choice(_KNOWN)
        self.counts[known] += 1
        if known == "an empty catalogue":
            Catalog.open(location).close()
        elif known == "all heard before":
            tagging = _tag(self._command(location, "--no-write"), self.folder)
            assert set(tagging.outcome.statuses.values()) == {"predicted"}, tagging
        return location

    def _command(self, location: Location, *options: str) -> list[str]:
        common = ("--catalog", str(location), "--model", str(self._model), "--jobs", "1")
        return [*common, "--format", "jsonl", *options, str(self._music)]

    def _tag_twice(self, location: Location) -> list[Tagging]:
        both = _fresh.Barrier(2)
        later_s = self._choose.choice((0.0, self._choose.uniform(0, _LATER_S)))
        command = self._command(location)
        with ExitStack() as stack:
            answers = []
            for wait_s in (0.0, later_s):
                answer, theirs = _fresh.Pipe(duplex=False)
                arguments = (both, wait_s, command, self.folder, theirs)
                process = _fresh.Process(target=_tag_and_tell, args=arguments)
                process.start()
                theirs.close()
                stack.callback(_end, process)
                answers.append(answer)
            return [_told(answer) for answer in answers]

    def _check(self, location: Location, pair: Sequence[Tagging]) -> None:
        paths = sorted(path for path in self._music.rglob("*") if path.is_file())
        assert len(paths) == 2 * len(_SUFFIXES), paths
        for tagging in pair:
            assert tagging.outcome.code == 0, tagging.outcome
            assert "Traceback" not in tagging.outcome.err, tagging.outcome
            assert len(tagging.outcome.records) == len(paths), tagging.outcome
        written = Counter(
            record["path"]
            for tagging in pair
            for record in tagging.outcome.records
            if record["written"]
        )
        assert written == Counter(map(str, paths)), written
        assert all(genre_of(path) == ["Rock"] for path in paths)
        assert journal(location).count("done") == len(paths), journal(location)
        assert "intended" not in journal(location), journal(location)
        assert set(_n_rows(location).values()) == {len(paths)}, _n_rows(location)
        assert_consistent(location)
        third = _tag(self._command(location), self.folder)
        assert set(third.outcome.statuses.values()) == {"unchanged"}, third
        assert third.n_heard == 0
        self._count(pair, len(paths))

    def _count(self, pair: Sequence[Tagging], n_files: int) -> None:
        shares = [sum(one["written"] for one in tagging.outcome.records) for tagging in pair]
        n_heard = sum(tagging.n_heard for tagging in pair)
        self.counts["files"] += n_files
        self.counts["rounds in which both wrote"] += all(shares)
        self.counts["tracks heard by both"] += max(0, n_heard - n_files)


def _n_rows(location: Location) -> dict[str, int]:
    tables = ("files", "tracks", "predictions")
    with database(location) as connection:
        counted = {t: connection.execute(f"SELECT count(*) FROM {t}") for t in tables}
        return {table: cursor.fetchone()[0] for table, cursor in counted.items()}


def _end(process: ForkServerProcess) -> None:
    """Wait for the end of a process that has told all, or hangs."""
    process.join(_LAST_S)
    process.kill()
    process.join()


def _told(answer: Connection) -> Tagging:
    assert answer.poll(_TIMEOUT_S), "a run hangs"
    tagging: Tagging = answer.recv()
    return tagging


def _tag_and_tell(
    both: Barrier, wait_s: float, command: list[str], data: Path, answer: Connection
) -> None:
    both.wait(_TIMEOUT_S)
    time.sleep(wait_s)
    answer.send(_tag(command, data))


def _tag(command: list[str], data: Path) -> Tagging:
    """Tag in this process, without workers, whose start would take longer than all the rest."""
    n_heard = 0

    def listen(function: Any, tasks: Sequence[Any], **options: object) -> Iterator[Any]:
        nonlocal n_heard
        n_heard += len(tasks)
        return map_in_process(function, tasks, **options)

    with (
        mock.patch("tagger.hearing.pool.map_unordered", listen),
        mock.patch("tagger.tagging.run._FLUSH_FILES", _AT_ONCE),
    ):
        outcome = run_tagger("tag", *command, XDG_DATA_HOME=str(data))
    return Tagging(outcome, n_heard)


@click.command()
@click.option("-n", "n_rounds", default=50, show_default=True, help="How many rounds.")
@click.option("--postgresql", is_flag=True, help="The catalogues are databases on a test server.")
@click.option("--seed", default=0, show_default=True)
def main(n_rounds: int, postgresql: bool, seed: int) -> None:
    """Tag a library with two processes at once, over and over; print what was met."""
    started = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tagger-pairs-")))
        numbers = iter(range(n_rounds))
        if postgresql:
            soak = Soak(folder, stack.enter_context(running_server()).new_database, seed)
        else:
            soak = Soak(folder, lambda: folder / f"{next(numbers)}.db", seed)
        soak.run(n_rounds)
    click.echo(f"two processes at once, {time.monotonic() - started:.0f} s")
    for name, n in sorted(soak.counts.items()):
        click.echo(f"{name}: {n}")


if __name__ == "__main__":
    sys.exit(main())
