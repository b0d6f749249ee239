"""What was never heard to be right so surely is not written, whatever a curve promises."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tagger.cli.learn_report import lines
from tagger.learning.calibration import to_probabilities
from tagger.learning.examples import BoolArray, Examples
from tagger.learning.fitting import learn
from tagger.learning.genres import CleanGenres
from tagger.learning.judging import judge
from tagger.learning.teaching import Aside, Lesson
from tagger.learning.thresholds import NEVER, Predictions, Refusal, thresholds_of
from tests.lessons import NAMES, blobs, half_by_chance

GENRES = tuple(f"Genre {n}" for n in range(12))

pytestmark = pytest.mark.usefixtures("one_thread")


def as_sure_as_right(n: int, *, highest: float) -> Predictions:
    """Predictions of three labels, each as often right as is said, by artists of three tracks."""
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.01, highest, n).astype(np.float32)
    right = rng.random(n) < confidence
    return Predictions(confidence, rng.integers(0, 3, n), right, np.arange(n) // 3)


def test_no_threshold_lies_beyond_what_was_ever_said() -> None:
    """A curve through what is said at a tenth to four tenths goes on to three quarters."""
    faint = thresholds_of(as_sure_as_right(6000, highest=0.4), NAMES)
    assert set(faint.least.values()) == {NEVER}
    assert set(faint.refused.values()) == {Refusal.RARE}
    clear = thresholds_of(as_sure_as_right(6000, highest=1.0), NAMES)
    assert all(0.75 <= least < 0.85 for least in clear.least.values())
    assert clear.refused == {}


@pytest.mark.parametrize("n_artists", [1, 2])
def test_one_artist_alone_bears_witness_to_no_genre(n_artists: int) -> None:
    predictions = as_sure_as_right(6000, highest=1.0)
    is_third = predictions.label == 2
    few = predictions.take(~is_third | (predictions.confidence < 0.7))
    sure = Predictions(
        np.full(4, 0.97, np.float32),
        np.full(4, 2),
        np.ones(4, bool),
        9000 + np.arange(4) % n_artists,
    )
    found = thresholds_of(joined(few, sure), NAMES)
    assert found.refused == ({NAMES[2]: Refusal.RARE} if n_artists == 1 else {})
    assert (found.least[NAMES[2]] < 0.97) == (n_artists == 2)


def joined(one: Predictions, other: Predictions) -> Predictions:
    names = Predictions.__dataclass_fields__
    return Predictions(*(np.concatenate([getattr(one, n), getattr(other, n)]) for n in names))


def test_a_genre_that_was_wrong_where_it_was_sure_is_not_written() -> None:
    """Right where it is hardly sure, and wrong where it is: no curve that only rises says so."""
    of_others = as_sure_as_right(6000, highest=1.0)
    rows = np.arange(28)
    confidence = np.where(rows < 20, 0.3, 0.95).astype(np.float32)
    strange = Predictions(confidence, np.full(28, 2), rows < 24, 9000 + rows)
    found = thresholds_of(joined(of_others.take(of_others.label < 2), strange), NAMES)
    assert found.refused == {NAMES[2]: Refusal.WRONG}


def written(examples: Examples, others: Examples) -> tuple[BoolArray, BoolArray]:
    """Which tracks by other artists get a genre, and which of these the right one."""
    names = GENRES[: examples.truth.shape[1]]
    learned = learn(examples, names, ["base-1"])
    p = to_probabilities(learned.head.logits(others.embeddings), exclusive=learned.exclusive)
    said = p.argmax(axis=1)
    is_written = p.max(axis=1) >= np.array([learned.thresholds[name] for name in names])[said]
    return is_written, is_written & others.truth[np.arange(len(said)), said]


def test_genres_that_say_nothing_of_the_sound_do_not_hide_behind_those_that_do() -> None:
    """Of three libraries hardly one of eighteen such genres may be written, the others may."""
    n_honest = n_by_chance = 0
    for seed in range(3):
        examples, others = half_by_chance(35, seed)
        is_written, is_right = written(examples, others)
        assert is_right.sum() > 0.75 * is_written.sum() > 0
        thresholds = learn(examples, GENRES, ["base-1"]).thresholds
        may = [thresholds[name] < NEVER for name in GENRES]
        n_honest += sum(may[: len(may) // 2])
        n_by_chance += sum(may[len(may) // 2 :])
    assert n_honest >= 6
    assert n_by_chance <= 1


def test_a_genre_that_was_said_too_rarely_is_told_as_such() -> None:
    examples, _ = half_by_chance(35, 0)
    learned = learn(examples, GENRES, ["base-1"])
    report = judge(examples, learned, GENRES)
    rare = [one.genre for one in report.genres if one.refusal is Refusal.RARE]
    assert set(GENRES[6:]) <= set(rare) < set(GENRES)
    lesson = Lesson((), CleanGenres((), (), ()), examples, Aside(0, 0, 0, 0), 0)
    told = list(lines(lesson, report))
    why = "it called too few tracks so to be trusted"
    assert f"never written, since {why}: {', '.join(rare)}" in told
    assert not [line for line in told if "three of four" in line]


@pytest.mark.parametrize("by_artist", [True, False])
def test_labels_drawn_by_chance_write_next_to_nothing(by_artist: bool) -> None:
    for seed in range(4):
        everybody = blobs(160, seed=seed)
        rng = np.random.default_rng(seed)
        by_chance = np.repeat(rng.integers(0, 3, 160), 4) if by_artist else rng.integers(0, 3, 640)
        truth = np.eye(3, dtype=np.bool_)[by_chance]
        everybody = replace(everybody, first=by_chance, truth=truth)
        is_known = everybody.groups < 40
        is_written, right = written(everybody.take(is_known), everybody.take(~is_known))
        assert (is_written & ~right).mean() < 0.05
