"""How often a tag of a musicnn is right: fitted on clips in folders named after their genre.

A label is right for a clip if the folder's name or the genre in the clip's own tag says so: in
some collections the folders of Rock and Pop hold clips that their publisher calls alike. What no
clip is of is calibrated like the labels that can be, taken together, and its threshold lies above
all that was heard of it where it was not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from tagger import analysis
from tagger.audio import load_segments
from tagger.checkpoint import LoadedModel
from tagger.errors import DatasetError
from tagger.records import FloatArray
from tagger.tags import read_tags

STEMS = {"Rock": "rock", "Electronic": "electro"}
"""{label that can be fitted: what the name of its genre holds}."""

PRECISION = 0.85  # at the threshold: more than of a model fitted on many collections
_N_DRAWS = 200
_N_FOLDS = 5
_N_STEPS = 12  # of Newton's method; it has settled by the sixth
_PRIOR = 100.0  # variance of the weights before anything is heard
_HIGHEST = 0.98
NEVER = 1.01

DoubleArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Clips:
    """What was heard of labelled clips.

    Args:
        logits: (n, n_labels) mean over segments, uncalibrated.
        embeddings: (n, embedding_dim) likewise.
        genres: Of each, what the folder and its own tag call it.
        artists: Of each; clips of one are right or wrong together.
    """

    logits: FloatArray
    embeddings: FloatArray
    genres: tuple[str, ...]
    artists: tuple[str, ...]

    def take(self, rows: BoolArray) -> Clips:
        """Return some of the clips."""
        chosen = np.flatnonzero(rows)
        return Clips(
            self.logits[chosen],
            self.embeddings[chosen],
            tuple(self.genres[i] for i in chosen),
            tuple(self.artists[i] for i in chosen),
        )


@dataclass(frozen=True)
class Fit:
    """What makes probabilities of logits, and genres of probabilities."""

    scale: DoubleArray
    shift: DoubleArray
    thresholds: Mapping[str, float]


def listen(model: LoadedModel, folder: Path) -> Clips:
    """Return what a model hears in FOLDER/GENRE/CLIP.

    Raises:
        DatasetError: there are no such clips.
        AudioDecodeError, TagReadError: one cannot be read.
    """
    paths = sorted(path for path in folder.glob("*/*") if path.is_file())
    if not paths:
        raise DatasetError("holds no folders of clips", folder)
    torch.set_num_threads(1)
    scores = [analysis.listen(model, partial(load_segments, path))[0] for path in paths]
    tags = [read_tags(path) for path in paths]
    return Clips(
        np.stack([one.logits.mean(axis=0) for one in scores]),
        np.stack([one.embeddings.mean(axis=0) for one in scores]),
        tuple(
            " ".join((p.parent.name, *t.genres)).casefold()
            for p, t in zip(paths, tags, strict=True)
        ),
        tuple(t.artist or str(p) for p, t in zip(paths, tags, strict=True)),
    )


def calibrate(clips: Clips, labels: tuple[str, ...], broader: Mapping[str, str]) -> Fit:
    """Return the scale, shift and threshold of each label."""
    rights = {label: _right(clips, label) for label in STEMS}
    columns = {label: clips.logits[:, labels.index(label)] for label in labels}
    together = _platt(
        np.concatenate([columns[label] for label in STEMS]), np.concatenate([*rights.values()])
    )
    fits = {label: _platt(columns[label], right) for label, right in rights.items()}
    scale, shift = np.array([fits.get(label, together) for label in labels]).T
    unsure = max(_threshold(clips, label, columns[label], fits[label]) for label in STEMS)
    thresholds = {}
    for i, label in enumerate(labels):
        if label in STEMS:
            p = _threshold(clips, label, columns[label], fits[label])
        else:
            elsewhere = ~rights.get(broader.get(label, ""), np.zeros(len(clips.genres), bool))
            highest = _sigmoid(scale[i] * columns[label][elsewhere] + shift[i]).max()
            p = max(unsure, float(highest))
        thresholds[label] = round(p, 4) if p <= _HIGHEST else NEVER
    return Fit(scale, shift, thresholds)


def parts_by_artist(clips: Clips) -> IntArray:
    """Return in which of five parts each clip is; those of an artist are in one."""
    artists = sorted(set(clips.artists))
    part = np.random.default_rng(0).permutation(len(artists)) % _N_FOLDS
    return np.array([part[artists.index(artist)] for artist in clips.artists])


def cross_fitted(
    clips: Clips, labels: tuple[str, ...], broader: Mapping[str, str]
) -> dict[str, tuple[int, int, int]]:
    """Return how it goes on artists that it is not fitted on, of whom there are five parts.

    Returns:
        {label that can be fitted: (clips it is right for, clips above its threshold, both)}.
    """
    fold = parts_by_artist(clips)
    passes = {label: np.zeros(len(fold), bool) for label in STEMS}
    for k in range(_N_FOLDS):
        fit = calibrate(clips.take(fold != k), labels, broader)
        for label in STEMS:
            i, held_out = labels.index(label), fold == k
            p = _sigmoid(fit.scale[i] * clips.logits[held_out, i] + fit.shift[i])
            passes[label][held_out] = p >= fit.thresholds[label]
    rights = {label: _right(clips, label) for label in STEMS}
    return {
        label: (int(right.sum()), int(passes[label].sum()), int((right & passes[label]).sum()))
        for label, right in rights.items()
    }


def _right(clips: Clips, label: str) -> BoolArray:
    return np.array([STEMS[label] in genres for genres in clips.genres])


def _platt(logits: FloatArray, right: BoolArray) -> tuple[float, float]:
    """Return the scale and shift that make a logit's sigmoid the chance of being right.

    A logistic regression by Newton's method, held a little by a prior of variance 100, so that
    clips that a threshold tells apart without fault do not drive the scale to infinity.
    """
    inputs = np.column_stack([logits.astype(np.float64), np.ones(len(logits))])
    weights = np.array([1.0, 0.0])
    for _ in range(_N_STEPS):
        p = _sigmoid(inputs @ weights)
        gradient = inputs.T @ (p - right) + weights / _PRIOR
        curvature = (inputs * (p * (1 - p))[:, None]).T @ inputs + np.eye(2) / _PRIOR
        weights = weights - np.linalg.solve(curvature, gradient)
    return float(weights[0]), float(weights[1])


def _threshold(clips: Clips, label: str, logits: FloatArray, fit: tuple[float, float]) -> float:
    """Return the probability above which a label is right often enough for 19 of 20 draws."""
    right = _right(clips, label)
    artists = sorted(set(clips.artists))
    members = [np.array([a == artist for a in clips.artists]).nonzero()[0] for artist in artists]
    rng = np.random.default_rng(0)
    needed = []
    for _ in range(_N_DRAWS):
        rows = np.concatenate([members[i] for i in rng.integers(0, len(members), len(members))])
        scale, shift = _platt(logits[rows], right[rows])
        needed.append((np.log(PRECISION / (1 - PRECISION)) - shift) / scale)
    return float(_sigmoid(fit[0] * np.quantile(needed, 0.95) + fit[1]))


def _sigmoid(x: DoubleArray) -> DoubleArray:
    p: DoubleArray = 0.5 + 0.5 * np.tanh(x / 2)
    return p
