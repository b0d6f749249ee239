"""What learned genres are worth, told by tracks of artists that had no part in learning them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tagger.learning.calibration import called
from tagger.learning.curve import LearningOutlook, outlooks
from tagger.learning.examples import BoolArray, Examples, IntArray
from tagger.learning.fitting import Learned, Tick, folds_of, held_out_logits, no_tick
from tagger.learning.thresholds import Refusal
from tagger.records import FloatArray

PRECISIONS = (0.75, 0.85, 0.95)
_SOME = 3  # so often a genre must be taken for another to be told


@dataclass(frozen=True, slots=True)
class GenreReport:
    """How well one genre is known.

    Args:
        genre: Its name.
        n_tracks: How many tracks have it.
        n_artists: Of how many artists.
        precision: Share of the tracks called so that are; None if none is called so.
        recall: Share of its tracks that are called so.
        threshold: The least confidence at which it is written; above 1 is never.
        refusal: Why it is never written; None where it may be.
        further: The same behind a likelier genre; None where genres exclude each other.
        outlook: What more tracks of it would bring.
    """

    genre: str
    n_tracks: int
    n_artists: int
    precision: float | None
    recall: float
    threshold: float
    refusal: Refusal | None
    further: float | None
    outlook: LearningOutlook


@dataclass(frozen=True, slots=True)
class LearningReport:
    """How well all are known.

    Args:
        n_tracks: Tracks learned from.
        n_artists: Their artists.
        accuracy: Share of tracks whose likeliest genre is one that a person gave.
        with_half: The same, with half of the artists.
        by_chance: What calling all by the commonest genre would give.
        coverage: {precision: the largest share of tracks, the surest, that are right so often}.
        genres: The commonest first.
        confusions: (genre, taken for, how many tracks), the commonest first.
    """

    n_tracks: int
    n_artists: int
    accuracy: float
    with_half: float
    by_chance: float
    coverage: dict[float, float]
    genres: tuple[GenreReport, ...]
    confusions: tuple[tuple[str, str, int], ...]


def judge(
    examples: Examples,
    learned: Learned,
    names: Sequence[str],
    *,
    seed: int = 0,
    tick: Tick = no_tick,
) -> LearningReport:
    """Return what was learned, as tracks by other artists tell it.

    Args:
        examples: The tracks.
        learned: What was learned from them.
        names: (n_genres,) the genres.
        seed: Of the folds and of the artists drawn.
        tick: Called once a fit.
    """
    said = learned.probabilities.argmax(axis=1)
    right = _is_right(examples, said)
    folds = folds_of(examples, seed)
    halved = held_out_logits(examples, folds, share=0.5, seed=seed, tick=tick)
    half_said = halved.argmax(axis=1)
    names_said = called(learned.probabilities, learned.exclusive)
    expected = outlooks(examples, learned, seed=seed, tick=tick)
    return LearningReport(
        n_tracks=len(examples),
        n_artists=len(np.unique(examples.groups)),
        accuracy=float(right.mean()),
        with_half=float(_is_right(examples, half_said).mean()),
        by_chance=float(examples.truth.mean(axis=0).max()),
        coverage={p: coverage_at(learned.probabilities, right, p) for p in PRECISIONS},
        genres=tuple(
            _of_genre(examples, names_said[:, n], expected[n], n, name, learned)
            for n, name in enumerate(names)
        ),
        confusions=_confusions(examples, said, names),
    )


def coverage_at(probabilities: FloatArray, right: BoolArray, precision: float) -> float:
    """Return the largest share of tracks, the surest, of which so many are right.

    >>> sure = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4]], np.float32)
    >>> coverage_at(sure, np.array([True, True, False, False]), 0.75)
    0.5
    """
    order = np.argsort(-probabilities.max(axis=1), kind="stable")
    share_right = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(share_right >= precision)
    return float((enough[-1] + 1) / len(order)) if len(enough) else 0.0


def _is_right(examples: Examples, said: IntArray) -> BoolArray:
    right: BoolArray = examples.truth[np.arange(len(examples)), said]
    return right


def _of_genre(
    examples: Examples,
    is_called: BoolArray,
    outlook: LearningOutlook,
    n: int,
    name: str,
    learned: Learned,
) -> GenreReport:
    has = examples.truth[:, n]
    n_called = int(is_called.sum())
    recall = _recall(has, is_called)
    return GenreReport(
        genre=name,
        n_tracks=int(has.sum()),
        n_artists=len(np.unique(examples.groups[has])),
        precision=float((has & is_called).sum() / n_called) if n_called else None,
        recall=recall,
        threshold=learned.thresholds[name],
        refusal=learned.refused.get(name),
        further=learned.further.get(name),
        outlook=outlook,
    )


def _recall(has: BoolArray, is_called: BoolArray) -> float:
    n_has = int(has.sum())
    return float((has & is_called).sum() / n_has) if n_has else 0.0


def _confusions(
    examples: Examples, said: IntArray, names: Sequence[str]
) -> tuple[tuple[str, str, int], ...]:
    wrong = ~_is_right(examples, said)
    counts = np.zeros((len(names), len(names)), np.int64)
    np.add.at(counts, (examples.first[wrong], said[wrong]), 1)
    found = [(names[i], names[j], int(counts[i, j])) for i, j in np.argwhere(counts >= _SOME)]
    return tuple(sorted(found, key=lambda one: (-one[2], one[0], one[1])))
