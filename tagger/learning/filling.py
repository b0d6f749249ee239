"""What a head that learned from an owner is sure enough of to fill blanks by.

How sure that has to be is told by tracks that it was not fitted on. What was asked first is no fair
sample of what is left, so this is a hope and no promise: before anything is filled, its owner
judges some tracks drawn by chance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tagger.catalog import Catalog
from tagger.errors import LearnError
from tagger.genre_list import GenreList
from tagger.learning.calibration import to_probabilities
from tagger.learning.reviewing import hears_most, least_sure
from tagger.learning.teaching import gather, teach
from tagger.models.card import ModelCard
from tagger.records import FloatArray


@dataclass(frozen=True, slots=True)
class Fillable:
    """A model, and the tracks whose genre it is sure of.

    Args:
        card: The model's.
        base: The checkpoint whose network it hears by.
        genres: {track_id: (genre, its probability)}.
    """

    card: ModelCard
    base: Path
    genres: Mapping[int, tuple[str, float]]


def fillable(
    catalog: Catalog,
    track_ids: Sequence[int],
    bases: Sequence[tuple[Path, ModelCard]],
    *,
    name: str,
    share: float,
    genre_list: GenreList | None = None,
) -> Fillable:
    """Return a model learned from all that an owner has tagged, and what it would fill.

    A genre is one that the model may write, as surely as ``tagger learn`` asks, and as surely as
    tracks not fitted on were right so often.

    Args:
        catalog: Where all of them are.
        track_ids: The tracks that may be filled.
        bases: Checkpoints at hand, of which one has the network that heard them.
        name: The first part of the model's id.
        share: That is hoped to be right.
        genre_list: The owner's, in whose words genres are learned.

    Raises:
        LearnError: There is too little to learn from, or the network is not at hand.
    """
    network = hears_most(catalog)
    base = next((one for one in bases if one[1].model_id == network), None)
    if base is None:
        raise LearnError(f"the network that has heard your music is not at hand: {network}")
    path, its_card = base
    lesson = gather(catalog, [network], [], genre_list=genre_list)
    card, learned, _ = teach(lesson, its_card, name)
    held_out, truth = learned.probabilities, lesson.examples.truth
    is_right = truth[np.arange(len(truth)), held_out.argmax(axis=1)]
    least = least_sure(held_out.max(axis=1), is_right, share)
    heard = catalog.vectors(network, track_ids)
    return Fillable(card, path, dict(_sure(card, heard, least)))


def _sure(
    card: ModelCard, heard: Mapping[int, FloatArray], least: float
) -> list[tuple[int, tuple[str, float]]]:
    """Return (track_id, (genre, p)) of the tracks whose likeliest genre is sure enough."""
    assert card.head is not None, "what was learned here has one"
    assert card.head.novelty is not None, "what was learned here has one"
    if not heard:
        return []
    vectors = np.stack(list(heard.values()))
    said = to_probabilities(card.head.logits(vectors), exclusive=card.exclusive)
    is_strange = card.head.novelty.is_novel(vectors)  # of what is strange nobody can be sure
    needed = np.array([max(card.thresholds[genre], least) for genre in card.labels])
    best = said.argmax(axis=1)
    confidence = said.max(axis=1)
    chosen = np.flatnonzero((confidence >= needed[best]) & ~is_strange)
    track_ids = list(heard)
    return [(track_ids[n], (card.labels[best[n]], float(confidence[n]))) for n in chosen.tolist()]
