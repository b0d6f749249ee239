"""A review's session: what is asked, what an answer does, and what is taken back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tagger.catalog import Catalog, CatalogEntry
from tagger.errors import ConfigError
from tagger.records import Status, TagsFound
from tagger.review.questions import QuestionKind
from tagger.review.session import Session, StaleError
from tagger.tagging.answering import Manner, carry_out_next
from tests.catalogs import begin, entry, filled
from tests.reviews import session_of


def blank(name: str, number: int, artist: str, album: str = "") -> CatalogEntry:
    found = TagsFound((), None, f"Title {number}", artist, album)
    return entry(name, number, tags=found, status=Status.UNSURE, genres=(), confidence=0.4)


def library() -> list[CatalogEntry]:
    """An artist with two albums, one with one, a compilation, a lone track, a tagged one."""
    return [
        *(blank(f"a/one/{n}.mp3", n, "Ann", "One") for n in range(3)),
        *(blank(f"a/two/{n}.mp3", 10 + n, "ANN", "Two") for n in range(2)),
        *(blank(f"b/{n}.mp3", 20 + n, "Bob", "Bob's") for n in range(4)),
        *(blank(f"va/{n}.mp3", 30 + n, f"Guest {n}", "Mix") for n in range(2)),
        blank("loose.mp3", 40, ""),
        entry("c/0.mp3", 50, tags=TagsFound(("Jazz",), None, "Title 50", "Ann", "Three")),
        entry("c/1.mp3", 51, tags=TagsFound(("Dub",), None, "Title 51", "Cat", "C")),
    ]


@pytest.fixture
def session(place: Path) -> Session:
    return session_of(filled(place, *library()), place)


def asked(session: Session) -> tuple[QuestionKind, str, int]:
    assert session.current is not None
    question = session.questions[session.current]
    return question.kind, question.name, len(question.tracks)


def test_an_artists_albums_are_one_question_and_the_largest_is_asked_first(
    session: Session,
) -> None:
    seen = []
    while session.current is not None:
        seen.append(asked(session))
        session.never(session.current)
    assert seen == [
        (QuestionKind.ARTIST, "Ann", 5),
        (QuestionKind.ALBUM, "Bob's", 4),
        (QuestionKind.TRACK, "Title 40", 1),
        (QuestionKind.TRACK, "Title 30", 1),
        (QuestionKind.TRACK, "Title 31", 1),
    ] or seen[2:] == sorted(seen[2:], key=lambda one: one[1])


@pytest.mark.parametrize("name", ["Unknown Artist", "Soundtrack", "Various Artists", ""])
def test_what_has_no_artist_is_not_asked_about_as_one_artists(place: Path, name: str) -> None:
    albums = [blank(f"{n}/{k}.mp3", 2 * n + k, name, f"A{n}") for n in range(2) for k in range(2)]
    session = session_of(filled(place, *albums), place)
    assert QuestionKind.ARTIST not in {question.kind for question in session.questions}


def test_what_the_artists_other_tracks_bear_is_offered_first(session: Session) -> None:
    found = session.asked()
    assert found is not None
    first = found.suggestions[0]
    assert (first.genre, first.n_artist) == ("Jazz", 1)
    assert {one.genre for one in found.suggestions} >= {"Jazz", "Dub", "Rock", "Pop"}


def test_what_counts_as_no_genre_or_no_tag_holds_is_not_offered(place: Path) -> None:
    found = ("Other", "Fado", "a\x01b")
    catalog = filled(
        place,
        entry("a/0.mp3", 0, tags=TagsFound(found, None, "Title 0", "Ann", "One")),
        blank("a/1.mp3", 1, "Ann", "Two"),
    )
    asked_now = session_of(catalog, place, treat_as_blank=("other", "Pop")).asked()
    assert asked_now is not None
    offered = [one.genre for one in asked_now.suggestions]
    assert offered[0] == "Fado"
    assert not {"Other", "a\x01b", "Pop"} & set(offered)


def test_an_answer_is_counted_and_its_genre_is_offered_from_then_on(session: Session) -> None:
    assert session.current is not None
    session.answer(session.current, [" Krautrock ", "krautrock", ""])
    progress = session.progress()
    assert (progress.n_answers, progress.n_settled, progress.n_open) == (1, 5, 5)
    assert progress.n_blank == 7
    found = session.asked()
    assert found is not None
    assert "Krautrock" in [one.genre for one in found.suggestions]


def test_different_tracks_are_asked_for_by_album_and_then_one_by_one_when_their_turn_comes(
    session: Session,
) -> None:
    bobs = (QuestionKind.ALBUM, "Bob's", 4)
    ones = (QuestionKind.ALBUM, "One", 3)
    assert session.current is not None
    session.split(session.current)
    assert asked(session) == bobs  # which settles more than either album
    session.skip(session.current)
    assert asked(session) == ones
    session.split(session.current)
    assert asked(session) == (QuestionKind.ALBUM, "Two", 2)
    session.split(session.current)
    seen = []
    for _ in range(9):
        seen.append(asked(session))
        session.skip(session.current)
    # The lone tracks of old and new questions, and what was skipped only after all of them.
    assert seen[-1] == bobs
    assert {kind for kind, _, _ in seen[:-1]} == {QuestionKind.TRACK}
    session.undo()
    assert asked(session) == (QuestionKind.ALBUM, "Two", 2)
    session.undo()
    assert asked(session) == ones
    session.undo()
    assert asked(session) == (QuestionKind.ARTIST, "Ann", 5)


def test_what_is_skipped_comes_last_and_back_asks_it_again(session: Session) -> None:
    first = session.current
    assert first is not None
    session.skip(first)
    assert asked(session) == (QuestionKind.ALBUM, "Bob's", 4)
    session.back()
    assert session.current == first
    session.back()
    assert session.current == first


def test_several_questions_can_be_answered_together(session: Session) -> None:
    loose = [question.number for question in session.find("title 3")]
    assert len(loose) == 2
    session.join(loose)
    assert asked(session)[2] == 2
    assert session.current is not None
    session.answer(session.current, ["Dub"])
    assert session.progress().n_settled == 2
    session.undo()
    session.undo()
    assert session.progress().n_questions == 5


def test_a_search_finds_artists_albums_and_tracks_whatever_their_case(session: Session) -> None:
    assert [question.name for question in session.find("BOB")] == ["Bob's"]
    assert [question.name for question in session.find("two")] == ["Ann"]
    assert [question.name for question in session.find("title 40")] == ["Title 40"]
    assert session.find("  ") == []
    session.jump(session.find("title 40")[0].number)
    assert asked(session)[1] == "Title 40"


def test_an_undo_takes_the_answer_back_and_unlearns_its_genre(session: Session) -> None:
    first = session.current
    assert first is not None
    session.answer(first, ["Krautrock"])
    session.undo()
    assert session.current == first
    assert session.progress().n_answers == 0
    assert session.catalog.unfinished_answer(10) is None
    found = session.asked()
    assert found is not None
    assert "Krautrock" not in [one.genre for one in found.suggestions]
    session.undo()  # there is nothing more to take back


def test_an_answer_to_what_is_no_longer_asked_is_refused(session: Session) -> None:
    first = session.current
    assert first is not None
    session.skip(first)
    with pytest.raises(StaleError):
        session.answer(first, ["Jazz"])
    assert session.progress().n_answers == 0


@pytest.mark.parametrize("genres", [[], [" "], ["a\x00b"], ["x" * 201], [str(n) for n in range(9)]])
def test_what_no_tag_can_hold_is_no_answer(session: Session, genres: list[str]) -> None:
    assert session.current is not None
    with pytest.raises(ConfigError):
        session.answer(session.current, genres)
    assert session.progress().n_answers == 0


def test_it_is_over_after_as_many_answers_as_were_asked_for(place: Path) -> None:
    session = session_of(filled(place, *library()), place, most_answers=1)
    assert session.current is not None
    session.answer(session.current, ["Jazz"])
    assert session.asked() is None
    session.undo()
    assert session.asked() is not None


def test_a_genre_of_ours_in_an_album_with_a_blank_comes_along(place: Path) -> None:
    ours = TagsFound(("Rock",), "Rock; 0.75; cnn-1", "Title 1", "Ann", "One")
    whole = TagsFound(("Rock",), "Rock; 0.75; cnn-1", "Title 2", "Ann", "Whole")
    persons = TagsFound(("Blues",), None, "Title 3", "Ann", "One")
    catalog = filled(
        place,
        blank("a/0.mp3", 0, "Ann", "One"),
        entry("a/1.mp3", 1, tags=ours),
        entry("b/2.mp3", 2, tags=whole),
        entry("a/3.mp3", 3, tags=persons),
    )
    session = session_of(catalog, place)
    found = session.asked()
    assert found is not None
    assert [track.path.name for track in found.question.tracks] == ["0.mp3", "1.mp3"]
    assert found.stands == [("Rock", 1)]


def test_genres_that_count_as_none_are_asked_about(place: Path) -> None:
    other = TagsFound(("other",), None, "Title 1", "Ann", "One")
    catalog = filled(place, entry("a/1.mp3", 1, tags=other))
    assert session_of(catalog, place).current is None
    assert session_of(catalog, place, treat_as_blank=("Other",)).current is not None


def test_what_was_answered_or_is_never_to_be_asked_is_not_asked_by_the_next_session(
    place: Path,
) -> None:
    catalog = filled(place, *library())
    session = session_of(catalog, place)
    assert session.current is not None
    session.answer(session.current, ["Jazz"])
    session.never(session.current)
    assert asked(session_of(catalog, place)) == (QuestionKind.TRACK, "Title 40", 1)


def renumbered(place: Path, name: str, gone: str) -> int:
    """Forget the file with the highest number, and let another take that; return the number."""
    with Catalog.open(place) as other:
        files = {one.path.name: one.file_id for one in other.unanswered()}
        other.mark_vanished([files[gone]])
        other.prune()
        other.record(begin(other), [blank(name, 99, "Dan", "D")])
        (file_id,) = (one.file_id for one in other.unanswered() if one.path.name == name)
        assert file_id == files[gone], "the number is free again"
        return file_id


def test_a_file_that_takes_a_forgotten_ones_number_gets_no_answer_of_its(place: Path) -> None:
    known = [blank(f"b/{n}.mp3", n, "Bob", "Bob's") for n in range(3)]
    session = session_of(filled(place, *known), place)
    renumbered(place, "new.mp3", gone="2.mp3")
    assert session.current is not None
    session.answer(session.current, ["Jazz"])
    answer = session.catalog.unfinished_answer(9)
    assert answer is not None
    assert [one.file.path.name for one in answer.files] == ["0.mp3", "1.mp3"]
    ((path, why),) = session.left()
    assert (path.name, "forgotten it since" in why) == ("2.mp3", True)
    progress = session.progress()
    assert (progress.n_settled, progress.n_left) == (2, 1)
    session.undo()
    assert (session.left(), session.progress().n_left) == ([], 0)


def test_an_answer_of_which_no_file_is_left_settles_nothing(place: Path) -> None:
    session = session_of(filled(place, blank("b/0.mp3", 0, "Bob", "Bob's")), place)
    renumbered(place, "new.mp3", gone="0.mp3")
    assert session.current is not None
    session.answer(session.current, ["Jazz"])
    assert session.catalog.unfinished_answer(9) is None
    assert (session.progress().n_settled, len(session.left())) == (0, 1)


def test_a_session_is_one_run(place: Path) -> None:
    with Catalog.open(place) as catalog:
        session = session_of(filled(place, *library()), place)
        assert [run.command for run in catalog.runs()] == ["tag /music"]
        for _ in range(2):
            assert session.current is not None
            session.answer(session.current, ["Jazz"])
        session.end()
        runs = catalog.runs()
    assert [run.command for run in runs] == ["review", "tag /music"]
    assert runs[0].ended is not None


def test_of_many_files_that_could_not_be_written_the_first_are_named(place: Path) -> None:
    many = [blank(f"b/{n:03d}.mp3", n, "Bob", "Bob's") for n in range(60)]
    with filled(place, *many) as catalog:
        session = session_of(catalog, place)
        assert session.current is not None
        session.answer(session.current, ["Jazz"])
        while carry_out_next(catalog, Manner()):  # none of them is there
            pass
        assert (session.progress().n_left, len(session.left())) == (60, 50)
