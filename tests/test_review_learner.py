"""Learning while an owner answers: in another process, from tags and answers alike."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tagger.catalog import AnsweredState, Catalog
from tagger.cli import review as door
from tagger.config import Settings
from tagger.errors import LearnError
from tagger.genre_list import GenreList
from tagger.learning.reviewing import opinion_on
from tagger.records import Status, TagsFound
from tagger.review import learner
from tagger.review.filler import Filler
from tagger.review.filling import HOPED
from tagger.review.learner import Learner, Told, learn
from tests.catalogs import MODEL, database, entry, prediction
from tests.lessons import library
from tests.library import until
from tests.reviews import session_of

WRITTEN = AnsweredState.WRITTEN


def add_blanks(catalog: Catalog) -> None:
    """Two albums without a genre: one sounds like the Dub of the library, one like its Fado."""
    found = []
    for n, artist in enumerate(["Zoe"] * 3 + ["Yan"] * 3):
        name = f"{artist}/{n}.mp3"
        vector = np.zeros(MODEL.embedding_dim, np.float32)
        vector[0] = 3 if artist == "Zoe" else -3
        one = entry(name, n, tags=TagsFound((), None, f"T{n}", artist, "A"), status=Status.UNSURE)
        heard = replace(prediction(one.file.path, n), embedding=vector)
        found.append(replace(one, prediction=heard, genres=()))
    catalog.record(catalog.begin_run("tag", MODEL.model_id), found)


def test_what_is_offered_first_is_what_the_owners_other_tracks_sound_like(place: Path) -> None:
    with library(place) as catalog:
        add_blanks(catalog)
        session = session_of(catalog, place)
        assert len(session.track_ids()) == 6
        told = learn(place, session.track_ids(), HOPED)
        assert told is not None
        assert told.n_observations == 90
        session.learn(told.likely)
        offered = {}
        for question in session.questions:
            first = session.suggesting.of(question)[0]
            offered[question.artist] = first.genre
            assert first.confidence is not None
            assert first.confidence > 0.8
    assert offered == {"Zoe": "Dub", "Yan": "Fado"}


def test_two_spellings_that_the_owners_list_joins_are_learned_as_one_genre(place: Path) -> None:
    with library(place) as catalog:
        add_blanks(catalog)
        ids = session_of(catalog, place).track_ids()
        with database(place) as connection:
            connection.execute(
                "UPDATE tracks SET file_genres = '[\"Dub Reggae\"]' "
                "WHERE file_genres = '[\"Dub\"]' AND track_id % 4 = 1"
            )
    apart = learn(place, ids, HOPED)
    joined = learn(place, ids, HOPED, GenreList(aliases={"Dub Reggae": "Dub"}))
    assert genres_of(apart) == {"Dub", "Dub Reggae", "Fado"}
    assert genres_of(joined) == {"Dub", "Fado"}


def test_the_page_has_it_learned_in_the_words_of_the_owners_list(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = GenreList(aliases={"Dub Reggae": "Dub"})
    made: list[Learner] = []

    def noted(*given: Any) -> Learner:
        made.append(Learner(*given))
        return made[-1]

    monkeypatch.setattr(door, "Learner", noted)
    with library(place) as catalog, ExitStack() as opened:
        session = session_of(catalog, place)
        session.suggesting = replace(session.suggesting, genre_list=listed)
        door._behind(session, Filler(session, place), Settings(catalog=str(place)), [], opened)
    assert [one.genre_list for one in made] == [listed]


def genres_of(told: Told | None) -> set[str]:
    """The genres of which anything was learned."""
    assert told is not None
    return {genre for ranked in told.likely.values() for genre, _ in ranked}


def test_with_too_little_to_learn_from_the_models_own_labels_are_offered(place: Path) -> None:
    with Catalog.open(place) as catalog:
        catalog.register_model(MODEL)
        add_blanks(catalog)
        session = session_of(catalog, place)
        with pytest.raises(LearnError):
            opinion_on(catalog, session.track_ids(), share=HOPED)
        assert learn(place, session.track_ids(), HOPED) == Told()
        found = session.asked()
    assert found is not None
    assert {one.genre for one in found.suggestions} == {"Rock", "Pop"}


def test_from_a_catalogue_that_cannot_be_read_nothing_is_taken(tmp_path: Path) -> None:
    assert learn(tmp_path / "none.db", [], HOPED) is None


def test_it_learns_at_once_and_after_every_few_answers_in_a_process_of_its_own(
    place: Path,
) -> None:
    taken: list[Told] = []
    with library(place) as catalog:
        add_blanks(catalog)
        session = session_of(catalog, place)
        one = Learner(place, session.track_ids, taken.append, lambda: HOPED)
        one.start()
        try:
            until(lambda: len(taken) == 1)
            assert len(taken[0].likely) == 6
            for _ in range(learner.EVERY):
                assert len(taken) == 1
                one.answered()
            until(lambda: len(taken) == 2)
            one.undone()
            until(lambda: len(taken) == 3)
        finally:
            one.finish()


def test_what_was_taken_back_is_learned_from_no_more_even_while_it_still_stands(
    place: Path,
) -> None:
    with library(place) as catalog:
        add_blanks(catalog)
        session = session_of(catalog, place)
        ids = session.track_ids()
        assert session.current is not None
        session.answer(session.current, ["Dub"])
        answer = catalog.unfinished_answer(9)
        assert answer is not None
        written = dict.fromkeys((file.file_id for file in answer.files), (WRITTEN, ""))
        catalog.settle_answer(answer.answer_id, written)
        with database(place) as connection:  # as the writer leaves it
            connection.execute(
                "UPDATE tracks SET file_genres = '[\"Dub\"]' WHERE track_id IN "
                "(SELECT track_id FROM files JOIN answered_files USING (file_id))"
            )
        answered = learn(place, ids, HOPED)
        session.undo()
        undone = learn(place, ids, HOPED)
        assert answered is not None
        assert undone is not None
        assert (answered.n_observations, undone.n_observations) == (91, 90)


def test_without_scikit_learn_it_says_what_would_make_it_learn(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learner, "_NEEDED", ("a_module_that_is_not_there",))
    one = Learner(place, list, lambda _: None, lambda: HOPED)
    one.start()
    assert "-m pip install scikit-learn" in one.why_not
    one.finish()
