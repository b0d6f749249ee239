"""How right a model is where it is sure, for one mix of genres or another."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
DoubleArray = NDArray[np.float64]

# No collection is balanced as FMA Small is. Two that are not, by their shares of genres, in per
# cent: assumptions, made to be far apart, not counts. Only the genres at hand count, so that the
# shares are those of what is left.
MIXES: dict[str, dict[str, float]] = {
    "rock": {
        "Rock": 60,
        "Pop": 15,
        "Folk": 10,
        "Electronic": 5,
        "Hip-Hop": 4,
        "Experimental": 2,
        "Instrumental": 2,
        "International": 2,
    },
    "electronic": {
        "Electronic": 60,
        "Hip-Hop": 15,
        "Pop": 10,
        "Experimental": 5,
        "Instrumental": 4,
        "Rock": 3,
        "Folk": 2,
        "International": 1,
    },
}


def coverage_curve(
    confidence: NDArray[np.floating],
    right: BoolArray,
    weights: DoubleArray | None = None,
    *,
    n_points: int = 20,
) -> list[list[float]]:
    """Return [coverage, accuracy, least confidence] for rising coverage, up to all tracks.

    Each point says: of the tracks at least so sure, which are that share of all, so many are
    right. Tracks equally sure come together, since no threshold parts them.

    Args:
        confidence: (n,).
        right: (n,).
        weights: (n,) how much each track counts; None for all alike.
        n_points: Points, evenly spread over the coverage.

    >>> sure = np.array([0.9, 0.8, 0.5, 0.5])
    >>> coverage_curve(sure, np.array([True, True, True, False]), n_points=4)
    [[0.25, 1.0, 0.9], [0.5, 1.0, 0.8], [1.0, 0.75, 0.5]]
    """
    order = np.argsort(-confidence, kind="stable")
    weight = np.ones(len(order)) if weights is None else weights[order]
    covered = weight.cumsum()
    wanted = covered[-1] * np.arange(1, n_points + 1) / n_points
    places = np.searchsorted(covered, wanted * (1 - 1e-9)).clip(max=len(order) - 1)
    falling = -confidence[order]
    last = np.unique(np.searchsorted(falling, falling[places], side="right") - 1)
    accuracy = (weight * right[order]).cumsum()[last] / covered[last]
    points = (covered[last] / covered[-1], accuracy, -falling[last])
    return [list(point) for point in zip(*(x.tolist() for x in points), strict=True)]


def mix_weights(
    truth: IntArray, labels: tuple[str, ...], shares: Mapping[str, float]
) -> DoubleArray | None:
    """Return tracks' weights (n,) that give their genres those shares; None if they have none."""
    wanted = np.array([shares.get(label, 0.0) for label in labels])
    n_tracks = np.bincount(truth, minlength=len(labels))
    weights: DoubleArray = (wanted / np.maximum(n_tracks, 1))[truth]
    return weights / weights.sum() if weights.any() else None
