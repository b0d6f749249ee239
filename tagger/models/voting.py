"""From segments to a track, and from tracks to an album: pooled scores, probabilities, confidence.

Plain numpy, no networks: what a score means is the checkpoint's business.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tagger.models.novelty import CEILING, capped
from tagger.records import FloatArray

_N_ERRORS = 2.0  # of the mean: the usual bound of chance


def softmax(logits: FloatArray) -> FloatArray:
    """Return probabilities along the last axis.

    >>> softmax(np.array([0.0, 0.0], dtype=np.float32)).tolist()
    [0.5, 0.5]
    """
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    probabilities: FloatArray = (shifted / shifted.sum(axis=-1, keepdims=True)).astype(np.float32)
    return probabilities


def sigmoid(logits: FloatArray) -> FloatArray:
    """Return each logit's own probability.

    >>> sigmoid(np.array([0.0, -1e3], dtype=np.float32)).tolist()
    [0.5, 0.0]
    """
    # By the hyperbolic tangent, which no logit overflows.
    probabilities: FloatArray = (0.5 + 0.5 * np.tanh(logits / 2)).astype(np.float32)
    return probabilities


def vote(logits: FloatArray, temperature: float = 1.0, *, exclusive: bool = True) -> FloatArray:
    """Return a track's probabilities (n_labels,) from its segments' logits (n_segments, n_labels).

    The mean is taken of the logits, not of the probabilities: a segment that is sure of what the
    track is not then counts as much as one that is sure of what it is. It measures
    alike: each model card compares the two.

    Args:
        logits: Before softmax or sigmoid, at least one segment.
        temperature: Divides the mean; fitted so that confidence is frequency (Guo et al.,
            arXiv 1706.04599).
        exclusive: One label of all is true, else each by itself.
    """
    pooled = logits.mean(axis=0) / temperature
    return softmax(pooled) if exclusive else sigmoid(pooled)


def vote_probabilities(logits: FloatArray) -> FloatArray:
    """Return the mean (n_labels,) of the segments' probabilities: the vote compared with."""
    mean: FloatArray = softmax(logits).mean(axis=0)
    return mean


def is_clear(logits: FloatArray) -> bool:
    """Return whether more segments would hardly change which label is the likeliest.

    That is so where it leads the next by more than twice the standard error of this lead, as the
    scatter of the segments shows it.

    Args:
        logits: (n_segments, n_labels), of labels that stand beside each other.

    >>> is_clear(np.array([[3, 0], [2, 0], [3, 0], [2, 0]], dtype=np.float32))
    True
    >>> is_clear(np.array([[9, 0], [0, 4], [3, 0], [0, 4]], dtype=np.float32))
    False
    """
    if len(logits) < 2:
        return False
    next_, first = np.argsort(logits.mean(axis=0))[-2:]
    lead = logits[:, first] - logits[:, next_]
    return bool(lead.mean() > _N_ERRORS * lead.std(ddof=1) / np.sqrt(len(lead)))


def vote_together(
    probabilities: NDArray[np.floating], temperature: float, *, exclusive: bool = True
) -> FloatArray:
    """Return the probabilities (n_labels,) that an album's tracks (n_tracks, n_labels) agree on.

    Agreeing makes them surer than each alone, but tracks of which none is sure of anything stay
    so: an album of noise is noise.

    Args:
        probabilities: Each track's, calibrated, in (0, 1].
        temperature: As for ``vote``, fitted on tracks that voted together.
        exclusive: As for ``vote``.
    """
    if not probabilities.size:  # of a network that names nothing
        return np.empty(0, np.float32)
    if not exclusive:
        p = np.clip(probabilities, 1e-6, 1 - 1e-6)
        return vote(np.log(p / (1 - p)).astype(np.float32), temperature, exclusive=False)
    logs = np.log(np.maximum(probabilities, 1e-9)).astype(np.float32)
    none_is_sure = np.array([probabilities.max() <= CEILING + 1e-6])
    agreed: FloatArray = capped(vote(logs, temperature)[None], none_is_sure)[0]
    return agreed
