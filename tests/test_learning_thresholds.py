"""What is written behind a likelier genre is right as often as what stands alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tagger.learning import thresholds
from tagger.learning.calibration import to_probabilities
from tagger.learning.examples import BoolArray, DoubleArray
from tagger.learning.fitting import learn
from tagger.learning.thresholds import NEVER, first_said, further_said, thresholds_of
from tagger.records import FloatArray
from tagger.tagging.decision import make_policy
from tests.lessons import NAMES, blobs

pytestmark = pytest.mark.usefixtures("one_thread")

FIRST, FINE, WRONG = range(3)


def with_a_second(n: int, seed: int) -> tuple[FloatArray, BoolArray]:
    """Tracks of a first genre that is right, and a second one of which one kind is overrated.

    Alone, all are as often right as is said; behind another, the last is right less often by far.
    """
    rng = np.random.default_rng(seed)
    p = np.full((n, 3), 0.05, np.float32)
    is_second, rows = rng.random(n) < 0.6, np.arange(n)
    said, sure = rng.integers(1, 3, n), rng.uniform(0.5, 0.95, n).astype(np.float32)
    p[rows, said] = sure
    p[is_second, FIRST] = 0.98
    truth = np.zeros((n, 3), np.bool_)
    truth[:, FIRST] = rng.random(n) < p[:, FIRST]
    chance = sure - np.where(is_second & (said == WRONG), 0.35, 0.0)
    truth[rows, said] = rng.random(n) < chance
    return p, truth


def fitted(p: FloatArray, truth: BoolArray) -> tuple[Mapping[str, float], Mapping[str, float]]:
    artists = np.arange(len(p)) // 4
    is_right = truth[np.arange(len(p)), p.argmax(axis=1)]
    first = thresholds_of(first_said(p, is_right, artists), NAMES).least
    least = np.array([first[name] for name in NAMES])
    return first, thresholds_of(further_said(p, truth, artists, least), NAMES).least


def test_a_second_genre_that_is_wrong_again_and_again_is_not_written() -> None:
    first, further = fitted(*with_a_second(6000, seed=0))
    assert first[NAMES[WRONG]] < 0.85  # as the likeliest it may be
    assert further[NAMES[FINE]] < 0.85
    assert further[NAMES[WRONG]] > 0.95  # surer than it ever is
    p, truth = with_a_second(6000, seed=1)
    of_first = make_policy(NAMES, NAMES, first, max_genres=2)
    honest = make_policy(NAMES, NAMES, first, max_genres=2, further=further)
    right = {}
    for name, policy in (("of the first", of_first), ("honest", honest)):
        written = [policy.choose(dict(zip(NAMES, row, strict=True)))[1:] for row in p.tolist()]
        seconds = [(n, NAMES.index(genre)) for n, genres in enumerate(written) for genre in genres]
        assert len(seconds) > 500
        right[name] = np.mean([truth[one] for one in seconds])
    assert right["of the first"] < 0.75 < right["honest"]


def test_a_second_genre_said_too_seldom_has_to_wait() -> None:
    p, truth = with_a_second(6000, seed=0)
    predictions = further_said(p, truth, np.arange(6000), np.zeros(3))
    few = predictions.take(np.flatnonzero(predictions.label == FINE)[:4])
    assert thresholds_of(few, NAMES, n_least=5).least[NAMES[FINE]] == NEVER
    none = few.take(np.arange(0))
    assert set(thresholds_of(none, NAMES).least.values()) == {NEVER}


def test_nothing_is_said_behind_a_genre_that_is_not_written_itself() -> None:
    p = np.array([[0.9, 0.8, 0.1], [0.7, 0.6, 0.1], [0.9, 0.4, 0.1]], np.float32)
    predictions = further_said(p, p > 0.5, np.arange(3), np.array([0.75, 0.75, 0.75]))
    assert predictions.label.tolist() == [1]
    assert predictions.confidence == pytest.approx([0.8])


def test_what_is_learned_of_several_genres_a_track_says_when_a_second_may_stand() -> None:
    """On artists never heard, of second genres that are written three of four are right."""
    everybody = blobs(400, spread=1.0)
    truth, vectors = everybody.truth.copy(), everybody.embeddings.copy()
    truth[::2, 2], vectors[::2, 2] = True, vectors[::2, 2] + 3
    everybody = replace(everybody, truth=truth, embeddings=vectors)
    is_known = everybody.groups < 200
    known, others = everybody.take(is_known), everybody.take(~is_known)
    learned = learn(known, NAMES, ["base-1"])
    assert learned.further.keys() == set(NAMES)
    policy = make_policy(NAMES, NAMES, learned.thresholds, max_genres=3, further=learned.further)
    p = to_probabilities(learned.head.logits(others.embeddings), exclusive=False)
    written = [policy.choose(dict(zip(NAMES, row, strict=True)))[1:] for row in p.tolist()]
    right = [others.truth[n, NAMES.index(x)] for n, genres in enumerate(written) for x in genres]
    assert len(right) > 40
    assert np.mean(right) > 0.75


def test_genres_that_exclude_each_other_have_no_second() -> None:
    assert learn(blobs(60), NAMES, ["base-1"]).further == {}


def test_a_threshold_is_high_enough_for_nineteen_of_twenty_draws_of_the_artists(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    p, truth = with_a_second(400, seed=0)
    each: list[DoubleArray] = []
    real = thresholds._least_log_odds

    def note(*arguments: Any) -> DoubleArray:
        each.append(real(*arguments))
        return each[-1]

    monkeypatch.setattr(thresholds, "_least_log_odds", note)
    artists = np.arange(len(p)) // 4
    is_right = truth[np.arange(len(p)), p.argmax(axis=1)]
    said = first_said(p, is_right, artists)
    needed = thresholds._surely_needed(said, 3, precision=0.75, n_draws=100, seed=0)
    enough = (1 / (1 + np.exp(-np.stack(each))) <= needed + 1e-12).sum(axis=0)
    assert ((enough >= 95) & (enough <= 96)).all()
