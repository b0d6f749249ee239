"""Fitting the Gaussian that tells a track like those fitted on from one unlike all of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from sklearn.covariance import LedoitWolf

from tagger.learning.examples import IntArray
from tagger.models.novelty import Novelty
from tagger.records import FloatArray

QUANTILE = 0.99  # of tracks of unknown artists; the rest counts as strange


def fit_novelty(embeddings: FloatArray, genre: IntArray, n_labels: int) -> Novelty:
    """Return the Gaussian of tracks' embeddings; its limit is the 99th percentile of theirs.

    Args:
        embeddings: (n, embedding_dim) of tracks fitted on.
        genre: (n,) their labels.
        n_labels: How many labels there are.
    """
    return limited(fit_gaussian(embeddings, genre, n_labels), embeddings)


def fit_gaussian(embeddings: FloatArray, genre: IntArray, n_labels: int) -> Novelty:
    """Return the Gaussian of tracks' embeddings, without a limit.

    The covariance is shrunk (Ledoit and Wolf, Journal of Multivariate Analysis 88, 2004): a small
    collection has fewer tracks than an embedding has dimensions.

    Args:
        embeddings: (n, embedding_dim) of tracks fitted on.
        genre: (n,) their labels.
        n_labels: How many labels there are; one without tracks gets the mean of all.
    """
    overall = embeddings.mean(axis=0)
    means = np.stack(
        [
            embeddings[genre == label].mean(axis=0) if (genre == label).any() else overall
            for label in range(n_labels)
        ]
    )
    covariance = LedoitWolf(assume_centered=True).fit(embeddings - means[genre]).covariance_
    values, vectors = np.linalg.eigh(covariance)
    whitening = (vectors / np.sqrt(np.maximum(values, 1e-8))).astype(np.float32)
    return Novelty(means @ whitening, whitening, 0.0)


def limited(novelty: Novelty, embeddings: FloatArray) -> Novelty:
    """Return it with the limit at the 99th percentile of these embeddings (n, embedding_dim)."""
    limit = float(np.quantile(novelty.distances(embeddings), QUANTILE))
    return replace(novelty, limit=limit)
