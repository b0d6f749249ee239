"""The policy: what is found, what is heard, what is asked, and what comes of it."""

from pathlib import Path

import pytest

from tagger.decision import GenrePolicy, Intent, decide, make_policy
from tagger.errors import ConfigError
from tagger.records import Decision, Status, TagsFound, TrackPrediction

LABELS = ("Electronic", "Experimental", "Folk", "Rock")
POLICY = make_policy(LABELS, ("Electronic", "Folk", "Rock"), dict.fromkeys(LABELS, 0.75))
BLANK = TagsFound()
PERSONS = TagsFound(genres=("Trip-Hop",))
OURS = TagsFound(genres=("Folk",), provenance="Folk; 0.80; m")


def heard(probabilities: dict[str, float], unheard: str | None = None) -> TrackPrediction:
    best = max(probabilities.values())
    return TrackPrediction(Path("/m/a.mp3"), probabilities, best, None, 4, "m", 200.0, unheard)


ROCK = heard({"Rock": 0.9, "Folk": 0.1})
UNSURE = heard({"Rock": 0.5, "Folk": 0.5})
ODD = heard({"Experimental": 0.95, "Rock": 0.05})
SILENT = heard({"Rock": 0.5, "Folk": 0.5}, unheard="silent")


def verdict(
    prediction: TrackPrediction,
    found: TagsFound,
    policy: GenrePolicy = POLICY,
    intent: Intent | None = None,
    *,
    ours: bool = False,
) -> Decision:
    return decide(
        prediction,
        prediction.probabilities,
        found,
        ours=ours,
        policy=policy,
        intent=intent or Intent(),
    )


@pytest.mark.parametrize(
    ("prediction", "found", "ours", "status", "genres"),
    [
        (ROCK, BLANK, False, Status.WRITTEN, ("Rock",)),
        (UNSURE, BLANK, False, Status.UNSURE, ()),
        (ODD, BLANK, False, Status.UNSURE, ()),
        (SILENT, BLANK, False, Status.UNSURE, ()),
        (ROCK, PERSONS, False, Status.KEPT, ("Rock",)),
        (SILENT, PERSONS, False, Status.KEPT, ()),
        (ROCK, OURS, True, Status.WRITTEN, ("Rock",)),
        (UNSURE, OURS, True, Status.UNCHANGED, ("Folk",)),
        (heard({"Folk": 0.9, "Rock": 0.1}), OURS, True, Status.UNCHANGED, ("Folk",)),
    ],
)
def test_the_table_of_outcomes(
    prediction: TrackPrediction,
    found: TagsFound,
    ours: bool,
    status: Status,
    genres: tuple[str, ...],
) -> None:
    decision = verdict(prediction, found, ours=ours)
    assert (decision.status, decision.genres) == (status, genres)


def test_a_persons_genre_is_replaced_only_when_asked() -> None:
    overwrite = Intent(overwrite=True)
    assert verdict(ROCK, PERSONS, intent=overwrite).status is Status.WRITTEN
    assert verdict(UNSURE, PERSONS, intent=overwrite).status is Status.KEPT
    assert verdict(ROCK, TagsFound(genres=("Rock",)), intent=overwrite).status is Status.KEPT


def test_dry_run_plans_and_no_write_predicts() -> None:
    assert verdict(ROCK, BLANK, intent=Intent(dry_run=True)).status is Status.PLANNED
    assert verdict(ROCK, BLANK, intent=Intent(write=False)).status is Status.PREDICTED


def test_shelf_marks_are_written_only_when_asked() -> None:
    everything = make_policy(LABELS, (), dict.fromkeys(LABELS, 0.75), genres=("all",))
    assert verdict(ODD, BLANK, everything).genres == ("Experimental",)


def test_a_lower_confidence_can_be_asked_for() -> None:
    eager = make_policy(LABELS, LABELS, dict.fromkeys(LABELS, 0.75), min_confidence=0.4)
    assert verdict(UNSURE, BLANK, eager).status is Status.WRITTEN


def test_several_genres_where_each_is_sure_enough() -> None:
    policy = make_policy(
        LABELS, LABELS, dict.fromkeys(LABELS, 0.75), min_confidence=0.3, max_genres=2
    )
    assert verdict(heard({"Rock": 0.6, "Folk": 0.4}), BLANK, policy).genres == ("Rock", "Folk")
    assert verdict(heard({"Rock": 0.8, "Folk": 0.2}), BLANK, policy).genres == ("Rock",)


def test_names_of_genres_have_no_case() -> None:
    policy = make_policy(LABELS, LABELS, dict.fromkeys(LABELS, 0.5), genres=("rock",))
    assert policy.writable == {"Rock"}


def test_an_unknown_genre_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="Polka"):
        make_policy(LABELS, LABELS, {}, genres=("Polka",))


def test_the_reason_names_what_was_heard_and_what_was_needed() -> None:
    assert verdict(UNSURE, BLANK).reason == "sounds like Rock (50 %), 75 % needed"
    assert "--genres" in verdict(ODD, BLANK).reason
    assert verdict(SILENT, BLANK).reason == "silent"
