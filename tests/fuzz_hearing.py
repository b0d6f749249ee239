"""Hostile files through a whole run: ``python -m tests.fuzz_hearing N``, in batches.

Files of all formats are mutated and cut as by tests.fuzz_tags, among them some made to cost much
(tests.bombs: frames of a megabyte that inflate to a gigabyte, millions of comments). The command is
run on each batch with a time-out of 5 s a track. Each file must get a result, and no run may end
before its time; a result that a net made (a fault that nobody foresaw) is counted as wrong. Told:
what became of the files, and the most memory that a parent, and a worker, had resident. A batch is
known by its number: ``python -m tests.fuzz_hearing --again 17``.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
from joblib.externals import loky

from tagger import cli
from tests import fuzz_tags, tagged
from tests.bombs import COSTLY
from tests.library import environment, make_model

BATCH = 250
MOST_RESIDENT = 1 << 30
# Of a worker: torch and a network, and what decoding may take besides (tagger.hearing.memory).
MOST_OF_WORKER = 1600 << 20
_TIMEOUT_S = 5


class BrokenPromiseError(Exception):
    """A run ended, a file got no result, a net caught something, or memory was not bounded."""


def fill(folder: Path, batch: int, n_files: int) -> None:
    """Put the files of a batch into a folder; one in a hundred is made to cost much."""
    kinds = list(fuzz_tags.KINDS)
    costly = list(COSTLY.items())
    for n in range(batch * BATCH, batch * BATCH + n_files):
        if n % 100 == 0:
            name, make = costly[n // 100 % len(costly)]
            (folder / f"{n} {name}").write_bytes(make())
        else:
            kind = kinds[n % len(kinds)]
            path = folder / f"{n}{tagged.extension(kind)}"
            path.write_bytes(fuzz_tags.mutant(kind, n // len(kinds)))


@dataclass(frozen=True, slots=True)
class Cost:
    """The most bytes that a run had resident, in the parent and in a worker."""

    parent: int = 0
    worker: int = 0

    def with_one_more(self, other: Cost) -> Cost:
        """Return the most of both."""
        return Cost(max(self.parent, other.parent), max(self.worker, other.worker))

    def __str__(self) -> str:
        return f"{self.parent >> 20} MB in the parent and {self.worker >> 20} in a worker"


def outcomes(model: Path, batch: int, n_files: int) -> tuple[Counter[str], Cost]:
    """Run the command on a batch; return how many files came to what, and what it cost.

    Raises:
        BrokenPromiseError: Something went wrong.
    """
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "music"
        folder.mkdir()
        fill(folder, batch, n_files)
        results, cost = run_on(folder, model)
    if len(results) != n_files:
        raise BrokenPromiseError(f"{len(results)} results of {n_files}")
    return Counter(_became(result) for result in results), cost


def run_on(folder: Path, model: Path) -> tuple[list[dict[str, Any]], Cost]:
    """Run the command on a folder, in a process of its own; return its results and what it cost.

    Raises:
        BrokenPromiseError: Something went wrong.
    """
    with tempfile.TemporaryDirectory() as place:
        words = ["--run", str(model), str(folder), str(Path(place) / "catalog.db")]
        done = subprocess.run(
            [sys.executable, "-m", "tests.fuzz_hearing", *words],
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        results = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode not in (0, 1) or not results:
        raise BrokenPromiseError(f"the run ended, {len(results)} results: {done.stderr[-2000:]}")
    cost = Cost(**results.pop())
    if "Traceback" in done.stderr:
        at = done.stderr.index("Traceback")
        raise BrokenPromiseError(
            f"a net caught a fault: {done.stderr[max(0, at - 300) : at + 3000]}"
        )
    if cost.parent > MOST_RESIDENT or cost.worker > MOST_OF_WORKER:
        raise BrokenPromiseError(f"it had {cost} resident")
    return results, cost


def _became(result: dict[str, Any]) -> str:
    error = result["error"]
    return f"failed: {error['stage']}" if error else str(result["status"])


def _run(model: str, folder: str, catalog: str) -> int:
    """Run the command in this process, and say in a last line what it cost."""
    common = ["--model", model, "--catalog", catalog, "--timeout", str(_TIMEOUT_S)]
    code = cli.run(["tag", *common, "--jobs", "2", "--format", "jsonl", folder])
    status = Path("/proc/self/status").read_text(encoding="ascii")
    resident = int(status.split("VmHWM:")[1].split()[0]) * 1024
    loky.get_reusable_executor().shutdown(wait=True)  # only of those that ended is it known
    of_worker = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    click.echo(json.dumps(asdict(Cost(resident, of_worker))))
    return code


def fuzz(n_files: int, first: int = 0) -> tuple[Counter[str], Cost]:
    """Run so many files, in batches from the first one on; return what became of them."""
    counts: Counter[str] = Counter()
    most, started = Cost(), time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        model = make_model(Path(place) / "rock.pt")
        for batch in range(first, first + -(-n_files // BATCH)):
            n_left = n_files - (batch - first) * BATCH
            found, cost = outcomes(model, batch, min(BATCH, n_left))
            counts += found
            most = most.with_one_more(cost)
            elapsed_s = time.monotonic() - started
            click.echo(
                f"batch {batch}: {counts.total()} files in {elapsed_s:.0f} s, at most "
                f"{most} resident, {dict(sorted(counts.items()))}"
            )
    return counts, most


@click.command()
@click.argument("n", type=click.IntRange(1), default=20_000)
@click.option("--first", type=int, default=0, help="The batch to begin with.")
@click.option("--again", type=int, help="One batch alone.")
@click.option("--run", "paths", nargs=3, metavar="MODEL FOLDER CATALOG", hidden=True)
def main(n: int, first: int, again: int | None, paths: tuple[str, str, str] | None) -> None:
    """Run N hostile files, and check what became of them."""
    if paths is not None:
        sys.exit(_run(*paths))
    if again is not None:
        n, first = BATCH, again
    fuzz(n, first)


if __name__ == "__main__":
    main()
