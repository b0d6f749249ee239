"""What commands cost before they do anything: `python -m benchmarks.start_up`.

Processor time of the system and the user together, the least of many calls in turn: on a busy
machine the least says most. Beside each command stands what its library alone takes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import click

_CALLS: Mapping[str, tuple[str, ...]] = {
    "python": ("-c", "pass"),
    "import click": ("-c", "import click"),
    "tagger --help": ("-m", "tagger", "--help"),
    "import sqlalchemy": ("-c", "import sqlalchemy"),
    "tagger list": ("-m", "tagger", "list", "--catalog", "CATALOG"),
}


@click.command()
@click.option("-n", "rounds", type=click.IntRange(1), default=20, show_default=True)
def main(rounds: int) -> None:
    """Print the processor time of each call, in seconds."""
    with tempfile.TemporaryDirectory() as folder:
        place = str(Path(folder) / "catalog.db")
        calls = {
            name: [sys.executable, *(place if word == "CATALOG" else word for word in words)]
            for name, words in _CALLS.items()
        }
        subprocess.run([sys.executable, "-c", _MAKE, place], check=True)
        least = dict.fromkeys(calls, float("inf"))
        for _ in range(rounds):
            for name, call in calls.items():
                least[name] = min(least[name], _cost_s(call))
    for name, cost_s in least.items():
        click.echo(f"{name:18s} {cost_s:.3f}")


_MAKE = "import sys; from tagger.catalog import Catalog; Catalog.open(sys.argv[1]).close()"


def _cost_s(call: list[str]) -> float:
    """Return the processor time of a call."""
    process = subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, _, used = os.wait4(process.pid, 0)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
