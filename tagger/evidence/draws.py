"""Draws of the artists: what a rate or a threshold owes to the luck of whom the data hold.

All thresholds of the tagger are high enough for 19 of 20 draws, with replacement, of the artists
that they were measured on.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

N_DRAWS = 100
_OF_DRAWS = 0.95  # 19 of 20

DoubleArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


def draw_artists(n_artists: int, *, n_draws: int = N_DRAWS, seed: int = 0) -> IntArray:
    """Return (n_draws, n_artists) numbers of artists, each drawn with replacement."""
    return np.random.default_rng(seed).integers(0, n_artists, (n_draws, n_artists))


def high_enough(found: DoubleArray) -> DoubleArray:
    """Return what is high enough for 19 of 20 draws (first axis)."""
    # The upper of two neighbours, since between a number and infinity nothing can be interpolated.
    needed: DoubleArray = np.quantile(found, _OF_DRAWS, axis=0, method="higher")
    return needed


def low_enough(found: DoubleArray) -> DoubleArray:
    """Return what 19 of 20 draws (first axis) reach at the least."""
    reached: DoubleArray = np.quantile(found, 1 - _OF_DRAWS, axis=0, method="lower")
    return reached


def surely_right(is_right: BoolArray, artists: IntArray, *, seed: int = 0) -> float:
    """Return the share that is right, as low as 19 of 20 draws of the artists have it at the least.

    Args:
        is_right: (n,).
        artists: (n,) whose each is; drawn as a whole.
        seed: Of the draws.

    >>> surely_right(np.array([True, True, True, False]), np.array([0, 0, 1, 1]))
    0.5
    """
    _, artist = np.unique(artists, return_inverse=True)
    n_said = np.bincount(artist)
    n_right = np.bincount(artist, is_right)
    drawn = draw_artists(len(n_said), seed=seed)
    return float(low_enough(n_right[drawn].sum(axis=1) / n_said[drawn].sum(axis=1)))
