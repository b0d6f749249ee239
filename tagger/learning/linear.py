"""A linear head on embeddings: one logistic regression of all genres, or one for each."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from tagger.learning.examples import BoolArray, DoubleArray, Examples, IntArray
from tagger.learning.log_partition import blocks, softplus

# Strong, since a genre of a person's has few tracks: of six values tried on two collections it was
# the best or nearly so (docs/learning.md).
_C = 0.01
_UNSAID = -12.0  # the logit of a genre that no track of a fit has
_TOLERANCE = 1e-4  # of the gradient, as scikit-learn has it


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
        told = np.flatnonzero(examples.truth.any(axis=0) & ~examples.truth.all(axis=0))
        weight[told], bias[told] = _each_by_itself(inputs, examples.truth[:, told])
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


def _each_by_itself(
    inputs: NDArray[np.floating], truth: BoolArray
) -> tuple[DoubleArray, DoubleArray]:
    """Return weight and bias of a row for each genre, of as many logistic regressions.

    All at once, since a thousand one after the other would take an hour.

    Args:
        inputs: (n, embedding_dim).
        truth: (n, n_genres); no column is true or false throughout.
    """
    (n, dim), n_genres = inputs.shape, truth.shape[1]
    # Each side of a genre counts alike.
    n_with = truth.sum(axis=0)
    of_with, of_without = (0.5 / n_with).astype("f4"), (0.5 / (n - n_with)).astype("f4")
    penalty = 1 / (_C * n)

    def loss(flat: DoubleArray) -> tuple[float, DoubleArray]:
        rows = flat.reshape(n_genres, dim + 1)
        weight, bias = rows[:, :dim], rows[:, dim]
        value, gradient = 0.5 * penalty * np.square(weight).sum(), np.zeros_like(rows)
        gradient[:, :dim] = penalty * weight
        columns, shifts = weight.T.astype(inputs.dtype), bias.astype(inputs.dtype)
        for block in blocks(n, n_genres):
            logits = inputs[block] @ columns + shifts
            grown, p = softplus(logits)
            has = truth[block]
            counts = np.where(has, of_with, of_without)
            value += float((counts * (grown - has * logits)).sum(dtype=np.float64))
            error = counts * (p - has)
            gradient[:, :dim] += error.T @ inputs[block]
            gradient[:, dim] += error.sum(axis=0)
        return value, gradient.ravel()

    found = minimize(
        loss,
        np.zeros(n_genres * (dim + 1)),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 500, "gtol": _TOLERANCE, "ftol": 64 * np.finfo(float).eps},
    )
    rows = found.x.reshape(n_genres, dim + 1)
    return rows[:, :dim], rows[:, dim]
