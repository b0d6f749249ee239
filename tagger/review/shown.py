"""What a session shows: the question, how far it is, and what would be filled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tagger.review.questions import Question
from tagger.review.suggesting import OfferedGenre


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the session is.

    Args:
        n_answers: Answers that stand.
        n_settled: Tracks that they settle.
        n_blank: Tracks without a genre that are still to be asked about, or in doubt.
        n_questions: Questions that are left.
        n_open: Tracks that are answered and not written yet.
        n_left: Tracks whose files could not be written.
        trouble: What keeps the writer from its work, or "".
        is_looking: What looks wrong is still being looked for, or a set to be filled prepared.
    """

    n_answers: int
    n_settled: int
    n_blank: int
    n_questions: int
    n_open: int
    n_left: int
    trouble: str
    is_looking: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it is shown.

    Args:
        question: What it is about.
        suggestions: The genres on the buttons.
        heard: What it sounds like: (genre, p), likeliest first.
        stands: The genres that stand in its files, and in how many.
        whys: What speaks against the genres that stand there, if they are in doubt.
        judged: What would be filled, where its owner judges whether that is right.
    """

    question: Question
    suggestions: Sequence[OfferedGenre]
    heard: Sequence[tuple[str, float]]
    stands: Sequence[tuple[str, int]]
    whys: Sequence[str] = ()
    judged: Judged | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A track drawn by chance from those that would be filled, as its owner judges it.

    Args:
        genre: What would be written.
        confidence: Its probability.
        n_set: Tracks that would be filled.
        n_drawn: Of these, how many are judged.
        n_judged: How many have been.
        n_right: Of these, how many were right.
    """

    genre: str
    confidence: float
    n_set: int
    n_drawn: int
    n_judged: int
    n_right: int


@dataclass(frozen=True, slots=True)
class Filling:
    """What is told of filling.

    Args:
        n_offered: About how many tracks would be filled; 0: nothing is offered.
        n_drawn: How many of them would have to be judged first.
        is_preparing: A set is being prepared.
        passed: What may be filled now, since enough of it was judged right.
        note: What became of the last one.
    """

    n_offered: int = 0
    n_drawn: int = 0
    is_preparing: bool = False
    passed: Passed | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Passed:
    """A set of which enough was judged right.

    Args:
        n_right, n_drawn: The figure.
        n_set: Tracks in the set.
        n_rest: Those that would be filled now.
        by_genre: How many of these would get which genre.
        tracks: The first of them: (name, artist, genre).
    """

    n_right: int
    n_drawn: int
    n_set: int
    n_rest: int
    by_genre: Sequence[tuple[str, int]]
    tracks: Sequence[tuple[str, str, str]]
