"""The figures that judge a model, on cases worked out by hand."""

from collections.abc import Callable, Mapping

import numpy as np

from tagger.learning.thresholds import NEVER, first_said, thresholds_of
from tagger.records import FloatArray
from tagger.tagging.decision import make_policy
from training.calibration import Calibration, Heard, fit_temperature
from training.coverage import MIXES, coverage_curve, mix_weights
from training.metrics import (
    BoolArray,
    DoubleArray,
    IntArray,
    accuracy_per_artist,
    bootstrap_interval,
    confusion,
    debiased_calibration_error,
    expected_calibration_error,
    per_genre,
    perfect_calibration_error,
    reliability,
    selective,
    under_mixes,
)
from training.verdicts import cross_calibrated, written_mask

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


def perfectly_calibrated(n: int, seed: int) -> tuple[FloatArray, BoolArray]:
    rng = np.random.default_rng(seed)
    confidence = rng.uniform(0.3, 1.0, n).astype(np.float32)
    return confidence, rng.random(n) < confidence


def test_bins_hold_equally_many_tracks() -> None:
    confidence, right = perfectly_calibrated(95, seed=0)
    rows = reliability(confidence, right)
    assert sorted(n for _, _, n in rows) == [9] * 5 + [10] * 5
    assert [c for c, _, _ in rows] == sorted(c for c, _, _ in rows)
    assert abs(sum(n * accuracy for _, accuracy, n in rows) - right.sum()) < 1e-9


def test_the_debiased_error_of_a_perfect_model_is_nearer_to_nothing() -> None:
    plain, debiased = [], []
    for seed in range(50):
        confidence, right = perfectly_calibrated(300, seed)
        plain.append(expected_calibration_error(confidence, right))
        debiased.append(debiased_calibration_error(confidence, right))
    assert np.mean(plain) > 0.05
    assert np.mean(debiased) < 0.025


def test_the_debiased_error_finds_a_constant_gap() -> None:
    confidence, right = perfectly_calibrated(20_000, seed=0)
    too_sure = confidence + np.float32(0.2)
    assert abs(debiased_calibration_error(too_sure, right) - 0.2) < 0.01


def test_what_a_perfect_model_would_show_bounds_what_one_shows() -> None:
    below = 0
    for seed in range(40):
        confidence, right = perfectly_calibrated(400, seed)
        mean, highest = perfect_calibration_error(confidence, n_draws=200)
        assert mean < highest
        below += debiased_calibration_error(confidence, right) <= highest
    assert below >= 34
    many, _ = perfectly_calibrated(8000, seed=0)
    assert perfect_calibration_error(many, n_draws=50)[1] < highest / 2


def test_calibration_figures_of_very_few_tracks_are_figures() -> None:
    confidence, right = np.array([0.75], dtype=np.float32), np.array([True])
    assert reliability(confidence, right) == [[0.75, 1.0, 1]]
    assert debiased_calibration_error(confidence, right) == 0.25
    assert all(np.isfinite(perfect_calibration_error(confidence)))


def test_each_artist_counts_once() -> None:
    right = np.array([True] * 8 + [False, True])
    assert accuracy_per_artist(right, np.array([3] * 8 + [1, 1])) == 0.75


def test_the_curve_of_coverage() -> None:
    confidence = np.array([0.6, 0.9, 0.7, 0.8], dtype=np.float32)
    right = np.array([True, True, False, True])
    points = np.array(coverage_curve(confidence, right, n_points=4))
    expected = [[0.25, 1, 0.9], [0.5, 1, 0.8], [0.75, 2 / 3, 0.7], [1, 0.75, 0.6]]
    assert np.allclose(points, expected)


def test_tracks_equally_sure_come_together_on_the_curve() -> None:
    curve = coverage_curve(np.full(8, 0.5, dtype=np.float32), np.arange(8) < 2)
    assert curve == [[1.0, 0.25, 0.5]]


def test_a_weight_of_two_is_a_track_twice() -> None:
    confidence, right = perfectly_calibrated(30, seed=1)
    times = np.arange(30) % 3 + 1
    weighted = coverage_curve(confidence, right, times.astype(float), n_points=7)
    repeated = coverage_curve(np.repeat(confidence, times), np.repeat(right, times), n_points=7)
    assert np.allclose(weighted, repeated)


def test_a_mix_gives_genres_their_shares() -> None:
    truth = np.array([0] * 30 + [1] * 10)
    weights = mix_weights(truth, ("Rock", "Pop"), MIXES["rock"])
    assert weights is not None
    assert np.isclose(weights[truth == 0].sum(), 60 / 75)
    assert mix_weights(truth, ("Ska", "Dub"), MIXES["rock"]) is None
    assert all(sum(shares.values()) == 100 for shares in MIXES.values())


def test_a_mix_weighs_the_genre_that_the_model_knows() -> None:
    labels = ("Rock", "Electronic")
    probabilities = np.array([[0.9, 0.1]] * 10 + [[0.4, 0.6]] * 2, dtype=np.float32)
    truth = np.array([0] * 8 + [1] * 4)  # rock is always known, electronic every other time
    policy = make_policy(labels, labels, dict.fromkeys(labels, 0.75))
    written = written_mask(probabilities, labels, policy)
    figures = under_mixes(probabilities, written, truth, labels)
    assert np.isclose(figures["rock"]["accuracy"], (60 + 2.5) / 65)
    assert np.isclose(figures["electronic"]["accuracy"], (3 + 30) / 63)
    assert np.isclose(figures["electronic"]["coverage"], (3 + 30) / 63)
    assert np.isclose(figures["electronic"]["selective_accuracy"], 3 / 33)


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


def of_two_labels(
    n: int, chance: Callable[[DoubleArray, BoolArray], DoubleArray]
) -> tuple[FloatArray, IntArray]:
    """Probabilities of A and B, and truths that are right with a chance."""
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.5, 1.0, n)
    says_a = rng.random(n) < 0.5
    probabilities = np.where(
        says_a[:, None],
        np.stack([confidence, 1 - confidence], 1),
        np.stack([1 - confidence, confidence], 1),
    ).astype(np.float32)
    right = rng.random(n) < chance(confidence, says_a)
    return probabilities, np.where(right, ~says_a, says_a).astype(np.int64)


def test_an_untrustworthy_label_gets_a_higher_threshold_or_none() -> None:
    def b_is_overconfident(confidence: DoubleArray, says_a: BoolArray) -> DoubleArray:
        return np.where(says_a, confidence, confidence - 0.35)

    probabilities, truth = of_two_labels(4000, b_is_overconfident)
    thresholds = fitted(probabilities, truth, np.arange(4000))
    assert 0.75 <= thresholds["A"] < 0.82
    assert thresholds["B"] > 0.9


def fitted(probabilities: FloatArray, truth: IntArray, artists: IntArray) -> Mapping[str, float]:
    is_right: BoolArray = probabilities.argmax(axis=1) == truth
    return thresholds_of(first_said(probabilities, is_right, artists), LABELS).least


def test_few_artists_prove_less_than_many() -> None:
    probabilities, truth = of_two_labels(1200, lambda confidence, _: confidence)
    by_many = fitted(probabilities, truth, np.arange(1200))
    order = np.argsort(probabilities.argmax(axis=1) == truth, kind="stable")
    artists = np.empty(1200, np.int64)
    artists[order] = np.arange(1200) // 40  # whole artists are right, or wrong
    by_few = fitted(probabilities, truth, artists)
    assert all(by_few[label] > by_many[label] + 0.02 for label in LABELS)


def test_what_is_written_just_above_a_threshold_is_right_three_times_of_four() -> None:
    probabilities, truth = of_two_labels(6000, lambda confidence, _: confidence)
    fresh, fresh_truth = probabilities[3000:], truth[3000:]
    thresholds = fitted(probabilities[:3000], truth[:3000], np.arange(3000))
    confidence = fresh.max(axis=1)
    least = np.array([thresholds[label] for label in LABELS])[fresh.argmax(axis=1)]
    just_above = (confidence >= least) & (confidence < least + 0.05)
    assert (fresh.argmax(axis=1) == fresh_truth)[just_above].mean() >= 0.72


def test_a_label_never_said_is_never_written() -> None:
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4]] * 10, dtype=np.float32)
    truth = np.array([0, 1] * 10)
    assert fitted(probabilities, truth, np.arange(20))["B"] == NEVER


def test_selective_accuracy_counts_what_would_be_written() -> None:
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]], dtype=np.float32)
    policy = make_policy(LABELS, LABELS, dict.fromkeys(LABELS, 0.75))
    written = written_mask(probabilities, LABELS, policy)
    assert written.tolist() == [True, False, True]
    figures = selective(written, np.array([True, True, False]))
    assert figures == {"coverage": 2 / 3, "selective_accuracy": 0.5}


def test_tracks_of_a_group_get_one_verdict() -> None:
    probabilities = np.array([[0.9, 0.1], [0.4, 0.6], [0.3, 0.7]], dtype=np.float32)
    pooled = Calibration(1.0, 1.0, {}).together(probabilities, np.array([1, 1, 2]))
    assert pooled[0].tolist() == pooled[1].tolist()
    assert pooled[2].tolist() == probabilities[2].tolist()


def test_a_fold_has_no_part_in_its_own_calibration() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 400)
    logits = (np.eye(2)[truth] * 2 + rng.normal(0, 2, (400, 2))).astype(np.float32)
    heard = Heard(logits[:, None], np.zeros(400, bool))
    folds = [np.arange(0, 200), np.arange(200, 400)]
    said = cross_calibrated(heard, truth, np.arange(400), folds, LABELS, LABELS)
    other = truth.copy()
    other[:200] = 1 - other[:200]  # what the first fold's verdicts must not depend on
    again = cross_calibrated(heard, other, np.arange(400), folds, LABELS, LABELS)
    assert np.array_equal(said.probabilities[:200], again.probabilities[:200])
    assert not np.allclose(said.probabilities[200:], again.probabilities[200:])


def test_novel_tracks_are_never_sure() -> None:
    logits = np.array([[[9.0, 0.0, 0.0]], [[9.0, 0.0, 0.0]]], dtype=np.float32)
    heard = Heard(logits, np.array([True, False]))
    said = Calibration(1.0, 1.0, {}).probabilities(heard)
    assert said[0].max() == 0.5 and said[1].max() > 0.99
