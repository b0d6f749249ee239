"""Filling what was learned: drawn by chance, judged, written as the tagger's, and taken back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import mutagen
import numpy as np
import pytest

from tagger.catalog import AnsweredState, Catalog
from tagger.config import models_folder
from tagger.errors import ConfigError
from tagger.genre_list import GenreList
from tagger.learning.teaching import gather
from tagger.models.files import read_card
from tagger.models.verdict import said_by
from tagger.records import TrackPrediction
from tagger.review import filling
from tagger.review.filler import Filler
from tagger.review.filling import N_DRAWN, N_ENOUGH, WORTH, Prepared, Wanted, prepare
from tagger.review.learner import learn
from tagger.review.session import Session, StaleError
from tagger.tagging.answering import Manner, carry_out_next
from tests.fillable import N_BLANK, filler_of, library, truth
from tests.library import contents, genre_of, run_tagger, set_tags, until
from tests.reviews import default_card

N_REST = N_BLANK - N_DRAWN


@pytest.fixture
def catalog(place: Path, music: Path) -> Iterator[Catalog]:
    with library(place, music) as opened:
        yield opened


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """What is learned from such a catalogue, learned once."""
    folder = tmp_path_factory.mktemp("learned")
    with library(folder / "catalog.db", folder / "music") as opened:
        session, _ = filler_of(opened, folder / "catalog.db")
        return prepare(Wanted(folder / "catalog.db", session.track_ids()))


Judged = tuple[Session, Filler]


@pytest.fixture
def judging(catalog: Catalog, place: Path, prepared: Prepared) -> Judged:
    """A session in which a set has been prepared, and is to be judged."""
    session, filler = filler_of(catalog, place)
    filler.in_process = lambda work, given: prepared if work is prepare else work(given)
    filler.learned(session.track_ids())
    filler.begin()
    until(lambda: session.interlude is not None)
    return session, filler


def true_genre(session: Session) -> str:
    """The genre of the track that is judged now."""
    assert session.current is not None
    (track,) = session.questions[session.current].tracks
    return truth(int(track.path.stem))


def judge(session: Session, filler: Filler, n: int = N_DRAWN, n_wrong: int = 0) -> None:
    """Judge tracks truly; the first ones are said to be wrong, and what is right is not told."""
    for i in range(n):
        assert session.current is not None
        if i < n_wrong:
            filler.mark(session.current, is_right=False)
        else:
            session.answer(session.current, [true_genre(session)])


def finish(catalog: Catalog) -> list[AnsweredState]:
    found: list[AnsweredState] = []
    while carried := carry_out_next(catalog, Manner()):
        found += [state for state, _ in carried.outcomes.values()]
    return found


def field_of(path: Path) -> list[str]:
    return list((mutagen.File(path).tags or {}).get("tagger_genre", []))


def bytes_in(music: Path) -> dict[str, bytes]:
    return {path: data for path, (data, _) in contents(music).items()}


def filled(music: Path) -> list[Path]:
    return [path for path in sorted(music.iterdir()) if field_of(path)]


def test_what_would_be_filled_is_what_the_model_says_of_each_track(
    catalog: Catalog, place: Path, prepared: Prepared
) -> None:
    session, _ = filler_of(catalog, place)
    card = prepared.card
    assert card is not None
    assert set(prepared.genres) == set(session.track_ids())
    vectors = catalog.vectors(default_card().model_id, session.track_ids())
    for track_id, (genre, confidence) in prepared.genres.items():
        heard = TrackPrediction(
            Path("a"), {}, 0.0, vectors[track_id], 4, default_card().model_id, 30.0
        )
        said = said_by(card, [heard])
        assert said.probabilities[genre] == pytest.approx(confidence, abs=1e-6)
        assert max(said.probabilities, key=said.probabilities.__getitem__) == genre
        assert confidence >= card.thresholds[genre]
        assert not said.is_novel


def test_what_is_strange_to_the_model_is_not_filled(catalog: Catalog, place: Path) -> None:
    session, _ = filler_of(catalog, place)
    ids = session.track_ids()
    entry = next(iter(catalog.unanswered()))
    vector = 50 * np.ones(int(default_card().network["embedding_dim"]), np.float32)
    with catalog._transaction(catalog._writer) as connection:
        from tagger.catalog import embeddings

        embeddings.store(connection, default_card().model_id, {entry.track_id: vector})
    assert set(ids) - set(prepare(Wanted(place, ids)).genres) == {entry.track_id}


def test_the_learning_process_tells_what_might_be_filled(catalog: Catalog, place: Path) -> None:
    session, filler = filler_of(catalog, place)
    told = learn(place, session.track_ids(), filler.share)
    assert told is not None
    assert told.sure == set(session.track_ids())
    filler.learned(told.sure)
    assert filler.shown().n_offered == N_BLANK


def test_what_is_filled_is_learned_in_the_words_of_the_owners_list(
    catalog: Catalog, place: Path
) -> None:
    session, filler = filler_of(catalog, place)
    session.suggesting = replace(
        session.suggesting, genre_list=GenreList(aliases={"Dub": "Riddim"})
    )
    given: list[Wanted] = []

    def seen(_work: object, wanted: Wanted) -> Prepared:
        given.append(wanted)
        return Prepared(why_not="enough was seen")

    filler.in_process = seen
    filler.learned(session.track_ids())
    filler.begin()
    until(lambda: bool(given))
    genres = {genre for genre, _ in prepare(given[0]).genres.values()}
    assert genres == {"Riddim", "Fado"}


def test_nothing_is_offered_that_is_not_worth_the_judging(catalog: Catalog, place: Path) -> None:
    session, filler = filler_of(catalog, place)
    assert filler.shown().n_offered == 0
    filler.learned(session.track_ids()[: WORTH - 1])
    assert filler.shown().n_offered == 0
    with pytest.raises(StaleError):
        filler.begin()
    filler.learned(session.track_ids()[:WORTH])
    assert filler.shown().n_offered == WORTH


def test_nothing_is_offered_where_fewer_answers_are_left_than_are_judged(
    catalog: Catalog, place: Path
) -> None:
    for most_answers, n_offered in ((N_DRAWN - 1, 0), (N_DRAWN, N_BLANK)):
        session, filler = filler_of(catalog, place, most_answers=most_answers)
        filler.learned(session.track_ids())
        assert filler.shown().n_offered == n_offered


def test_below_what_learning_needs_nothing_is_filled(place: Path, catalog: Catalog) -> None:
    session, filler = filler_of(catalog, place)
    filler.in_process = lambda work, given: work(
        replace(given, location=place.with_name("none.db"))
    )
    filler.learned(session.track_ids())
    filler.begin()
    until(lambda: filler.shown().note)
    assert "Nothing can be filled" in filler.shown().note
    assert session.interlude is None


def test_the_tracks_are_drawn_by_chance_from_those_that_would_be_filled(
    catalog: Catalog, place: Path
) -> None:
    drawn = []
    for model_id in ("review-1", "review-1", "review-2"):
        session, _ = filler_of(catalog, place)
        card = replace(default_card(), model_id=model_id)
        genres = dict.fromkeys(session.track_ids(), ("Dub", 0.9))
        chosen = filling.fill_set(Prepared(card, Path(), genres), session.blanks())
        drawn.append([one.track.file_id for one in chosen.drawn])
        assert len(set(drawn[-1])) == N_DRAWN
        assert set(drawn[-1]) <= {one.track.file_id for one in chosen.proposals}
        assert len(chosen.rest) == N_REST
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]


def test_each_track_is_as_likely_to_be_drawn(catalog: Catalog, place: Path) -> None:
    session, _ = filler_of(catalog, place)
    genres = dict.fromkeys(session.track_ids(), ("Dub", 0.9))
    counts = np.zeros(N_BLANK)
    blanks = session.blanks()
    numbers = {track.file_id: n for n, track in enumerate(blanks)}
    for n in range(600):
        card = replace(default_card(), model_id=f"review-{n}")
        chosen = filling.fill_set(Prepared(card, Path(), genres), blanks)
        counts[[numbers[one.track.file_id] for one in chosen.drawn]] += 1
    # 600 draws of a third: 200 each, by chance 12 more or less.
    assert np.abs(counts - 200).max() < 5 * 12


def test_a_new_head_does_not_change_a_set_that_is_judged(judging: Judged) -> None:
    session, filler = judging
    judge(session, filler, 3)
    before = session.asked()
    filler.learned([])
    session.learn({})
    after = session.asked()
    assert before is not None
    assert after is not None
    assert before.judged == after.judged
    judge(session, filler, N_DRAWN - 3)
    passed = filler.shown().passed
    assert passed is not None
    assert (passed.n_right, passed.n_drawn, passed.n_set, passed.n_rest) == (20, 20, 60, 40)
    assert sum(n for _, n in passed.by_genre) == N_REST


def test_what_was_judged_right_is_filled_as_the_taggers_and_undo_takes_it_back(
    catalog: Catalog, judging: Judged, place: Path, music: Path
) -> None:
    session, filler = judging
    judge(session, filler, n_wrong=N_DRAWN - N_ENOUGH)
    finish(catalog)
    before = bytes_in(music)
    filler.fill()
    assert len(session.blanks()) == N_DRAWN - N_ENOUGH
    finish(catalog)
    card = read_card(models_folder() / "review.pt")
    assert len(filled(music)) == N_REST
    for path in filled(music):
        assert genre_of(path) == [truth(int(path.stem))]
        genre, confidence, source = field_of(path)[0].split("; ")
        assert (genre, source) == (genre_of(path)[0], card.model_id)
        assert float(confidence) >= card.thresholds[genre]
    assert card.model_id in {model.model_id for model in catalog.models()}
    run = catalog.runs(1)[0]
    assert (run.command, run.model_id, run.n_standing) == ("fill", card.model_id, N_REST)
    assert run.ended is not None
    assert {str(k): n for k, n in run.summary.by_status.items()} == {"written": N_REST}
    assert run_tagger("undo", "--catalog", place, str(run.run_id)).code == 0
    assert bytes_in(music) == before


def test_nothing_is_learned_from_what_was_filled(catalog: Catalog, judging: Judged) -> None:
    session, filler = judging
    judge(session, filler)
    finish(catalog)
    n_before = len(gather(catalog, [default_card().model_id], []).tracks)
    filler.fill()
    finish(catalog)
    lesson = gather(catalog, [default_card().model_id], [])
    assert (len(lesson.tracks), lesson.aside.n_ours) == (n_before, N_REST)
    assert len(set(catalog.answer_of_tracks())) == N_DRAWN
    assert sum(catalog.persons_genres().values()) == n_before


def test_when_enough_cannot_be_right_any_more_it_ends_and_nothing_is_filled(
    catalog: Catalog, judging: Judged, music: Path
) -> None:
    session, filler = judging
    share = filler.share
    judge(session, filler, N_DRAWN - N_ENOUGH + 1, n_wrong=N_DRAWN - N_ENOUGH + 1)
    assert session.interlude is None
    assert "3 of 3 were wrong" in filler.shown().note
    assert filler.share > share
    assert filler.shown().n_offered == 0  # until more was learned
    with pytest.raises(StaleError):
        filler.fill()
    finish(catalog)
    assert filled(music) == []
    assert session.asked() is not None


def test_leaving_counts_as_a_failure(judging: Judged) -> None:
    session, filler = judging
    share = filler.share
    judge(session, filler, 4)
    session.leave()
    assert (session.interlude, filler.share > share) == (None, True)
    assert len(session.blanks()) == N_BLANK - 4


def test_before_all_were_judged_nothing_is_filled(judging: Judged) -> None:
    session, filler = judging
    judge(session, filler, N_DRAWN - 1)
    with pytest.raises(StaleError):
        filler.fill()


def test_what_is_judged_is_a_persons_answer_and_another_genre_is_wrong(
    catalog: Catalog, judging: Judged, music: Path
) -> None:
    session, filler = judging
    number = session.current
    assert number is not None
    (track,) = session.questions[number].tracks
    session.answer(number, ["Bebop"])
    assert session.current is not None
    filler.mark(session.current, is_right=True)
    asked = session.asked()
    assert asked is not None
    assert asked.judged is not None
    assert (asked.judged.n_judged, asked.judged.n_right) == (2, 1)
    assert asked.judged.genre not in {one.genre for one in asked.suggestions}
    finish(catalog)
    assert genre_of(track.path) == ["Bebop"]
    assert filled(music) == []
    assert len(catalog.answer_of_tracks()) == 2


def test_a_track_judged_wrong_without_a_genre_stays_blank_and_is_not_filled(
    catalog: Catalog, judging: Judged
) -> None:
    session, filler = judging
    number = session.current
    assert number is not None
    (track,) = session.questions[number].tracks
    judge(session, filler, n_wrong=1)
    filler.fill()
    finish(catalog)
    assert genre_of(track.path) == []
    assert [one.path for one in session.blanks()] == [track.path]


def test_questions_wait_while_something_is_judged(judging: Judged) -> None:
    session, _ = judging
    number = session.current
    assert number is not None
    for action in (session.never, session.skip, session.split, session.jump, session.keep):
        with pytest.raises(ConfigError, match="first judge"):
            action(number)
    with pytest.raises(StaleError):
        session.answer(number + 1, ["Dub"])
    session.undo()  # there is nothing of it to take back yet
    assert session.current == number


def test_undo_takes_back_a_verdict_and_then_what_was_filled(
    catalog: Catalog, judging: Judged, music: Path
) -> None:
    session, filler = judging
    before = bytes_in(music)
    judge(session, filler, 2, n_wrong=1)
    session.undo()
    session.undo()
    asked = session.asked()
    assert asked is not None
    assert asked.judged is not None
    assert (asked.judged.n_judged, session.progress().n_answers) == (0, 0)
    judge(session, filler)
    finish(catalog)
    judged = bytes_in(music)
    order = [session.questions[number].name for number in session._order]
    filler.fill()
    finish(catalog)
    assert session.progress().n_settled == N_BLANK
    session.undo()
    finish(catalog)
    assert bytes_in(music) == judged
    assert [session.questions[number].name for number in session._order] == order
    assert filler.shown().note == ""
    for _ in range(N_DRAWN):
        session.undo()
    finish(catalog)
    assert bytes_in(music) == before


def test_what_a_person_set_meanwhile_is_not_touched_and_what_is_gone_or_changed_is_told(
    catalog: Catalog, judging: Judged, music: Path
) -> None:
    session, filler = judging
    judge(session, filler)
    left = [track.path for track in session.blanks()]
    set_tags(left[0], genre="Polka")
    left[1].unlink()
    left[2].write_bytes(left[2].read_bytes() + b"\0" * 7)
    filler.fill()
    finish(catalog)
    assert genre_of(left[0]) == ["Polka"]
    assert len(filled(music)) == N_REST - 3
    told = dict(session.left())
    assert set(told) == set(left[:3])
    assert "set by somebody else meanwhile" in told[left[0]]
    assert "changed since it was heard" in told[left[2]]
    run = catalog.runs(1)[0]
    assert {str(k): n for k, n in run.summary.by_status.items()} == {
        "written": N_REST - 3,
        "failed": 3,
    }


def test_a_person_does_not_wait_for_a_filling(catalog: Catalog, judging: Judged) -> None:
    session, filler = judging
    judge(session, filler, n_wrong=2)
    finish(catalog)
    filler.fill()
    assert session.current is not None
    (track,) = session.questions[session.current].tracks
    session.answer(session.current, ["Bebop"])
    carry_out_next(catalog, Manner())
    assert genre_of(track.path) == ["Bebop"]


def test_a_filling_that_was_killed_is_finished_by_the_next_review(
    catalog: Catalog, judging: Judged, place: Path, music: Path
) -> None:
    session, filler = judging
    judge(session, filler)
    filler.fill()
    for _ in range(N_DRAWN + 1):  # the judged ones, and some of what is filled
        carry_out_next(catalog, Manner())
    assert 0 < len(filled(music)) < N_REST
    next_session, _ = filler_of(catalog, place)
    assert next_session.blanks() == []
    next_session.writer.start()
    until(lambda: next_session.writer.is_idle)
    next_session.writer.finish(30)
    assert len(filled(music)) == N_REST
    assert catalog.runs(1)[0].ended is not None


def test_undo_stops_a_filling_that_still_writes(
    catalog: Catalog, judging: Judged, place: Path, music: Path
) -> None:
    session, filler = judging
    judge(session, filler)
    finish(catalog)
    before = bytes_in(music)
    filler.fill()
    carry_out_next(catalog, Manner())
    assert 0 < len(filled(music)) < N_REST
    run_id = session.fill_run_ids[0]
    assert run_tagger("undo", "--catalog", place, str(run_id)).code == 0
    assert finish(catalog) == []
    assert bytes_in(music) == before


def test_a_file_of_another_kind_is_not_written_over_by_the_model(
    catalog: Catalog, judging: Judged, music: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    target = models_folder() / "review.pt"
    target.parent.mkdir(parents=True)
    target.write_text("not a model")
    session, filler = judging
    judge(session, filler)
    with pytest.raises(ConfigError, match="nothing is filled"):
        filler.fill()
    assert target.read_text() == "not a model"
    finish(catalog)
    assert filled(music) == []
    assert filler.shown().passed is not None  # it can be tried again


def test_the_model_is_known_to_info_and_to_a_later_run(
    catalog: Catalog, judging: Judged, place: Path
) -> None:
    session, filler = judging
    judge(session, filler)
    filler.fill()
    finish(catalog)
    found = run_tagger("info", "--catalog", place, "--model", "review")
    assert found.code == 0
    assert read_card(models_folder() / "review.pt").model_id in found.out
