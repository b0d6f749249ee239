"""How much better a genre would be known from more tracks, as far as the tracks at hand can tell.

Each genre is learned from a half, three quarters and all of the artists, and judged on artists not
learned from. What the last doubling of its tracks gave is what the next may give at the most, and
nothing is said beyond that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from tagger.learning.calibration import called, fit_calibration, to_probabilities
from tagger.learning.examples import BoolArray, DoubleArray, Examples
from tagger.learning.fitting import Learned, Tick, folds_of, held_out_logits, no_tick

# Shares of the artists, each drawn anew: whom a small one holds matters more.
SHARES = (0.5, 0.5, 0.5, 0.75, 0.75)
_N_DRAWS = 200  # of the artists that judge, with replacement
_SURE = 0.9  # share of those draws that must agree
_GAIN = 0.05  # of F1: less is hardly worth the tagging
_LEAST_TRACKS = 5  # of a genre, that half of the artists must have
_STEPS = tuple(step * 10**power for power in range(1, 6) for step in (1, 2, 5))


class Verdict(StrEnum):
    """Whether more tracks of a genre would help."""

    HELPS = "helps"
    HARDLY = "hardly"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class LearningOutlook:
    """What more tracks of a genre would bring.

    Args:
        verdict: Whether they would help.
        n_more: So many more; never more than there are. 0 unless they would help.
        f1: Of the genre, now: the harmonic mean of precision and recall.
        f1_then: The same with ``n_more`` more; as now unless they would help.
    """

    verdict: Verdict
    n_more: int
    f1: float
    f1_then: float


def outlooks(
    examples: Examples, learned: Learned, *, seed: int = 0, tick: Tick = no_tick
) -> list[LearningOutlook]:
    """Return for each genre what more tracks of it would bring, the others growing alike.

    Args:
        examples: The tracks.
        learned: What was learned from them.
        seed: Of the artists drawn.
        tick: Called once a fit.
    """
    said = [*_of_shares(examples, seed, tick), called(learned.probabilities, learned.exclusive)]
    shares = np.array([*SHARES, 1.0])
    f1 = _drawn_f1(examples, said, seed)
    gains = _slopes(np.log2(shares), f1)  # (n_draws, n_genres) a doubling; the first is of all
    n_tracks = examples.truth.sum(axis=0)
    by_chance = 2 * n_tracks / (n_tracks + len(examples))  # F1, were all tracks called so
    found = []
    for n, now in enumerate(f1[0, -1].tolist()):
        # What is known no better than by chance has no curve to go on with.
        is_known = n_tracks[n] >= 2 * _LEAST_TRACKS and now > by_chance[n]
        found.append(
            _outlook(int(n_tracks[n]), now, gains[:, n])
            if is_known
            else LearningOutlook(Verdict.UNKNOWN, 0, now, now)
        )
    return found


def _of_shares(examples: Examples, seed: int, tick: Tick) -> Iterator[BoolArray]:
    """Yield what each track is called, (n, n_genres), by heads learned from fewer artists."""
    folds, exclusive = folds_of(examples, seed), examples.are_exclusive
    for number, share in enumerate(SHARES):
        logits = held_out_logits(examples, folds, share=share, seed=seed + number, tick=tick)
        calibration = fit_calibration(logits, examples.wanted, exclusive=exclusive)
        yield called(to_probabilities(calibration.apply(logits), exclusive=exclusive), exclusive)


def _drawn_f1(examples: Examples, said: Sequence[BoolArray], seed: int) -> DoubleArray:
    """Return F1 (1 + n_draws, n_shares, n_genres): of all artists, then of draws of them."""
    _, artist = np.unique(examples.groups, return_inverse=True)
    n_artists = int(artist.max()) + 1
    drawn = np.random.default_rng(seed).multinomial(
        n_artists, np.full(n_artists, 1 / n_artists), _N_DRAWS
    )
    weights = np.vstack([np.ones(n_artists), drawn]).astype(np.float32)

    order = np.argsort(artist, kind="stable")
    begins = np.searchsorted(artist[order], np.arange(n_artists))

    def total(of_tracks: BoolArray) -> DoubleArray:
        by_artist = np.add.reduceat(of_tracks[order], begins, axis=0, dtype=np.float32)
        summed: DoubleArray = (weights @ by_artist).astype(np.float64)
        return summed

    has = total(examples.truth)
    parts = [(total(examples.truth & one), total(one)) for one in said]
    return np.stack([2 * hit / np.maximum(has + n, 1) for hit, n in parts], axis=1)


def _slopes(at: DoubleArray, f1: DoubleArray) -> DoubleArray:
    """Return the least-squares slope over the shares (second axis)."""
    centred = at - at.mean()
    slopes: DoubleArray = np.einsum("s,dsg->dg", centred, f1) / np.square(centred).sum()
    return slopes


def _outlook(n_tracks: int, f1: float, gains: DoubleArray) -> LearningOutlook:
    """Return what more of a genre would bring.

    Args:
        n_tracks: That it has.
        f1: Of it now.
        gains: (1 + n_draws,) of F1 by a doubling, of all artists and of draws of them.
    """
    gain, drawn = min(float(gains[0]), 1 - f1), gains[1:]
    low, high = np.quantile(drawn, [1 - _SURE, _SURE])
    if min(float(high), 1 - f1) < _GAIN:
        return LearningOutlook(Verdict.HARDLY, 0, f1, f1)
    if low <= 0 or gain < _GAIN:
        return LearningOutlook(Verdict.UNKNOWN, 0, f1, f1)
    n_more = next(
        (n for n in _STEPS if n <= n_tracks and gain * np.log2(1 + n / n_tracks) >= _GAIN), n_tracks
    )
    return LearningOutlook(
        Verdict.HELPS, n_more, f1, f1 + gain * float(np.log2(1 + n_more / n_tracks))
    )
