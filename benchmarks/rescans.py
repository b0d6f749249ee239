"""What looking again at an unchanged library costs: `python -m benchmarks.rescans FOLDER`.

Makes libraries of so many files of one byte each in FOLDER, or takes those that are there, with
catalogues that say that all were heard and bear a person's genre; then runs `tagger tag` on them
as a nightly job would, start-up included, in turn with the owner's tags and by sound alone. Memory
is the most that the process held at once.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import click
import numpy as np

from benchmarks.machine import describe_machine, load_average
from tagger.catalog import Catalog, CatalogEntry, ModelRecord
from tagger.models.files import find_model, read_card
from tagger.reasons import Reason, ReasonCode
from tagger.records import AudioFile, RunSummary, Status, TagsFound, TrackPrediction
from tagger.tag_fields import TABLE
from tagger.tagging.track import stat_again

_ALBUM_TRACKS = 10
_ARTIST_ALBUMS = 10
_AT_ONCE = 2000
_EVIDENCE = ("album,artist,sound", "sound")


@dataclass(frozen=True, slots=True)
class Rescan:
    """What one run cost: time that passed, processor time, and the most memory."""

    wall_s: float
    cpu_s: float
    memory_mb: float


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("-n", "sizes", type=int, multiple=True, default=(1000, 100_000), help="Repeatable.")
@click.option("--rounds", "n_rounds", default=3, show_default=True, help="Runs of each.")
def main(folder: Path, sizes: tuple[int, ...], n_rounds: int) -> None:
    """Print what a re-scan of so many unchanged files costs."""
    lines = ["| files | evidence | passed s | CPU s | memory MB |", "|--:|:--|--:|--:|--:|"]
    for n_files in sizes:
        place = folder / f"rescan-{n_files}"
        if not (place / "catalog.db").exists():
            make_library(place, n_files)
        rounds = [{one: rescan(place, one) for one in _EVIDENCE} for _ in range(n_rounds)]
        for evidence in _EVIDENCE:
            runs = [one[evidence] for one in rounds]
            lines.append(
                f"| {n_files:,} | {evidence} | {median(r.wall_s for r in runs):.2f} "
                f"| {median(r.cpu_s for r in runs):.2f} | {median(r.memory_mb for r in runs):.0f} |"
            )
    facts = [f"- {name}: {fact}" for name, fact in describe_machine().items()]
    click.echo("\n".join([*lines, "", *facts, f"- load afterwards: {load_average():.1f}"]))


def make_library(place: Path, n_files: int) -> None:
    """Make files, and a catalogue that says that they were heard and bear a person's genre."""
    music = place / "music"
    music.mkdir(parents=True)
    card = read_card(find_model("default"))
    dim = int(card.network["embedding_dim"])
    with Catalog.open(place / "catalog.db") as catalog:
        catalog.register_model(ModelRecord(card.model_id, card.architecture, card.labels, dim))
        run_id = catalog.begin_run("tag", card.model_id, [music])
        for entries in _entries(music, n_files, card.model_id, card.labels, dim):
            catalog.record(run_id, entries)
        catalog.end_run(run_id, RunSummary())


def _entries(
    music: Path, n_files: int, model_id: str, labels: Sequence[str], dim: int
) -> Iterator[list[CatalogEntry]]:
    rng = np.random.default_rng(1)
    even = dict.fromkeys(labels, 1 / len(labels))
    batch: list[CatalogEntry] = []
    for n in range(n_files):
        album = n // _ALBUM_TRACKS
        artist = album // _ARTIST_ALBUMS
        path = music / f"Artist {artist:05d}" / f"Album {album:06d}" / f"{n:07d}.mp3"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\0")
        heard = TrackPrediction(
            path, even, even[labels[0]], rng.standard_normal(dim).astype("f4"), 4, model_id, 200.0
        )
        names = (f"Song {n}", f"Artist {artist}", f"Album {album}")
        tags = TagsFound(("Rock",), None, *names, read_by=TABLE)
        batch.append(
            CatalogEntry(
                file=stat_again(AudioFile(path, music, 0, 0)),
                tags=tags,
                status=Status.KEPT,
                reason=Reason(ReasonCode.SOMEBODYS),
                prediction=heard,
                audio=f"1-{n:032x}",
            )
        )
        if len(batch) == _AT_ONCE or n == n_files - 1:
            yield batch
            batch = []


def rescan(place: Path, evidence: str = _EVIDENCE[0]) -> Rescan:
    """Run the tagger over a library as cron would, and return what that cost."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TAGGER_")}
    with tempfile.TemporaryDirectory(prefix="tagger-rescan-") as scratch:
        environment = kept | {"XDG_CONFIG_HOME": scratch}
        line = [sys.executable, "-m", "tagger", "tag", "--quiet", str(place / "music")]
        started = time.monotonic()
        line += ["--catalog", str(place / "catalog.db"), "--evidence", evidence]
        process = subprocess.Popen(line, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise click.ClickException(f"the re-scan ended with {process.returncode}")
    return Rescan(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


if __name__ == "__main__":
    main()
