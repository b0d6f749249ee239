"""What learning many genres costs: `python -m benchmarks.many_genres --genres 1000 --tracks 12`.

Measures the whole of `tagger learn --dry-run`, start-up and report included, on a catalogue of
tracks that are not there: around a centre for each genre lie artists of four tracks each, as the
best bundled network might have heard them. Nothing is listened to.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import describe_machine, load_average
from tagger.catalog import Catalog, CatalogEntry, ModelRecord
from tagger.models.files import BUNDLED, read_card
from tagger.records import AudioFile, Status, TagsFound, TrackPrediction

_ROOT = Path("/made-up")
_ARTIST_TRACKS = 4
_APART = 0.6  # spread of the centres; that of artists, and of tracks around these, is 1


@click.command()
@click.option("--genres", "n_genres", default=1000, show_default=True)
@click.option("--tracks", "n_tracks", default=12, show_default=True, help="Of each genre.")
@click.option("--second", default=0.0, show_default=True, help="Share with a second genre.")
def main(n_genres: int, n_tracks: int, second: float) -> None:
    """Learn that many genres, and print time and memory."""
    with tempfile.TemporaryDirectory(prefix="tagger-genres-") as folder:
        place, told = Path(folder, "catalog.db"), Path(folder, "told")
        make_library(place, n_genres, n_tracks, second=second)
        words = ["learn", "--dry-run", "--catalog", str(place), str(_ROOT)]
        began = time.perf_counter()
        with told.open("wb") as output:
            process = subprocess.Popen([sys.executable, "-m", "tagger", *words], stdout=output)
            _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise click.ClickException(f"tagger learn ended with {process.returncode}")
    click.echo(
        f"{n_genres} genres of {n_tracks} tracks: {wall_s:.1f} s, of which "
        f"{usage.ru_utime + usage.ru_stime:.1f} s of processor; "
        f"{usage.ru_maxrss / 2**20:.2f} GiB at the most"
    )
    facts = [f"- {name}: {fact}" for name, fact in describe_machine().items()]
    click.echo("\n".join([*facts, f"- load afterwards: {load_average():.1f}"]))


def make_library(place: Path, n_genres: int, n_tracks: int, *, second: float = 0.0) -> None:
    """Make a catalogue of tracks that bear genres of a person's.

    Args:
        place: Where to.
        n_genres: How many.
        n_tracks: Of each.
        second: Share of tracks that have another genre as well, and sound like both.
    """
    card = read_card(BUNDLED / "musicnn.pt")
    dim = int(card.network["embedding_dim"])
    rng = np.random.default_rng(0)
    centres = rng.normal(0, _APART, (n_genres, dim))
    n_artists = -(-n_tracks // _ARTIST_TRACKS)
    with Catalog.open(place) as catalog:
        catalog.register_model(ModelRecord(card.model_id, card.architecture, card.labels, dim))
        run_id = catalog.begin_run("learn", card.model_id)
        for genre in range(n_genres):
            own = rng.normal(size=(n_artists, dim)).repeat(_ARTIST_TRACKS, axis=0)[:n_tracks]
            vectors = centres[genre] + own + rng.normal(size=own.shape)
            several = [[genre, *rng.choice(n_genres, int(rng.random() < second))] for _ in vectors]
            for vector, genres in zip(vectors, several, strict=True):
                vector += centres[genres[1:]].sum(axis=0)
            catalog.record(
                run_id,
                [
                    _entry(n, _tags(n, genres), vector, card.model_id)
                    for n, (genres, vector) in enumerate(zip(several, vectors, strict=True))
                ],
            )


def _tags(number: int, genres: list[int]) -> TagsFound:
    artist = f"Artist {genres[0]}.{number // _ARTIST_TRACKS}"
    return TagsFound(tuple(f"Genre {genre}" for genre in genres), None, str(number), artist)


def _entry(
    number: int, tags: TagsFound, vector: NDArray[np.float64], model_id: str
) -> CatalogEntry:
    path = _ROOT / tags.genres[0] / f"{number:04d}.mp3"
    heard = TrackPrediction(path, {"rock": 0.5}, 0.5, vector.astype("f4"), 4, model_id, 200.0)
    return CatalogEntry(AudioFile(path, _ROOT, 1000, 0), tags, Status.KEPT, prediction=heard)


if __name__ == "__main__":
    main()
