"""Fitting how often a tag is right, on clips that are made up."""

import numpy as np
import pytest

from tools.musicnn_calibration import NEVER, PRECISION, Clips, calibrate, cross_fitted
from tools.musicnn_strangeness import fit_plane
from tools.musicnn_vocabulary import BROADER, GENRES, LABELS, TAGS

N = 400


def clips(slope: float = 2.0, seed: int = 0) -> Clips:
    """Of half of the clips Rock is right, of the others Electronic, as their logits say."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(-4, 0.3, (N, len(LABELS))).astype(np.float32)
    is_rock = rng.random(N) < 0.5
    for label, right in (("Rock", is_rock), ("Electronic", ~is_rock)):
        said = rng.logistic(0, 1, N) / slope + np.where(right, -1.0, -2.5)
        logits[:, LABELS.index(label)] = said
    genres = tuple("rock" if rock else "electro" for rock in is_rock)
    embeddings = np.zeros((N, 2), np.float32)
    return Clips(logits, embeddings, genres, tuple(str(i // 4) for i in range(N)))


def test_probabilities_are_how_often_a_label_is_right() -> None:
    heard = clips()
    fit = calibrate(heard, LABELS, BROADER)
    i = LABELS.index("Rock")
    p = 1 / (1 + np.exp(-(heard.logits[:, i] * fit.scale[i] + fit.shift[i])))
    right = np.array([genre == "rock" for genre in heard.genres])
    for low, high in ((0.0, 0.3), (0.3, 0.7), (0.7, 1.0)):
        some = (p >= low) & (p <= high)
        assert abs(p[some].mean() - right[some].mean()) < 0.1


def test_above_the_threshold_more_are_right_than_asked() -> None:
    heard = clips()
    fit = calibrate(heard, LABELS, BROADER)
    assert PRECISION < fit.thresholds["Rock"] < NEVER
    i = LABELS.index("Rock")
    p = 1 / (1 + np.exp(-(heard.logits[:, i] * fit.scale[i] + fit.shift[i])))
    right = np.array([genre == "rock" for genre in heard.genres])
    assert right[p >= fit.thresholds["Rock"]].mean() > PRECISION


def test_what_no_clip_is_of_needs_more_than_was_ever_heard_of_it() -> None:
    heard = clips()
    heard.logits[7, LABELS.index("Jazz")] = 3.0
    heard.logits[:, LABELS.index("Metal")] = -6.0
    fit = calibrate(heard, LABELS, BROADER)
    assert fit.thresholds["Jazz"] == NEVER
    assert fit.thresholds["Metal"] == pytest.approx(
        max(fit.thresholds["Rock"], fit.thresholds["Electronic"]), abs=1e-3
    )


def test_a_kind_of_rock_may_be_heard_in_rock() -> None:
    heard = clips()
    i, rock = LABELS.index("Hard Rock"), [g == "rock" for g in heard.genres]
    heard.logits[np.array(rock), i] = 3.0
    assert calibrate(heard, LABELS, BROADER).thresholds["Hard Rock"] < NEVER


def test_each_tag_has_a_label_of_its_own() -> None:
    assert len(set(LABELS)) == len(LABELS) == len(TAGS) == 50
    assert set(BROADER) | set(BROADER.values()) <= set(GENRES) <= set(LABELS)
    assert len({label.casefold() for label in LABELS}) == 50


def test_other_artists_are_counted_too() -> None:
    heard = clips()
    n_right, n_above, n_both = cross_fitted(heard, LABELS, BROADER)["Rock"]
    assert n_right == sum(genre == "rock" for genre in heard.genres)
    assert 0 < n_both <= n_above
    assert n_both / n_above > 0.8


def test_only_what_lies_on_the_side_of_odd_sounds_is_strange() -> None:
    rng = np.random.default_rng(0)
    music = rng.normal(0, 1, (200, 8)).astype(np.float32)
    odd = (rng.normal(0, 1, (60, 8)) + np.eye(8)[0] * 6).astype(np.float32)
    elsewhere = np.eye(8)[1] * 9 - np.eye(8)[0] * 3
    other_music = (rng.normal(0, 1, (50, 8)) + elsewhere).astype(np.float32)
    novelty = fit_plane(music, odd, np.arange(200) % 5, n_labels=3)
    assert novelty.means.shape == (3, 8)
    assert novelty.is_novel(odd).mean() > 0.9
    assert novelty.is_novel(music).mean() < 0.05
    assert not novelty.is_novel(other_music).any()
