"""Sounds that are made before they are asked for."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tagger.errors import WorkersError
from tagger.review.media import Media, MediaMaker, MediaTask, in_a_worker
from tests.reviews import default_card

_A, _B, _C = Path("/m/a.mp3"), Path("/m/b.mp3"), Path("/m/c.mp3")


class Maker:
    """Makes what is asked for once it may, and keeps in mind what that was."""

    def __init__(self) -> None:
        self.asked: list[Path] = []
        self.has_begun, self.may_go_on = threading.Event(), threading.Event()
        self.media = MediaMaker(default_card(), self.make)

    def make(self, task: MediaTask) -> Media:
        self.asked.append(task.path)
        self.has_begun.set()
        assert self.may_go_on.wait(10)
        return Media("audio/wav", bytes(task.path))


@pytest.fixture
def maker() -> Maker:
    return Maker()


def test_what_was_made_ahead_is_given_once(maker: Maker) -> None:
    maker.may_go_on.set()
    maker.media.prepare(_A)
    assert maker.has_begun.wait(10)
    assert maker.media.sound(_A).data == b"/m/a.mp3"
    assert maker.asked == [_A]
    assert maker.media.sound(_A).data == b"/m/a.mp3"
    assert maker.asked == [_A, _A]


def test_another_sound_than_the_one_made_ahead_is_made(maker: Maker) -> None:
    maker.may_go_on.set()
    maker.media.prepare(_A)
    assert maker.has_begun.wait(10)
    assert maker.media.sound(_B).data == b"/m/b.mp3"


def test_what_the_owner_has_passed_by_is_not_made(maker: Maker) -> None:
    maker.media.prepare(_A)
    assert maker.has_begun.wait(10)
    maker.media.prepare(_B)
    maker.media.prepare(_C)
    maker.may_go_on.set()
    assert maker.media.sound(_C).data == b"/m/c.mp3"
    assert set(maker.asked) == {_A, _C}


def test_where_no_worker_can_be_started_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise WorkersError("no room")

    monkeypatch.setattr("tagger.hearing.pool.LocalWorkers.map_unordered", refuse)
    assert in_a_worker(MediaTask(_A)) == Media(why_none="no room")
