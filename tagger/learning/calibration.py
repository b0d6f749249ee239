"""One slope and a shift for each genre, that make of logits what confidence promises."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from tagger.learning.examples import BoolArray, DoubleArray
from tagger.learning.log_partition import blocks, log_sum_exp, softplus
from tagger.models.voting import sigmoid, softmax
from tagger.records import FloatArray


@dataclass(frozen=True, slots=True)
class Calibration:
    """What turns raw logits into calibrated ones: one slope for all, and a shift for each genre."""

    slope: float
    shifts: DoubleArray

    def apply(self, logits: FloatArray) -> FloatArray:
        """Return calibrated logits (n, n_genres)."""
        scaled: FloatArray = (logits * self.slope + self.shifts).astype(np.float32)
        return scaled


def fit_calibration(logits: FloatArray, wanted: BoolArray, *, exclusive: bool) -> Calibration:
    """Return the calibration at which probabilities are likeliest to give what is wanted.

    Source: vector scaling of Guo et al., arXiv 1706.04599, with one slope for all, since a genre
    with few tracks proves little alone; its shift is drawn toward none as by one track more.

    Args:
        logits: (n, n_genres) of tracks not fitted on.
        wanted: (n, n_genres).
        exclusive: Softmax, or sigmoid.
    """
    n, n_genres = logits.shape
    n_wanted = wanted.sum(axis=0)
    told = float(logits[wanted].sum(dtype=np.float64))

    def loss(values: DoubleArray) -> tuple[float, DoubleArray]:
        slope, shifts = np.exp(values[0]), values[1:]
        total, by_slope, by_shift = -slope * told - shifts @ n_wanted, -told, -1.0 * n_wanted
        for block in blocks(n, n_genres):
            part = logits[block]
            grown, p = partition((part * slope + shifts).astype(np.float32))
            total += float(grown.sum(dtype=np.float64))
            by_slope += float(np.einsum("ij,ij->i", p, part).sum(dtype=np.float64))
            by_shift += p.sum(axis=0, dtype=np.float64)
        gradient = np.concatenate([[by_slope * slope], by_shift + shifts])
        return (total + 0.5 * np.square(shifts).sum()) / n, gradient / n

    partition = log_sum_exp if exclusive else softplus
    found = minimize(loss, np.zeros(1 + n_genres), jac=True, method="L-BFGS-B")
    return Calibration(float(np.exp(found.x[0])), found.x[1:])


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
