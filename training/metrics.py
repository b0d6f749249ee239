"""How right a model is, and how well it knows: figures from tracks' probabilities and truth."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.decision import GenrePolicy
from tagger.records import FloatArray
from tagger.voting import vote_together

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


def written_mask(
    probabilities: FloatArray, labels: tuple[str, ...], policy: GenrePolicy
) -> BoolArray:
    """Return which of the tracks (n, n_labels) the tagger would write a genre for."""
    chosen = [policy.choose(dict(zip(labels, row, strict=True))) for row in probabilities.tolist()]
    return np.array([bool(genres) for genres in chosen], dtype=bool)


def bootstrap_interval(
    values: NDArray[np.floating], groups: IntArray, *, n_draws: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """Return the 95 % interval of a mean, drawing whole artists with replacement.

    A few artists may hold a quarter of the tracks, and theirs are right or wrong together: drawing
    tracks would make the interval too narrow.

    Args:
        values: (n,) of which the mean is taken.
        groups: (n,) the artist of each.
        n_draws: Resamples.
        seed: Of the draws.
    """
    _, index = np.unique(groups, return_inverse=True)
    sums = np.bincount(index, weights=values)
    counts = np.bincount(index)
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, len(counts), size=(n_draws, len(counts)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def expected_calibration_error(confidence: FloatArray, right: BoolArray, n_bins: int = 10) -> float:
    """Return the mean gap between confidence and frequency over bins of equal mass.

    Source: Guo et al., arXiv 1706.04599; equal mass: Roelofs et al., arXiv 2012.08668.

    >>> expected_calibration_error(np.full(10, 0.5, np.float32), np.arange(10) % 2 == 0, 1)
    0.0
    """
    order = np.argsort(confidence, kind="stable")
    gaps = [
        len(rows) * abs(float(confidence[rows].mean()) - float(right[rows].mean()))
        for rows in np.array_split(order, min(n_bins, len(order)))
    ]
    return float(sum(gaps) / len(confidence))


def confusion(truth: IntArray, predicted: IntArray, n_labels: int) -> IntArray:
    """Return counts (n_labels, n_labels), rows the truth.

    >>> confusion(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    flat = np.bincount(truth * n_labels + predicted, minlength=n_labels * n_labels)
    return flat.reshape(n_labels, n_labels)


def per_genre(matrix: IntArray, labels: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """Return {label: {precision, recall, f1, n}} of a confusion matrix; 0 where undefined."""
    right = np.diag(matrix)
    said, there = matrix.sum(axis=0), matrix.sum(axis=1)
    figures = {}
    for i, label in enumerate(labels):
        figures[label] = {
            "precision": float(right[i] / said[i]) if said[i] else 0.0,
            "recall": float(right[i] / there[i]) if there[i] else 0.0,
            "f1": float(2 * right[i] / (said[i] + there[i])) if said[i] + there[i] else 0.0,
            "n": int(there[i]),
        }
    return figures


def together(probabilities: FloatArray, groups: IntArray, temperature: float) -> FloatArray:
    """Return each track's probabilities (n, n_labels) after its group has voted together."""
    pooled = np.empty_like(probabilities)
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        pooled[rows] = (
            vote_together(probabilities[rows], temperature)
            if len(rows) > 1
            else probabilities[rows]
        )
    return pooled


def judge(
    probabilities: FloatArray,
    truth: IntArray,
    groups: IntArray,
    labels: tuple[str, ...],
    policy: GenrePolicy,
) -> dict[str, Any]:
    """Return the figures that ``evaluate --format json`` promises of tracks' probabilities.

    Args:
        probabilities: (n, n_labels), calibrated.
        truth: (n,) the right labels.
        groups: (n,) artists.
        labels: Names of the labels.
        policy: What would be written.
    """
    predicted = probabilities.argmax(axis=1)
    right = predicted == truth
    matrix = confusion(truth, predicted, len(labels))
    genres = per_genre(matrix, labels)
    present = [label for label in labels if genres[label]["n"]]
    return {
        "n_tracks": len(truth),
        "accuracy": float(right.mean()),
        "accuracy_ci95": list(bootstrap_interval(right.astype(float), groups)),
        "macro_f1": float(np.mean([genres[label]["f1"] for label in present])),
        "ece": expected_calibration_error(probabilities.max(axis=1), right),
        **selective(probabilities, truth, labels, policy),
        "per_genre": genres,
        "confusion": matrix.tolist(),
    }


def selective(
    probabilities: FloatArray, truth: IntArray, labels: tuple[str, ...], policy: GenrePolicy
) -> dict[str, Any]:
    """Return the share of tracks that would be written, and how many of those are right."""
    written = written_mask(probabilities, labels, policy)
    right = probabilities.argmax(axis=1) == truth
    return {
        "coverage": float(written.mean()),
        "selective_accuracy": float(right[written].mean()) if written.any() else None,
    }
