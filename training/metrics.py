"""How right a model is, and how well it knows: figures from tracks' probabilities and truth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.records import FloatArray
from training.coverage import MIXES, coverage_curve, mix_weights

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
DoubleArray = NDArray[np.float64]

N_BINS = 10  # of equal mass; Roelofs et al., arXiv 2012.08668, find few such bins least biased


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


def accuracy_per_artist(right: BoolArray, groups: IntArray) -> float:
    """Return the mean of the artists' accuracies: each artist counts once, however prolific.

    >>> accuracy_per_artist(np.array([True, True, True, False]), np.array([1, 1, 1, 2]))
    0.5
    """
    _, index = np.unique(groups, return_inverse=True)
    return float((np.bincount(index, weights=right) / np.bincount(index)).mean())


def reliability(
    confidence: FloatArray, right: BoolArray, n_bins: int = N_BINS
) -> list[list[float]]:
    """Return [mean confidence, share right, number of tracks] of bins of equal mass, rising."""
    order, starts, sizes = _bins(confidence, n_bins)
    confidences = np.add.reduceat(confidence[order].astype(float), starts) / sizes
    rates = np.add.reduceat(right[order].astype(float), starts) / sizes
    return [
        list(row) for row in zip(*(x.tolist() for x in (confidences, rates, sizes)), strict=True)
    ]


def expected_calibration_error(
    confidence: FloatArray, right: BoolArray, n_bins: int = N_BINS
) -> float:
    """Return the mean gap between confidence and frequency over bins of equal mass.

    Source: Guo et al., arXiv 1706.04599; equal mass: Roelofs et al., arXiv 2012.08668.

    >>> expected_calibration_error(np.full(10, 0.5, np.float32), np.arange(10) % 2 == 0, 1)
    0.0
    """
    confidences, rates, sizes = np.array(reliability(confidence, right, n_bins)).T
    return float((sizes * abs(confidences - rates)).sum() / len(confidence))


def debiased_calibration_error(
    confidence: FloatArray, right: BoolArray, n_bins: int = N_BINS
) -> float:
    """Return the root mean square gap between confidence and frequency, freed of its bias.

    A frequency counted in few tracks strays by chance, so that the plain figure is never 0; the
    variance of that chance is taken off each bin's squared gap. What is below 0 then counts as 0.

    Source: Kumar et al., arXiv 1909.10155, with bins of equal mass as in Roelofs et al., arXiv
    2012.08668.
    """
    order, starts, sizes = _bins(confidence, n_bins)
    return float(_debiased(confidence[order], right[order], starts, sizes))


def perfect_calibration_error(
    confidence: FloatArray, n_bins: int = N_BINS, *, n_draws: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """Return what ``debiased_calibration_error`` would be were these confidences perfect.

    Returns:
        Its mean and its 95th percentile over draws in which each track is right with just the
        chance that its confidence says: an error below the second is no sign of a fault.
    """
    order, starts, sizes = _bins(confidence, n_bins)
    drawn = np.random.default_rng(seed).random((n_draws, len(order)), dtype=np.float32)
    errors = _debiased(confidence[order], drawn < confidence[order], starts, sizes)
    return float(errors.mean()), float(np.quantile(errors, 0.95))


def _bins(confidence: FloatArray, n_bins: int) -> tuple[IntArray, IntArray, IntArray]:
    """Return tracks by rising confidence, where each bin of equal mass begins, and its size."""
    order = np.argsort(confidence, kind="stable")
    n_bins = min(n_bins, len(order))
    starts = np.array([part[0] for part in np.array_split(np.arange(len(order)), n_bins)])
    return order, starts, np.diff(starts, append=len(order))


def _debiased(
    confidence: FloatArray, right: BoolArray, starts: IntArray, sizes: IntArray
) -> DoubleArray:
    """Return the debiased errors (...) of sorted confidences (n,) and outcomes (..., n)."""
    confidences = np.add.reduceat(confidence.astype(float), starts) / sizes
    rates = np.add.reduceat(right, starts, axis=-1, dtype=np.int64) / sizes
    variances = rates * (1 - rates) / np.maximum(sizes - 1, 1)
    squares = (confidences - rates) ** 2 - variances
    errors: DoubleArray = np.sqrt(np.maximum(0.0, squares @ (sizes / sizes.sum())))
    return errors


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


def macro_f1(genres: Mapping[str, Mapping[str, float]]) -> float:
    """Return the mean F1 of the labels that are there, out of what ``per_genre`` gives."""
    return float(np.mean([figures["f1"] for figures in genres.values() if figures["n"]]))


def judge(
    probabilities: FloatArray,
    written: BoolArray,
    truth: IntArray,
    groups: IntArray,
    labels: tuple[str, ...],
) -> dict[str, Any]:
    """Return those figures of ``evaluate --format json`` that come of tracks' probabilities.

    Args:
        probabilities: (n, n_labels), calibrated.
        written: (n,) which tracks would get a genre.
        truth: (n,) the right labels.
        groups: (n,) artists.
        labels: Names of the labels.
    """
    predicted = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    right = predicted == truth
    matrix = confusion(truth, predicted, len(labels))
    genres = per_genre(matrix, labels)
    return {
        "n_tracks": len(truth),
        "accuracy": float(right.mean()),
        "accuracy_ci95": list(bootstrap_interval(right.astype(float), groups)),
        "macro_f1": macro_f1(genres),
        "ece": expected_calibration_error(confidence, right),
        "debiased_ece": debiased_calibration_error(confidence, right),
        "debiased_ece_if_perfect": list(perfect_calibration_error(confidence)),
        "reliability": reliability(confidence, right),
        **selective(written, right),
        "coverage_curve": coverage_curve(confidence, right),
        "mixes": under_mixes(probabilities, written, truth, labels),
        "per_genre": genres,
        "confusion": matrix.tolist(),
    }


def under_mixes(
    probabilities: FloatArray, written: BoolArray, truth: IntArray, labels: tuple[str, ...]
) -> dict[str, dict[str, Any]]:
    """Return {mix: its accuracy, coverage, selective accuracy and curve} for ``MIXES``."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    figures = {}
    for name, shares in MIXES.items():
        weights = mix_weights(truth, labels, shares)
        if weights is not None:
            figures[name] = {
                "accuracy": float(weights[right].sum()),
                **selective(written, right, weights),
                "coverage_curve": coverage_curve(confidence, right, weights),
            }
    return figures


def selective(
    written: BoolArray, right: BoolArray, weights: DoubleArray | None = None
) -> dict[str, Any]:
    """Return the share of tracks that would be written, and how many of those are right.

    >>> selective(np.array([True, True, False]), np.array([True, False, False]))
    {'coverage': 0.6666666666666666, 'selective_accuracy': 0.5}
    """
    if weights is None:
        weights = np.ones(len(written))
    covered = float(weights[written].sum())
    return {
        "coverage": covered / float(weights.sum()),
        "selective_accuracy": float(weights[written & right].sum()) / covered if covered else None,
    }
