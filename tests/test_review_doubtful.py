"""``tagger review --doubtful``: genres that look wrong are changed, kept, or left for later."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from tagger.catalog import Catalog
from tagger.review.doubting import Doubter, Looked, Search, look
from tagger.review.questions import Questions, Suspect
from tagger.review.session import Session
from tagger.review.suggesting import Suggesting
from tagger.review.writing import Writer
from tagger.tagging.answering import Manner, carry_out_next
from tests.lessons import library
from tests.library import Run, genre_of, make_track, until
from tests.reviews import pages_of

pytestmark = pytest.mark.usefixtures("in_process")


def session_in_doubt(catalog: Catalog, place: Path, limit: int | None = None) -> Session:
    return Session(
        lambda: catalog,
        Questions(()),
        Suggesting(catalog, ()),
        Writer(lambda: Catalog.open(place), Manner),
        is_doubtful=True,
        most_answers=limit,
    )


def suspects(catalog: Catalog, suggestion: str = "Jazz") -> list[Suspect]:
    tracks = catalog.unanswered((), only_blank=False)
    return [Suspect(track, (suggestion,), ("sounds like Jazz 90%",)) for track in tracks]


@pytest.fixture
def album(music: Path, run: Run) -> Path:
    """An album of three: two that a person called Blues, and one called Soul."""
    for name, genre in (("0", "Blues"), ("1", "Blues"), ("2", "Soul")):
        make_track(music / f"{name}.flac", genre=genre, title=name, artist="Ann", album="One")
    run("tag", "--no-write", music)
    return music


def finish(catalog: Catalog) -> None:
    while carry_out_next(catalog, Manner()):
        pass


def bytes_of(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.iterdir())]


def genres(folder: Path) -> list[list[str]]:
    return [genre_of(path) for path in sorted(folder.iterdir())]


def test_what_sounds_wrong_is_found_in_a_process_of_its_own(place: Path) -> None:
    library(place, wrong=3).close()
    told: list[Looked] = []
    Doubter(Search(place), told.append).start()
    until(lambda: told)
    found = told[0].suspects
    assert {one.track.path.name for one in found[:3]} == {"000.mp3", "001.mp3", "002.mp3"}
    assert found[0].likely[0] in {"Dub", "Fado"} - set(found[0].track.tags.genres)
    assert re.fullmatch(r"sounds like (Dub|Fado) \d+%, its own \d+%", found[0].whys[0])


def test_what_stands_alone_in_its_album_is_found_where_nothing_can_be_learned(
    music: Path, place: Path, run: Run
) -> None:
    for n in range(6):
        genre = "Polka" if n == 0 else "Dub"
        make_track(music / f"{n}.flac", genre=genre, title=str(n), artist="Ann", album="One")
    run("tag", "--no-write", music)
    (suspect,) = look(Search(place)).suspects
    assert (suspect.track.path.name, suspect.likely[0]) == ("0.flac", "Dub")
    assert "5 of 5 others say Dub: the rest of its album" in suspect.whys


def test_a_search_that_dies_is_said(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tagger.review.apart._tell", os.abort)  # it takes no arguments
    told: list[Looked] = []
    Doubter(Search(place), told.append).start()
    until(lambda: told)
    assert "has died" in told[0].why_not


def test_too_little_to_judge_by_is_said(place: Path) -> None:
    Catalog.open(place).close()
    looked = look(Search(place))
    assert looked.suspects == ()
    assert "no track with a genre of yours is known yet" in looked.why_not


def test_it_is_told_that_it_still_looks_and_then_what_it_found(album: Path, place: Path) -> None:
    with Catalog.open(place) as catalog:
        session = session_in_doubt(catalog, place)
        assert session.progress().is_looking
        assert session.asked() is None
        with pages_of(session) as review:
            assert "Looking for genres that seem wrong" in review.client.get("/").text
            assert review.client.get("/progress").json()["looking"] is True
            session.take_suspects(suspects(catalog), "")
            page = review.client.get("/stage").text
            assert review.client.get("/progress").json()["looking"] is False
        assert "In all of them stands <b><bdi>Blues" in page
        assert "Sounds like Jazz 90%" in page
        assert 'data-do="keep"' in page
        assert 'data-do="never"' not in page


def test_what_stands_the_same_in_an_album_is_one_question(album: Path, place: Path) -> None:
    with Catalog.open(place) as catalog:
        session = session_in_doubt(catalog, place)
        session.take_suspects(suspects(catalog), "")
        asked = session.asked()
        assert asked is not None
        assert asked.stands == [("Blues", 2)]
        offered = [one.genre for one in asked.suggestions]
        assert (offered[:2], "Blues" in offered) == (["Jazz", "Soul"], False)
        assert list(asked.whys) == ["sounds like Jazz 90%"]
        assert (session.progress().n_questions, session.progress().n_blank) == (2, 3)


def test_a_change_replaces_what_stood_and_undo_restores_it_exactly(
    album: Path, place: Path
) -> None:
    before = bytes_of(album)
    with Catalog.open(place) as catalog:
        session = session_in_doubt(catalog, place)
        session.take_suspects(suspects(catalog), "")
        assert session.current is not None
        session.answer(session.current, ["Jazz"])
        finish(catalog)
        assert genres(album) == [["Jazz"], ["Jazz"], ["Soul"]]
        session.undo()
        finish(catalog)
        assert session.progress().n_questions == 2
    assert bytes_of(album) == before


def test_what_is_kept_is_doubted_no_more_until_that_is_taken_back(album: Path, place: Path) -> None:
    before = bytes_of(album)
    with Catalog.open(place) as catalog:
        session = session_in_doubt(catalog, place)
        session.take_suspects(suspects(catalog), "")
        assert session.current is not None
        session.keep(session.current)
        finish(catalog)
        assert list(catalog.kept_genres().values()) == [("Blues",), ("Blues",)]
        assert session.progress().n_settled == 2
        session.undo()
        finish(catalog)
        assert catalog.kept_genres() == {}
        assert session.progress().n_questions == 2
    assert bytes_of(album) == before


def test_nothing_is_kept_where_blanks_are_asked_about(place: Path) -> None:
    with library(place) as catalog:
        session = session_in_doubt(catalog, place)
        session.is_doubtful = False
        session.take_suspects(suspects(catalog), "")
        assert session.current is not None
        session.keep(session.current)
        assert session.progress().n_answers == 0


def test_a_genre_that_changed_while_it_was_looked_at_is_not_in_doubt(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library(place, wrong=1).close()
    assert look(Search(place)).suspects[0].track.path.name == "000.mp3"
    unanswered = Catalog.unanswered

    def changed(own: Catalog, *arguments: object, **options: object) -> object:
        for track in unanswered(own, *arguments, **options):  # type: ignore[arg-type]
            tags = replace(track.tags, genres=("Soul",))
            yield replace(track, tags=tags) if track.path.name == "000.mp3" else track

    monkeypatch.setattr(Catalog, "unanswered", changed)
    assert "000.mp3" not in {one.track.path.name for one in look(Search(place)).suspects}


def test_why_nothing_was_judged_is_said_on_the_page(place: Path) -> None:
    with Catalog.open(place) as catalog:
        session = session_in_doubt(catalog, place)
        session.take_suspects([], "no track with a genre has been heard yet")
        with pages_of(session) as review:
            page = review.client.get("/").text
    assert "Nothing can be judged yet." in page
    assert "no track with a genre has been heard yet" in page
