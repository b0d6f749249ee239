"""What a recommendation costs in a large catalogue: `python -m benchmarks.similar_cost FOLDER`.

Makes synthetic catalogues in FOLDER, or takes those that are there, and runs the commands as a
user would, start-up included. Processor time is what counts: it says more than the time that
passed where the machine has other work.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

import click

from benchmarks.machine import describe_machine, load_average
from benchmarks.measuring import Cost, run
from benchmarks.synthetic_catalog import ROOT, artist_of, make_catalog, track_path


def commands(n_tracks: int) -> Mapping[str, Sequence[str]]:
    """Return {what it is called: the words behind `tagger`}; the seed lies in the middle."""
    middle = n_tracks // 2 + 1
    seed, other = str(track_path(middle)), str(track_path(1))
    return {
        "similar TRACK": ["similar", seed],
        "similar TRACK --same-genre": ["similar", seed, "--same-genre"],
        "similar TRACK --under FOLDER": ["similar", seed, "--under", str(ROOT)],
        "similar TRACK TRACK": ["similar", seed, other],
        "similar --artist": ["similar", "--artist", artist_of(middle)],
        "similar --mix": ["similar", "--mix", "Rock=2,Folk=1"],
        "playlist --from --to": ["playlist", "--from", seed, "--to", other],
    }


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "-n", "sizes", type=int, multiple=True, default=(100_000, 1_000_000), help="Tracks; repeatable."
)
@click.option("--rounds", "n_rounds", default=5, show_default=True, help="Runs of each command.")
def main(folder: Path, sizes: tuple[int, ...], n_rounds: int) -> None:
    """Print what each command costs in catalogues of so many tracks."""
    folder.mkdir(parents=True, exist_ok=True)
    columns = []
    for n_tracks in sizes:
        catalog = folder / f"synthetic-{n_tracks}.db"
        if not catalog.exists():
            make_catalog(catalog, n_tracks)
        lines = commands(n_tracks)
        columns.append({name: costs(words, catalog, n_rounds) for name, words in lines.items()})
    click.echo(table(sizes, columns))


def costs(words: Sequence[str], catalog: Path, n_rounds: int) -> Sequence[Cost]:
    """Return what a command costs, run after run."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TAGGER_")}
    line = [sys.executable, "-m", "tagger", *words, "--catalog", str(catalog)]
    with tempfile.TemporaryDirectory(prefix="tagger-similar-") as scratch:
        environment = kept | {"XDG_CONFIG_HOME": scratch}
        return [run(line, environment, Path(scratch, "output")) for _ in range(n_rounds)]


def table(sizes: Sequence[int], columns: Sequence[Mapping[str, Sequence[Cost]]]) -> str:
    """Return medians of processor time, the longest in brackets, and of the time that passed."""
    heads = "".join(f" {n:,} tracks: CPU s | passed s |" for n in sizes)
    lines = [f"| |{heads}", "|---|" + "--:|--:|" * len(sizes)]
    for name in columns[0]:
        cells = [_cells(column[name]) for column in columns]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    load = f"- load afterwards: {load_average():.1f}"
    facts = [f"- {name}: {fact}" for name, fact in describe_machine().items()]
    return "\n".join([*lines, "", *facts, load])


def _cells(runs: Sequence[Cost]) -> str:
    cpu = [cost.cpu_s for cost in runs]
    passed = median(cost.wall_s for cost in runs)
    return f"{median(cpu):.2f} ({max(cpu):.2f}) | {passed:.2f}"


if __name__ == "__main__":
    main()
