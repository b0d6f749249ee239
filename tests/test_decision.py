"""The policy: what is found, what is heard, what is asked, and what comes of it."""

from dataclasses import replace
from pathlib import Path

import pytest

from tagger.errors import ConfigError
from tagger.evidence.trials import Kind, Rest
from tagger.evidence.weighing import Said
from tagger.reasons import Reason, ReasonCode
from tagger.records import Decision, Status, TagsFound, TrackPrediction
from tagger.tagging.decision import GenrePolicy, Intent, decide, make_policy

LABELS = ("Electronic", "Experimental", "Folk", "Rock")
POLICY = make_policy(LABELS, ("Electronic", "Folk", "Rock"), dict.fromkeys(LABELS, 0.75))
BLANK = TagsFound()
PERSONS = TagsFound(genres=("Trip-Hop",))
OURS = TagsFound(genres=("Folk",), provenance="Folk; 0.80; m")


def heard(probabilities: dict[str, float], unheard: Reason | None = None) -> TrackPrediction:
    best = max(probabilities.values())
    return TrackPrediction(Path("/m/a.mp3"), probabilities, best, None, 4, "m", 200.0, unheard)


ROCK = heard({"Rock": 0.9, "Folk": 0.1})
UNSURE = heard({"Rock": 0.5, "Folk": 0.5})
ODD = heard({"Experimental": 0.95, "Rock": 0.05})
SILENT = heard({"Rock": 0.5, "Folk": 0.5}, unheard=Reason(ReasonCode.SILENT))


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
    assert str(verdict(UNSURE, BLANK).reason) == "sounds like Rock (50 %), 75 % needed"
    assert "--genres" in str(verdict(ODD, BLANK).reason)
    assert verdict(SILENT, BLANK).reason == Reason(ReasonCode.SILENT)


@pytest.mark.parametrize("genres", [(), ("Rock",)])
def test_what_asking_alone_does_not_get_written_says_so(genres: tuple[str, ...]) -> None:
    distrusted = dict.fromkeys(LABELS, 1.01)
    policy = make_policy(LABELS, (), distrusted, genres=genres)
    assert "--genres together with --min-confidence" in str(verdict(ROCK, BLANK, policy).reason)
    policy = make_policy(LABELS, (), distrusted, genres=("Rock",), min_confidence=0.5)
    assert verdict(ROCK, BLANK, policy).status is Status.WRITTEN


OTHER = TagsFound(genres=("other",))


@pytest.mark.parametrize(
    ("prediction", "overwrite", "status"),
    [
        (ROCK, False, Status.WRITTEN),
        (ROCK, True, Status.WRITTEN),
        (UNSURE, False, Status.UNSURE),
        (UNSURE, True, Status.UNSURE),
        (SILENT, False, Status.UNSURE),
    ],
)
def test_a_genre_that_counts_as_none_is_filled(
    prediction: TrackPrediction, overwrite: bool, status: Status
) -> None:
    intent = Intent(overwrite=overwrite, treat_as_blank=("Other", "Unknown"))
    assert verdict(prediction, OTHER, intent=intent).status is status


def test_a_genre_that_says_nothing_is_a_persons_unless_told_otherwise() -> None:
    assert verdict(ROCK, OTHER).status is Status.KEPT
    beside_another = TagsFound(genres=("Other", "Trip-Hop"))
    intent = Intent(treat_as_blank=("Other",))
    assert verdict(ROCK, beside_another, intent=intent).status is Status.KEPT


def test_a_blank_that_is_what_was_heard_is_left_alone() -> None:
    intent = Intent(treat_as_blank=("Rock",))
    decision = verdict(ROCK, TagsFound(genres=("Rock",)), intent=intent)
    assert (decision.status, decision.genres) == (Status.KEPT, ("Rock",))


def mapped(genre_map: dict[str, str], max_genres: int = 1) -> GenrePolicy:
    thresholds = dict.fromkeys(LABELS, 0.3)
    return make_policy(LABELS, LABELS, thresholds, genre_map=genre_map, max_genres=max_genres)


def test_a_label_is_written_as_what_the_genre_map_says() -> None:
    assert verdict(ROCK, BLANK, mapped({"rock": "Rap"})).genres == ("Rap",)
    assert verdict(ROCK, OURS, mapped({"Rock": "Folk"}), ours=True).status is Status.UNCHANGED


def test_a_label_that_the_genre_map_leads_to_nothing_is_never_written() -> None:
    decision = verdict(ROCK, BLANK, mapped({"Rock": ""}))
    assert (decision.status, decision.genres) == (Status.UNSURE, ())
    assert str(decision.reason) == "sounds like Rock (90 %), which genre_map says is never written"
    both = mapped({"Folk": ""}, max_genres=2)
    assert verdict(heard({"Rock": 0.6, "Folk": 0.4}), BLANK, both).genres == ("Rock",)


def test_two_labels_that_lead_to_one_genre_write_it_once() -> None:
    policy = mapped({"Rock": "Guitar", "Folk": "Guitar"}, max_genres=2)
    two = heard({"Rock": 0.4, "Folk": 0.3, "Electronic": 0.3})
    assert verdict(two, BLANK, policy).genres == ("Guitar", "Electronic")


def test_a_genre_map_for_labels_that_are_none_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"genre_map: this model does not know Roc;"):
        mapped({"Roc": "Rap"})


def test_a_label_that_no_tag_can_hold_is_refused_before_any_file() -> None:
    odd = ("Ro\0ck", "Folk")
    with pytest.raises(ConfigError, match="no tag can hold"):
        make_policy(odd, odd, {})
    assert make_policy(odd, odd, {}, genre_map={"Ro\0ck": "Rock"}).genre_of("Ro\0ck") == "Rock"
    assert make_policy(odd, ("Folk",), {}).writable == {"Folk"}


# As of a network whose labels are true each by itself, some a kind of others, some no genres.
KINDS = GenrePolicy(
    writable=frozenset({"Rock", "Hard Rock", "Electronic", "House"}),
    thresholds={"Rock": 0.6, "Hard Rock": 0.5, "Electronic": 0.6, "House": 0.6},
    max_genres=3,
    genres=frozenset({"Rock", "Hard Rock", "Electronic", "House", "Jazz"}),
    broader={"Hard Rock": "Rock", "House": "Electronic"},
)


def said(probabilities: dict[str, float]) -> dict[str, float]:
    labels = ("Rock", "Hard Rock", "Electronic", "House", "Jazz", "80s")
    return {label: probabilities.get(label, 0.0) for label in labels}


def test_what_is_no_genre_is_never_written_and_hides_nothing() -> None:
    heard_most = said({"Rock": 0.7, "80s": 0.9})
    assert KINDS.choose(heard_most) == ("Rock",)
    assert KINDS.confidence(heard_most) == 0.7
    assert "Rock (50 %)" in str(KINDS.why_not(said({"Rock": 0.5, "80s": 0.9})))


def test_suggestions_are_the_likeliest_genres_whether_written_or_not() -> None:
    suggested = verdict(UNSURE, BLANK).suggestions
    assert [(one.genre, one.confidence) for one in suggested[:2]] == [("Rock", 0.5), ("Folk", 0.5)]
    assert verdict(ROCK, PERSONS).suggestions[0].genre == "Rock"
    assert verdict(SILENT, BLANK).suggestions == ()


def test_a_suggestion_is_what_would_be_written_and_no_mood() -> None:
    ranked = KINDS.suggest(said({"80s": 0.9, "Rock": 0.4, "Hard Rock": 0.8, "Jazz": 0.3}))
    assert [one.genre for one in ranked] == ["Rock", "Hard Rock", "Jazz", "Electronic", "House"]
    assert [one.confidence for one in ranked[:3]] == [0.4, 0.4, 0.3]
    mapped = replace(KINDS, genre_map={"Rock": "", "Hard Rock": "Metal", "Jazz": "Metal"})
    ranked = mapped.suggest(said({"Rock": 0.4, "Hard Rock": 0.4, "Jazz": 0.3}))
    assert [(one.genre, one.confidence) for one in ranked[:1]] == [("Metal", 0.4)]
    assert [one.genre for one in ranked].count("Metal") == 1


def test_a_narrower_genre_stands_besides_its_broader_one_and_after_it() -> None:
    assert KINDS.choose(said({"Rock": 0.7, "Hard Rock": 0.9})) == ("Rock", "Hard Rock")
    assert replace(KINDS, max_genres=1).choose(said({"Rock": 0.7, "Hard Rock": 0.9})) == ("Rock",)
    assert KINDS.choose(said({"Rock": 0.2, "Hard Rock": 0.9})) == ()


def test_a_narrower_genre_may_be_asked_for_alone() -> None:
    alone = replace(KINDS, writable=frozenset({"House"}))
    house = said({"Electronic": 0.9, "House": 0.7, "Jazz": 0.8})
    assert alone.choose(house) == ("House",)
    assert alone.confidence(house) == 0.7
    assert alone.choose(said({"Electronic": 0.7, "House": 0.7, "Jazz": 0.8})) == ()


def test_several_genres_are_written_where_each_is_sure() -> None:
    assert KINDS.choose(said({"Rock": 0.7, "Electronic": 0.8})) == ("Electronic", "Rock")


def test_nothing_is_written_where_another_genre_is_likelier() -> None:
    assert KINDS.choose(said({"Rock": 0.7, "Jazz": 0.8})) == ()


def test_a_genre_behind_a_likelier_one_has_a_threshold_of_its_own() -> None:
    policy = make_policy(
        LABELS,
        LABELS,
        dict.fromkeys(LABELS, 0.75),
        max_genres=3,
        further={"Rock": 0.9, "Folk": 0.8},
    )
    assert policy.choose({"Rock": 0.8, "Folk": 0.1, "Electronic": 0.1}) == ("Rock",)
    assert policy.choose({"Rock": 0.85, "Folk": 0.95, "Electronic": 0.1}) == ("Folk",)
    assert policy.choose({"Rock": 0.91, "Folk": 0.95, "Electronic": 0.93}) == ("Folk", "Rock")
    assert policy.choose({"Rock": 0.7, "Folk": 0.1, "Electronic": 0.1}) == ()


def test_what_the_user_says_holds_behind_a_likelier_genre_as_well() -> None:
    never = dict.fromkeys(LABELS, 1.01)
    policy = make_policy(LABELS, LABELS, never, max_genres=2, further=never, min_confidence=0.5)
    assert policy.choose({"Rock": 0.6, "Folk": 0.7, "Electronic": 0.1}) == ("Folk", "Rock")


def test_no_bar_is_low_enough_for_evidence_that_is_worth_nothing() -> None:
    lenient = make_policy(LABELS, LABELS, dict.fromkeys(LABELS, 0.75), min_confidence=0.0)
    worthless = Said(Kind.ALBUM, ("Jazz",), 0.0, 2, 3, Rest.CONTRADICTS, (0, 1))
    assert not lenient.believes(worthless)
    assert lenient.believes(replace(worthless, confidence=0.01))
