"""The figures that judge a model, on cases worked out by hand."""

import numpy as np

from tagger.decision import make_policy
from training.calibration import NEVER, fit_temperature, fit_thresholds
from training.metrics import (
    bootstrap_interval,
    confusion,
    expected_calibration_error,
    per_genre,
    selective,
    together,
)

LABELS = ("A", "B")


def test_an_interval_over_artists_is_wider_than_one_over_tracks() -> None:
    right = np.repeat([1.0, 0.0, 1.0, 0.0], 50)
    by_artist = bootstrap_interval(right, np.repeat(np.arange(4), 50))
    by_track = bootstrap_interval(right, np.arange(200))
    assert by_artist[1] - by_artist[0] > 2 * (by_track[1] - by_track[0])


def test_calibration_error_is_the_gap_between_confidence_and_frequency() -> None:
    confidence = np.full(100, 0.9, dtype=np.float32)
    right = np.arange(100) < 60
    assert abs(expected_calibration_error(confidence, right, 1) - 0.3) < 1e-6


def test_per_genre_figures() -> None:
    matrix = confusion(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]), 2)
    figures = per_genre(matrix, LABELS)
    assert figures["A"] == {"precision": 1.0, "recall": 2 / 3, "f1": 0.8, "n": 3}
    assert figures["B"]["precision"] == 0.5


def test_temperature_recovers_the_one_that_was_applied() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(20_000, 4)).astype(np.float32) * 2
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    truth = (chances.cumsum(axis=1) > rng.random((20_000, 1))).argmax(axis=1)
    assert abs(fit_temperature(logits * 3, truth) - 3.0) < 0.15


def test_an_untrustworthy_label_gets_a_higher_threshold_or_none() -> None:
    rng = np.random.default_rng(0)
    n = 4000
    confidence = rng.uniform(0.5, 1.0, n)
    says_a = rng.random(n) < 0.5
    probabilities = np.where(
        says_a[:, None],
        np.stack([confidence, 1 - confidence], 1),
        np.stack([1 - confidence, confidence], 1),
    ).astype(np.float32)
    chance = np.where(says_a, confidence, confidence - 0.35)  # B is overconfident
    right = rng.random(n) < chance
    truth = np.where(right, ~says_a, says_a).astype(np.int64)
    thresholds = fit_thresholds(probabilities, truth, LABELS)
    assert abs(thresholds["A"] - 0.75) < 0.05
    assert thresholds["B"] > 0.9


def test_a_label_never_said_is_never_written() -> None:
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4]] * 10, dtype=np.float32)
    truth = np.array([0, 1] * 10)
    assert fit_thresholds(probabilities, truth, LABELS)["B"] == NEVER


def test_selective_accuracy_counts_what_would_be_written() -> None:
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]], dtype=np.float32)
    policy = make_policy(LABELS, LABELS, dict.fromkeys(LABELS, 0.75))
    figures = selective(probabilities, np.array([0, 0, 0]), LABELS, policy)
    assert figures == {"coverage": 2 / 3, "selective_accuracy": 0.5}


def test_tracks_of_a_group_get_one_verdict() -> None:
    probabilities = np.array([[0.9, 0.1], [0.4, 0.6], [0.3, 0.7]], dtype=np.float32)
    pooled = together(probabilities, np.array([1, 1, 2]), 1.0)
    assert pooled[0].tolist() == pooled[1].tolist()
    assert pooled[2].tolist() == probabilities[2].tolist()
