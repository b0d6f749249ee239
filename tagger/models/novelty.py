"""How far a track lies from all that a model was fitted on, and what that does to its confidence.

A softmax is sure of anything: noise and whale song get a label like any song. What separates them
is where their embedding lies. Plain numpy; fitting is for the training side.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tagger.records import FloatArray

CEILING = 0.5  # the most that a model may believe of what is unlike all it knows


@dataclass(frozen=True, slots=True)
class Novelty:
    """A Gaussian around each label's embeddings, all of one covariance, and where strange begins.

    Source: Lee et al., A simple unified framework for detecting out-of-distribution samples and
    adversarial attacks, arXiv 1807.03888.

    Args:
        means: (n_labels, embedding_dim) float32, already whitened.
        whitening: (embedding_dim, embedding_dim) float32; an embedding times it has unit
            covariance around its label's mean.
        limit: The distance beyond which one in a hundred tracks of unknown artists lies, heard in
            all segments; the mean of fewer strays farther.
    """

    means: FloatArray
    whitening: FloatArray
    limit: float

    def distances(self, embeddings: FloatArray) -> FloatArray:
        """Return how far embeddings (n, embedding_dim) lie from the nearest label, (n,)."""
        white = embeddings @ self.whitening
        nearest = np.full(len(white), np.inf, white.dtype)
        for mean in self.means:  # of a thousand labels at once no memory could hold the offsets
            np.minimum(nearest, np.square(white - mean).sum(axis=1), out=nearest)
        distances: FloatArray = np.sqrt(nearest)
        return distances

    def is_novel(self, embeddings: FloatArray) -> NDArray[np.bool_]:
        """Return which of the embeddings (n, embedding_dim) lie beyond the limit."""
        return self.distances(embeddings) > self.limit


def capped(probabilities: FloatArray, is_novel: NDArray[np.bool_]) -> FloatArray:
    """Return probabilities (n, n_labels), those of novel tracks drawn toward all labels alike.

    The order of the labels stays; the largest is then ``CEILING`` at most (of two labels 0.55).

    >>> capped(np.array([[0.75, 0.25, 0, 0]] * 2, np.float32), np.array([True, False])).tolist()
    [[0.5, 0.25, 0.125, 0.125], [0.75, 0.25, 0.0, 0.0]]
    """
    even = np.float32(1.0 / probabilities.shape[1])
    largest = probabilities.max(axis=1)
    ceiling = max(CEILING, float(even) + 0.05)  # of two labels the likelier one stays so
    share = np.where(largest > ceiling, (ceiling - even) / np.maximum(largest - even, 1e-6), 1.0)
    share = np.where(is_novel, share, 1.0).astype(np.float32)[:, None]
    drawn: FloatArray = share * probabilities + (1 - share) * even
    return drawn
