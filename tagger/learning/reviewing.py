"""What a head that learned from an owner says of tracks that the owner has not named yet.

For who is being asked: nothing is saved, and no threshold is told, since what was asked first is no
fair sample of what is left.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from tagger.catalog import Catalog
from tagger.errors import LearnError
from tagger.learning.calibration import fit_calibration, to_probabilities
from tagger.learning.examples import Examples
from tagger.learning.fitting import folds_of, held_out_logits
from tagger.learning.linear import fit_linear
from tagger.learning.teaching import Doubt, gather, judged
from tagger.records import FloatArray

Ranked = tuple[tuple[str, float], ...]
"""Genres with their probabilities, likeliest first."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What was learned, as it is told of tracks.

    Args:
        n_observations: Tags and answers that it was learned from; an answer is one.
        likely: {track_id: its likeliest genres}.
    """

    n_observations: int
    likely: Mapping[int, Ranked]


def opinion_on(catalog: Catalog, track_ids: Sequence[int], *, n_most: int = 9) -> Opinion:
    """Return what an owner's tags and answers say of other tracks.

    Args:
        catalog: Where all of them are.
        track_ids: The tracks that are asked about.
        n_most: Genres told of each.

    Raises:
        LearnError: there is too little to learn from.
    """
    network = _hears_most(catalog)
    lesson = gather(catalog, [network], [])
    embeddings = catalog.embeddings(network)
    is_asked = np.isin(embeddings.track_ids, np.asarray(track_ids, np.int64))
    vectors = embeddings.vectors[is_asked]
    with threadpool_limits(1):
        said = calibrated(lesson.examples, vectors)
    order = np.argsort(-said, axis=1, kind="stable")[:, :n_most]
    names = lesson.genres.names
    likely = {
        track_id: tuple((names[n], float(row[n])) for n in best)
        for track_id, row, best in zip(
            embeddings.track_ids[is_asked].tolist(), said, order.tolist(), strict=True
        )
    }
    return Opinion(len(lesson.tracks), likely)


def judged_in(catalog: Catalog, folders: Sequence[Path]) -> Iterator[Doubt]:
    """Return how likely each track's genre is, by what the owner's other artists teach.

    Args:
        catalog: Where all of them are.
        folders: Where the tracks lie; () is anywhere.

    Raises:
        LearnError: there is too little to judge them by.
    """
    return judged(gather(catalog, [_hears_most(catalog)], folders))


def _hears_most(catalog: Catalog) -> str:
    """Return the network that has heard most of what bears a genre.

    Raises:
        LearnError: none has heard any.
    """
    heard = {model.model_id: catalog.n_tagged(model.model_id) for model in catalog.models()}
    if not any(heard.values()):
        raise LearnError("no track with a genre has been heard yet")
    return max(heard, key=heard.__getitem__)


def calibrated(examples: Examples, vectors: FloatArray) -> FloatArray:
    """Return calibrated probabilities (n, n_genres) of embeddings (n, embedding_dim).

    Args:
        examples: What a head learns from, and is judged by in folds.
        vectors: What it is asked about.
    """
    exclusive = examples.are_exclusive
    logits = held_out_logits(examples, folds_of(examples, seed=0))
    calibration = fit_calibration(logits, examples.wanted, exclusive=exclusive)
    weight, bias = fit_linear(examples, exclusive=exclusive)
    raw = (vectors @ weight.T + bias).astype(np.float32)
    return to_probabilities(calibration.apply(raw), exclusive=exclusive)
