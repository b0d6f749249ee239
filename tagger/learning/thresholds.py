"""From which confidence on a label may be written, so that it is right often enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from tagger.evidence.draws import N_DRAWS, draw_artists, high_enough
from tagger.learning.examples import BoolArray, DoubleArray, IntArray
from tagger.records import FloatArray

NEVER = 1.01  # a threshold that no probability reaches
_LIKELY = 0.5  # from which on a label is called, where each is true or not by itself
_HIGHEST = 0.98  # a label that needs more is never sure enough often enough to be worth it
_WITNESSES = 2  # artists on whose tracks a label must have been said as surely as it is written


class Refusal(StrEnum):
    """Why a label is not to be written, however sure."""

    RARE = "rare"  # it was said too rarely to be trusted
    WRONG = "wrong"  # where it was said, too little of it was surely right


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From which confidence on each label may be written.

    Args:
        least: {label: that confidence}, or NEVER.
        refused: {label: why it may never be}.
    """

    least: Mapping[str, float]
    refused: Mapping[str, Refusal]


@dataclass(frozen=True, slots=True)
class Predictions:
    """What might be written on tracks by artists not trained on: a label of a track each.

    Args:
        confidence: (n,) calibrated.
        label: (n,) its number.
        is_right: (n,).
        groups: (n,) the track's artist, drawn as a whole.
    """

    confidence: FloatArray
    label: IntArray
    is_right: BoolArray
    groups: IntArray

    def __len__(self) -> int:
        return len(self.label)

    def take(self, rows: IntArray | BoolArray) -> Predictions:
        """Return those rows only."""
        return Predictions(
            self.confidence[rows], self.label[rows], self.is_right[rows], self.groups[rows]
        )


def first_said(probabilities: FloatArray, is_right: BoolArray, groups: IntArray) -> Predictions:
    """Return each track's likeliest label.

    Args:
        probabilities: (n, n_labels), calibrated, of tracks by artists not trained on.
        is_right: (n,) whether each one's likeliest label is right.
        groups: (n,) their artists.
    """
    return Predictions(probabilities.max(axis=1), probabilities.argmax(axis=1), is_right, groups)


def further_said(
    probabilities: FloatArray, truth: BoolArray, groups: IntArray, least: DoubleArray
) -> Predictions:
    """Return the likely labels behind the likeliest, of tracks whose likeliest is written.

    Args:
        probabilities: (n, n_labels), as for ``first_said``; each label true or not by itself.
        truth: (n, n_labels).
        groups: (n,) their artists.
        least: (n_labels,) the thresholds of the likeliest label.
    """
    likeliest = probabilities.argmax(axis=1)
    is_likely = probabilities >= _LIKELY
    is_likely[np.arange(len(truth)), likeliest] = False
    is_likely[probabilities.max(axis=1) < least[likeliest]] = False
    rows, label = np.nonzero(is_likely)
    return Predictions(probabilities[rows, label], label, truth[rows, label], groups[rows])


def thresholds_of(
    predictions: Predictions,
    labels: Sequence[str],
    *,
    precision: float = 0.75,
    lowest: float = 0.75,
    n_least: int = 1,
    n_draws: int = N_DRAWS,
    seed: int = 0,
) -> Thresholds:
    """Return for each label the confidence from which on it is surely right often enough.

    Right three times of four at the threshold itself, not on average above it, and not by the luck
    of whom the data hold: the threshold is found for many draws of the artists, with replacement,
    and is high enough for 19 of 20 of them. A label that would need more than 0.98 gets NEVER; and
    so does one that was not seen to be right so often from its threshold on: the curve that the
    threshold lies on is all labels', and goes on where nothing was ever said so surely.

    Args:
        predictions: What might be written.
        labels: Names.
        precision: What is asked at the threshold.
        lowest: The threshold of a label that is right so often from further down.
        n_least: How often a label must be said for its threshold to mean anything.
        n_draws: Of the artists.
        seed: Of the draws.
    """
    needed = _surely_needed(predictions, len(labels), precision, n_draws, seed)
    found = {
        label: round(max(float(p), lowest), 4) for label, p in zip(labels, needed, strict=True)
    }
    refusals = {
        label: _refusal(predictions.take(predictions.label == n), least, precision, n_least)
        for n, (label, least) in enumerate(found.items())
    }
    return Thresholds(
        {label: NEVER if refusals[label] else least for label, least in found.items()},
        {label: why for label, why in refusals.items() if why},
    )


def _refusal(
    predictions: Predictions, threshold: float, precision: float, n_least: int
) -> Refusal | None:
    """Return why a label is not to be written from a threshold on, or None.

    Args:
        predictions: The label's own.
        threshold: What it needs.
        precision: What is asked of it.
        n_least: How often it must be said.
    """
    sure = predictions.take(predictions.confidence >= threshold)
    if len(predictions) < n_least:
        return Refusal.RARE
    if threshold > _HIGHEST:
        return Refusal.WRONG
    if len(np.unique(sure.groups)) < _WITNESSES:
        return Refusal.RARE
    return None if sure.is_right.mean() >= precision else Refusal.WRONG


def _surely_needed(
    predictions: Predictions, n_labels: int, precision: float, n_draws: int, seed: int
) -> DoubleArray:
    """Return the confidence (n_labels,) that is high enough for 19 of 20 draws of the artists."""
    if not len(predictions):
        return np.ones(n_labels)
    parts = members(predictions.groups)
    drawn = draw_artists(len(parts), n_draws=n_draws, seed=seed)
    found = np.stack(
        [
            _least_log_odds(predictions.take(rows), n_labels, precision)
            for rows in (np.concatenate([parts[i] for i in draw]) for draw in drawn)
        ]
    )
    needed = high_enough(found)
    surely: DoubleArray = 1.0 / (1.0 + np.exp(-np.clip(needed, -20.0, 20.0)))
    return surely


def _least_log_odds(predictions: Predictions, n_labels: int, precision: float) -> DoubleArray:
    """Return the log-odds of confidence (n_labels,) at which each label is right so often.

    A logistic regression of being right on the confidence (as log-odds, one slope for all) and on
    the label gives the chance of being right, and is solved for ``precision``.
    """
    right, n = predictions.is_right, len(predictions)
    if right.all() or not right.any():
        return np.full(n_labels, _log_odds(np.array(precision)) if right.all() else np.inf)
    confidence = _log_odds(np.clip(predictions.confidence, 1e-6, 1 - 1e-6))
    # Two numbers a row, however many labels there are.
    values = np.column_stack([confidence, np.ones(n)]).ravel()
    columns = np.column_stack([np.zeros(n, np.int64), 1 + predictions.label]).ravel()
    inputs = csr_matrix((values, columns, np.arange(0, 2 * n + 1, 2)), (n, 1 + n_labels))
    # C = 1 draws a label with few tracks toward the others: thirty tracks prove little alone.
    model = LogisticRegression(C=1.0, max_iter=1000).fit(inputs, right)
    slope, shifts = model.coef_[0, 0], model.coef_[0, 1:] + model.intercept_[0]
    if slope <= 0:
        return np.full(n_labels, np.inf)
    needed: DoubleArray = (_log_odds(np.array(precision)) - shifts) / slope
    return needed


def members(groups: IntArray) -> list[IntArray]:
    """Return the rows of each group."""
    order = np.argsort(groups, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)


def _log_odds(p: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.log(p / (1.0 - p))
