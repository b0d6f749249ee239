"""Confidence that means what it says: temperatures, and a threshold for each label.

Fitted on tracks whose artists the network has never heard, and held against other such tracks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from sklearn.linear_model import LogisticRegression

from tagger.novelty import capped
from tagger.records import FloatArray
from tagger.voting import softmax, vote_together

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
DoubleArray = NDArray[np.float64]

NEVER = 1.01  # a threshold that no probability reaches
_HIGHEST = 0.98  # a label that needs more is never sure enough often enough to be worth it


@dataclass(frozen=True, slots=True)
class Heard:
    """What a network says of tracks by artists it was not fitted on.

    Args:
        logits: (n, n_segments, n_labels) float32.
        is_novel: (n,) which of them are unlike all that it was fitted on.
    """

    logits: FloatArray
    is_novel: BoolArray

    def take(self, rows: IntArray) -> Heard:
        """Return those rows only."""
        return Heard(self.logits[rows], self.is_novel[rows])


@dataclass(frozen=True, slots=True)
class Calibration:
    """What turns logits into probabilities, and probabilities into genres.

    Args:
        temperature: Divides a track's mean logits.
        album_temperature: Divides the mean log-probabilities of tracks voting together.
        thresholds: {label: least confidence at which it is written}.
    """

    temperature: float
    album_temperature: float
    thresholds: Mapping[str, float]

    def probabilities(self, heard: Heard) -> FloatArray:
        """Return tracks' probabilities (n, n_labels), as the tagger would have them."""
        return track_probabilities(heard, self.temperature)

    def together(self, probabilities: FloatArray, groups: IntArray) -> FloatArray:
        """Return each track's probabilities (n, n_labels) after its group has voted together."""
        pooled = np.empty_like(probabilities)
        for rows in _members(groups):
            each = probabilities[rows]
            pooled[rows] = vote_together(each, self.album_temperature) if len(rows) > 1 else each
        return pooled


def track_probabilities(heard: Heard, temperature: float) -> FloatArray:
    """Return tracks' probabilities (n, n_labels): vote, temperature, cap."""
    logits = heard.logits.mean(axis=1) / np.float32(temperature)
    return capped(softmax(logits), heard.is_novel)


def calibrate(
    heard: Heard, truth: IntArray, artists: IntArray, labels: tuple[str, ...]
) -> Calibration:
    """Return the calibration that fits tracks best.

    Args:
        heard: What the network says of them.
        truth: (n,) their labels.
        artists: (n,) their artists, who are right or wrong as a whole.
        labels: Names.
    """
    usual = ~heard.is_novel
    temperature = fit_temperature(heard.logits.mean(axis=1)[usual], truth[usual])
    probabilities = track_probabilities(heard, temperature)
    return Calibration(
        temperature,
        _album_temperature(probabilities, truth, artists),
        fit_thresholds(probabilities, truth, artists, labels),
    )


def fit_temperature(logits: FloatArray, truth: IntArray) -> float:
    """Return the temperature at which softmax(logits / t) is likeliest to give the truth.

    Source: Guo et al., On calibration of modern neural networks, arXiv 1706.04599.

    Args:
        logits: (n, n_labels); of tracks, pooled as the tagger pools them.
        truth: (n,).
    """
    rows = np.arange(len(truth))

    def loss(log_t: float) -> float:
        chosen = softmax(logits / np.float32(np.exp(log_t)))[rows, truth]
        return float(-np.log(np.maximum(chosen, 1e-12)).mean())

    found = minimize_scalar(loss, bounds=(-3.0, 3.0), method="bounded")
    return float(np.exp(found.x))


def _album_temperature(probabilities: FloatArray, truth: IntArray, groups: IntArray) -> float:
    """Return the temperature for tracks voting together, fitted on those of one artist and genre.

    Each group counts once, with its commonest genre: an album's tracks are right together.
    """
    together = [rows for rows in _members(groups) if len(rows) > 1]
    if not together:
        return 1.0
    logs = np.log(np.maximum(probabilities, 1e-9))
    means = np.stack([logs[rows].mean(axis=0) for rows in together])
    commonest = [int(np.bincount(truth[rows]).argmax()) for rows in together]
    return fit_temperature(means, np.array(commonest, dtype=np.int64))


def fit_thresholds(
    probabilities: FloatArray,
    truth: IntArray,
    artists: IntArray,
    labels: tuple[str, ...],
    *,
    precision: float = 0.75,
    n_draws: int = 100,
    seed: int = 0,
) -> dict[str, float]:
    """Return for each label the confidence from which on it is surely right often enough.

    Right three times of four at the threshold itself, not on average above it, and not by the luck
    of whom the data hold: the threshold is found for many draws of the artists, with replacement,
    and is high enough for 19 of 20 of them. A label never said in the data, or that would need
    more than 0.98, gets NEVER.

    Args:
        probabilities: (n, n_labels), calibrated, of tracks by artists not trained on.
        truth: (n,).
        artists: (n,), drawn as a whole.
        labels: Names.
        precision: What is asked at the threshold.
        n_draws: Of the artists.
        seed: Of the draws.
    """
    members = _members(artists)
    rng = np.random.default_rng(seed)
    drawn = [rng.integers(0, len(members), len(members)) for _ in range(n_draws)]
    found = np.stack(
        [
            _least_log_odds(probabilities[rows], truth[rows], precision)
            for rows in (np.concatenate([members[i] for i in draw]) for draw in drawn)
        ]
    )
    # The upper of two neighbours, since between a number and infinity nothing can be interpolated.
    needed = np.quantile(found, 0.95, axis=0, method="higher")
    least = 1.0 / (1.0 + np.exp(-np.clip(needed, -20.0, 20.0)))
    ever = np.bincount(probabilities.argmax(axis=1), minlength=len(labels)) > 0
    return {
        label: round(max(float(p), precision), 4) if p <= _HIGHEST and said else NEVER
        for label, p, said in zip(labels, least, ever, strict=True)
    }


def _least_log_odds(probabilities: FloatArray, truth: IntArray, precision: float) -> DoubleArray:
    """Return the log-odds of confidence (n_labels,) at which each label is right so often.

    A logistic regression of being right on the confidence (as log-odds, one slope for all) and on
    the label gives the chance of being right, and is solved for ``precision``.
    """
    n_labels = probabilities.shape[1]
    said = probabilities.argmax(axis=1)
    right = said == truth
    if right.all() or not right.any():
        return np.full(n_labels, _log_odds(np.array(precision)) if right.all() else np.inf)
    confidence = np.clip(probabilities.max(axis=1), 1e-6, 1 - 1e-6)
    inputs = np.column_stack([_log_odds(confidence), np.eye(n_labels)[said]])
    # C = 1 draws a label with few tracks toward the others: thirty tracks prove little alone.
    model = LogisticRegression(C=1.0, max_iter=1000).fit(inputs, right)
    slope, shifts = model.coef_[0, 0], model.coef_[0, 1:] + model.intercept_[0]
    if slope <= 0:
        return np.full(n_labels, np.inf)
    needed: DoubleArray = (_log_odds(np.array(precision)) - shifts) / slope
    return needed


def _members(groups: IntArray) -> list[IntArray]:
    """Return the rows of each group."""
    order = np.argsort(groups, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)


def _log_odds(p: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.log(p / (1.0 - p))
