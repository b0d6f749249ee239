"""Confidence that means what it says: temperatures, and a threshold for each label.

Fitted on tracks whose artists the network has never heard, and held against other such tracks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from tagger.learning.thresholds import first_said, members, thresholds_of
from tagger.models.novelty import capped
from tagger.models.voting import softmax, vote_together
from tagger.records import FloatArray

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


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
        for rows in members(groups):
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
    said = first_said(probabilities, probabilities.argmax(axis=1) == truth, artists)
    return Calibration(
        temperature,
        _album_temperature(probabilities, truth, artists),
        thresholds_of(said, labels).least,
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
    together = [rows for rows in members(groups) if len(rows) > 1]
    if not together:
        return 1.0
    logs = np.log(np.maximum(probabilities, 1e-9))
    means = np.stack([logs[rows].mean(axis=0) for rows in together])
    commonest = [int(np.bincount(truth[rows]).argmax()) for rows in together]
    return fit_temperature(means, np.array(commonest, dtype=np.int64))
