"""What labelled clips are, as a head is fitted and judged on them: genre by genre.

A collection says what a clip is, and some say it broadly or oddly. What counts as right when it is
written, what a head is to learn, and what is left open are three things.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tagger.records import FloatArray
from tools.labelled_clips import BoolArray, Clip, are_named

GENRES = (
    *("Blues", "Classical", "Country", "Disco", "Electronic", "Folk", "Hip-Hop", "Jazz", "Latin"),
    *("Metal", "Pop", "R&B", "Reggae", "Rock"),
)
"""Those that the collections at hand name for artists enough to learn from."""

_SHELF = "pop/rock"
_ARTISTS = Path(__file__).with_name("allmusic_artists.toml")


@dataclass(frozen=True)
class Truth:
    """What each of n clips is.

    Args:
        right: (n, n_genres) counts as right when it is written.
        wanted: (n, n_genres) what a head is to learn.
        weight: (n, n_genres) float32; 0 where it stays open and nothing is to be learned.
    """

    right: BoolArray
    wanted: BoolArray
    weight: FloatArray

    def take(self, rows: BoolArray) -> Truth:
        """Return what some of the clips are."""
        return Truth(self.right[rows], self.wanted[rows], self.weight[rows])


def truth_of(clips: Sequence[Clip], genres: Sequence[str] = GENRES) -> Truth:
    """Return what clips are.

    Right is what a collection or the clip's own tag says. Learned is what the collection says: what
    the tag alone says stays open. AllMusic's shelf Pop/Rock, on which either word is right, is
    divided by artist.
    """
    wanted = np.stack([are_named(genre, [clip.labels for clip in clips]) for genre in genres], 1)
    right = np.stack([are_named(genre, [clip.genres for clip in clips]) for genre in genres], 1)
    truth = Truth(right, wanted, (right == wanted).astype(np.float32))
    _divide_shelves(truth, clips, [genre.casefold() for genre in genres])
    return truth


def _divide_shelves(truth: Truth, clips: Sequence[Clip], genres: Sequence[str]) -> None:
    """Let lists of artists say what AllMusic's shelves leave open, in place."""
    lists = tomllib.loads(_ARTISTS.read_text(encoding="utf-8"))
    left_open = {genre: _folded(names) for genre, names in lists["open"].items()}
    pop, metal = _folded(lists["pop"]), _folded(lists["metal"])
    for n, clip in enumerate(clips):
        artist, is_on_shelf = clip.artist.casefold(), _SHELF in clip.labels
        opened = [genre.casefold() for genre, names in left_open.items() if artist in names]
        if is_on_shelf:
            opened.append("rock" if artist in pop else "pop")
        for i in (genres.index(genre) for genre in opened if genre in genres):
            if truth.right[n, i]:
                truth.wanted[n, i], truth.weight[n, i] = False, 0.0
        if is_on_shelf and artist in metal and "metal" in genres:
            truth.right[n, genres.index("metal")] = truth.wanted[n, genres.index("metal")] = True


def _folded(names: Sequence[str]) -> frozenset[str]:
    return frozenset(name.casefold() for name in names)
