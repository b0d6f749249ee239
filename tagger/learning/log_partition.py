"""Log-partition functions and their gradients, which are probabilities; by blocks of rows.

Of a thousand genres and many thousand tracks all logits at once, several times over, would not fit
a cache and hardly a memory.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tagger.records import FloatArray

_AT_ONCE = 1 << 17  # numbers in a block


def blocks(n_rows: int, n_columns: int) -> Iterator[slice]:
    """Yield slices of rows, together all of them."""
    step = max(1, _AT_ONCE // max(1, n_columns))
    for start in range(0, n_rows, step):
        yield slice(start, start + step)


def log_sum_exp(logits: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return log(sum(exp(logits))) of each row (n,), and the softmax (n, n_genres)."""
    largest = logits.max(axis=1, keepdims=True)
    powers = np.exp(logits - largest)
    sums = powers.sum(axis=1, keepdims=True)
    return (np.log(sums) + largest)[:, 0], powers / sums


def softplus(logits: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return log(1 + exp(logits)) and the sigmoid, each (n, n_genres).

    >>> [array.tolist() for array in softplus(np.array([[-1000.0, 1000.0]]))]
    [[[0.0, 1000.0]], [[0.0, 1.0]]]
    """
    small = np.exp(-np.abs(logits))  # which no logit overflows
    values = np.log1p(small) + np.maximum(logits, 0)
    return values, np.where(logits >= 0, 1, small) / (1 + small)
