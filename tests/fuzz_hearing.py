"""Hostile files through a whole run: ``python -m tests.fuzz_hearing N``, in batches.

Files of all formats are mutated and cut as by tests.fuzz_tags, among them some made to cost much
(frames that inflate, millions of comments), and the command is run on each batch with a time-out
of 5 s a track. Each file must get a result, and no run may end before its time; a result that a
net made (a fault that nobody foresaw) is counted as wrong. Told: what became of the files, and
the most memory that a parent had resident (VmHWM). A batch is known by its number:
``python -m tests.fuzz_hearing --again 17``.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from tagger import cli
from tests import fuzz_tags, tagged
from tests.library import environment, make_model
from tests.test_tags_limits import INFLATING, MANY

BATCH = 250
MOST_RESIDENT = 1 << 30
_TIMEOUT_S = 5
_COSTLY: dict[str, Callable[[], bytes]] = {
    **{f"{where}.mp3": make for where, make in INFLATING.items()},
    **{name: (lambda make=make: make(400_000)) for name, make in MANY.items()},  # type: ignore[misc]
}


class BrokenPromiseError(Exception):
    """A run ended, a file got no result, a net caught something, or memory was not bounded."""


def fill(folder: Path, batch: int, n_files: int) -> None:
    """Put the files of a batch into a folder; one in a hundred is made to cost much."""
    kinds = list(fuzz_tags.KINDS)
    costly = list(_COSTLY.items())
    for n in range(batch * BATCH, batch * BATCH + n_files):
        if n % 100 == 0:
            name, make = costly[n // 100 % len(costly)]
            (folder / f"{n} {name}").write_bytes(make())
        else:
            kind = kinds[n % len(kinds)]
            path = folder / f"{n}{tagged.extension(kind)}"
            path.write_bytes(fuzz_tags.mutant(kind, n // len(kinds)))


def outcomes(model: Path, batch: int, n_files: int) -> tuple[Counter[str], int]:
    """Run the command on a batch; return how many files came to what, and the parent's VmHWM.

    Raises:
        BrokenPromiseError: Something went wrong.
    """
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "music"
        folder.mkdir()
        fill(folder, batch, n_files)
        words = ["--run", str(model), str(folder), str(Path(place) / "catalog.db")]
        done = subprocess.run(
            [sys.executable, "-m", "tests.fuzz_hearing", *words],
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        results = [json.loads(line) for line in done.stdout.splitlines()]
    resident = results.pop()["VmHWM"] if results else 0
    if done.returncode not in (0, 1) or len(results) != n_files:
        raise BrokenPromiseError(f"{len(results)} results of {n_files}: {done.stderr[-2000:]}")
    if "Traceback" in done.stderr:
        at = done.stderr.index("Traceback")
        raise BrokenPromiseError(
            f"a net caught a fault: {done.stderr[max(0, at - 300) : at + 3000]}"
        )
    if resident > MOST_RESIDENT:
        raise BrokenPromiseError(f"the parent had {resident >> 20} MB resident")
    return Counter(_became(result) for result in results), resident


def _became(result: dict[str, Any]) -> str:
    error = result["error"]
    return f"failed: {error['stage']}" if error else str(result["status"])


def _run(model: str, folder: str, catalog: str) -> int:
    """Run the command in this process, and say in a last line how much it had resident."""
    common = ["--model", model, "--catalog", catalog, "--timeout", str(_TIMEOUT_S)]
    code = cli.run(["tag", *common, "--jobs", "2", "--format", "jsonl", folder])
    status = Path("/proc/self/status").read_text(encoding="ascii")
    resident = int(status.split("VmHWM:")[1].split()[0]) * 1024
    click.echo(json.dumps({"VmHWM": resident}))
    return code


def fuzz(n_files: int, first: int = 0) -> tuple[Counter[str], int]:
    """Run so many files, in batches from the first one on; return what became of them."""
    counts: Counter[str] = Counter()
    most, started = 0, time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        model = make_model(Path(place) / "rock.pt")
        for batch in range(first, first + -(-n_files // BATCH)):
            n_left = n_files - (batch - first) * BATCH
            found, resident = outcomes(model, batch, min(BATCH, n_left))
            counts += found
            most = max(most, resident)
            elapsed_s = time.monotonic() - started
            click.echo(
                f"batch {batch}: {counts.total()} files in {elapsed_s:.0f} s, at most "
                f"{most >> 20} MB resident, {dict(sorted(counts.items()))}"
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
