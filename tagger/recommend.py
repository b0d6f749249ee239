"""What to hear next: the nearest embeddings, less what nobody wants to be told.

What is near is ``tagger.likeness``, what is the same recording ``tagger.recordings``, where to
look from ``tagger.seeds``. Here is which tracks are named, and in what order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tagger.catalog.reader import Reader
from tagger.catalog.rows import HeardTrack, TrackRow
from tagger.catalog.text import fold
from tagger.errors import CatalogError
from tagger.likeness import directions, likeness, steps_between
from tagger.recordings import Recordings
from tagger.records import FloatArray
from tagger.seeds import Seed

MAX_PER_ARTIST = 2
_FIRST_BATCH = 100  # candidates looked up at once; each further batch is larger
_GROWTH = 4
_CANDIDATES_A_STEP = 60

_Ids = NDArray[np.int64]


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
    """

    n: int = 10
    genres: tuple[str, ...] = ()
    same_genre: bool = False
    max_per_artist: int | None = MAX_PER_ARTIST
    under: Path | None = None
    min_duration_s: float | None = None
    max_duration_s: float | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """A track that is recommended, and why.

    Args:
        row: The track.
        similarity: Its mean likeness to the seeds, in [-1, 1]; 1 is the same.
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
    ids, scores = _scored(reader, seed.model_id, seed.target[None])
    choice = _Choice(query, seed)
    allowed = _allowed(reader, ids, seed, query)
    matches: list[Match] = []
    for batch in _nearest_first(np.where(allowed, scores[:, 0], -np.inf)):
        if len(matches) >= query.n:
            break
        likelihoods = dict(zip(ids[batch].tolist(), scores[batch, 0].tolist(), strict=True))
        for track, direction in _candidates(reader, seed.model_id, list(likelihoods)):
            if len(matches) < query.n and choice.takes(track, direction):
                score = likelihoods[track.track_id]
                matches.append(_match(track, direction, score, seed))
    if not matches:
        raise CatalogError("no other track is what was asked for; ask for less")
    return matches


def path_between(reader: Reader, ends: Seed, query: SimilarQuery) -> list[TrackRow]:
    """Return tracks from the first of two seeds to the second, each a small step from the last.

    The way is cut into even steps, and each takes the nearest track that may be named. It has
    ``query.n`` tracks, the ends among them, or fewer where the catalogue has no more.
    """
    first, last = ends.tracks
    steps = steps_between(ends.directions[0], ends.directions[1], max(query.n, 2))[1:-1]
    if not len(steps):
        return [first.row, last.row]
    ids, scores = _scored(reader, ends.model_id, ends.directions)
    allowed = _allowed(reader, ids, ends, query)
    near = [_nearest(np.where(allowed, scores @ step, -np.inf)) for step in steps]
    wanted = ids[np.unique(np.concatenate(near))].tolist()
    candidates = {
        track.track_id: (track, direction)
        for track, direction in _candidates(reader, ends.model_id, wanted)
    }
    choice = _Choice(query, ends)
    between_them = []
    for batch in near:
        known = (candidates[i] for i in ids[batch].tolist() if i in candidates)
        taken = next((track for track, where in known if choice.takes(track, where)), None)
        if taken is not None:
            between_them.append(taken.row)
    return [first.row, *between_them, last.row]


def spread(rows: Sequence[TrackRow]) -> list[TrackRow]:
    """Return tracks in nearly the same order, no artist twice in a row where that can be helped."""
    left, spread_out = list(rows), list[TrackRow]()
    while left:
        last = spread_out[-1] if spread_out else None
        others = [row for row in left if last is None or not _by_one_artist(row, last)] or left
        # An artist of more than half of what is left cannot wait.
        artist, n = Counter(fold(row.artist) for row in left).most_common(1)[0]
        urgent = (row for row in others if 2 * n > len(left) and fold(row.artist) == artist)
        taken = next(urgent, others[0])
        left.remove(taken)
        spread_out.append(taken)
    return spread_out


def _by_one_artist(row: TrackRow, other: TrackRow) -> bool:
    return bool(row.artist) and fold(row.artist) == fold(other.artist)


class _Choice:
    """Takes tracks one by one, as long as a query allows."""

    def __init__(self, query: SimilarQuery, seed: Seed) -> None:
        self._query = query
        self._named = Recordings()
        self._by_artist: Counter[str] = Counter()
        for track, direction in zip(seed.tracks, seed.directions, strict=False):
            self._named.add(track, direction)

    def takes(self, track: HeardTrack, direction: FloatArray) -> bool:
        """Return whether a track may be named now; if so, it counts as named."""
        artist, at_most = fold(track.row.artist), self._query.max_per_artist
        if not self._fits(track.row.duration_s) or self._named.hold(track, direction):
            return False
        if artist and at_most is not None and self._by_artist[artist] >= at_most:
            return False
        self._by_artist[artist] += 1
        self._named.add(track, direction)
        return True

    def _fits(self, duration_s: float | None) -> bool:
        least, most = self._query.min_duration_s, self._query.max_duration_s
        if duration_s is None:
            return least is None and most is None
        return (least is None or duration_s >= least) and (most is None or duration_s <= most)


def _scored(reader: Reader, model_id: str, targets: FloatArray) -> tuple[_Ids, FloatArray]:
    """Return all tracks of a model and their likeness to each target: (n,), (n, n_targets)."""
    ids, scores = [np.empty(0, np.int64)], [np.empty((0, len(targets)), np.float32)]
    for block_ids, vectors in reader.blocks(model_id):
        ids.append(block_ids)
        scores.append(likeness(vectors, targets))
    if len(ids) == 1:
        raise CatalogError(
            f"no track was heard by that model ({model_id}), and embeddings of two models cannot "
            "be compared; name the catalogue's with --model"
        )
    return np.concatenate(ids), np.concatenate(scores)


def _allowed(reader: Reader, ids: _Ids, seed: Seed, query: SimilarQuery) -> NDArray[np.bool_]:
    """Return which of the tracks are no seeds and pass the filters on genre and folder."""
    seeds = [track.track_id for track in seed.tracks]
    allowed = (ids > 0) & ~np.isin(ids, seeds)
    for genres in (query.genres, seed.genres if query.same_genre else ()):
        if genres:
            allowed &= np.isin(ids, np.concatenate([reader.of_genre(genre) for genre in genres]))
    if query.same_genre and not seed.genres:
        raise CatalogError("the seed has no genre to share; leave out --same-genre")
    if query.under is not None:
        allowed &= np.isin(ids, reader.under(query.under))
    return allowed


def _nearest_first(scores: FloatArray) -> Iterator[NDArray[np.intp]]:
    """Yield where the highest scores are, in batches that grow; -inf is never among them."""
    left, size = scores.copy(), _FIRST_BATCH
    while size:
        size = min(size, int(np.isfinite(left).sum()))
        if not size:
            return
        top = np.argpartition(-left, size - 1)[:size]
        batch = top[np.lexsort((top, -left[top]))]
        yield batch
        left[batch] = -np.inf
        size *= _GROWTH


def _nearest(scores: FloatArray) -> NDArray[np.intp]:
    """Return where the highest scores are, as many as a step of a path may choose from."""
    first = next(_nearest_first(scores), np.empty(0, np.intp))
    return first[:_CANDIDATES_A_STEP]


def _candidates(
    reader: Reader, model_id: str, ids: Sequence[int]
) -> Iterator[tuple[HeardTrack, FloatArray]]:
    """Yield those of some tracks that have not vanished, in their order, and where they point."""
    tracks = reader.tracks(ids)
    found, vectors = reader.vectors_of(model_id, np.array(ids, np.int64))
    pointing: Mapping[int, FloatArray] = dict(zip(found.tolist(), directions(vectors), strict=True))
    for track_id in ids:
        if track_id in tracks and track_id in pointing:
            yield tracks[track_id], pointing[track_id]


def _match(track: HeardTrack, direction: FloatArray, score: float, seed: Seed) -> Match:
    shared_keys = {fold(genre) for genre in seed.genres}
    shared = tuple(genre for genre in track.row.genres if fold(genre) in shared_keys)
    nearest = None
    if len(seed.tracks) > 1:
        nearest = seed.tracks[int(np.argmax(seed.directions[: len(seed.tracks)] @ direction))].row
    return Match(track.row, score, shared, nearest)
