"""What a network is taught besides the labels: another network's embedding, and soft labels.

The soft labels come out of a kernel regression on the teacher's embedding. That of a track is made
without the track and without its artist, and only from tracks that the network itself is fitted
on: a teacher that had seen a held-out track would whisper its label.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from tagger.errors import DatasetError
from tagger.models.voting import softmax
from tagger.records import FloatArray
from training.calibration import fit_temperature
from training.dataset import FeatureFile, IntArray, folds_by_artist

_N_FOLDS = 5
_RIDGE = 1.0  # 63.1 % on artists unheard; a third of it 62.4 % (docs/experiments.md)
_FOLD_SEED = 7  # another division than that of any split, so that no two folds coincide


@dataclass(frozen=True)
class Teacher:
    """What each track should give besides its label.

    Args:
        embedding: (n, dim) float32, each dimension standardised.
        soft_labels: (n, n_labels) float32, each row summing to 1; rows that are not fitted on are
            all zero.
    """

    embedding: FloatArray
    soft_labels: FloatArray


def load_embedding(path: Path, track_id: IntArray) -> FloatArray:
    """Return a teacher's embeddings (n, dim) for those tracks, each dimension standardised.

    Over all tracks, held-out ones included: no label has a part in that.

    Raises:
        DatasetError: the file cannot be read, or lacks a track.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            embedding, ids = arrays["embedding"].astype(np.float32), arrays["track_id"]
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as exc:
        raise DatasetError(f"not a teacher file (embedding, track_id): {exc}", path) from exc
    if embedding.ndim != 2 or ids.shape != embedding.shape[:1] or ids.dtype.kind not in "iu":
        raise DatasetError(
            "embedding must be (n, dim) and track_id (n,) whole numbers, not "
            f"{embedding.shape} and {ids.shape}",
            path,
        )
    if not np.isfinite(embedding).all():
        raise DatasetError("embedding holds what is no number", path)
    row_of = {int(track): row for row, track in enumerate(ids)}
    missing = [int(track) for track in track_id if int(track) not in row_of]
    if missing:
        raise DatasetError(f"lacks {len(missing)} of the tracks, the first is {missing[0]}", path)
    chosen = embedding[[row_of[int(track)] for track in track_id]]
    standardised: FloatArray = (chosen - chosen.mean(0)) / (chosen.std(0) + 1e-3)
    return standardised


def make_teacher(embedding: FloatArray, features: FeatureFile, rows: IntArray) -> Teacher:
    """Return the teacher for fitting on some rows of a feature file.

    Args:
        embedding: (n, dim) of all tracks, as from ``load_embedding``.
        features: All tracks.
        rows: Those that are fitted on; nothing is learned from any other.
    """
    part = features.take(rows)
    scores = np.zeros((len(rows), len(features.labels)), dtype=np.float32)
    for fold in folds_by_artist(part, _N_FOLDS, seed=_FOLD_SEED):
        others = np.setdiff1d(np.arange(len(rows)), fold)
        scores[fold] = kernel_regression(
            embedding[rows[others]], part.genre[others], embedding[rows[fold]], scores.shape[1]
        )
    soft_labels = np.zeros((len(features), scores.shape[1]), dtype=np.float32)
    soft_labels[rows] = softmax(scores / np.float32(fit_temperature(scores, part.genre)))
    return Teacher(embedding, soft_labels)


def kernel_regression(
    known: FloatArray, genre: IntArray, asked: FloatArray, n_labels: int
) -> FloatArray:
    """Return scores (n_asked, n_labels) by ridge regression on labels with a Gaussian kernel.

    The kernel's width is the median distance between known tracks.

    Source: Saunders, Gammerman, Vovk, Ridge regression learning algorithm in dual variables,
    ICML 1998.

    Args:
        known: (n, dim) embeddings of tracks whose label is known.
        genre: (n,) their labels.
        asked: (n_asked, dim).
        n_labels: How many labels there are.
    """
    distances = _square_distances(known, known)
    width = float(np.median(distances)) or 1.0
    kernel = np.exp(-distances / width)
    kernel[np.diag_indices_from(kernel)] += _RIDGE
    targets = np.eye(n_labels)[genre] - 1.0 / n_labels
    weights = cho_solve(cho_factor(kernel, overwrite_a=True), targets)
    scores: FloatArray = (np.exp(-_square_distances(asked, known) / width) @ weights).astype(
        np.float32
    )
    return scores


def _square_distances(a: FloatArray, b: FloatArray) -> NDArray[np.float64]:
    x, y = a.astype(np.float64), b.astype(np.float64)
    squares = (x * x).sum(1)[:, None] + (y * y).sum(1)[None] - 2.0 * x @ y.T
    clipped: NDArray[np.float64] = np.maximum(squares, 0.0)
    return clipped
