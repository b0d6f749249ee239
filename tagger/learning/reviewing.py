"""What a head that learned from an owner says of tracks that the owner has not named yet.

For who is being asked: nothing is saved, and no threshold is told, since what was asked first is no
fair sample of what is left.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from tagger.catalog import Catalog
from tagger.errors import LearnError
from tagger.genre_list import GenreList
from tagger.learning.calibration import fit_calibration, to_probabilities
from tagger.learning.examples import BoolArray, Examples, IntArray
from tagger.learning.fitting import folds_of, held_out_logits
from tagger.learning.linear import fit_linear
from tagger.learning.teaching import Doubt, gather, judged
from tagger.records import FloatArray

_LEAST_SEEN = 20  # tracks not fitted on, from which a confidence is found
_NEVER = 2.0  # a confidence that no track reaches


@dataclass(frozen=True, slots=True)
class Opinion:
    """What was learned, as it is told of tracks.

    Args:
        n_observations: Tags and answers that it was learned from; an answer is one.
        names: The genres.
        track_ids: (n,) the tracks.
        likeliest: (n, n_most) the numbers of each one's genres, likeliest first.
        probabilities: (n, n_most) theirs.
        least: The probability from which on it is hoped to be right often enough to be filled.
    """

    n_observations: int
    names: tuple[str, ...]
    track_ids: IntArray
    likeliest: IntArray
    probabilities: FloatArray
    least: float


def opinion_on(
    catalog: Catalog,
    track_ids: Sequence[int],
    *,
    share: float,
    n_most: int = 9,
    genre_list: GenreList | None = None,
) -> Opinion:
    """Return what an owner's tags and answers say of other tracks.

    Args:
        catalog: Where all of them are.
        track_ids: The tracks that are asked about.
        share: That is hoped to be right of what might be filled.
        n_most: Genres told of each.
        genre_list: The owner's, in whose words genres are learned.

    Raises:
        LearnError: there is too little to learn from.
    """
    network = hears_most(catalog)
    lesson = gather(catalog, [network], [], genre_list=genre_list)
    embeddings = catalog.embeddings(network)
    is_asked = np.isin(embeddings.track_ids, np.asarray(track_ids, np.int64))
    vectors = embeddings.vectors[is_asked]
    examples = lesson.examples
    with threadpool_limits(1):
        held_out, said = calibrated(examples, vectors)
    order = np.argsort(-said, axis=1, kind="stable")[:, :n_most]
    is_right = examples.truth[np.arange(len(examples)), held_out.argmax(axis=1)]
    return Opinion(
        len(lesson.tracks),
        lesson.genres.names,
        embeddings.track_ids[is_asked],
        order,
        np.take_along_axis(said, order, axis=1),
        least_sure(held_out.max(axis=1), is_right, share),
    )


def judged_in(
    catalog: Catalog, folders: Sequence[Path], genre_list: GenreList | None = None
) -> Iterator[Doubt]:
    """Return how likely each track's genre is, by what the owner's other artists teach.

    Args:
        catalog: Where all of them are.
        folders: Where the tracks lie; () is anywhere.
        genre_list: The owner's, in whose words genres are learned.

    Raises:
        LearnError: there is too little to judge them by.
    """
    return judged(gather(catalog, [hears_most(catalog)], folders, genre_list=genre_list))


def hears_most(catalog: Catalog) -> str:
    """Return the network that has heard most of what bears a genre.

    Raises:
        LearnError: none has heard any.
    """
    heard = {model.model_id: catalog.n_tagged(model.model_id) for model in catalog.models()}
    if not any(heard.values()):
        raise LearnError("no track with a genre has been heard yet")
    return max(heard, key=heard.__getitem__)


def calibrated(examples: Examples, vectors: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return calibrated probabilities (n, n_genres): of tracks learned from, and of others.

    Each of the former is judged by a head that its fold had no part in.

    Args:
        examples: What a head learns from.
        vectors: Embeddings of what it is asked about.
    """
    exclusive = examples.are_exclusive
    logits = held_out_logits(examples, folds_of(examples, seed=0))
    calibration = fit_calibration(logits, examples.wanted, exclusive=exclusive)
    weight, bias = fit_linear(examples, exclusive=exclusive)
    raw = (vectors @ weight.T + bias).astype(np.float32)
    held_out, said = (
        to_probabilities(calibration.apply(some), exclusive=exclusive) for some in (logits, raw)
    )
    return held_out, said


def least_sure(confidence: FloatArray, is_right: BoolArray, share: float) -> float:
    """Return the least confidence from which on so many are right, by what was not fitted on.

    Args:
        confidence: (n,) of each track's likeliest genre.
        is_right: (n,) whether that is one of its genres.
        share: Of the tracks from there on.

    >>> least_sure(np.linspace(1, 0.5, 40, dtype=np.float32), np.arange(40) < 30, 1.0) > 0.6
    True
    """
    order = np.argsort(-confidence, kind="stable")
    n_seen = np.arange(1, len(order) + 1)
    is_enough = (np.cumsum(is_right[order]) >= share * n_seen) & (n_seen >= _LEAST_SEEN)
    enough = np.flatnonzero(is_enough)
    return float(confidence[order[enough[-1]]]) if len(enough) else _NEVER
