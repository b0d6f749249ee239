"""What more tracks of a genre would bring, told where the truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from tagger.cli.learn_report import lines
from tagger.learning.curve import LearningOutlook, Verdict, outlooks
from tagger.learning.examples import Examples
from tagger.learning.fitting import learn
from tagger.learning.genres import CleanGenres
from tagger.learning.judging import GenreReport, LearningReport
from tagger.learning.teaching import Aside, Lesson
from tests.lessons import NAMES, blobs

pytestmark = pytest.mark.usefixtures("one_thread")


def rising(seed: int, n_artists: int = 60) -> Examples:
    """Genres apart by a little in each of many directions, which few tracks cannot tell."""
    rng = np.random.default_rng(seed)
    first = np.repeat(np.arange(n_artists) % 3, 4)
    own = np.repeat(rng.normal(0, 1, (n_artists, 96)), 4, axis=0)
    vectors = own + rng.normal(0, 1, own.shape)
    vectors[first == 1, 1:] += 0.3
    vectors[first == 0, 0] += 8
    vectors[:, 0] *= 20
    truth = np.eye(3, dtype=np.bool_)[first]
    return Examples(vectors.astype(np.float32), truth, first, np.repeat(np.arange(n_artists), 4))


def told(examples: Examples) -> list[LearningOutlook]:
    return outlooks(examples, learn(examples, NAMES, ["base-1"]))


def test_what_is_promised_of_more_tracks_comes_true() -> None:
    """Of genres of eighty tracks; a hundred and sixty tell whether it did."""
    for before, after in zip(told(rising(1)), told(rising(51, 120)), strict=True):
        assert before.verdict is Verdict.HELPS
        assert 0 < before.n_more <= 80
        assert before.f1 + 0.04 < before.f1_then <= after.f1 + 0.05


def test_where_the_curve_is_flat_more_would_hardly_help() -> None:
    """Genres that overlap, in few directions: what can be told is soon learned."""
    found = told(blobs(150, spread=1.6, dim=3))
    assert [one.verdict for one in found] == [Verdict.HARDLY] * 3
    assert all(0.5 < one.f1 < 0.8 and one.f1_then == one.f1 for one in found)


def test_of_what_is_known_well_no_more_is_asked_for() -> None:
    assert {one.verdict for one in told(blobs(60))} == {Verdict.HARDLY}


@pytest.mark.parametrize("seed", range(3))
def test_of_noise_nothing_is_promised(seed: int) -> None:
    examples = blobs(60)
    noise = np.random.default_rng(seed).normal(size=examples.embeddings.shape)
    found = told(
        Examples(noise.astype(np.float32), examples.truth, examples.first, examples.groups)
    )
    assert {one.verdict for one in found} == {Verdict.UNKNOWN}


def test_of_a_few_tracks_nothing_is_said() -> None:
    examples = blobs(60)
    kept = np.flatnonzero((examples.first != 2) | (examples.groups < 6))
    assert told(examples.take(kept))[2].verdict is Verdict.UNKNOWN


def known(genre: str, look: LearningOutlook) -> GenreReport:
    return GenreReport(
        genre=genre,
        n_tracks=20,
        n_artists=5,
        precision=0.8,
        recall=0.7,
        threshold=0.9,
        refusal=None,
        further=None,
        outlook=look,
    )


def test_what_more_tracks_would_bring_is_said_in_words() -> None:
    genres = (
        known("Bebop", LearningOutlook(Verdict.HELPS, 20, 0.6, 0.75)),
        known("Fado", LearningOutlook(Verdict.HARDLY, 0, 0.9, 0.9)),
        known("Dub", LearningOutlook(Verdict.HARDLY, 0, 0.8, 0.8)),
        known("Tango", LearningOutlook(Verdict.UNKNOWN, 0, 0.2, 0.2)),
        known("Gabber", LearningOutlook(Verdict.HELPS, 9, 0.3, 0.5)),
    )
    report = LearningReport(100, 25, 0.7, 0.6, 0.3, {}, genres, ())
    lesson = Lesson((), CleanGenres((), (), ()), blobs(6), Aside(0, 0, 0, 0), 0)
    now = "F1 (of right and found) is"
    assert list(lines(lesson, report))[-5:-1] == [
        f"9 more Gabber tracks by other artists would help: {now} 30 % now, about 50 % then",
        f"20 more Bebop tracks by other artists would help: {now} 60 % now, about 75 % then",
        "more tracks would hardly help: Fado, Dub",
        "whether more tracks would help cannot be said: Tango",
    ]
