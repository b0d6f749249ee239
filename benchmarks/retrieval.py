"""How well a similarity brings tracks of the same genre to the top: its figures and intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

AT = 10
_N_DRAWS = 1000

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Retrieval:
    """What each query found; NaN where nothing of its genre was to be found.

    Args:
        precision: (n_queries,) share of its genre among the first ten.
        average_precision: (n_queries,) mean of the precision at each track of its genre.
        group: (n_queries,) the query's artist.
    """

    precision: Array
    average_precision: Array
    group: Array

    def joined(self, other: Retrieval) -> Retrieval:
        """Return the queries of both, whose groups must differ."""
        return Retrieval(
            np.concatenate([self.precision, other.precision]),
            np.concatenate([self.average_precision, other.average_precision]),
            np.concatenate([self.group, other.group]),
        )


def retrieve(similarity: Array, genre: Array, group: Array) -> Retrieval:
    """Let each track look for its genre among the tracks of other groups.

    Args:
        similarity: (n, n), the higher the more alike.
        genre: (n,) of each track.
        group: (n,) its artist.

    Example:
        >>> alike = np.array([[1, 0.9, 0.1], [0.9, 1, 0.2], [0.1, 0.2, 1]])
        >>> found = retrieve(alike, np.array([0, 1, 0]), np.arange(3))
        >>> found.average_precision.tolist()
        [0.5, nan, 0.5]
    """
    precision, average = np.full(len(genre), np.nan), np.full(len(genre), np.nan)
    for i, scores in enumerate(similarity):
        others = group != group[i]
        order = np.argsort(-scores[others], kind="stable")
        is_hit = (genre[others] == genre[i])[order]
        if is_hit.any():
            precision[i] = is_hit[:AT].mean()
            average[i] = (np.cumsum(is_hit) / np.arange(1, len(is_hit) + 1))[is_hit].mean()
    return Retrieval(precision, average, group)


def cosine(vectors: Array) -> Array:
    """Return the cosines (n, n) of the angles between vectors (n, dim)."""
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    cosines: Array = unit @ unit.T
    return cosines


def nearness(vectors: Array) -> Array:
    """Return the negative squared distances (n, n) between vectors (n, dim)."""
    squares = np.square(vectors).sum(axis=1)
    near: Array = 2 * vectors @ vectors.T - squares[:, None] - squares[None]
    return near


def interval(values: Array, group: Array, *, seed: int = 0) -> tuple[float, float, float]:
    """Return the mean of values (n,) and the 95 % interval of it over draws of whole groups."""
    known = np.isfinite(values)
    names, index = np.unique(group[known], return_inverse=True)
    sums = np.bincount(index, values[known], len(names))
    counts = np.bincount(index, minlength=len(names))
    rng = np.random.default_rng(seed)
    draws = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), _N_DRAWS)
    means = (draws @ sums) / (draws @ counts)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(values[known].mean()), float(low), float(high)
