"""What to hear next: the nearest embeddings, less what nobody wants to be told.

What is near is told by ``nearest``, what is the same recording by ``recordings``, where to look
from by ``seeds``. Here is which tracks are named, and in what order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import chain, islice
from pathlib import Path
from typing import TypeVar

import numpy as np

from tagger.catalog import HeardTrack, Ids, Reader, TrackRow, Years, fold
from tagger.errors import CatalogError, printable
from tagger.recommending.drawing import Draw
from tagger.recommending.nearest import nearest_first
from tagger.recommending.recordings import Recordings
from tagger.recommending.seeds import Seed
from tagger.recommending.similarity import steps_between, unit_vectors
from tagger.records import FloatArray
from tagger.wording import counted

MAX_PER_ARTIST = 2
_CANDIDATES_A_STEP = 60
_ROUNDING = 1e-4  # of shares, which are float32: two thirds of three are two
_WHOLE = np.ones((1, 1), np.float32)
_NONE = np.empty(0, np.int64)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SimilarQuery:
    """Which tracks to recommend.

    Args:
        n: At most so many.
        genres: Only tracks with one of these, whatever its case; () for any.
        same_genre: Only tracks that share a genre with a seed.
        max_per_artist: At most so many by one artist, or any number if None; tracks without an
            artist are not counted.
        under: Only tracks in this folder.
        min_duration_s, max_duration_s: Only tracks of such a length.
        years: Only tracks released then.
        without: Never these files.
    """

    n: int = 10
    genres: tuple[str, ...] = ()
    same_genre: bool = False
    max_per_artist: int | None = MAX_PER_ARTIST
    under: Path | None = None
    min_duration_s: float | None = None
    max_duration_s: float | None = None
    years: Years | None = None
    without: frozenset[Path] = frozenset()


@dataclass(frozen=True, slots=True)
class Match:
    """A track that is recommended, and why.

    Args:
        row: The track.
        similarity: Its mean similarity to the seeds, in [-1, 1]; 1 is the same.
        shared_genres: Genres that it has in common with the seeds.
        nearest: Which seed it is most like, where there are several tracks.
    """

    row: TrackRow
    similarity: float
    shared_genres: tuple[str, ...]
    nearest: TrackRow | None = None


def recommend(reader: Reader, seed: Seed, query: SimilarQuery) -> list[Match]:
    """Return the tracks most similar to a seed, the nearest first.

    Never a seed itself, a vanished file, or one recording twice.

    Raises:
        CatalogError: The catalogue cannot be read, or there is no such track.
    """
    choice = _Choice(query, seed)
    matches: list[Match] = []
    for genre, n in _shared_out(seed, query.n):
        own = _among(reader, seed, query, genre)
        matches += _nearest(reader, seed, choice, own, n)
    if len(matches) < query.n:  # all of them, but for a mix whose genres have too few tracks
        rest = _among(reader, seed, query)
        matches += _nearest(reader, seed, choice, rest, query.n - len(matches))
    if not matches:
        raise CatalogError(_nothing_left(reader, query, choice))
    # A database may have compared rounded numbers.
    return sorted(matches, key=lambda match: -match.similarity)


def _nearest(
    reader: Reader, seed: Seed, choice: _Choice, among: Ids | None, n: int
) -> Iterator[Match]:
    """Yield so many tracks of some, the nearest to a seed first."""
    (nearest,) = nearest_first(reader, seed.model_id, seed.target[None], _WHOLE, among)
    candidates = chain.from_iterable(_candidates(reader, seed, batch) for batch in nearest)
    taken = (_match(track, at, seed) for track, at in candidates if choice.takes(track, at))
    return islice(taken, n)


def _shared_out(seed: Seed, n: int) -> list[tuple[str, int]]:
    """Return how many tracks each genre of a mix is to have, by largest remainder."""
    if seed.tracks or len(seed.genres) != len(seed.weights) or len(seed.genres) < 2:
        return []
    exact = n * seed.weights
    counts = np.floor(exact + _ROUNDING).astype(int)
    largest_first = np.argsort(counts - exact, kind="stable")
    counts[largest_first[: n - counts.sum()]] += 1
    return [(genre, int(m)) for genre, m in zip(seed.genres, counts, strict=True) if m]


def _nothing_left(reader: Reader, query: SimilarQuery, choice: _Choice) -> str:
    """Return in words which of the things that were asked for no other recording has."""
    unknown = [genre for genre in query.genres if not len(reader.of_genre(genre))]
    if unknown and len(unknown) == len(query.genres):
        return reader.unknown_genre(*unknown)
    asked = []
    if query.genres:
        asked.append(f"of the genre {' or '.join(query.genres)}")
    if query.same_genre:
        asked.append("of a genre of the tracks named")
    if query.under is not None:
        asked.append(f"in {printable(query.under)}")
    if query.years is not None:
        asked.append("of the years named")
    if query.min_duration_s is not None or query.max_duration_s is not None:
        asked.append("as long or as short")
    said = "no other recording in the catalogue was heard by the model that compares"
    if asked:
        said = f"no other recording that was heard is {', '.join(asked)}"
    others = []
    if n := len(choice.copies):
        others.append(f"{counted(n, 'track is', 'tracks are')} the same recording")
    if n := len(choice.left_out):
        others.append(f"{counted(n, 'is', 'are')} left out, being there already")
    return "; ".join([said, *others])


def path_between(
    reader: Reader, ends: Seed, query: SimilarQuery, draw: Draw | None = None
) -> list[TrackRow]:
    """Return tracks from the first of two seeds to the second, each a small step from the last.

    The way is cut into even steps, and each takes the nearest track that may be named, by another
    artist than the last one where there is such. It has ``query.n`` tracks, the ends among them, or
    fewer where the catalogue has no more.

    Args:
        reader: The catalogue.
        ends: The two seeds.
        query: Which tracks may be named.
        draw: Takes at each step one of the nearest few, in place of the nearest.
    """
    first, last = ends.tracks
    steps = steps_between(ends.unit_vectors[0], ends.unit_vectors[1], max(query.n, 2))[1:-1]
    if not len(steps):
        return [first.row, last.row]
    among = _among(reader, ends, query)
    nearest = nearest_first(reader, ends.model_id, ends.unit_vectors, steps, among)
    near = [next(batches, _NONE)[:_CANDIDATES_A_STEP] for batches in nearest]
    candidates = {
        track.track_id: (track, unit_vector)
        for track, unit_vector in _candidates(reader, ends, np.unique(np.concatenate(near)))
    }
    choice = _Choice(query, ends)
    way = [first.row]
    for batch in near:
        order = batch.tolist() if draw is None else draw.near_first(batch.tolist())
        known = [candidates[i] for i in order if i in candidates]
        # Stable: among those by others, and those by the same artist, the nearest stay first.
        known.sort(key=lambda one: _by_one_artist(one[0].row, way[-1]))
        taken = next((track for track, where in known if choice.takes(track, where)), None)
        if taken is not None:
            way.append(taken.row)
    return [*way, last.row]


def spread(rows: Sequence[TrackRow], after: str = "") -> list[TrackRow]:
    """Return tracks in nearly the same order, no artist twice in a row where that can be helped.

    Args:
        rows: The tracks.
        after: The artist of the track that they are to follow.
    """
    by_artist = spread_out([(fold(row.artist), row) for row in rows], fold(after))
    return [row for _, row in by_artist]


def spread_out(named: Sequence[tuple[str, T]], last: str = "") -> list[tuple[str, T]]:
    """Return things in nearly the same order, no artist twice in a row where that can be helped.

    Args:
        named: (artist, thing); "" is nobody.
        last: The artist of what comes before.
    """
    left, ordered = list(named), list[tuple[str, T]]()
    while left:
        others = [one for one in left if not last or one[0] != last] or left
        # An artist of more than half of what is left cannot wait.
        artist, n = Counter(name for name, _ in left).most_common(1)[0]
        urgent = (one for one in others if 2 * n > len(left) and one[0] == artist)
        taken = next(urgent, others[0])
        left.remove(taken)
        ordered.append(taken)
        last = taken[0]
    return ordered


def _by_one_artist(row: TrackRow, other: TrackRow) -> bool:
    return bool(row.artist) and fold(row.artist) == fold(other.artist)


class _Choice:
    """Takes tracks one by one, as long as a query allows.

    ``copies`` are those refused as a recording that was named, ``left_out`` those of the query.
    """

    def __init__(self, query: SimilarQuery, seed: Seed) -> None:
        self._query = query
        self.copies: set[int] = set()
        self.left_out: set[int] = set()
        self._named = Recordings()
        self._by_artist: Counter[str] = Counter()
        for track, unit_vector in zip(seed.tracks, seed.unit_vectors, strict=False):
            self._named.add(track, unit_vector)

    def takes(self, track: HeardTrack, unit_vector: FloatArray) -> bool:
        """Return whether a track may be named now; if so, it counts as named."""
        artist, at_most = fold(track.row.artist), self._query.max_per_artist
        if track.row.path in self._query.without:
            self.left_out.add(track.track_id)
            return False
        if not self._fits(track.row.duration_s):
            return False
        if self._named.hold(track, unit_vector):
            self.copies.add(track.track_id)
            return False
        if artist and at_most is not None and self._by_artist[artist] >= at_most:
            return False
        self._by_artist[artist] += 1
        self._named.add(track, unit_vector)
        return True

    def _fits(self, duration_s: float | None) -> bool:
        least, most = self._query.min_duration_s, self._query.max_duration_s
        if duration_s is None:
            return least is None and most is None
        return (least is None or duration_s >= least) and (most is None or duration_s <= most)


def _among(reader: Reader, seed: Seed, query: SimilarQuery, genre: str = "") -> Ids | None:
    """Return the tracks that pass the filters on genre, folder and years; None: all do.

    Args:
        reader: The catalogue.
        seed: Whose genres may be asked for.
        query: The filters.
        genre: One that they must have besides; "" for any.
    """
    if query.same_genre and not seed.genres:
        raise CatalogError("the seed has no genre to share; leave out --same-genre")
    passing = [
        np.concatenate([reader.of_genre(one) for one in genres])
        for genres in (
            query.genres,
            seed.genres if query.same_genre else (),
            (genre,) if genre else (),
        )
        if genres
    ]
    if query.under is not None:
        passing.append(reader.under(query.under))
    if query.years is not None:
        passing.append(reader.of_years(query.years))
    return reduce(np.intersect1d, passing) if passing else None


def _candidates(reader: Reader, seed: Seed, ids: Ids) -> Iterator[tuple[HeardTrack, FloatArray]]:
    """Yield those that are no seeds and have not vanished, in order, and where they point."""
    others = ids[~np.isin(ids, [track.track_id for track in seed.tracks])].tolist()
    tracks = reader.tracks(others)
    found, vectors = reader.vectors_of(seed.model_id, ids)
    by_track: Mapping[int, FloatArray] = dict(
        zip(found.tolist(), unit_vectors(vectors), strict=True)
    )
    for track_id in others:
        if track_id in tracks and track_id in by_track:
            yield tracks[track_id], by_track[track_id]


def _match(track: HeardTrack, unit_vector: FloatArray, seed: Seed) -> Match:
    similarity = float(np.clip(unit_vector @ seed.target, -1, 1))
    shared_keys = {fold(genre) for genre in seed.genres}
    shared = tuple(genre for genre in track.row.genres if fold(genre) in shared_keys)
    nearest = None
    if len(seed.tracks) > 1:
        nearest = seed.tracks[
            int(np.argmax(seed.unit_vectors[: len(seed.tracks)] @ unit_vector))
        ].row
    return Match(track.row, similarity, shared, nearest)
