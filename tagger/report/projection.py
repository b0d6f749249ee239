"""Embeddings in two dimensions: principal components, the same picture for the same library."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tagger.recommending.similarity import unit_vectors
from tagger.records import FloatArray

_EDGE = 1  # percent of tracks that may lie on each edge, lest a few strange ones squeeze the rest


def flattened(vectors: FloatArray) -> tuple[NDArray[np.float64], float]:
    """Return where tracks lie on a map.

    Args:
        vectors: (n_tracks, embedding_dim), as the network gave them.

    Returns:
        (n_tracks, 2) in [0, 1], and the share of the variance that is left, in [0, 1].
    """
    pointing = unit_vectors(vectors).astype(np.float64)
    centred = pointing - pointing.mean(axis=0)
    variances, axes = np.linalg.eigh(centred.T @ centred)
    main = axes[:, -1:-3:-1]
    # An axis has no sign of its own: its larger parts point to the right, or down.
    main = main * np.where((main**3).sum(axis=0) < 0, -1, 1)
    places = centred @ main
    total = float(variances.sum())
    share = float(variances[-2:].sum()) / total if total > 0 else 1.0
    return _spread(places), min(share, 1.0)


def _spread(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return places (n, 2) stretched to [0, 1] along each axis, outliers on the edge."""
    low, high = np.percentile(places, [_EDGE, 100 - _EDGE], axis=0)
    width = np.where(high - low > 1e-9, high - low, 1.0)
    spread: NDArray[np.float64] = np.clip((places - low) / width, 0, 1)
    return spread
