"""Answers carried out in real files: written, left alone, taken back; and after a kill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import mutagen
import pytest

from tagger.catalog import (
    Action,
    AnsweredState,
    Catalog,
    GivenAnswer,
    KnownTrack,
    ModelRecord,
    NamedFile,
)
from tagger.errors import CatalogError, TagWriteError
from tagger.tagging.answering import Manner, carry_out_next
from tagger.tagging.recovery import close_pending
from tagger.tagging.undo import UndoRequest, UndoRun
from tagger.tags import PreparedWrite, carry_out_all
from tests.catalogs import assert_consistent, database
from tests.library import (
    Run,
    contents,
    genre_of,
    journal,
    make_track,
    make_tracks,
    run_tagger,
    set_tags,
)
from tests.reviews import pages_of, reviewed, session_of

pytestmark = pytest.mark.usefixtures("in_process")


def named(catalog: Catalog) -> dict[str, NamedFile]:
    return {one.path.name: one.named for one in catalog.unanswered((), only_blank=False)}


def give(
    catalog: Catalog,
    *names: str,
    genres: tuple[str, ...] = ("Jazz",),
    action: Action = Action.GENRES,
) -> tuple[int, int]:
    """Return the run and the answer that some files were given."""
    files = named(catalog)
    run_id = catalog.begin_run("review", None)
    answer = GivenAnswer(action, "Album", genres, tuple(files[name] for name in names))
    return run_id, catalog.give_answer(run_id, answer).answer_id


def finish(catalog: Catalog) -> dict[int, tuple[AnsweredState, str]]:
    outcomes: dict[int, tuple[AnsweredState, str]] = {}
    while carried := carry_out_next(catalog, Manner()):
        outcomes |= carried.outcomes
    return outcomes


@pytest.fixture
def heard(music: Path, run: Run) -> Path:
    """Two tracks without a genre, heard and not written."""
    make_tracks(music, 2)
    assert run("tag", "--no-write", music).code == 0
    return music


def provenance_of(path: Path) -> list[str]:
    return list((mutagen.File(path).tags or {}).get("tagger_genre", []))


def test_an_answer_is_written_without_our_own_field(heard: Path, place: Path) -> None:
    with Catalog.open(place) as catalog:
        give(catalog, "00.flac", genres=("Jazz", "Bebop"))
        assert set(finish(catalog).values()) == {(AnsweredState.WRITTEN, "")}
    assert genre_of(heard / "00.flac") == ["Jazz", "Bebop"]
    assert genre_of(heard / "01.flac") == []
    assert provenance_of(heard / "00.flac") == []
    assert_consistent(place)


def test_what_was_answered_is_kept_by_the_next_run_and_not_heard_again(
    heard: Path, place: Path, run: Run
) -> None:
    with Catalog.open(place) as catalog:
        give(catalog, "00.flac")
        finish(catalog)
    record = run("tag", heard).by_name["00.flac"]
    assert (record["status"], record["genres"]) == ("unchanged", ["Jazz"])


def test_what_was_written_is_in_the_journal_wherever_the_file_goes_next(
    heard: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_and_move(writes: Sequence[PreparedWrite], **how: Any) -> list[TagWriteError | None]:
        faults = carry_out_all(writes, **how)
        (heard / "00.flac").rename(heard / "moved.flac")
        return faults

    monkeypatch.setattr("tagger.tagging.ledger.carry_out_all", write_and_move)
    with Catalog.open(place) as catalog:
        give(catalog, "00.flac")
        assert set(finish(catalog).values()) == {(AnsweredState.WRITTEN, "")}
    assert genre_of(heard / "moved.flac") == ["Jazz"]
    assert journal(place) == ["done"]


@pytest.mark.parametrize("genre", ["Jazz", "Rock"])
def test_a_genre_of_ours_becomes_a_persons_also_when_it_is_the_same(
    music: Path, place: Path, run: Run, genre: str
) -> None:
    path = make_track(music / "a.flac")
    run("tag", music)
    assert provenance_of(path) == ["Rock; 0.60; " + provenance_of(path)[0].split("; ")[2]]
    with Catalog.open(place) as catalog:
        give(catalog, "a.flac", genres=(genre,))
        finish(catalog)
    assert genre_of(path) == [genre]
    assert provenance_of(path) == []


def test_what_a_person_set_meanwhile_is_left_alone(heard: Path, place: Path) -> None:
    with Catalog.open(place) as catalog:
        run_id, answer_id = give(catalog, "00.flac")
        set_tags(heard / "00.flac", genre="Blues")
        before = contents(heard)
        ((state, why),) = finish(catalog).values()
        assert catalog.answered([run_id]) == {AnsweredState.LEFT: 1}
        catalog.withdraw_answers(answer_id)
        assert catalog.answered([run_id]) == {}
        assert catalog.answers_left([run_id]) == []
        assert [one.path.name for one in catalog.unanswered()] == ["01.flac"]
    assert state is AnsweredState.LEFT
    assert "Blues now, set by somebody else meanwhile" in why
    assert contents(heard) == before


def test_only_a_change_replaces_what_a_person_set(music: Path, place: Path, run: Run) -> None:
    path = make_track(music / "a.flac", genre="Blues")
    run("tag", "--no-write", music)
    before = path.read_bytes()
    with Catalog.open(place) as catalog:
        give(catalog, "a.flac")
        ((state, _),) = finish(catalog).values()
        assert (state, path.read_bytes()) == (AnsweredState.LEFT, before)
        _, answer_id = give(catalog, "a.flac", action=Action.CHANGE)
        finish(catalog)
        assert genre_of(path) == ["Jazz"]
        catalog.withdraw_answers(answer_id)
        finish(catalog)
    assert path.read_bytes() == before


def test_a_file_that_is_another_one_now_is_left_alone(heard: Path, place: Path) -> None:
    with Catalog.open(place) as catalog:
        give(catalog, "00.flac", "01.flac")
        set_tags(heard / "00.flac", title="Another")
        (heard / "01.flac").unlink()
        reasons = sorted(why for _, why in finish(catalog).values())
    assert reasons[0] == "No such file or directory"
    assert reasons[1].startswith("it was changed since it was heard")


def test_what_is_withdrawn_is_restored_byte_for_byte(heard: Path, place: Path) -> None:
    before = {path.name: path.read_bytes() for path in heard.iterdir()}
    with Catalog.open(place) as catalog:
        _, answer_id = give(catalog, "00.flac", "01.flac")
        finish(catalog)
        catalog.withdraw_answers(answer_id)
        assert catalog.answer_of_tracks() == {}
        assert {state for state, _ in finish(catalog).values()} == {AnsweredState.RESTORED}
    assert {path.name: path.read_bytes() for path in heard.iterdir()} == before


def test_of_two_reviews_none_takes_back_what_was_answered_anew(
    heard: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Catalog.open(place) as catalog:

        def late(request: UndoRequest, own: Catalog) -> UndoRun:
            """Another review takes back, and writes the next answer, before this one does."""
            monkeypatch.setattr("tagger.tagging.answering.UndoRun", UndoRun)
            finish(catalog)
            return UndoRun(request, own)

        file = named(catalog)["00.flac"]
        run_id, answer_id = give(catalog, "00.flac")
        finish(catalog)
        catalog.withdraw_answers(answer_id)
        catalog.give_answer(run_id, GivenAnswer(Action.GENRES, "", ("Dub",), (file,)))
        monkeypatch.setattr("tagger.tagging.answering.UndoRun", late)
        finish(catalog)
    assert genre_of(heard / "00.flac") == ["Dub"]


def test_what_was_withdrawn_may_be_written_by_the_tagger(
    music: Path, place: Path, run: Run
) -> None:
    path = make_track(music / "a.flac")
    run("tag", "--no-write", music)
    with Catalog.open(place) as catalog:
        _, answer_id = give(catalog, "a.flac", genres=("Rock",))
        finish(catalog)
        catalog.withdraw_answers(answer_id)
        finish(catalog)
    assert run("tag", music).statuses == {"a.flac": "written"}
    assert genre_of(path) == ["Rock"]


def test_an_answer_that_was_withdrawn_before_it_was_written_touches_nothing(
    heard: Path, place: Path
) -> None:
    before = contents(heard)
    with Catalog.open(place) as catalog:
        _, answer_id = give(catalog, "00.flac")
        catalog.withdraw_answers(answer_id)
        assert finish(catalog) == {}
    assert contents(heard) == before


class _KilledError(BaseException):
    pass


@pytest.mark.parametrize("step", ["journal", "record", "settle_answer"])
def test_after_a_kill_the_next_start_finishes(
    heard: Path, place: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    before = {path.name: path.read_bytes() for path in heard.iterdir()}

    def kill(*_arguments: object) -> None:
        raise _KilledError

    with Catalog.open(place) as catalog, monkeypatch.context() as patch:
        run_id, _ = give(catalog, "00.flac", "01.flac")
        patch.setattr(Catalog, step, kill)
        with pytest.raises(_KilledError):
            finish(catalog)
    with Catalog.open(place) as catalog:
        close_pending(catalog)
        assert set(finish(catalog).values()) <= {(AnsweredState.WRITTEN, "")}
        assert list(catalog.unanswered()) == []
    assert genre_of(heard / "00.flac") == genre_of(heard / "01.flac") == ["Jazz"]
    assert run_tagger("undo", "--catalog", place, str(run_id)).code == 0
    assert {path.name: path.read_bytes() for path in heard.iterdir()} == before
    assert_consistent(place)


def test_undo_of_a_review_that_runs_stops_it_first(heard: Path, place: Path) -> None:
    before = {path.name: path.read_bytes() for path in heard.iterdir()}
    with Catalog.open(place) as catalog:
        run_id, _ = give(catalog, "00.flac")
        finish(catalog)
        second = GivenAnswer(Action.GENRES, "Another", ("Jazz",), (named(catalog)["01.flac"],))
        catalog.give_answer(run_id, second)
        assert run_tagger("undo", "--catalog", place).code == 0
        with pytest.raises(CatalogError, match="taken back by tagger undo"):
            catalog.give_answer(run_id, second)
        assert finish(catalog) == {}
    assert {path.name: path.read_bytes() for path in heard.iterdir()} == before


@pytest.mark.parametrize("has_number", [True, False])
def test_undo_takes_back_what_a_review_wrote_until_it_was_stopped(
    heard: Path, place: Path, monkeypatch: pytest.MonkeyPatch, *, has_number: bool
) -> None:
    before = {path.name: path.read_bytes() for path in heard.iterdir()}
    runs = Catalog.runs

    with Catalog.open(place) as catalog:

        def late_runs(own: Catalog, **asked: Any) -> object:
            finish(catalog)
            return runs(own, **asked)

        run_id, _ = give(catalog, "00.flac")
        finish(catalog)
        answer = GivenAnswer(Action.GENRES, "", ("Jazz",), (named(catalog)["01.flac"],))
        catalog.give_answer(run_id, answer)
        with monkeypatch.context() as patch:
            # The review writes once more just before undo stops it.
            patch.setattr(Catalog, "runs", late_runs)
            arguments = ("undo", "--catalog", place, *([run_id] if has_number else []))
            assert run_tagger(*map(str, arguments)).code == 0
        assert finish(catalog) == {}
    assert {path.name: path.read_bytes() for path in heard.iterdir()} == before


def rows_of(place: Path) -> list[tuple[object, ...]]:
    """What the catalogue says of each track and its genres, but for when its file was changed."""
    with database(place) as connection:
        tracks = connection.execute("SELECT * FROM tracks ORDER BY track_id").fetchall()
        genres = connection.execute(
            "SELECT * FROM track_genres ORDER BY track_id, position"
        ).fetchall()
    return [*tracks, *genres]


@pytest.mark.parametrize("action", [Action.GENRES, Action.FILL])
def test_undo_in_a_review_leaves_no_mark(
    heard: Path, place: Path, run: Run, action: Action
) -> None:
    before, rows = contents(heard), rows_of(place)
    with Catalog.open(place) as catalog:
        catalog.register_model(ModelRecord("mine-1", "head", ("Jazz",), 8))
        files = tuple(replace(one, confidence=0.9) for one in named(catalog).values())
        for _ in range(2):
            run_id = catalog.begin_run("review" if action is Action.GENRES else "fill", "mine-1")
            noted = catalog.give_answer(run_id, GivenAnswer(action, "", ("Jazz",), files))
            finish(catalog)
            assert rows_of(place) != rows
            catalog.withdraw_answers(noted.answer_id)
            assert set(finish(catalog).values()) == {(AnsweredState.RESTORED, "")}
            assert rows_of(place) == rows
        assert [one.command for one in catalog.runs()].count("undo") == 0
        assert catalog.runs(among={run_id})[0].n_standing == 0
        assert_consistent(place)
    assert {name: data for name, (data, _) in contents(heard).items()} == {
        name: data for name, (data, _) in before.items()
    }
    outcome = run("tag", heard)  # what was taken back so may be written
    assert set(outcome.statuses.values()) == {"written"}


def test_undo_of_a_review_takes_back_the_rest_after_some_answers_were_taken_back(
    heard: Path, place: Path
) -> None:
    before = {path.name: path.read_bytes() for path in heard.iterdir()}
    with Catalog.open(place) as catalog:
        files = named(catalog)
        run_id = catalog.begin_run("review", None)
        for name, genre in (("00.flac", "Jazz"), ("01.flac", "Dub"), ("01.flac", "Soul")):
            answer = GivenAnswer(Action.GENRES, "", (genre,), (files[name],))
            noted = catalog.give_answer(run_id, answer)
            finish(catalog)
            if genre == "Dub":
                catalog.withdraw_answers(noted.answer_id)
                finish(catalog)
        assert catalog.runs(among={run_id})[0].n_standing == 2
    assert run_tagger("undo", "--catalog", place, str(run_id)).code == 0
    assert {path.name: path.read_bytes() for path in heard.iterdir()} == before
    outcome = run_tagger("undo", "--catalog", place, str(run_id))
    assert (outcome.code, {path.name: path.read_bytes() for path in heard.iterdir()}) == (0, before)


def test_a_fill_is_the_taggers(heard: Path, place: Path, model: Path) -> None:
    with Catalog.open(place) as catalog:
        catalog.register_model(ModelRecord("mine-1", "head", ("Jazz",), 8))
        run_id = catalog.begin_run("fill", "mine-1")
        pairs = zip(named(catalog).values(), (0.912, 0.97), strict=True)
        files = tuple(replace(file, confidence=confidence) for file, confidence in pairs)
        catalog.give_answer(run_id, GivenAnswer(Action.FILL, "", ("Jazz",), files))
        finish(catalog)
        assert catalog.answer_of_tracks() == {}
    assert provenance_of(heard / "00.flac") == ["Jazz; 0.91; mine-1"]
    assert provenance_of(heard / "01.flac") == ["Jazz; 0.97; mine-1"]


def test_nothing_is_asked_again_that_waits_or_is_not_to_be_asked(heard: Path, place: Path) -> None:
    with Catalog.open(place) as catalog:
        give(catalog, "00.flac")
        give(catalog, "01.flac", action=Action.NEVER, genres=())
        assert list(catalog.unanswered()) == []
        finish(catalog)
        assert list(catalog.unanswered()) == []
        assert [one.path.name for one in catalog.unanswered((), only_blank=False)] == ["00.flac"]


def test_a_file_that_took_anothers_number_is_neither_played_nor_written(
    heard: Path, place: Path, run: Run
) -> None:
    with reviewed(place, write=False) as review:
        file_id = named(review.session.catalog)["01.flac"].file_id
        assert review.client.get(f"/sound/{file_id}").status_code == 200
        (heard / "01.flac").unlink()
        assert run_tagger("catalog", "prune", "--gone", heard, "--catalog", place).code == 0
        make_track(heard / "02.flac")
        run("tag", "--no-write", heard)
        assert named(review.session.catalog)["02.flac"].file_id == file_id
        assert review.client.get(f"/sound/{file_id}").status_code == 404


def test_the_sound_of_what_is_shown_is_prepared_while_it_is_as_it_was_heard(
    heard: Path, place: Path
) -> None:
    wanted: list[Path] = []
    with (
        Catalog.open(place) as catalog,
        pages_of(session_of(catalog, place), prepare=wanted.append) as review,
    ):
        review.client.get("/")
        assert wanted == [heard / "00.flac"]
        review.client.get("/stage")
        assert wanted == 2 * [heard / "00.flac"]
        (heard / "00.flac").touch()
        review.client.get("/stage")
        assert len(wanted) == 2


def test_a_file_that_is_another_row_when_it_is_written_is_left_alone(
    heard: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(heard)
    lookup = Catalog.lookup

    def renumbered(own: Catalog, *arguments: Any) -> list[KnownTrack | None]:
        """The row was forgotten, and the file found anew, just before it is looked at."""
        found = lookup(own, *arguments)
        return [one and replace(one, file_id=one.file_id + 7) for one in found]

    with Catalog.open(place) as catalog:
        give(catalog, "00.flac")
        monkeypatch.setattr(Catalog, "lookup", renumbered)
        ((state, why),) = finish(catalog).values()
    assert (state, "no longer in the catalogue" in why) == (AnsweredState.LEFT, True)
    assert contents(heard) == before


@pytest.mark.parametrize("when", ["before it is given", "before it is written"])
@pytest.mark.parametrize("is_recorded", [False, True])
def test_a_change_replaces_only_the_genre_that_was_shown(
    music: Path, place: Path, run: Run, when: str, *, is_recorded: bool
) -> None:
    path = make_track(music / "a.flac", genre="Blues")
    run("tag", "--no-write", music)

    def change() -> None:
        set_tags(path, genre="Soul")
        if is_recorded:
            run("tag", "--no-write", music)

    with Catalog.open(place) as catalog:
        file = named(catalog)["a.flac"]
        run_id = catalog.begin_run("review", None)
        if when == "before it is given":
            change()
        noted = catalog.give_answer(run_id, GivenAnswer(Action.CHANGE, "", ("Jazz",), (file,)))
        if when == "before it is written":
            change()
        outcomes = finish(catalog)
        assert {state for state, _ in outcomes.values()} <= {AnsweredState.LEFT}
        assert bool(noted.passed_over) == (not outcomes)
    assert genre_of(path) == ["Soul"]


def test_what_a_person_keeps_is_kept_until_it_is_taken_back_and_of_what_stood(
    music: Path, place: Path, run: Run
) -> None:
    for name, genre in (("a", "Blues"), ("b", "Soul")):
        make_track(music / f"{name}.flac", genre=genre)
    run("tag", "--no-write", music)
    before = contents(music)
    with Catalog.open(place) as catalog:
        run_id, answer_id = give(catalog, "a.flac", "b.flac", action=Action.KEEP, genres=())
        assert finish(catalog) == {}
        assert sorted(catalog.kept_genres().values()) == [("Blues",), ("Soul",)]
        catalog.withdraw_answers(answer_id)
        finish(catalog)
        assert catalog.kept_genres() == {}
        assert catalog.answered([run_id]) == {}
    assert contents(music) == before


def test_what_was_withdrawn_is_no_word_of_the_owners_before_it_is_taken_back(
    music: Path, place: Path, run: Run
) -> None:
    make_track(music / "a.flac", artist="Ann")
    run("tag", "--no-write", music)
    with Catalog.open(place) as catalog:
        _, answer_id = give(catalog, "a.flac")
        finish(catalog)
        assert catalog.persons_genres("Ann") == {("Jazz",): 1}
        catalog.withdraw_answers(answer_id)
        assert catalog.persons_genres("Ann") == {}
        finish(catalog)
        assert catalog.persons_genres("Ann") == {}
