"""What is no music to a musicnn: a direction of its embedding, fitted on music and odd sounds.

Trained on music alone, the network calls clicks, alarms and rain Electronic. The Gaussian that the
project's own networks have would need music of all kinds, and here there are four: it takes any
other kind for strange. A plane between music and sounds that are none is asked less. It is kept as
such a Gaussian, narrow along the plane's normal alone, so that the tagger knows one kind of limit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from tagger.audio import segment_starts
from tagger.hearing.analysis import score_segments
from tagger.models.checkpoint import LoadedModel
from tagger.models.novelty import Novelty
from tagger.records import FloatArray
from training.odd_sounds import TRAINED_KINDS, nth_sound

_N_EACH = 4  # sounds of a kind
_SOUND_S = 30.0
_N_SEGMENTS = 3
_SEED = 7
_QUANTILE = 0.98  # of clips by other artists; the rest counts as strange
_FAR = -1000.0  # along the normal, on the side of music, beyond anything

IntArray = NDArray[np.int64]


def odd_embeddings(model: LoadedModel, n_each: int = _N_EACH) -> FloatArray:
    """Return the embeddings (n, embedding_dim) of synthetic sounds that are no music.

    Args:
        model: The network that hears them.
        n_each: Sounds of a kind.
    """
    card = model.card
    n_samples = round(_SOUND_S * card.sample_rate)
    starts_s = segment_starts(_SOUND_S, card.segment_s, _N_SEGMENTS)
    places = [round(start_s * card.sample_rate) for start_s in starts_s]
    embeddings = []
    for kind in TRAINED_KINDS:
        for i in range(n_each):
            sound = nth_sound(kind, i, _SEED, card.sample_rate, n_samples).astype(np.float32)
            segments = np.stack([sound[place : place + card.n_samples] for place in places])
            embeddings.append(score_segments(model, segments).embeddings.mean(axis=0))
    return np.stack(embeddings)


def fit_plane(music: FloatArray, odd: FloatArray, parts: IntArray, n_labels: int) -> Novelty:
    """Return what lies beyond a plane between music and odd sounds as novel.

    Args:
        music: (n, embedding_dim).
        odd: (n_odd, embedding_dim).
        parts: (n,) of the music, each part heard by a plane fitted on the others for the limit.
        n_labels: Of the network.
    """
    unfitted = np.empty(len(music))
    for part in np.unique(parts):
        normal, offset = _plane(music[parts != part], odd)
        unfitted[parts == part] = music[parts == part] @ normal + offset
    normal, offset = _plane(music, odd)
    dim = music.shape[1]
    whitening = np.zeros((dim, dim), np.float32)
    whitening[:, 0] = normal
    means = np.zeros((n_labels, dim), np.float32)
    means[:, 0] = _FAR
    return Novelty(means, whitening, float(np.quantile(unfitted, _QUANTILE) - offset - _FAR))


def _plane(music: FloatArray, odd: FloatArray) -> tuple[FloatArray, float]:
    """Return normal and offset; their sum with an embedding is above 0 where it is no music."""
    is_odd = np.arange(len(music) + len(odd)) >= len(music)
    # C = 0.1: fewer examples than would fit two hundred numbers freely.
    model = LogisticRegression(C=0.1, max_iter=3000).fit(np.concatenate([music, odd]), is_odd)
    return model.coef_[0].astype(np.float32), float(model.intercept_[0])
