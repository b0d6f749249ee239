"""What a model says of a track, from what its networks heard there: no sound, and no network.

What was heard once, and lies in the catalogue, is told anew by this whenever a model changes that
hears by the same networks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from tagger.models.card import ModelCard
from tagger.models.head import Head
from tagger.models.novelty import Novelty, capped
from tagger.models.voting import vote
from tagger.records import FloatArray, TrackPrediction


def said_by(card: ModelCard, heard: Iterable[TrackPrediction]) -> TrackPrediction:
    """Return what a model says of a track that all its networks have heard."""
    said = derive(card, {one.model_id: one for one in heard})
    assert said is not None, "what was heard just now has its embedding"
    return said


def derive(card: ModelCard, heard: Mapping[str, TrackPrediction]) -> TrackPrediction | None:
    """Return what a model says of a track that it, or its bases, have heard.

    Args:
        card: The model's.
        heard: {model_id: what that heard}, with the embedding where it is a base.

    Returns:
        The same as if the model had heard the track itself; None if that takes more to be heard.
    """
    if card.model_id in heard:
        return heard[card.model_id]
    bases = tuple(heard[model_id] for model_id in card.bases if model_id in heard)
    if not bases or len(bases) < len(card.bases):
        return None
    unheard = next((base.unheard for base in bases if base.unheard), None)
    n_segments = sum(base.n_segments for base in bases)
    own = replace(
        bases[0], model_id=card.model_id, unheard=unheard, n_segments=n_segments, parts=bases
    )
    if unheard is not None:
        return replace(own, probabilities=even_chances(card.labels), confidence=0.0, embedding=None)
    vectors = [base.embedding for base in bases if base.embedding is not None]
    if len(vectors) < len(bases):
        return None
    if card.head is None:
        said = _joined(card, own)
    else:
        said = _headed(card.head, card, replace(own, embedding=np.concatenate(vectors)))
    return replace(said, embedding=None) if card.is_joint else said  # each part has its own


def _headed(head: Head, card: ModelCard, heard: TrackPrediction) -> TrackPrediction:
    assert heard.embedding is not None, heard.path
    return judge(card, heard, head.logits(heard.embedding[None]), head.novelty)


def _joined(card: ModelCard, heard: TrackPrediction) -> TrackPrediction:
    """Return what several networks say together; strange is what is strange to any of them."""
    assert card.joint is not None, card.model_id
    by_label = card.joint.probabilities({part.model_id: part for part in heard.parts})
    is_novel = any(part.is_novel for part in heard.parts)
    values = np.array([[by_label[label] for label in card.labels]], np.float32)
    (values,) = capped(values, np.array([is_novel]))
    return replace(
        heard,
        probabilities=dict(zip(card.labels, values.tolist(), strict=True)),
        confidence=float(values.max()),
        is_novel=is_novel,
    )


def judge(
    card: ModelCard, heard: TrackPrediction, logits: FloatArray, novelty: Novelty | None
) -> TrackPrediction:
    """Return what is said of a track by logits (n_segments, n_labels).

    Args:
        card: The model's.
        heard: The track, and its embedding.
        logits: Its segments'; by a head one row, since it judges the track's embedding.
        novelty: What tells whether the embedding is strange, if anything does.
    """
    if not card.labels:
        return heard
    probabilities = vote(logits, card.temperature, exclusive=card.exclusive)
    likeliest = card.labels[int(probabilities.argmax())]
    is_novel = card.exclusive and likeliest not in card.genre_labels  # sounds that are no music
    if novelty is not None:
        assert heard.embedding is not None, heard.path
        novel = novelty.is_novel(heard.embedding[None])
        probabilities = capped(probabilities[None], novel)[0]
        is_novel = bool(novel[0])
    by_label = dict(zip(card.labels, probabilities.tolist(), strict=True))
    confidence = max(by_label[genre] for genre in card.genre_labels)
    return replace(heard, probabilities=by_label, confidence=confidence, is_novel=is_novel)


def even_chances(labels: tuple[str, ...]) -> dict[str, float]:
    """Return the probabilities of labels of which nothing is known."""
    return {label: 1.0 / len(labels) for label in labels}
