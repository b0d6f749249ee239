"""A database that does not answer is told of, by a clock set by hand and a server of SQLite's."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.exc import OperationalError

from tagger.catalog.postgresql import stalls
from tests.library import DEADLINE_S


class HandClock:
    """A clock that goes on only when a test says so, by as much as somebody waits for."""

    def __init__(self) -> None:
        self._time_s = 0.0
        self._waited_s: float | None = None
        self._changed = threading.Condition()

    def now(self) -> float:
        return self._time_s

    def wait(self, seconds: float) -> None:
        with self._changed:
            self._waited_s = seconds
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._waited_s is None)

    def tick(self) -> None:
        """Let who waits wake; where nobody does yet, who is about to."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._waited_s is not None, DEADLINE_S)
            self._time_s += self._waited_s or 0.0
            self._waited_s = None
            self._changed.notify_all()

    def pass_patience(self) -> None:
        """Go on until the watcher has lost its patience, and has looked and told."""
        while self._time_s <= stalls.PATIENCE_S:
            self.tick()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@contextmanager
def connected(clock: HandClock, answer: Callable[[], int]) -> Iterator[Connection]:
    """Give a connection to a database that knows a function of ours."""
    engine: Engine = create_engine("sqlite://")
    event.listen(engine, "connect", lambda raw, _: raw.create_function("answer", 0, answer))
    stalls.tell_of_stalls(engine, stalls.Clock(clock.now, clock.wait))
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def test_a_server_that_does_not_answer_is_told_of_and_waited_for(
    clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    def answer() -> int:
        clock.pass_patience()
        assert caplog.text.count("has not answered for 30 s") == 1
        clock.tick()
        return 7

    with caplog.at_level(logging.WARNING), connected(clock, answer) as connection:
        assert connection.exec_driver_sql("SELECT answer()").scalar() == 7
    assert caplog.text.count("has not answered") == 1


def test_a_server_that_stalls_at_the_end_of_a_transaction_is_told_of_then(
    clock: HandClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(SQLiteDialect_pysqlite, "do_commit", lambda *_: clock.pass_patience())
    with caplog.at_level(logging.WARNING), connected(clock, lambda: 7) as connection:
        with connection.begin():
            connection.exec_driver_sql("SELECT answer()")
            assert caplog.text == ""
        assert caplog.text.count("has not answered") == 1


def test_one_watcher_serves_all_statements_and_ends_when_nothing_is_waited_for(
    clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    others = set(threading.enumerate())  # of engines that were used before
    with connected(clock, lambda: 7) as connection:
        for _ in range(20):
            assert connection.exec_driver_sql("SELECT answer()").scalar() == 7
        with pytest.raises(OperationalError):
            connection.exec_driver_sql("SELECT nothing_of_the_kind()")
        (watcher,) = set(threading.enumerate()) - others
        assert watcher.name == "stall watcher"
        clock.tick()
        watcher.join(DEADLINE_S)
        assert not watcher.is_alive()
        connection.exec_driver_sql("SELECT 'pg_advisory_lock'")
        assert set(threading.enumerate()) <= others
    assert caplog.text == ""
