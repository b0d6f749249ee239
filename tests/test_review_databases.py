"""Answers of a review in a file and on a server alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from tagger.catalog import Action, AnsweredState, Catalog, GivenAnswer, NamedFile
from tagger.errors import CatalogError
from tagger.tagging.answering import Manner, carry_out_next
from tests.catalogs import Location
from tests.library import genre_of, make_track, run_tagger, set_tags

pytestmark = pytest.mark.usefixtures("in_process")


@pytest.fixture
def heard(music: Path, location: Location, model: Path) -> Path:
    """A track without a genre, and two that a person called Blues."""
    make_track(music / "blank.flac")
    for name in ("kept", "changed"):
        make_track(music / f"{name}.flac", genre="Blues")
    arguments = ("--model", str(model), "--catalog", str(location))
    assert run_tagger("tag", "--no-write", music, *arguments).code == 0
    return music


def named(catalog: Catalog) -> dict[str, NamedFile]:
    return {one.path.stem: one.named for one in catalog.unanswered((), only_blank=False)}


def finish(catalog: Catalog) -> set[AnsweredState]:
    found: set[AnsweredState] = set()
    while carried := carry_out_next(catalog, Manner()):
        found |= {state for state, _ in carried.outcomes.values()}
    return found


def test_each_kind_of_answer_is_kept_carried_out_and_taken_back(
    heard: Path, location: Location
) -> None:
    before = {path.name: path.read_bytes() for path in heard.iterdir()}
    with Catalog.open(location) as catalog:
        files = named(catalog)
        run_id = catalog.begin_run("review", None)
        given = (
            GivenAnswer(Action.GENRES, "", ("Dub",), (files["blank"],)),
            GivenAnswer(Action.CHANGE, "", ("Soul",), (files["changed"],)),
            GivenAnswer(Action.KEEP, "", (), (files["kept"],)),
        )
        noted = [catalog.give_answer(run_id, answer) for answer in given]
        assert [one.passed_over for one in noted] == [(), (), ()]
        assert finish(catalog) == {AnsweredState.WRITTEN}
        assert genre_of(heard / "blank.flac") == ["Dub"]
        assert genre_of(heard / "changed.flac") == ["Soul"]
        kept = {
            files[name].track_id: (genre,)
            for name, genre in (("changed", "Soul"), ("kept", "Blues"))
        }
        assert catalog.kept_genres() == kept
        assert catalog.answered([run_id]) == {AnsweredState.WRITTEN: 2}
        assert len(catalog.answer_of_tracks()) == 2
        for one in noted:
            catalog.withdraw_answers(one.answer_id)
        assert finish(catalog) == {AnsweredState.RESTORED}
        assert (catalog.kept_genres(), catalog.answer_of_tracks()) == ({}, {})
    assert {path.name: path.read_bytes() for path in heard.iterdir()} == before


def test_a_change_of_what_was_not_shown_is_passed_over(heard: Path, location: Location) -> None:
    with Catalog.open(location) as catalog:
        files = named(catalog)
        set_tags(heard / "changed.flac", genre="Gospel")
        assert run_tagger("tag", "--no-write", heard, "--catalog", str(location)).code == 0
        run_id = catalog.begin_run("review", None)
        answer = GivenAnswer(Action.CHANGE, "", ("Soul",), (files["changed"], files["kept"]))
        noted = catalog.give_answer(run_id, answer)
        assert noted.passed_over == (files["changed"],)
        finish(catalog)
    assert genre_of(heard / "changed.flac") == ["Gospel"]
    assert genre_of(heard / "kept.flac") == ["Soul"]


def test_a_file_that_was_forgotten_gets_no_answer(heard: Path, location: Location) -> None:
    with Catalog.open(location) as catalog, Catalog.open(location) as other:
        files = named(catalog)
        other.mark_vanished([files["blank"].file_id])
        other.prune()
        run_id = catalog.begin_run("review", None)
        answer = GivenAnswer(Action.GENRES, "", ("Dub",), (files["blank"],))
        assert catalog.give_answer(run_id, answer).passed_over == (files["blank"],)
        assert catalog.unfinished_answer(9) is None


def test_a_review_that_was_taken_back_takes_no_more(heard: Path, location: Location) -> None:
    with Catalog.open(location) as catalog:
        files = named(catalog)
        run_id = catalog.begin_run("review", None)
        answer = GivenAnswer(Action.GENRES, "", ("Dub",), (files["blank"],))
        catalog.give_answer(run_id, answer)
        finish(catalog)
        assert run_tagger("undo", "--catalog", str(location), str(run_id)).code == 0
        with pytest.raises(CatalogError, match="taken back by tagger undo"):
            catalog.give_answer(run_id, answer)
    assert genre_of(heard / "blank.flac") == []
