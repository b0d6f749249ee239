"""Confidence that means what it says: temperatures, and a threshold for each label."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from sklearn.linear_model import LogisticRegression

from tagger.records import FloatArray
from tagger.voting import softmax

IntArray = NDArray[np.int64]

NEVER = 1.01  # a threshold that no probability reaches


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


def fit_thresholds(
    probabilities: FloatArray, truth: IntArray, labels: tuple[str, ...], *, precision: float = 0.75
) -> dict[str, float]:
    """Return for each label the confidence above which it is right often enough.

    Right three times of four at the threshold itself, not on average above it: a logistic
    regression of being right on the confidence (as log-odds, one slope for all) and on the label
    gives the chance of being right for each of the two, and is solved for ``precision``. A label
    never said in the data, or that would need more than 0.98, gets NEVER.

    Args:
        probabilities: (n, n_labels), calibrated, of tracks not trained on.
        truth: (n,).
        labels: Names.
        precision: What is asked at the threshold.
    """
    said = probabilities.argmax(axis=1)
    right = said == truth
    if right.all() or not right.any():
        return dict.fromkeys(labels, precision if right.all() else NEVER)
    confidence = np.clip(probabilities.max(axis=1), 1e-6, 1 - 1e-6)
    inputs = np.column_stack([_log_odds(confidence), np.eye(len(labels))[said]])
    # C = 1 draws a label with few tracks toward the others: thirty tracks prove little alone.
    model = LogisticRegression(C=1.0, max_iter=1000).fit(inputs, right)
    slope, shifts = model.coef_[0, 0], model.coef_[0, 1:] + model.intercept_[0]
    thresholds = {}
    for i, label in enumerate(labels):
        needed = (_log_odds(np.array(precision)) - shifts[i]) / slope if slope > 0 else np.inf
        least = float(1.0 / (1.0 + np.exp(-np.clip(needed, -20, 20))))
        usable = least <= 0.98 and bool((said == i).any())
        thresholds[label] = round(max(least, precision), 4) if usable else NEVER
    return thresholds


def _log_odds(p: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.log(p / (1.0 - p))
