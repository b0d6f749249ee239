"""How often a label of a musicnn is right: fitted on labelled clips.

A label is right for a clip if what its collection calls it, or its own tag, says so. Where clips of
a genre are at hand, its logit is made anew of those of all main genres (Guo et al., On calibration
of modern neural networks, arXiv 1706.04599, "matrix scaling"): what sounds as much like Country as
like Rock is less often Rock. All other labels are scaled and shifted alike, as the fitted ones
taken together, and the threshold of each lies above all that was heard of it where it was not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from tagger.audio import load_segments
from tagger.hearing import analysis
from tagger.learning.thresholds import members
from tagger.models.card import ModelCard
from tagger.models.checkpoint import LoadedModel
from tagger.records import FloatArray
from tools.labelled_clips import find_clips, is_named

FITTED = ("Rock", "Electronic", "Jazz", "Blues", "Country", "Hip-Hop", "Folk")
"""The labels of which there are clips, and of which a collection's word is to be trusted."""

PRECISION = 0.75  # at the threshold, as of the networks that this project trains
_N_DRAWS = 200
_N_FOLDS = 5
_N_WITNESSES = 10
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
        genres: Of each, what its collection and its own tag call it.
        artists: Of each; clips of one are right or wrong together.
    """

    logits: FloatArray
    embeddings: FloatArray
    genres: tuple[tuple[str, ...], ...]
    artists: tuple[str, ...]

    def are(self, label: str) -> BoolArray:
        """Return of which clips a label is right."""
        return np.array([is_named(label, genres) for genres in self.genres])

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
    """What makes probabilities of logits, and genres of probabilities.

    Args:
        mix: (n_labels, n_labels); logits times this, transposed, and shifted are calibrated.
        shift: (n_labels,).
        thresholds: {label: least probability at which it is right often enough}.
    """

    mix: DoubleArray
    shift: DoubleArray
    thresholds: Mapping[str, float]

    def logits(self, uncalibrated: FloatArray) -> DoubleArray:
        """Return calibrated logits (n, n_labels) of the network's own."""
        return _mixed(uncalibrated, self.mix, self.shift)


def listen(model: LoadedModel, folders: Sequence[Path]) -> Clips:
    """Return what a model hears in collections of labelled clips.

    Raises:
        DatasetError: one holds no such clips.
        AudioDecodeError, TagReadError: a clip cannot be read.
    """
    clips = [clip for folder in folders for clip in find_clips(folder)]
    torch.set_num_threads(1)
    scores = [analysis.score_track(model, partial(load_segments, clip.path))[0] for clip in clips]
    return Clips(
        np.stack([one.logits.mean(axis=0) for one in scores]),
        np.stack([one.embeddings.mean(axis=0) for one in scores]),
        tuple(clip.genres for clip in clips),
        tuple(clip.artist for clip in clips),
    )


def calibrate(clips: Clips, card: ModelCard) -> Fit:
    """Return how the logits of a network with this card are to be mixed, and its thresholds."""
    labels = list(card.labels)
    main = [labels.index(genre) for genre in card.main_genres]
    rights = {label: clips.are(label) for label in FITTED}
    own = np.concatenate([clips.logits[:, labels.index(label)] for label in FITTED])
    scale, offset = _platt(own, np.concatenate([*rights.values()]))
    mix, shift = np.eye(len(labels)) * scale, np.full(len(labels), offset)
    for label, right in rights.items():
        i = labels.index(label)
        mix[i] = 0.0
        mix[i, main], shift[i] = _regression(clips.logits[:, main], right)
    calibrated = _mixed(clips.logits, mix, shift)
    needed = {label: _needed(clips, label, calibrated[:, labels.index(label)]) for label in FITTED}
    highest = max((p for p in needed.values() if p <= _HIGHEST), default=NEVER)
    thresholds = {}
    for i, label in enumerate(labels):
        elsewhere = ~(clips.are(label) | clips.are(card.broader.get(label, "")))
        heard = float(_sigmoid(calibrated[elsewhere, i]).max())
        p = needed[label] if label in FITTED else max(highest, heard)
        thresholds[label] = round(p, 4) if p <= _HIGHEST else NEVER
    return Fit(mix, shift, thresholds)


def parts_by_artist(clips: Clips) -> IntArray:
    """Return in which of five parts each clip is; those of an artist are in one."""
    artists = sorted(set(clips.artists))
    part = np.random.default_rng(0).permutation(len(artists)) % _N_FOLDS
    return np.array([part[artists.index(artist)] for artist in clips.artists])


def cross_fitted(clips: Clips, card: ModelCard) -> dict[str, tuple[int, int, int]]:
    """Return how it goes on artists that it is not fitted on, of whom there are five parts.

    Returns:
        {label that is fitted: (clips it is right for, clips above its threshold, both)}.
    """
    fold = parts_by_artist(clips)
    passes = {label: np.zeros(len(fold), bool) for label in FITTED}
    for k in range(_N_FOLDS):
        held_out = fold == k
        fit = calibrate(clips.take(~held_out), card)
        probabilities = _sigmoid(fit.logits(clips.logits[held_out]))
        for label in FITTED:
            p = probabilities[:, card.labels.index(label)]
            passes[label][held_out] = p >= fit.thresholds[label]
    rights = {label: clips.are(label) for label in FITTED}
    return {
        label: (int(right.sum()), int(passes[label].sum()), int((right & passes[label]).sum()))
        for label, right in rights.items()
    }


def is_borne_out(n_above: int, n_both: int) -> bool:
    """Return whether enough clips by other artists lay above a threshold, and enough of them right.

    A threshold is where a curve through all clips reaches what is asked, be it beyond all of them.
    """
    return n_above >= _N_WITNESSES and n_both >= PRECISION * n_above


def _regression(logits: FloatArray, right: BoolArray) -> tuple[DoubleArray, float]:
    """Return weights and offset whose sum with logits (n, n_genres) tells the chance of right.

    C = 1, on standardised logits: with some fifty clips of a genre, fifteen numbers fitted freely
    would follow the clips.
    """
    spread = logits.std(axis=0) + 1e-6
    fitted = LogisticRegression(C=1.0, max_iter=1000).fit(logits / spread, right)
    return fitted.coef_[0].astype(np.float64) / spread, float(fitted.intercept_[0])


def _platt(logits: FloatArray | DoubleArray, right: BoolArray) -> tuple[float, float]:
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


def _needed(clips: Clips, label: str, logits: DoubleArray) -> float:
    """Return the probability above which a label is right often enough for 19 of 20 draws."""
    right = clips.are(label)
    parts = members(np.unique(clips.artists, return_inverse=True)[1])
    rng = np.random.default_rng(0)
    needed = []
    for _ in range(_N_DRAWS):
        rows = np.concatenate([parts[i] for i in rng.integers(0, len(parts), len(parts))])
        scale, shift = _platt(logits[rows], right[rows])
        enough = (np.log(PRECISION / (1 - PRECISION)) - shift) / scale
        needed.append(enough if scale > 0 else np.inf)
    return float(_sigmoid(np.quantile(needed, 0.95)))


def _mixed(logits: FloatArray, mix: DoubleArray, shift: DoubleArray) -> DoubleArray:
    mixed: DoubleArray = logits.astype(np.float64) @ mix.T + shift
    return mixed


def _sigmoid(x: DoubleArray) -> DoubleArray:
    p: DoubleArray = 0.5 + 0.5 * np.tanh(x / 2)
    return p
