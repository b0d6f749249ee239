"""A calibrated linear head on embeddings, and what it says of tracks that it was not fitted on."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from tagger.learning.calibration import fit_calibration, to_probabilities
from tagger.learning.examples import DoubleArray, Examples, IntArray
from tagger.learning.linear import fit_linear
from tagger.learning.novelty import QUANTILE, fit_gaussian
from tagger.learning.thresholds import (
    Refusal,
    Thresholds,
    first_said,
    further_said,
    thresholds_of,
)
from tagger.models.head import Head
from tagger.models.novelty import Novelty
from tagger.records import FloatArray

N_FOLDS = 5
Tick = Callable[[], object]  # called after each fit, for whoever waits
_SHOWN = 5  # so often a genre must be said for its threshold to mean anything


@dataclass(frozen=True, slots=True)
class Learned:
    """A head, and what the same procedure says of tracks that it was not fitted on.

    Args:
        head: Fitted on all tracks; its logits are calibrated.
        exclusive: A track has one genre (softmax); else each is true or not by itself (sigmoid).
        thresholds: {genre: least confidence at which it is written}.
        refused: {genre: why it is never written}.
        further: {genre: least confidence at which it is written behind a likelier one}; empty where
            they are exclusive.
        probabilities: (n, n_genres) of each track by a head that its artist had no part in.
    """

    head: Head
    exclusive: bool
    thresholds: Mapping[str, float]
    refused: Mapping[str, Refusal]
    further: Mapping[str, float]
    probabilities: FloatArray


def no_tick() -> None:
    """Tell nobody."""


def learn(
    examples: Examples,
    names: Sequence[str],
    bases: Sequence[str],
    *,
    seed: int = 0,
    tick: Tick = no_tick,
) -> Learned:
    """Fit a head on tracks, and say what it is worth.

    Args:
        examples: The tracks.
        names: (n_genres,) the genres.
        bases: The networks whose embeddings these are, side by side.
        seed: Of the folds.
        tick: Called once a fold.
    """
    exclusive = examples.are_exclusive
    folds = folds_of(examples, seed)
    logits = held_out_logits(examples, folds, tick=tick)
    calibration = fit_calibration(logits, examples.wanted, exclusive=exclusive)
    weight, bias = fit_linear(examples, exclusive=exclusive)
    novelty = fit_gaussian(examples.embeddings, examples.first, len(names))
    limit = float(np.quantile(_distances(examples, folds), QUANTILE))
    head = Head(
        tuple(bases),
        (weight * calibration.slope).astype(np.float32),
        (bias * calibration.slope + calibration.shifts).astype(np.float32),
        Novelty(novelty.means, novelty.whitening, limit),
    )
    # Thresholds are of the calibration that the head has: one for each fold would blur what is
    # sure.
    said = to_probabilities(calibration.apply(logits), exclusive=exclusive)
    thresholds, further = _thresholds(said, examples, names)
    held_out = held_out_probabilities(examples, logits, folds)
    return Learned(head, exclusive, thresholds.least, thresholds.refused, further, held_out)


def _thresholds(
    probabilities: FloatArray, examples: Examples, names: Sequence[str]
) -> tuple[Thresholds, Mapping[str, float]]:
    """Return from which confidence a genre is written, and from which behind a likelier one.

    Being right as the likeliest says little of being right as another: each has to show it.
    """
    truth, groups = examples.truth, examples.groups
    is_right = truth[np.arange(len(truth)), probabilities.argmax(axis=1)]
    first = thresholds_of(first_said(probabilities, is_right, groups), names, n_least=_SHOWN)
    if examples.are_exclusive:  # then no other can be as likely
        return first, {}
    least = np.array([first.least[name] for name in names])
    behind = further_said(probabilities, truth, groups, least)
    return first, thresholds_of(behind, names, n_least=_SHOWN).least


def held_out_probabilities(
    examples: Examples, logits: FloatArray, folds: Sequence[IntArray]
) -> FloatArray:
    """Return (n, n_genres) of each track by a head and a calibration that its fold had no part in.

    Args:
        examples: The tracks.
        logits: What ``held_out_logits`` gave.
        folds: Rows of each.
    """
    exclusive, asked = examples.are_exclusive, examples.wanted
    probabilities = np.empty_like(logits)
    for rows in folds:
        others = np.setdiff1d(np.arange(len(examples)), rows)
        calibration = fit_calibration(logits[others], asked[others], exclusive=exclusive)
        probabilities[rows] = to_probabilities(calibration.apply(logits[rows]), exclusive=exclusive)
    return probabilities


def folds_of(examples: Examples, seed: int) -> list[IntArray]:
    """Return rows of folds: no artist in two, genres balanced."""
    # A split into more than there are artists, or tracks of the commonest genre, is refused.
    n_most = min(len(np.unique(examples.groups)), int(np.bincount(examples.first).max()))
    splitter = StratifiedGroupKFold(min(N_FOLDS, n_most), shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that a genre has fewer tracks than folds
        parts = list(splitter.split(examples.first, examples.first, examples.groups))
    return [rows for _, rows in parts if len(rows)]


def held_out_logits(
    examples: Examples,
    folds: Sequence[IntArray],
    *,
    share: float = 1.0,
    seed: int = 0,
    tick: Tick = no_tick,
) -> FloatArray:
    """Return raw logits (n, n_genres) of each track by a head that its fold had no part in.

    Args:
        examples: The tracks.
        folds: Rows of each.
        share: Of the other folds' artists, those that the head is fitted on.
        seed: Of the artists drawn.
        tick: Called once a fold.
    """
    rng = np.random.default_rng(seed)
    logits = np.zeros(examples.truth.shape, np.float32)
    for rows in folds:
        others = examples.take(np.setdiff1d(np.arange(len(examples)), rows))
        artists = np.unique(others.groups)
        n_drawn = min(len(artists), max(2, round(share * len(artists))))
        drawn = rng.choice(artists, n_drawn, replace=False)
        some = others.take(np.isin(others.groups, drawn))
        weight, bias = fit_linear(some, exclusive=examples.are_exclusive)
        logits[rows] = examples.embeddings[rows] @ weight.T + bias
        tick()
    return logits


def _distances(examples: Examples, folds: Sequence[IntArray]) -> DoubleArray:
    """Return how far from what is usual (n,) each track is, as the other folds know it."""
    distances = np.zeros(len(examples))
    for rows in folds:
        others = examples.take(np.setdiff1d(np.arange(len(examples)), rows))
        novelty = fit_gaussian(others.embeddings, others.first, examples.truth.shape[1])
        distances[rows] = novelty.distances(examples.embeddings[rows])
    return distances
