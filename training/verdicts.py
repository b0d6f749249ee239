"""What the tagger would say and write of tracks, each alone and an artist's together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tagger.records import FloatArray
from tagger.tagging.decision import GenrePolicy, make_policy
from training.calibration import BoolArray, Calibration, Heard, IntArray, calibrate


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What the tagger would say of tracks.

    Args:
        probabilities: (n, n_labels), of each alone.
        written: (n,) which would then get a genre.
        together: (n, n_labels), an artist's tracks voting together, as an album's would.
        written_together: (n,) which would then get a genre.
    """

    probabilities: FloatArray
    written: BoolArray
    together: FloatArray
    written_together: BoolArray


def verdicts(
    heard: Heard,
    artists: IntArray,
    calibration: Calibration,
    labels: tuple[str, ...],
    writable: tuple[str, ...],
) -> Verdicts:
    """Return what the tagger would say of tracks with a calibration.

    Args:
        heard: What the network says of them.
        artists: (n,) whose tracks vote together.
        calibration: Temperatures and thresholds.
        labels: Names of the labels.
        writable: Those that may be written.
    """
    policy = make_policy(labels, writable, calibration.thresholds)
    probabilities = calibration.probabilities(heard)
    together = calibration.together(probabilities, artists)
    return Verdicts(
        probabilities,
        written_mask(probabilities, labels, policy),
        together,
        written_mask(together, labels, policy),
    )


def cross_calibrated(
    heard: Heard,
    truth: IntArray,
    artists: IntArray,
    folds: Sequence[IntArray],
    labels: tuple[str, ...],
    writable: tuple[str, ...],
) -> Verdicts:
    """Return verdicts on all tracks, each fold's with a calibration fitted on the other folds.

    Args:
        heard: What networks say of tracks that they were not fitted on.
        truth: (n,) their labels.
        artists: (n,).
        folds: Rows; together all of them, each once.
        labels: Names of the labels.
        writable: Those that may be written.
    """
    n, n_labels = len(truth), len(labels)
    said = Verdicts(
        np.zeros((n, n_labels), np.float32),
        np.zeros(n, bool),
        np.zeros((n, n_labels), np.float32),
        np.zeros(n, bool),
    )
    for rows in folds:
        others = np.setdiff1d(np.arange(n), rows)
        calibration = calibrate(heard.take(others), truth[others], artists[others], labels)
        part = verdicts(heard.take(rows), artists[rows], calibration, labels, writable)
        for name in Verdicts.__dataclass_fields__:
            getattr(said, name)[rows] = getattr(part, name)
    return said


def written_mask(
    probabilities: FloatArray, labels: tuple[str, ...], policy: GenrePolicy
) -> BoolArray:
    """Return which of the tracks (n, n_labels) the tagger would write a genre for."""
    chosen = [policy.choose(dict(zip(labels, row, strict=True))) for row in probabilities.tolist()]
    return np.array([bool(genres) for genres in chosen], dtype=bool)
