"""An ear that never met the artists it judges: a head on embeddings, fitted by folds of artists.

The bundled networks were fitted on all of FMA Small and would only remember it. The embeddings are
of a network that was not (VGGish, which learned from other sounds); the head on them and what its
confidence means are fitted on the artists of the other folds, as those of the bundled ones were.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tagger.records import FloatArray
from tagger.tagging.decision import GenrePolicy, make_policy
from training.calibration import Calibration, Heard, IntArray, calibrate
from training.dataset import FeatureFile, folds_by_artist, load_features
from training.fma import WRITABLE
from training.teacher import kernel_regression, load_embedding

_N_FOLDS = 5
_FOLD_SEED = 1


@dataclass(frozen=True, slots=True)
class _Fold:
    """Tracks that were judged together: their rows, and what those of the other folds taught."""

    rows: IntArray
    calibration: Calibration
    policy: GenrePolicy


class Ear:
    """What is heard in each track of a feature file.

    Args:
        features: The tracks.
        embedding: (n, dim) of each.
    """

    def __init__(self, features: FeatureFile, embedding: FloatArray) -> None:
        self._labels, everything = features.labels, np.arange(len(features))
        folds = folds_by_artist(features, _N_FOLDS, seed=_FOLD_SEED)
        scores = np.zeros((len(features), len(features.labels)), np.float32)
        for rows in folds:
            others = np.setdiff1d(everything, rows)
            scores[rows] = kernel_regression(
                embedding[others], features.genre[others], embedding[rows], len(features.labels)
            )
        self._heard = Heard(scores[:, None], np.zeros(len(features), np.bool_))
        self.share_right = float((scores.argmax(axis=1) == features.genre).mean())
        self._folds = [self._fold(features, rows) for rows in folds]
        self._fold_of = np.zeros(len(features), np.int64)
        for n, rows in enumerate(folds):
            self._fold_of[rows] = n

    def _fold(self, features: FeatureFile, rows: IntArray) -> _Fold:
        others = np.setdiff1d(np.arange(len(features)), rows)
        calibration = calibrate(
            self._heard.take(others),
            features.genre[others],
            features.artist_id[others],
            features.labels,
        )
        policy = make_policy(features.labels, WRITABLE, calibration.thresholds)
        return _Fold(rows, calibration, policy)

    def votes(self, album: IntArray) -> FloatArray:
        """Return each track's probabilities (n, n_labels) after its album has voted."""
        votes = np.empty((len(album), len(self._labels)), np.float32)
        for fold in self._folds:
            alone = fold.calibration.probabilities(self._heard.take(fold.rows))
            votes[fold.rows] = fold.calibration.together(alone, album[fold.rows])
        return votes

    def policy(self, n: int) -> GenrePolicy:
        """Return what may be written of a track."""
        return self._folds[int(self._fold_of[n])].policy

    def by_label(self, vote: FloatArray) -> Mapping[str, float]:
        """Return probabilities (n_labels,) by label."""
        return dict(zip(self._labels, vote.tolist(), strict=True))


def listen(features: Path, embedding: Path) -> Ear:
    """Return what is heard in the tracks of a file of features.

    Raises:
        DatasetError: A file cannot be read, or has no embedding of a track.
    """
    tracks = load_features(features)
    return Ear(tracks, load_embedding(embedding, tracks.track_id))
