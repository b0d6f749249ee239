"""Embeddings in two dimensions: principal components, the same picture for the same library."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tagger.recommending.similarity import unit_vectors
from tagger.records import FloatArray

_EDGE = 0.2  # percent of tracks that may lie on each edge, lest a few strange ones squeeze the rest


@dataclass(frozen=True, slots=True)
class Plane:
    """The two directions in which tracks differ most.

    Args:
        middle: (embedding_dim,) the mean of unit vectors.
        axes: (embedding_dim, 2) the directions.
        low, width: (2,) what becomes 0 on the map, and how much becomes 1.
        explained: The share of the variance that they keep, in [0, 1].
    """

    middle: NDArray[np.float64]
    axes: NDArray[np.float64]
    low: NDArray[np.float64]
    width: NDArray[np.float64]
    explained: float

    def places(self, vectors: FloatArray) -> NDArray[np.float64]:
        """Return where tracks lie: (n_tracks, 2) in [0, 1], outliers on the edge."""
        along = (unit_vectors(vectors) - self.middle) @ self.axes
        spread: NDArray[np.float64] = np.clip((along - self.low) / self.width, 0, 1)
        return spread


def fitted(vectors: FloatArray) -> Plane:
    """Return the plane of some tracks.

    Args:
        vectors: (n_tracks, embedding_dim), as the network gave them.
    """
    pointing = unit_vectors(vectors).astype(np.float64)
    middle = pointing.mean(axis=0)
    centred = pointing - middle
    variances, axes = np.linalg.eigh(centred.T @ centred)
    main = axes[:, -1:-3:-1]
    # An axis has no sign of its own: its larger parts point to the right, or down.
    main = main * np.where((main**3).sum(axis=0) < 0, -1, 1)
    low, high = np.percentile(centred @ main, [_EDGE, 100 - _EDGE], axis=0)
    width = np.where(high - low > 1e-9, high - low, 1.0)
    total = float(variances.sum())
    share = float(variances[-2:].sum()) / total if total > 0 else 1.0
    return Plane(middle, main, low, width, min(share, 1.0))
