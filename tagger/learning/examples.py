"""Tracks to learn from, as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tagger.records import FloatArray

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
DoubleArray = NDArray[np.float64]

_MULTI_SHARE = 0.05  # of tracks with several genres, from which on they do not exclude each other


@dataclass(frozen=True, slots=True)
class Examples:
    """Tracks whose genres a person set.

    Args:
        embeddings: (n, embedding_dim) float32.
        truth: (n, n_genres) whether it has that genre; each has at least one.
        first: (n,) its first genre.
        groups: (n,) its artist; tracks of one are never on both sides of a fold.
    """

    embeddings: FloatArray
    truth: BoolArray
    first: IntArray
    groups: IntArray

    def __len__(self) -> int:
        return len(self.first)

    @property
    def are_exclusive(self) -> bool:
        """Whether hardly any track has several genres."""
        return bool((self.truth.sum(axis=1) > 1).mean() < _MULTI_SHARE)

    @property
    def wanted(self) -> BoolArray:
        """What a head is asked for, (n, n_genres): one genre, or all."""
        if not self.are_exclusive:
            return self.truth
        one: BoolArray = np.eye(self.truth.shape[1], dtype=np.bool_)[self.first]
        return one

    def take(self, rows: IntArray | BoolArray) -> Examples:
        """Return those rows only."""
        return Examples(
            self.embeddings[rows], self.truth[rows], self.first[rows], self.groups[rows]
        )
