"""What is learned of genres, and that what is said of it is honest."""

from __future__ import annotations

import tracemalloc
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from tagger.learning.calibration import fit_calibration, to_probabilities
from tagger.learning.examples import Examples
from tagger.learning.fitting import learn
from tagger.learning.judging import judge
from tagger.learning.linear import fit_linear
from tagger.learning.thresholds import Predictions, thresholds_of
from tests.lessons import NAMES, blobs

pytestmark = pytest.mark.usefixtures("one_thread")


def test_genres_that_sound_apart_are_learned() -> None:
    examples = blobs(60)
    learned = learn(examples, NAMES, ["base-1"])
    report = judge(examples, learned, NAMES)
    assert learned.exclusive
    assert report.accuracy > 0.9
    assert report.by_chance == pytest.approx(1 / 3)
    assert all(learned.thresholds[name] < 1 for name in NAMES)
    assert (learned.head.logits(examples.embeddings).argmax(axis=1) == examples.first).mean() > 0.9


def test_noise_is_not_learned_and_nothing_of_it_may_be_written() -> None:
    examples = blobs(60)
    noise = np.random.default_rng(1).normal(size=examples.embeddings.shape).astype(np.float32)
    examples = replace(examples, embeddings=noise)
    learned = learn(examples, NAMES, ["base-1"])
    assert judge(examples, learned, NAMES).accuracy < 0.5
    assert all(threshold > 0.9 for threshold in learned.thresholds.values())


def test_the_score_is_of_artists_not_learned_from() -> None:
    """Artists with a sound each and genres by chance: known again by heart, and not by rule."""
    rng = np.random.default_rng(0)
    own = np.repeat(rng.normal(0, 3, (40, 64)), 6, axis=0)
    first = np.repeat(rng.integers(0, 2, 40), 6)
    vectors = (own + rng.normal(0, 0.1, own.shape)).astype(np.float32)
    truth, artists = np.eye(2, dtype=np.bool_)[first], np.repeat(np.arange(40), 6)
    scores = []
    for groups in (np.arange(240), artists):
        examples = Examples(vectors, truth, first, groups)
        scores.append(judge(examples, learn(examples, NAMES[:2], ["base-1"]), NAMES[:2]).accuracy)
    by_track, by_artist = scores
    assert by_track > 0.9
    assert by_artist < 0.7


def test_confidence_is_how_often_it_is_right() -> None:
    examples = blobs(300, spread=1.6)
    p = learn(examples, NAMES, ["base-1"]).probabilities
    right = p.argmax(axis=1) == examples.first
    assert 0.5 < right.mean() < 0.9
    assert abs(p.max(axis=1).mean() - right.mean()) < 0.04


def test_a_rare_genre_is_not_drowned_by_a_common_one() -> None:
    examples = blobs(90)
    kept = np.flatnonzero((examples.first != 2) | (examples.groups < 30))
    rare = examples.take(kept)
    learned = learn(rare, NAMES, ["base-1"])
    of_rare = next(g for g in judge(rare, learned, NAMES).genres if g.genre == "Tango")
    assert of_rare.n_tracks == 40
    assert of_rare.recall > 0.8


def test_several_genres_a_track_are_learned_side_by_side() -> None:
    examples = blobs(90, spread=0.4)
    both = examples.truth.copy()
    vectors = examples.embeddings.copy()
    both[::2, 2] = True
    vectors[::2, 2] += 3
    several = replace(examples, truth=both, embeddings=vectors)
    learned = learn(several, NAMES, ["base-1"])
    # Also that a track has it beside a likelier one counts as found.
    assert min(genre.recall for genre in judge(several, learned, NAMES).genres) > 0.9
    assert not learned.exclusive
    said = to_probabilities(learned.head.logits(vectors), exclusive=False) > 0.5
    assert (said == both).mean() > 0.95


def test_a_genre_that_hardly_ever_comes_first_is_never_written() -> None:
    """Beside one that all have, chance alone decides whether the once that it does is right."""
    examples = blobs(60, 2)
    rng = np.random.default_rng(1)
    truth = np.column_stack([examples.truth, rng.random(len(examples)) < 0.3])
    learned = learn(replace(examples, truth=truth), NAMES, ["base-1"])
    assert learned.thresholds["Tango"] > 1
    assert learned.thresholds["Bebop"] < 1


def test_a_scale_mends_logits_that_are_too_sure_and_of_another_mix() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(4000, 3)).astype(np.float32)
    chances = to_probabilities(logits + np.array([1, 0, -1], np.float32), exclusive=True)
    drawn = np.array([rng.choice(3, p=p / p.sum()) for p in chances.astype(float)])
    calibration = fit_calibration(logits * 4, np.eye(3, dtype=np.bool_)[drawn], exclusive=True)
    assert calibration.slope == pytest.approx(0.25, abs=0.03)
    assert calibration.shifts - calibration.shifts.mean() == pytest.approx([1, 0, -1], abs=0.15)


@pytest.mark.parametrize("min_tracks", [2, 3])
def test_few_artists_and_tracks_of_a_genre_can_be_judged(min_tracks: int) -> None:
    """A fold may hold all artists of a genre, and half of the artists may have one genre alone."""
    n_genres = 60 // min_tracks
    first = np.repeat(np.arange(n_genres), min_tracks)
    vectors = np.random.default_rng(0).normal(size=(60, 8)).astype(np.float32)
    for groups in (np.arange(60) % 3, np.arange(60), first % 4):
        examples = Examples(vectors, np.eye(n_genres, dtype=np.bool_)[first], first, groups)
        names = [f"Genre {n}" for n in range(n_genres)]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            report = judge(examples, learn(examples, names, ["base-1"]), names)
        assert report.n_artists == len(np.unique(groups))


def test_two_genres_of_which_an_artist_plays_one_can_be_judged() -> None:
    examples = blobs(4, 2)
    report = judge(examples, learn(examples, NAMES[:2], ["base-1"]), NAMES[:2])
    assert report.n_artists == 4


def test_a_genre_that_all_have_is_said_of_all() -> None:
    examples = blobs(60)
    truth = examples.truth.copy()
    truth[:, 0] = True
    weight, bias = fit_linear(replace(examples, truth=truth), exclusive=False)
    assert (examples.embeddings @ weight.T + bias)[:, 0].min() > 5


def test_what_is_written_is_right_three_times_of_four_on_artists_never_heard() -> None:
    """Over libraries of forty artists: some is written, and of all of it enough is right."""
    n_written, n_right, n_libraries = 0, 0, 12
    for seed in range(n_libraries):
        everybody = blobs(240, spread=1.2, seed=seed)
        known, others = (
            everybody.take(everybody.groups < 40),
            everybody.take(everybody.groups >= 40),
        )
        learned = learn(known, NAMES, ["base-1"])
        p = to_probabilities(learned.head.logits(others.embeddings), exclusive=True)
        said = p.argmax(axis=1)
        least = np.array([learned.thresholds[name] for name in NAMES])[said]
        written = p.max(axis=1) >= least
        n_written += int(written.sum())
        n_right += int((said == others.first)[written].sum())
    assert n_right / n_written > 0.75
    assert n_written > 0.15 * 800 * n_libraries


# Many genres


def test_genres_side_by_side_are_learned_as_each_alone_would_be() -> None:
    examples = blobs(60)
    truth = np.column_stack([examples.truth, np.random.default_rng(0).random(240) < 0.2])
    weight, bias = fit_linear(replace(examples, truth=truth), exclusive=False)
    mean, spread = examples.embeddings.mean(axis=0), examples.embeddings.std(axis=0)
    inputs = (examples.embeddings - mean) / spread
    for genre in range(4):
        alone = LogisticRegression(C=0.01, class_weight="balanced", tol=1e-6)
        alone.fit(inputs, truth[:, genre])
        said = examples.embeddings @ weight[genre] + bias[genre]
        assert said == pytest.approx(alone.decision_function(inputs), abs=2e-3)


def test_genres_that_many_others_stand_beside_are_still_told_apart() -> None:
    """A hundred and fifty genres of twelve tracks by three artists each."""
    rng = np.random.default_rng(0)
    first = np.repeat(np.arange(150), 12)
    artists = np.repeat(np.arange(450), 4)
    own = np.repeat(rng.normal(size=(450, 64)), 4, axis=0)
    vectors = rng.normal(size=(150, 64))[first] + own + rng.normal(size=own.shape)
    truth = np.eye(150, dtype=np.bool_)[first]
    names = [f"Genre {n}" for n in range(150)]
    examples = Examples(vectors.astype(np.float32), truth, first, artists)
    report = judge(examples, learn(examples, names, ["base-1"]), names)
    assert report.accuracy > 0.6
    assert len(report.genres) == 150


def peak_bytes(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_the_memory_that_a_thousand_genres_take_is_that_of_their_logits() -> None:
    """Of twelve tracks each; a column of doubles a genre would be 96 MB."""
    rng = np.random.default_rng(0)
    label = np.repeat(np.arange(1000), 12)
    confidence = rng.random(12_000).astype(np.float32)
    right = rng.random(12_000) < confidence
    predictions = Predictions(confidence, label, right, np.arange(12_000) // 4)
    names = [f"Genre {n}" for n in range(1000)]
    assert peak_bytes(lambda: thresholds_of(predictions, names, n_draws=2)) < 20e6
    logits = rng.normal(size=(2000, 1000)).astype(np.float32)
    truth = np.eye(1000, dtype=np.bool_)[np.arange(2000) % 1000]
    for exclusive in (True, False):
        scaling = partial(fit_calibration, logits, truth, exclusive=exclusive)
        assert peak_bytes(scaling) < logits.nbytes
