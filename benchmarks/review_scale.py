"""What a review costs in a large library: `python -m benchmarks.review_scale FOLDER`.

A catalogue of music that is not there, of which two albums in five have no genre, and one real
recording to be played. Told are the processor time until the page stands, the server's memory, how
long an answer takes until it is kept and the next question is shown, how long a sound takes, and
what learning from 2,000 answers costs.
"""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import click
import httpx2
import numpy as np
import soundfile
from threadpoolctl import threadpool_limits

from benchmarks.machine import describe_machine, load_average
from benchmarks.synthetic_catalog import MODEL, make_catalog
from tagger.catalog import Catalog, CatalogEntry
from tagger.learning.examples import Examples
from tagger.learning.linear import fit_linear
from tagger.learning.reviewing import calibrated
from tagger.records import AudioFile, Status, TagsFound, TrackPrediction
from tagger.tagging.track import stat_again
from tools.served_review import served_review

_TICKS = os.sysconf("SC_CLK_TCK")
_SOUND_S = 240.0
_DIM, _GENRES = 200, 15  # of the default network's embedding, and of an owner's genres
_ARTIST_TRACKS = 3
_LOOKED_AT_S = 2.0  # a person looks at a page before pressing anything
_THOUGHT_S = 1.0  # and at a question before listening
_N_NEAR = 20


@dataclass(frozen=True, slots=True)
class Served:
    """A review that runs, and what follows its page."""

    process: subprocess.Popen[bytes]
    client: httpx2.Client
    token: str
    text: str

    @property
    def cpu_s(self) -> float:
        """Processor time of the server so far, without that of the process that learns."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    @property
    def memory_mb(self) -> float:
        """What the server holds now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        (kilobytes,) = re.findall(r"VmRSS:\s+(\d+)", status)
        return int(kilobytes) / 1024

    def do(self, action: str, **body: object) -> tuple[str, float]:
        """Do something as the page does it; return what is shown then, and how long it took."""
        headers = {"origin": str(self.client.base_url).rstrip("/"), "x-tagger-token": self.token}
        begun = time.perf_counter()
        answer = self.client.post(f"/do/{action}", json=body, headers=headers)
        took_s = time.perf_counter() - begun
        answer.raise_for_status()
        return answer.text, took_s


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("-n", "n_tracks", default=50_000, show_default=True, help="Tracks in the library.")
@click.option("--answers", "n_answers", default=300, show_default=True)
def main(folder: Path, n_tracks: int, n_answers: int) -> None:
    """Print what a review of a large library costs."""
    catalog = folder / f"review-{n_tracks}.db"
    folder.mkdir(parents=True, exist_ok=True)
    catalog.unlink(missing_ok=True)
    make_library(catalog, folder, n_tracks)
    click.echo(f"{describe_machine()}; load {load_average():.1f}\n")
    click.echo(f"| {n_tracks:,} tracks | measured |\n|---|--:|")
    with served(catalog) as review:
        _told("processor until the page stands", f"{review.cpu_s:.2f} s")
        _told("memory of the server then", f"{review.memory_mb:.0f} MB")
        time.sleep(_LOOKED_AT_S)
        _tell_sound(review)
        _tell_near(review)
        _tell_answers(review, n_answers)
    _tell_learning(2000)


def _told(what: str, figure: str) -> None:
    click.echo(f"| {what} | {figure} |")


def _tell_sound(review: Served) -> None:
    (number,) = re.findall(
        r'data-jump="(\d+)"', review.client.get("/find", params={"q": "One real song"}).text
    )
    text, _ = review.do("jump", question=int(number))
    (file_id,) = re.findall(r'<option value="(\d+)"', text)
    took = []
    for _ in range(5):
        begun = time.perf_counter()
        review.client.get(f"/sound/{file_id}").raise_for_status()
        took.append(time.perf_counter() - begun)
    _told(
        f"a sound, first ({_LOOKED_AT_S:.0f} s after the page) and median",
        f"{took[0]:.2f} s, {median(took):.2f} s",
    )
    review.client.get("/stage").raise_for_status()
    time.sleep(_THOUGHT_S)
    begun = time.perf_counter()
    review.client.get(f"/sound/{file_id}").raise_for_status()
    _told(
        f"the sound of a question that was shown {_THOUGHT_S:.0f} s before",
        f"{time.perf_counter() - begun:.2f} s",
    )
    review.do("skip", question=int(number))


def _tell_near(review: Served) -> None:
    begun_s = review.cpu_s
    for _ in range(_N_NEAR):
        review.client.get("/near/1").raise_for_status()
    _told("processor of the albums near a question", f"{(review.cpu_s - begun_s) / _N_NEAR:.3f} s")


def _tell_answers(review: Served, n_answers: int) -> None:
    text = review.client.get("/stage").text
    took, memory = [], []
    begun_s = review.cpu_s
    for n in range(n_answers):
        (number,) = re.findall(r'data-question="(\d+)"', text)
        text, took_s = review.do("answer", question=int(number), genres=["Jazz"])
        took.append(took_s)
        if (n + 1) % max(1, n_answers // 6) == 0:
            memory.append(f"{review.memory_mb:.0f}")
    ninety_five = sorted(took)[int(0.95 * len(took))]
    _told(
        f"an answer is kept and the next question shown: median, 95 % and worst of {n_answers}",
        f"{median(took):.3f} s, {ninety_five:.3f} s, {max(took):.3f} s",
    )
    _told("processor of the server an answer", f"{(review.cpu_s - begun_s) / n_answers:.3f} s")
    _told("memory of the server over these answers", " ".join(memory) + " MB")


def _tell_learning(n_answers: int) -> None:
    examples = made_up(n_answers)
    with threadpool_limits(1):
        begun = time.process_time()
        fit_linear(examples, exclusive=True)
        fitted = time.process_time()
        calibrated(examples, examples.embeddings)
        done = time.process_time()
    _told(f"a head from {n_answers:,} answers, processor", f"{fitted - begun:.2f} s")
    _told("judged in folds and calibrated as well, processor", f"{done - fitted:.2f} s")


def made_up(n: int) -> Examples:
    """Return as many single tracks by made-up artists, of genres that overlap."""
    rng = np.random.default_rng(0)
    artist = np.arange(n) // _ARTIST_TRACKS
    genre = (artist % _GENRES).astype(np.int64)
    centres = rng.standard_normal((_GENRES, _DIM))
    own = rng.standard_normal((int(artist.max()) + 1, _DIM))
    vectors = 0.3 * centres[genre] + own[artist] + rng.standard_normal((n, _DIM))
    truth = genre[:, None] == np.arange(_GENRES)
    return Examples(vectors.astype(np.float32), truth, genre, artist.astype(np.int64))


def make_library(catalog: Path, folder: Path, n_tracks: int) -> None:
    """Make the catalogue, with one real recording in it."""
    make_catalog(catalog, n_tracks)
    with closing(sqlite3.connect(catalog)) as database, database:
        blank = "((track_id - 1) / 12) % 5 < 2"
        database.execute(
            "UPDATE tracks SET file_genres = '[]', genre = '', status = 'unsure', "
            f"heard_genres = '[]' WHERE {blank}"
        )
        database.execute(f"DELETE FROM track_genres WHERE {blank}")
    path = (folder / "song.flac").absolute()
    rate = 44_100
    noise = np.random.default_rng(0).normal(0, 0.1, int(rate * _SOUND_S))
    soundfile.write(path, noise.astype(np.float32), rate)
    file = stat_again(AudioFile(path, path.parent, 0, 0))
    said = dict.fromkeys(MODEL.labels, 1 / len(MODEL.labels))
    vector = np.zeros(MODEL.embedding_dim, np.float32)
    heard = TrackPrediction(path, said, 0.2, vector, 4, MODEL.model_id, _SOUND_S)
    tags = TagsFound((), None, "One real song", "Nobody else", "")
    with Catalog.open(catalog) as opened:
        run_id = opened.begin_run("tag", MODEL.model_id)
        opened.record(run_id, [CatalogEntry(file, tags, Status.UNSURE, (), 0.2, None, heard)])


@contextmanager
def served(catalog: Path) -> Iterator[Served]:
    """Run a review, and open its page."""
    with served_review(catalog) as (process, url):
        base = url.partition("/open")[0]
        with httpx2.Client(base_url=base, timeout=60) as client:
            client.get(url.removeprefix(base)).raise_for_status()
            page = client.get("/")
            page.raise_for_status()
            (token,) = re.findall(r'name="token" content="([^"]+)"', page.text)
            yield Served(process, client, token, page.text)


if __name__ == "__main__":
    main()
