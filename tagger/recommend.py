"""Tracks that sound like a track: nearest embeddings of one model, filtered.

What "near" means is one function, ``similarity``; the rest is which tracks may be named at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tagger.catalog import Catalog, Embeddings, TrackQuery, TrackRow, fold
from tagger.errors import CatalogError
from tagger.records import FloatArray

_BATCH = 200  # rows looked up at once while walking away from the seed
_TINY = np.float32(1e-12)


@dataclass(frozen=True, slots=True)
class SimilarQuery:
    """Which tracks to recommend.

    Args:
        n: At most so many.
        genre: Only tracks with this genre, whatever its case.
        same_genre: Only tracks that share a genre with the seed.
        max_per_artist: At most so many by one artist; tracks without one are not counted.
        under: Only tracks in this folder.
    """

    n: int = 10
    genre: str | None = None
    same_genre: bool = False
    max_per_artist: int | None = None
    under: Path | None = None


@dataclass(frozen=True, slots=True)
class SimilarTrack:
    """A track and how similar it is; 1 is the same."""

    row: TrackRow
    similarity: float


def similar(catalog: Catalog, path: Path, query: SimilarQuery | None = None) -> list[SimilarTrack]:
    """Return the tracks most similar to one, the nearest first, never that one itself.

    Raises:
        CatalogError: The track is not in the catalogue, or it has no embedding.
    """
    query = query or SimilarQuery()
    seed, found = _seed(catalog, path)
    is_seed = found.track_ids == seed.track_id
    scores = similarity(found.vectors[is_seed][0], found.vectors)
    may_be_named = _allowed(catalog, found.track_ids, seed, query) & ~is_seed
    nearest = np.flatnonzero(may_be_named)
    nearest = nearest[np.argsort(-scores[nearest], kind="stable")]
    chosen: list[SimilarTrack] = []
    n_by_artist: Counter[str] = Counter()
    for row, score in _walk(catalog, found.track_ids[nearest], scores[nearest]):
        if len(chosen) >= query.n:
            break
        if _takes(row, n_by_artist, query.max_per_artist):
            chosen.append(SimilarTrack(row, score))
    return chosen


def similarity(seed: FloatArray, vectors: FloatArray) -> FloatArray:
    """Return the cosine of the angle between one embedding and each of many.

    Args:
        seed: (embedding_dim,) float32.
        vectors: (n_tracks, embedding_dim) float32.

    Returns:
        (n_tracks,) float32 in [-1, 1]; 0 for a vector of zeros, which points nowhere.

    Example:
        >>> similarity(np.float32([1, 0]), np.float32([[2, 0], [0, 3], [0, 0]])).tolist()
        [1.0, 0.0, 0.0]
    """
    # einsum makes no normalised copy of the matrix, which is large for a large library.
    lengths = np.sqrt(np.einsum("td,td->t", vectors, vectors))
    products = vectors @ seed
    cosines: FloatArray = products / np.maximum(lengths * np.linalg.norm(seed), _TINY)
    return np.clip(cosines, np.float32(-1), np.float32(1))


def _seed(catalog: Catalog, path: Path) -> tuple[TrackRow, Embeddings]:
    """Return the seed's row and the embeddings of the model that heard it last."""
    info = catalog.info(path)
    if info is None:
        raise CatalogError("it is not in the catalogue; tag it first (tagger tag)", path)
    for model_id in info.embedded_by[:1]:
        found = catalog.embeddings(model_id)
        if info.row.track_id in found.track_ids:  # another process may have dropped it just now
            return info.row, found
    why = f" ({info.row.reason})" if info.row.reason else ""
    raise CatalogError(f"nothing was heard in it to compare{why}; tag it first (tagger tag)", path)


def _allowed(
    catalog: Catalog, track_ids: NDArray[np.int64], seed: TrackRow, query: SimilarQuery
) -> NDArray[np.bool_]:
    """Return which of the tracks pass the filters on genre and folder."""
    allowed = np.ones(len(track_ids), np.bool_)
    if query.genre is not None or query.under is not None:
        passing = catalog.track_ids(TrackQuery(genre=query.genre, under=query.under))
        allowed &= np.isin(track_ids, passing)
    if query.same_genre:
        sharing = [catalog.track_ids(TrackQuery(genre=genre)) for genre in seed.genres]
        allowed &= np.isin(track_ids, np.concatenate([np.empty(0, np.int64), *sharing]))
    return allowed


def _walk(
    catalog: Catalog, track_ids: NDArray[np.int64], scores: FloatArray
) -> Iterator[tuple[TrackRow, float]]:
    for start in range(0, len(track_ids), _BATCH):
        ids = track_ids[start : start + _BATCH].tolist()
        rows = catalog.rows(ids)
        for track_id, score in zip(ids, scores[start : start + _BATCH], strict=True):
            if track_id in rows:
                yield rows[track_id], float(score)


def _takes(row: TrackRow, n_by_artist: Counter[str], at_most: int | None) -> bool:
    if at_most is None or not row.artist:
        return True
    artist = fold(row.artist)
    n_by_artist[artist] += 1
    return n_by_artist[artist] <= at_most
