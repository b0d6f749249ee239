"""A calibrated linear head on embeddings, and what it says of tracks that it was not fitted on."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold

from tagger.heads import Head
from tagger.learning.novelty import QUANTILE, fit_novelty
from tagger.learning.thresholds import NEVER, BoolArray, DoubleArray, IntArray, fit_thresholds
from tagger.novelty import Novelty
from tagger.records import FloatArray
from tagger.voting import sigmoid, softmax

N_FOLDS = 5
# Strong, since a genre of a person's has few tracks: of six values tried on two collections it was
# the best or nearly so (docs/learning.md).
_C = 0.01
_MULTI_SHARE = 0.05  # of tracks with several genres, from which on they do not exclude each other
_SHOWN = 5  # so often a genre must come first for its threshold to mean anything
_UNSAID = -12.0  # the logit of a genre that no track of a fit has


@dataclass(frozen=True, slots=True)
class Examples:
    """Tracks whose genres a person set.

    Args:
        embeddings: (n, embedding_dim) float32.
        truth: (n, n_genres) whether it has that genre; each has at least one.
        first: (n,) its first genre.
        groups: (n,) its artist; tracks of one are never on both sides of a fold.
    """

    embeddings: FloatArray
    truth: BoolArray
    first: IntArray
    groups: IntArray

    def __len__(self) -> int:
        return len(self.first)

    @property
    def are_exclusive(self) -> bool:
        """Whether hardly any track has several genres."""
        return bool((self.truth.sum(axis=1) > 1).mean() < _MULTI_SHARE)

    def take(self, rows: IntArray | BoolArray) -> Examples:
        """Return those rows only."""
        return Examples(
            self.embeddings[rows], self.truth[rows], self.first[rows], self.groups[rows]
        )


@dataclass(frozen=True, slots=True)
class Scale:
    """What turns raw logits into calibrated ones: one slope for all, and a shift for each genre."""

    slope: float
    shifts: DoubleArray

    def apply(self, logits: FloatArray) -> FloatArray:
        """Return calibrated logits (n, n_genres)."""
        scaled: FloatArray = (logits * self.slope + self.shifts).astype(np.float32)
        return scaled


@dataclass(frozen=True, slots=True)
class Learned:
    """A head, and what the same procedure says of tracks that it was not fitted on.

    Args:
        head: Fitted on all tracks; its logits are calibrated.
        exclusive: A track has one genre (softmax); else each is true or not by itself (sigmoid).
        thresholds: {genre: least confidence at which it is written}.
        probabilities: (n, n_genres) of each track by a head that its artist had no part in.
    """

    head: Head
    exclusive: bool
    thresholds: dict[str, float]
    probabilities: FloatArray


def learn(examples: Examples, names: Sequence[str], base: str, *, seed: int = 0) -> Learned:
    """Fit a head on tracks, and say what it is worth.

    Args:
        examples: The tracks.
        names: (n_genres,) the genres.
        base: The model whose embeddings these are.
        seed: Of the folds.
    """
    exclusive = examples.are_exclusive
    folds = folds_of(examples, seed)
    logits = held_out_logits(examples, folds)
    scale = fit_scale(logits, wanted(examples), exclusive=exclusive)
    weight, bias = fit_linear(examples, exclusive=exclusive)
    novelty = fit_novelty(examples.embeddings, examples.first, len(names))
    limit = float(np.quantile(_distances(examples, folds), QUANTILE))
    head = Head(
        base,
        (weight * scale.slope).astype(np.float32),
        (bias * scale.slope + scale.shifts).astype(np.float32),
        Novelty(novelty.means, novelty.whitening, limit),
    )
    # Thresholds are of the scale that the head has: a scale for each fold would blur what is sure.
    said = to_probabilities(scale.apply(logits), exclusive=exclusive)
    likeliest = said.argmax(axis=1)
    is_right = examples.truth[np.arange(len(examples)), likeliest]
    thresholds = fit_thresholds(said, is_right, examples.groups, names)
    for genre in np.flatnonzero(np.bincount(likeliest, minlength=len(names)) < _SHOWN):
        thresholds[names[int(genre)]] = NEVER
    return Learned(head, exclusive, thresholds, held_out_probabilities(examples, logits, folds))


def held_out_probabilities(
    examples: Examples, logits: FloatArray, folds: Sequence[IntArray]
) -> FloatArray:
    """Return (n, n_genres) of each track by a head and a scale that its fold had no part in.

    Args:
        examples: The tracks.
        logits: What ``held_out_logits`` gave.
        folds: Rows of each.
    """
    exclusive, asked = examples.are_exclusive, wanted(examples)
    probabilities = np.empty_like(logits)
    for rows in folds:
        others = np.setdiff1d(np.arange(len(examples)), rows)
        scale = fit_scale(logits[others], asked[others], exclusive=exclusive)
        probabilities[rows] = to_probabilities(scale.apply(logits[rows]), exclusive=exclusive)
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
    examples: Examples, folds: Sequence[IntArray], *, share: float = 1.0, seed: int = 0
) -> FloatArray:
    """Return raw logits (n, n_genres) of each track by a head that its fold had no part in.

    Args:
        examples: The tracks.
        folds: Rows of each.
        share: Of the other folds' artists, those that the head is fitted on.
        seed: Of the artists drawn.
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
    return logits


def _distances(examples: Examples, folds: Sequence[IntArray]) -> DoubleArray:
    """Return how far from what is usual (n,) each track is, as the other folds know it."""
    distances = np.zeros(len(examples))
    for rows in folds:
        others = examples.take(np.setdiff1d(np.arange(len(examples)), rows))
        novelty = fit_novelty(others.embeddings, others.first, examples.truth.shape[1])
        distances[rows] = novelty.distances(examples.embeddings[rows])
    return distances


def wanted(examples: Examples) -> BoolArray:
    """Return what a head is asked for, (n, n_genres): one genre, or all."""
    if not examples.are_exclusive:
        return examples.truth
    one: BoolArray = np.eye(examples.truth.shape[1], dtype=np.bool_)[examples.first]
    return one


def fit_linear(examples: Examples, *, exclusive: bool) -> tuple[DoubleArray, DoubleArray]:
    """Return weight (n_genres, embedding_dim) and bias (n_genres,) of raw logits.

    Each genre counts alike, however many tracks it has; the calibration puts right how likely it
    is.

    Args:
        examples: The tracks.
        exclusive: A track has one genre; else each is true or not by itself.
    """
    mean = examples.embeddings.mean(axis=0)
    spread = examples.embeddings.std(axis=0) + 1e-6
    inputs = (examples.embeddings - mean) / spread
    n_genres = examples.truth.shape[1]
    weight = np.zeros((n_genres, inputs.shape[1]))
    bias = np.full(n_genres, _UNSAID)
    if exclusive:
        said, rows, shifts = _multinomial(inputs, examples.first)
        weight[said], bias[said] = rows, shifts
    else:
        bias[examples.truth.all(axis=0)] = -_UNSAID
        for genre in np.flatnonzero(examples.truth.any(axis=0) & ~examples.truth.all(axis=0)):
            _, rows, shifts = _multinomial(inputs, examples.truth[:, genre].astype(np.int64))
            weight[genre], bias[genre] = rows[1] - rows[0], shifts[1] - shifts[0]
    return weight / spread, bias - weight @ (mean / spread)


def _multinomial(
    inputs: NDArray[np.floating], labels: IntArray
) -> tuple[IntArray, DoubleArray, DoubleArray]:
    """Return which labels there are, and weight and bias of a row for each."""
    there = np.unique(labels)
    if len(there) == 1:  # which scikit-learn refuses; there is nothing to tell apart
        return there, np.zeros((1, inputs.shape[1])), np.zeros(1)
    model = LogisticRegression(C=_C, class_weight="balanced", max_iter=500)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that it looks like a regression: many genres
        model.fit(inputs, labels)
    weight, bias = model.coef_, model.intercept_
    if len(model.classes_) == 2:  # scikit-learn gives the difference of the two alone
        weight, bias = np.vstack([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
    return model.classes_, weight, bias


def fit_scale(logits: FloatArray, wanted: BoolArray, *, exclusive: bool) -> Scale:
    """Return the scale at which probabilities are likeliest to give what is wanted.

    Source: vector scaling of Guo et al., arXiv 1706.04599, with one slope for all, since a genre
    with few tracks proves little alone; its shift is drawn toward none as by one track more.

    Args:
        logits: (n, n_genres) of tracks not fitted on.
        wanted: (n, n_genres).
        exclusive: Softmax, or sigmoid.
    """
    n, n_genres = logits.shape
    asked = wanted.astype(np.float64)

    def loss(values: DoubleArray) -> tuple[float, DoubleArray]:
        slope, shifts = np.exp(values[0]), values[1:]
        probabilities = to_probabilities(
            (logits * slope + shifts).astype(np.float32), exclusive=exclusive
        ).astype(np.float64)
        p = np.clip(probabilities, 1e-9, 1 - 1e-9)
        told = asked * np.log(p) + (0 if exclusive else (1 - asked) * np.log(1 - p))
        error = probabilities - asked
        by_slope = (error * logits).sum() * slope
        gradient = np.concatenate([[by_slope], error.sum(axis=0) + shifts])
        return (-told.sum() + 0.5 * np.square(shifts).sum()) / n, gradient / n

    found = minimize(loss, np.zeros(1 + n_genres), jac=True, method="L-BFGS-B")
    return Scale(float(np.exp(found.x[0])), found.x[1:])


def to_probabilities(logits: FloatArray, *, exclusive: bool) -> FloatArray:
    """Return probabilities (n, n_genres) of calibrated logits."""
    return softmax(logits) if exclusive else sigmoid(logits)


def called(probabilities: FloatArray, exclusive: bool) -> BoolArray:
    """Return what each track is called, (n, n_genres): the likeliest, or all that are likely."""
    if not exclusive:
        likely: BoolArray = probabilities >= 0.5
        return likely
    one: BoolArray = np.eye(probabilities.shape[1], dtype=np.bool_)[probabilities.argmax(axis=1)]
    return one
