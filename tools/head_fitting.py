"""A head on a network's embedding, fitted to labelled clips of several collections.

One logistic regression a genre and one for sounds that are no music, all judged against each other
(softmax), a temperature that makes of the confidence how often it is right, and for each genre the
confidence from which it is surely right often enough. Whatever is fitted on predictions is fitted
on those of clips by other artists.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar

from tagger.learning.thresholds import NEVER, Predictions, first_said, members, thresholds_of
from tagger.models.voting import softmax, vote_together
from tagger.records import FloatArray
from tools.clip_truth import GENRES, Truth
from tools.labelled_clips import BoolArray

LABELS = (*GENRES, "no music")
UNASKED = ("Blues", "Classical", "Country", "Electronic", "Hip-Hop", "Jazz", "Rock")
"""What may be written unless the user says otherwise, where enough clips bear it out. Pop is right
often enough on artists left out, but not on a collection left out: there 20 of 30 were. The others
are rare in the collections at hand; of none was enough heard surely on one that was left out."""
PRECISION = 0.75  # at the threshold, as of all models of this project
N_FOLDS = 5
_LOWEST = 0.5  # a threshold; what is less likely than not is never written
_N_WITNESSES = 10  # clips by other artists that must have lain above a threshold
_PENALTY = 30.0  # of the weights' squares, on standardised inputs; see docs/models.md

DoubleArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class HeardClips:
    """Labelled clips, and what a network heard in them.

    Args:
        embeddings: (n, embedding_dim) float32, as of a track by itself.
        briefly: (n, embedding_dim) likewise, as of a track of an album, of which less is heard.
        truth: Of each.
        groups: (n,) their artists, who are never on both sides of a fit.
        collections: (n,) which collection each is of.
    """

    embeddings: FloatArray
    briefly: FloatArray
    truth: Truth
    groups: IntArray
    collections: IntArray

    def __len__(self) -> int:
        return len(self.groups)

    def take(self, rows: BoolArray) -> HeardClips:
        """Return some of the clips."""
        return HeardClips(
            self.embeddings[rows],
            self.briefly[rows],
            self.truth.take(rows),
            self.groups[rows],
            self.collections[rows],
        )


@dataclass(frozen=True)
class FittedHead:
    """A head, and what it may be believed.

    Args:
        weight: (n_labels, embedding_dim) of calibrated logits.
        bias: (n_labels,).
        thresholds: {genre: least confidence at which it is written}, or NEVER.
        album_temperature: Of tracks that vote together.
        together: {genre: least confidence} fitted on artists' clips that vote together; that of
            ``thresholds`` where too few of them bear one out. To compare: it is not used.
    """

    weight: FloatArray
    bias: FloatArray
    thresholds: Mapping[str, float]
    album_temperature: float
    together: Mapping[str, float]

    def probabilities(self, embeddings: FloatArray) -> FloatArray:
        """Return (n, n_labels) of embeddings (n, embedding_dim)."""
        return softmax(embeddings @ self.weight.T + self.bias)


@dataclass(frozen=True)
class Written:
    """What would be written on clips.

    Args:
        genre: (n,) the number of each one's likeliest genre.
        is_sure: (n,) whether that would be written.
        is_right: (n,) whether it is right.
    """

    genre: IntArray
    is_sure: BoolArray
    is_right: BoolArray

    @property
    def n(self) -> int:
        """How many are written."""
        return int(self.is_sure.sum())

    @property
    def n_right(self) -> int:
        """How many are written and right."""
        return int((self.is_sure & self.is_right).sum())

    def of(self, genre: int) -> Written:
        """Return those of a genre."""
        return self.take(self.genre == genre)

    def take(self, rows: BoolArray) -> Written:
        """Return some of the clips."""
        return Written(self.genre[rows], self.is_sure[rows], self.is_right[rows])


def fit_head(clips: HeardClips, odd: FloatArray, *, seed: int = 0) -> FittedHead:
    """Return a head that is fitted and calibrated on clips.

    Args:
        clips: Labelled clips.
        odd: (n_odd, embedding_dim) of sounds that are no music.
        seed: Of the folds.
    """
    folds = folds_of(clips.groups, seed)
    held_out, briefly = np.empty((2, len(clips), len(LABELS)))
    for k in range(N_FOLDS):
        weight, bias = fit_labels(clips.take(folds != k), odd)
        held_out[folds == k] = clips.embeddings[folds == k] @ weight.T + bias
        briefly[folds == k] = clips.briefly[folds == k] @ weight.T + bias
    temperature = _temperature(held_out, clips.truth.right)
    said, said_briefly = (
        softmax((logits / temperature).astype(np.float32)) for logits in (held_out, briefly)
    )
    weight, bias = fit_labels(clips, odd)
    thresholds = _thresholds(said, clips.truth.right, clips.groups)
    album_temperature = _album_temperature(said_briefly, clips)
    return FittedHead(
        (weight / temperature).astype(np.float32),
        (bias / temperature).astype(np.float32),
        thresholds,
        album_temperature,
        _thresholds_together(said_briefly, album_temperature, clips, thresholds),
    )


def written_on(head: FittedHead, clips: HeardClips) -> Written:
    """Return what a head would write on clips."""
    return _written(head.probabilities(clips.embeddings), head.thresholds, clips.truth.right)


def written_together(head: FittedHead, clips: HeardClips, *, by_their_own: bool = False) -> Written:
    """Return what a head would write on artists' clips that vote together, two at least.

    Args:
        head: The head.
        clips: The clips.
        by_their_own: By the thresholds fitted on such votes, and not by those of single clips.
    """
    said, right = _together(head.probabilities(clips.briefly), clips)
    agreed = [vote_together(each, head.album_temperature) for each in said]
    return _written(np.array(agreed), head.together if by_their_own else head.thresholds, right)


def folds_of(groups: IntArray, seed: int = 0) -> IntArray:
    """Return in which of five parts each clip is; those of an artist are in one."""
    names, group = np.unique(groups, return_inverse=True)
    part = np.random.default_rng(seed).permutation(len(names)) % N_FOLDS
    return part[group].astype(np.int64)


def fit_labels(clips: HeardClips, odd: FloatArray) -> tuple[DoubleArray, DoubleArray]:
    """Return weight (n_labels, embedding_dim) and bias (n_labels,) of raw logits.

    A clip of a rare genre counts as the square root of how many times commoner the others are: by
    as many times, the rare ones would be heard everywhere, and alike nowhere.
    """
    mean, spread = clips.embeddings.mean(axis=0), clips.embeddings.std(axis=0) + 1e-6
    inputs = (np.concatenate([clips.embeddings, odd]) - mean) / spread
    is_odd = np.arange(len(inputs)) >= len(clips)
    n_odd = (len(odd), len(GENRES))
    wanted = np.column_stack([np.concatenate([clips.truth.wanted, np.zeros(n_odd)]), is_odd])
    weight = np.concatenate([clips.truth.weight, np.ones(n_odd)])
    weight = np.column_stack([weight, np.ones(len(inputs))])
    n_with = (wanted * weight).sum(axis=0)
    n_without = ((1 - wanted) * weight).sum(axis=0)
    rarity = np.sqrt(np.maximum(n_without, 1) / np.maximum(n_with, 1))
    counts = weight * np.where(wanted > 0, np.maximum(rarity, 1.0), 1.0)
    fitted = _regressions(inputs, wanted, counts, np.log((n_with + 0.5) / (n_without + 0.5)))
    slopes = fitted[:, :-1] / spread
    return slopes, fitted[:, -1] - slopes @ mean


def _regressions(
    inputs: FloatArray, wanted: DoubleArray, counts: DoubleArray, start: DoubleArray
) -> DoubleArray:
    """Return slopes and, last, offsets (n_labels, dim + 1) of as many logistic regressions.

    Args:
        inputs: (n, dim).
        wanted: (n, n_labels) 0 or 1.
        counts: (n, n_labels) how much each counts.
        start: (n_labels,) the offsets to begin with.
    """
    shape = (wanted.shape[1], inputs.shape[1] + 1)
    first = np.zeros(shape)
    first[:, -1] = start

    def loss(flat: DoubleArray) -> tuple[float, DoubleArray]:
        slopes, offsets = flat.reshape(shape)[:, :-1], flat.reshape(shape)[:, -1]
        logits = inputs @ slopes.T.astype(np.float32) + offsets
        cost = counts * (np.logaddexp(0.0, logits) - wanted * logits)
        missed = counts * (0.5 + 0.5 * np.tanh(logits / 2) - wanted)
        along = missed.T.astype(np.float32) @ inputs
        gradient = np.column_stack([along + _PENALTY * slopes, missed.sum(axis=0)])
        return float(cost.sum() + _PENALTY / 2 * np.square(slopes).sum()), gradient.ravel()

    # Single precision in the products and no more steps than count: a third decimal of a logit.
    options = {"maxiter": 200, "ftol": 1e-6}
    found = minimize(loss, first.ravel(), jac=True, method="L-BFGS-B", options=options)
    return np.asarray(found.x).reshape(shape)


def _temperature(logits: DoubleArray, right: BoolArray) -> float:
    """Return the temperature at which softmax(logits / t) is as sure as it is often right.

    That is of the likeliest label; a clip may be of several genres, and none of them is a mistake.
    """
    is_right = _is_right(logits.argmax(axis=1), right)

    def loss(log_t: float) -> float:
        said = softmax((logits / np.exp(log_t)).astype(np.float32)).max(axis=1)
        likelihood = np.where(is_right, said, 1 - said)
        return float(-np.log(np.maximum(likelihood, 1e-12)).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-3.0, 3.0), method="bounded").x))


def _is_right(label: IntArray, right: BoolArray) -> BoolArray:
    """Return whether each label (n,) is one of the right genres (n, n_genres) of its clip."""
    with_odd = np.column_stack([right, np.zeros(len(right), np.bool_)])  # no clip is no music
    found: BoolArray = with_odd[np.arange(len(right)), label]
    return found


def _thresholds(said: FloatArray, right: BoolArray, groups: IntArray) -> Mapping[str, float]:
    """Return {genre: least confidence}; NEVER where too few clips bear it out."""
    is_right = _is_right(said.argmax(axis=1), right)
    predictions = first_said(said, is_right, groups)
    least = thresholds_of(predictions, LABELS, precision=PRECISION, lowest=_LOWEST).least
    return {
        genre: least[genre] if _is_borne_out(predictions, n, least[genre]) else NEVER
        for n, genre in enumerate(GENRES)
    }


def _thresholds_together(
    said: FloatArray, temperature: float, clips: HeardClips, alone: Mapping[str, float]
) -> Mapping[str, float]:
    """Return {genre: least confidence} for artists' clips that vote together."""
    each, right = _together(said, clips)
    if not each:
        return alone
    agreed = np.array([vote_together(one, temperature) for one in each])
    own = _thresholds(agreed, right, np.arange(len(agreed)))
    return {genre: own[genre] if own[genre] < NEVER else alone[genre] for genre in alone}


def _is_borne_out(predictions: Predictions, label: int, least: float) -> bool:
    """Return whether enough clips were said to be of a label as surely, and most of them rightly.

    A threshold is where a curve reaches what is asked, be it beyond all that was ever heard.
    """
    above = predictions.take((predictions.label == label) & (predictions.confidence >= least))
    return len(above) >= _N_WITNESSES and float(above.is_right.mean()) >= PRECISION


def _album_temperature(said: FloatArray, clips: HeardClips) -> float:
    """Return the temperature for tracks voting together, fitted on artists' clips that do."""
    together, right = _together(said, clips)
    if not together:
        return 1.0
    means = [np.log(np.maximum(each, 1e-9)).mean(axis=0) for each in together]
    return _temperature(np.stack(means).astype(np.float64), right)


def _together(said: FloatArray, clips: HeardClips) -> tuple[list[FloatArray], BoolArray]:
    """Return the probabilities of each artist's clips, and which genres are right of most of them.

    Only of artists with several clips.
    """
    groups = [rows for rows in members(clips.groups) if len(rows) > 1]
    right = [clips.truth.right[rows].mean(axis=0) > 0.5 for rows in groups]
    return [said[rows] for rows in groups], np.array(right, np.bool_)


def _written(said: FloatArray, thresholds: Mapping[str, float], right: BoolArray) -> Written:
    label = said.argmax(axis=1).astype(np.int64)
    needed = np.array([thresholds[name] if name in UNASKED else NEVER for name in LABELS])
    return Written(label, said.max(axis=1) >= needed[label], _is_right(label, right))


def joined(parts: Sequence[Written]) -> Written:
    """Return what is written on several parts as one."""
    return Written(
        np.concatenate([part.genre for part in parts]),
        np.concatenate([part.is_sure for part in parts]),
        np.concatenate([part.is_right for part in parts]),
    )
