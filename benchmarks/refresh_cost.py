"""What it costs to keep playlists fresh: `python -m benchmarks.refresh_cost FOLDER`.

Makes a synthetic catalogue in FOLDER, or takes the one that is there, and refreshes ten playlists
of all kinds as a user would, start-up included: first all are written, then none has changed.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import click

from benchmarks.machine import describe_machine, load_average
from benchmarks.measuring import Cost, run
from benchmarks.synthetic_catalog import ROOT, make_catalog, track_path

N_PLAYLISTS = 10


def settings(n_tracks: int, folder: Path) -> str:
    """Return the tables of ten playlists, written into a folder."""
    seeds = [track_path(1 + i * n_tracks // N_PLAYLISTS) for i in range(N_PLAYLISTS)]
    kinds = [
        f'like = ["{seeds[0]}"]',
        f'like = ["{seeds[1]}", "{seeds[2]}", "{seeds[3]}"]',
        'genre = ["Rock", "Folk"]',
        'genre = "Electronic"\nmin_duration = 60',
        f'from = "{seeds[4]}"\nto = "{seeds[5]}"',
        f'like = "{seeds[6]}"\nalbums = true',
        f'like = "{seeds[7]}"\nseed = 7',
        f'like = "{seeds[8]}"\nunder = "{ROOT}"\nmax_per_artist = 1',
        f'genre = "Pop"\nexclude_playlist = "{folder}/2.m3u8"',
        f'like = "{seeds[9]}"\npath_map = {{ "{ROOT}" = "/srv/music" }}',
    ]
    return "".join(
        f'[playlist.p{i}]\n{kind}\nn = 50\noutput = "{folder}/{i}.m3u8"\n'
        for i, kind in enumerate(kinds)
    )


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("-n", "n_tracks", default=20_000, show_default=True, help="Tracks.")
@click.option("--rounds", "n_rounds", default=5, show_default=True, help="Refreshes of each kind.")
def main(folder: Path, n_tracks: int, n_rounds: int) -> None:
    """Print what a refresh of ten playlists costs in a catalogue of so many tracks."""
    folder.mkdir(parents=True, exist_ok=True)
    catalog = folder / f"synthetic-{n_tracks}.db"
    if not catalog.exists():
        make_catalog(catalog, n_tracks)
    written, unchanged = costs(catalog, n_tracks, n_rounds)
    click.echo(f"{N_PLAYLISTS} playlists of 50, {n_tracks:,} tracks: CPU s (longest), passed s")
    click.echo(f"- all are written: {_told(written)}")
    click.echo(f"- none has changed: {_told(unchanged)}")
    for name, fact in describe_machine().items():
        click.echo(f"- {name}: {fact}")
    click.echo(f"- load afterwards: {load_average():.1f}")


def costs(catalog: Path, n_tracks: int, n_rounds: int) -> tuple[list[Cost], list[Cost]]:
    """Return what refreshes cost that write all, and that find nothing changed."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TAGGER_")}
    line = [sys.executable, "-m", "tagger", "playlist", "--refresh", "--catalog", str(catalog)]
    written: list[Cost] = []
    unchanged: list[Cost] = []
    for _ in range(n_rounds):
        with tempfile.TemporaryDirectory(prefix="tagger-refresh-") as scratch:
            config = Path(scratch, "tagger", "config.toml")
            config.parent.mkdir()
            config.write_text(settings(n_tracks, Path(scratch)), encoding="utf-8")
            environment = kept | {"XDG_CONFIG_HOME": scratch}
            for found, became in ((written, "written"), (unchanged, "unchanged")):
                output = Path(scratch, "output")
                found.append(run(line, environment, output))
                _check(output.read_text(encoding="utf-8"), became)
    return written, unchanged


def _check(printed: str, became: str) -> None:
    lines = printed.splitlines()
    if len(lines) != N_PLAYLISTS or not all(line.startswith(became) for line in lines):
        raise click.ClickException(f"not all of the playlists are {became}:\n{printed}")


def _told(runs: Sequence[Cost]) -> str:
    cpu = [cost.cpu_s for cost in runs]
    return f"{median(cpu):.2f} ({max(cpu):.2f}), {median(cost.wall_s for cost in runs):.2f}"


if __name__ == "__main__":
    main()
