"""Fitting the default model's head: what is learned, what is believed, and what is left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tagger.learning.thresholds import NEVER
from tagger.records import FloatArray
from tests.library import make_track
from tools import fit_head as tool
from tools.clip_truth import GENRES, Truth, truth_of
from tools.head_fitting import (
    FittedHead,
    HeardClips,
    fit_head,
    folds_of,
    written_on,
    written_together,
)
from tools.labelled_clips import Clip, find_clips

DIM = 16
N_EACH = 60
HEARD = {"Classical": 0, "Jazz": 1, "Rock": 2}  # {genre: the direction that it lies in}


def clip(*labels: str, own: tuple[str, ...] = (), artist: str = "Ann") -> Clip:
    return Clip(Path("x.mp3"), labels, labels + own, artist)


def of(truth: Truth, what: str, genre: str) -> list[object]:
    return list(getattr(truth, what)[:, GENRES.index(genre)])


def test_what_a_clips_own_tag_says_is_right_and_not_learned() -> None:
    truth = truth_of([clip("pop", own=("alternative rock",))])
    assert (of(truth, "right", "Rock"), of(truth, "wanted", "Rock")) == ([True], [False])
    assert (of(truth, "weight", "Rock"), of(truth, "weight", "Jazz")) == ([0.0], [1.0])


def test_a_broad_shelf_is_divided_by_artist() -> None:
    names = ("Madonna", "Slayer", "Nobody Known")
    truth = truth_of([clip("pop/rock", artist=name) for name in names])
    assert of(truth, "right", "Rock") == of(truth, "right", "Pop") == [True] * 3
    assert of(truth, "wanted", "Pop") == [True, False, False]
    assert of(truth, "wanted", "Rock") == [False, True, True]
    assert of(truth, "wanted", "Metal") == of(truth, "right", "Metal") == [False, True, False]
    assert of(truth, "weight", "Rock") == [0.0, 1.0, 1.0]
    assert of(truth, "weight", "Pop") == [1.0, 0.0, 0.0]


def test_what_stands_on_a_shelf_for_no_reason_that_can_be_heard_stays_open() -> None:
    truth = truth_of(
        [clip("electronic", "pop/rock", artist=name) for name in ("Slayer", "Refused")]
    )
    assert of(truth, "wanted", "Electronic") == [True, False]
    assert of(truth, "weight", "Electronic") == [1.0, 0.0]


def clips(n_artists: int = 90, *, noise: float = 0.3) -> HeardClips:
    """Clips of three genres that lie apart, two by each artist, in two collections."""
    rng = np.random.default_rng(0)
    n = N_EACH * len(HEARD)
    genre = np.arange(n) // 2 % len(HEARD)
    embeddings = rng.normal(0, noise, (n, DIM)).astype(np.float32)
    embeddings[np.arange(n), genre] += 2
    right = np.zeros((n, len(GENRES)), np.bool_)
    right[np.arange(n), [GENRES.index(list(HEARD)[g]) for g in genre]] = True
    truth = Truth(right, right.copy(), np.ones(right.shape, np.float32))
    return HeardClips(embeddings, embeddings, truth, np.arange(n) // 2 % n_artists, genre % 2)


@pytest.fixture(scope="module")
def odd() -> FloatArray:
    sounds = np.random.default_rng(1).normal(0, 0.3, (40, DIM)).astype(np.float32)
    sounds[:, 5] += 2
    return sounds


def test_a_head_writes_what_it_was_shown_and_nothing_else(odd: FloatArray) -> None:
    heard = clips()
    head = fit_head(heard, odd)
    written = written_on(head, heard)
    assert (written.n, written.n_right) == (len(heard), len(heard))
    assert {genre for genre, least in head.thresholds.items() if least < NEVER} == set(HEARD)
    said = head.probabilities(odd)
    assert (said.argmax(axis=1) == len(GENRES)).all(), "no music"
    together = written_together(head, heard)
    assert (together.n, together.n_right) == (90, 90)


def test_where_labels_say_nothing_nothing_is_written(odd: FloatArray) -> None:
    heard = clips()
    shuffled = np.random.default_rng(2).permutation(len(heard))
    truth = Truth(heard.truth.right[shuffled], heard.truth.wanted[shuffled], heard.truth.weight)
    lied_to = HeardClips(heard.embeddings, heard.briefly, truth, heard.groups, heard.collections)
    assert set(fit_head(lied_to, odd).thresholds.values()) == {NEVER}


def test_a_genre_that_few_clips_bear_out_is_never_written(odd: FloatArray) -> None:
    heard = clips()
    rock = heard.truth.right[:, GENRES.index("Rock")]
    few = heard.take(~rock | (np.cumsum(rock) <= 9))
    assert fit_head(few, odd).thresholds["Rock"] == NEVER


def test_no_artist_is_on_both_sides_of_a_fit() -> None:
    heard = clips()
    folds = folds_of(heard.groups)
    assert all(len(set(folds[heard.groups == group])) == 1 for group in heard.groups)


def test_what_is_judged_had_no_part_in_the_fit(
    odd: FloatArray, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard, fitted = clips(), []

    def noted(some: HeardClips, odd: FloatArray) -> FittedHead:
        fitted.append(some)
        return fit_head(some, odd)

    monkeypatch.setattr(tool, "fit_head", noted)
    told = dict(tool.judged(heard, odd, ["one", "two"]))
    assert len(told["artists left out"].genre) == len(heard)
    assert len(told["one left out"].genre) == int((heard.collections == 0).sum())
    assert [len(set(some.collections)) for some in fitted[-2:]] == [1, 1]
    folds = folds_of(heard.groups)
    for k, some in enumerate(fitted[:5]):
        assert set(some.groups).isdisjoint(heard.groups[folds == k])


def test_numbered_clips_whose_artists_nobody_tells_go_by_tens(tmp_path: Path) -> None:
    for name in ("blues.00001.wav", "blues.00009.wav", "blues.00010.wav", "song.wav"):
        make_track(tmp_path / "blues" / name)
    artists = [one.artist for one in find_clips(tmp_path)]
    assert artists[0] == artists[1]
    assert len(set(artists)) == 3
