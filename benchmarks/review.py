"""How many answers a library takes: `python -m benchmarks.review --fma FILE --clips FILE`.

An owner is simulated from labels and answers truly, or slips. Told is how many answers it takes
until so many blanks are filled while 92 % of what is filled is right, beside album by album, which
learns nothing. Two libraries: FMA Small's real artists, with albums of four made up from each one's
tracks and mel statistics for an ear; and AllMusic's 900 single songs, heard by musicnn, where
albums gain nothing.

What `tagger review` asks is "by artist, largest first". "And filling" is for owners who take its
offer: a head is learned from the answers, and what it is surest of is filled once twenty tracks,
drawn by chance from exactly those, were judged and eighteen were right. Those twenty count as
answers.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click
import numpy as np
from threadpoolctl import threadpool_limits

from tagger.learning.examples import Examples
from tagger.learning.reviewing import calibrated, least_sure
from tagger.records import FloatArray
from tagger.review.filling import HOPED, N_DRAWN, N_ENOUGH, SURER, SUREST, WORTH

_SHARES = (0.5, 0.8, 0.9)
_RIGHT = 0.92  # of what is filled
_ALBUM = 4  # tracks of a made-up one
_SLIPS = 0.05
_FIRST_FIT, _EVERY = 60, 60  # answers


@dataclass(frozen=True)
class Library:
    """Tracks without a genre, and what their owner knows.

    Args:
        truth: (n,) the genres of each.
        albums: Rows of each album, or lone track.
        artists: Albums of each artist.
        vectors: (n, embedding_dim) what was heard.
    """

    truth: Sequence[frozenset[str]]
    albums: Sequence[tuple[int, ...]]
    artists: Sequence[tuple[int, ...]]
    vectors: FloatArray


@dataclass
class Owner:
    """Answers questions, and slips now and then.

    Args:
        library: What is asked about.
        slips: How often.
        rng: Of the slips.
    """

    library: Library
    slips: float
    rng: np.random.Generator
    n_answers: int = 0
    given: dict[int, str] = field(default_factory=dict)
    observed: list[tuple[tuple[int, ...], str]] = field(default_factory=list)
    curve: list[tuple[int, int, int]] = field(default_factory=list)
    _n_right: int = 0

    def ask(self, rows: tuple[int, ...]) -> bool:
        """Answer for some tracks; False, at the cost of an answer: they are different."""
        self.n_answers += 1
        common = frozenset.intersection(*(self.library.truth[row] for row in rows))
        if not common:
            self.curve.append((self.n_answers, len(self.given), self._n_right))
            return False
        genre = min(common)
        if self.rng.random() < self.slips:
            genre = str(self.rng.choice(sorted(self._all - {genre})))
        self.observed.append((rows, genre))
        self.fill(dict.fromkeys(rows, genre))
        return True

    def fill(self, genres: Mapping[int, str]) -> None:
        """Note what was written into tracks."""
        self.given |= genres
        self._n_right += sum(genre in self.library.truth[row] for row, genre in genres.items())
        self.curve.append((self.n_answers, len(self.given), self._n_right))

    @property
    def _all(self) -> frozenset[str]:
        return frozenset().union(*self.library.truth)

    def answers_for(self, share: float) -> float:
        """Return how many answers it took to fill so many, so rightly; infinity if never."""
        n_wanted = share * len(self.library.truth)
        found = (n for n, filled, right in self.curve if filled >= n_wanted)
        good = (n for n, f, r in self.curve if f >= n_wanted and r >= _RIGHT * f)
        return float(next(good, np.inf)) if next(found, None) is not None else np.inf


Order = Callable[[Owner], None]


def by_album(owner: Owner, *, shuffled: bool) -> None:
    """Ask for each album, in random order or the largest first; what differs track by track."""
    albums = list(owner.library.albums)
    owner.rng.shuffle(albums)
    ranked = albums if shuffled else sorted(albums, key=len, reverse=True)
    for rows in ranked:
        _ask_album(owner, tuple(rows))


def by_artist(owner: Owner, *, filling: bool = False, at_once: bool = False) -> None:
    """Ask for all of an artist, those with most blanks first; what differs in smaller parts.

    Args:
        owner: Who is asked.
        filling: Fill what a head is surest of, as ``tagger review`` offers.
        at_once: Parts are asked for right away; else when their turn comes, as they are shipped.
    """
    library, bar, due = owner.library, 0.0, _FIRST_FIT
    waiting = [[library.albums[n] for n in artist] for artist in library.artists]
    queue = [(-sum(map(len, units)), n, units) for n, units in enumerate(waiting)]
    heapq.heapify(queue)
    n_asked = len(queue)
    while queue:
        n_blank, _, units = heapq.heappop(queue)
        left = [tuple(row for row in rows if row not in owner.given) for rows in units]
        together = tuple(row for rows in left for row in rows)
        if not together or owner.ask(together):
            parts: list[tuple[int, ...]] = []
        else:
            parts = [rows for rows in left if rows]
            parts = parts if len(parts) > 1 else [(row,) for row in together]
        for rows in parts:
            n_asked += 1
            rank = n_blank if at_once else -len(rows)
            heapq.heappush(queue, (rank, -n_asked if at_once else n_asked, [rows]))
        if filling and owner.n_answers >= due:
            bar = _fill_surest(owner, bar)
            due = owner.n_answers + _EVERY


def _ask_album(owner: Owner, rows: tuple[int, ...]) -> None:
    if not owner.ask(rows):
        for row in rows:
            owner.ask((row,))


def _fill_surest(owner: Owner, bar: float) -> float:
    """Fill what a head is surest of, if a fair sample allows it; return the bar for the next time.

    Args:
        owner: Who judges.
        bar: By how much the last sample failed, added to what is hoped for.
    """
    library = owner.library
    blank = np.array([n for n in range(len(library.truth)) if n not in owner.given])
    said, sure, least = _learned(owner, min(HOPED + bar, SUREST), library.vectors[blank])
    chosen = np.flatnonzero(sure >= least)
    if len(chosen) < WORTH:
        return bar
    drawn = owner.rng.choice(chosen, N_DRAWN, replace=False)
    n_right = 0
    for n in drawn.tolist():
        owner.ask((int(blank[n]),))
        n_right += said[n] in library.truth[int(blank[n])]
    if n_right < N_ENOUGH:
        return bar + SURER
    rest = [n for n in chosen.tolist() if int(blank[n]) not in owner.given]
    owner.fill({int(blank[n]): said[n] for n in rest})
    return bar


def _learned(
    owner: Owner, hoped: float, vectors: FloatArray
) -> tuple[list[str], FloatArray, float]:
    """Return what a head says of tracks, how sure it is, and from where it is right so often."""
    names = sorted({genre for _, genre in owner.observed})
    first = np.array([names.index(genre) for _, genre in owner.observed])
    heard = np.stack([owner.library.vectors[list(rows)].mean(axis=0) for rows, _ in owner.observed])
    truth = np.eye(len(names), dtype=np.bool_)[first]
    examples = Examples(heard.astype(np.float32), truth, first, np.arange(len(first)))
    with threadpool_limits(1):
        held_out, p = calibrated(examples, vectors)
    least = least_sure(held_out.max(axis=1), held_out.argmax(axis=1) == first, hoped)
    return [names[n] for n in p.argmax(axis=1)], p.max(axis=1), least


ORDERS: Mapping[str, Order] = {
    "album by album, at random": lambda owner: by_album(owner, shuffled=True),
    "album by album, largest first": lambda owner: by_album(owner, shuffled=False),
    "by artist, largest first, parts at once": lambda owner: by_artist(owner, at_once=True),
    "by artist, largest first": by_artist,
    "by artist, and filling": lambda owner: by_artist(owner, filling=True),
}


def fma_library(file: Path) -> Library:
    """Return FMA Small's artists; albums of four tracks each are made up in the order of ids."""
    with np.load(file) as arrays:
        mel = arrays["mel"].astype(np.float32)
        labels, genre, artist = arrays["labels"], arrays["genre"], arrays["artist_id"]
    vectors = np.hstack([mel.mean(axis=2), mel.std(axis=2)])
    truth = [frozenset({str(labels[n])}) for n in genre]
    return _grouped(truth, artist.tolist(), vectors, _ALBUM)


def clips_library(file: Path) -> Library:
    """Return AllMusic's single songs."""
    with np.load(file) as arrays:
        chosen = arrays["collection"] == "allmusic"
        truth = [frozenset(str(text).split("; ")) for text in arrays["labels"][chosen]]
        groups = arrays["group"][chosen].tolist()
        vectors = arrays["musicnn_embedding"][chosen]
    return _grouped(truth, groups, vectors, 1)


def _grouped(
    truth: Sequence[frozenset[str]], artists: Sequence[object], vectors: FloatArray, size: int
) -> Library:
    rows_of: dict[object, list[int]] = {}
    for row, artist in enumerate(artists):
        rows_of.setdefault(artist, []).append(row)
    albums: list[tuple[int, ...]] = []
    by_name: list[tuple[int, ...]] = []
    for rows in rows_of.values():
        cut = [tuple(rows[n : n + size]) for n in range(0, len(rows), size)]
        by_name.append(tuple(range(len(albums), len(albums) + len(cut))))
        albums += cut
    return Library(truth, albums, by_name, vectors)


def table(library: Library, seeds: Iterable[int]) -> list[str]:
    """Return the rows of a table: for each order the answers needed, over all seeds."""
    heads = " | ".join(f"{share:.0%} filled" for share in _SHARES)
    lines = [f"| order | slips | {heads} |", "|---|--:|" + "--:|" * len(_SHARES)]
    seeds = tuple(seeds)
    for slips in (0.0, _SLIPS):
        for name, order in ORDERS.items():
            found = []
            for seed in seeds:
                owner = Owner(library, slips, np.random.default_rng(seed))
                order(owner)
                found.append([owner.answers_for(share) for share in _SHARES])
            cells = " | ".join(map(_cell, zip(*found, strict=True)))
            lines.append(f"| {name} | {slips:.0%} | {cells} |")
    return lines


def _cell(values: Sequence[float]) -> str:
    if not np.isfinite(values).all():
        return "never" if not np.isfinite(values).any() else "not with every seed"
    low, high = min(values), max(values)
    mean = f"{np.mean(values):.0f}"
    return mean if low == high else f"{mean} ({low:.0f} to {high:.0f})"


@click.command()
@click.option("--fma", type=click.Path(path_type=Path, exists=True), help="training.npz of FMA.")
@click.option("--clips", type=click.Path(path_type=Path, exists=True), help="vectors.npz of clips.")
@click.option("--seeds", default=5, show_default=True)
def main(fma: Path | None, clips: Path | None, seeds: int) -> None:
    """Print how many answers each order takes."""
    for title, file, load in (
        ("FMA Small, albums of four made up", fma, fma_library),
        ("AllMusic, single songs", clips, clips_library),
    ):
        if file is not None:
            library = load(file)
            click.echo(f"\n{title}: {len(library.truth)} tracks, {len(library.artists)} artists\n")
            for line in table(library, range(seeds)):
                click.echo(line)


if __name__ == "__main__":
    main()
