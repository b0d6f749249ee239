"""The writer behind a review's page: what goes wrong is told, and tried again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tagger.catalog import Action, Catalog, GivenAnswer
from tagger.errors import CatalogError
from tagger.review import writing
from tagger.review.writing import Writer
from tagger.tagging.answering import Manner
from tests.library import Run, genre_of, make_track, until

pytestmark = pytest.mark.usefixtures("in_process")


@pytest.mark.parametrize("fault", [CatalogError("it is locked"), ZeroDivisionError("a mistake")])
@pytest.mark.parametrize("step", ["open", "unfinished_answer", "journal"])
def test_what_goes_wrong_is_told_and_tried_again(
    music: Path,
    place: Path,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    caught: list[str],
    fault: Exception,
    step: str,
) -> None:
    path = make_track(music / "a.flac")
    run("tag", "--no-write", music)
    is_broken = [True]
    real = getattr(Catalog, step) if step != "open" else None

    def breaks(*arguments: object) -> object:
        if is_broken[0]:
            raise fault
        return Catalog.open(place) if real is None else real(*arguments)

    with Catalog.open(place) as catalog:
        files = tuple(one.named for one in catalog.unanswered())
        run_id = catalog.begin_run("review", None)
        catalog.give_answer(run_id, GivenAnswer(Action.GENRES, "", ("Jazz",), files))
    monkeypatch.setattr(writing, "_RETRY_S", 0.01)
    if real is not None:
        monkeypatch.setattr(Catalog, step, breaks)
    writer = Writer((lambda: Catalog.open(place)) if real else breaks, Manner)  # type: ignore[arg-type]
    writer.start()
    try:
        until(lambda: str(fault) in writer.trouble)
        assert genre_of(path) == []
        is_broken[0] = False
        until(lambda: writer.is_idle)
        assert writer.trouble == ""
        assert genre_of(path) == ["Jazz"]
    finally:
        writer.finish(1)
        caught.clear()


def test_a_writer_that_ends_before_it_began_finishes_what_lies_open(place: Path) -> None:
    with Catalog.open(place):
        writer = Writer(lambda: Catalog.open(place), Manner)
        assert writer.finish(30)
        writer.start()  # it is over, and begins no second time
        assert writer.is_idle
