"""How alike two tracks sound, by their embeddings. Plain numpy.

What was compared, and with what outcome, stands in docs/recommendations.md.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tagger.records import FloatArray

# No two tracks by different artists came so near among seven thousand; lossless copies do, and
# half of those in another thrifty encoding.
NEAR_IDENTICAL = 0.998
# Architectures whose embeddings find music of a genre surely better than the others' do.
FINER_EARS = frozenset({"musicnn"})
_TINY = np.float32(1e-12)


def unit_vectors(vectors: NDArray[np.floating]) -> FloatArray:
    """Return where embeddings (n, embedding_dim) point, each of length 1; zeros point nowhere.

    >>> unit_vectors(np.array([[3.0, -4.0], [0.0, 0.0]])).round(2).tolist()
    [[0.6000000238418579, -0.800000011920929], [0.0, 0.0]]
    """
    heard: FloatArray = vectors.astype(np.float32)
    pointing: FloatArray = np.divide(heard, _lengths(heard)[:, None])
    return pointing


def _lengths(vectors: FloatArray) -> FloatArray:
    # einsum makes no squared copy of the matrix.
    lengths: FloatArray = np.maximum(np.sqrt(np.einsum("td,td->t", vectors, vectors)), _TINY)
    return lengths


def cosine_similarity(vectors: NDArray[np.floating], targets: FloatArray) -> FloatArray:
    """Return how alike each embedding (n, embedding_dim) is to targets (n_targets, embedding_dim).

    Args:
        vectors: As the network gave them.
        targets: Unit vectors, or means of several: then it is the mean similarity to each of them.

    Returns:
        (n, n_targets) in [-1, 1], the cosine of the angle between them; 1 is the same.
    """
    heard: FloatArray = vectors.astype(np.float32)
    # One target after the other: a product of two small matrices goes to several threads, which
    # wait for each other longer than they work.
    products = np.stack([heard @ target for target in targets], axis=1)
    # Dividing the few products is cheaper than dividing the many vectors.
    alike: FloatArray = np.divide(products, _lengths(heard)[:, None])
    return np.clip(alike, np.float32(-1), np.float32(1))


def steps_between(first: FloatArray, last: FloatArray, n: int) -> FloatArray:
    """Return how much of two unit vectors (embedding_dim,) lies in each of n even steps between.

    Returns:
        (n, 2); times the two unit vectors these are unit vectors, and times a track's similarity
        to the two they are its similarity to each step.

    >>> steps_between(np.float32([1, 0]), np.float32([0, 1]), 3).round(2).tolist()
    [[1.0, 0.0], [0.7099999785423279, 0.7099999785423279], [0.0, 1.0]]
    """
    angle = np.arccos(np.clip(first @ last, -1, 1))
    share = np.linspace(0, 1, n, dtype=np.float32)
    if np.sin(angle) < 1e-3:  # the same within what float16 tells, or opposite: no way is shorter
        return np.stack([1 - share, share], axis=1)
    sines = np.stack([np.sin((1 - share) * angle), np.sin(share * angle)], axis=1)
    shares: FloatArray = (sines / np.sin(angle)).astype(np.float32)
    return shares
