"""A database that does not answer is told of, by a clock and a server of SQLite's."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import OperationalError

from tagger.catalog.postgresql import stalls
from tests.library import until


@contextmanager
def connected(answer: Callable[[], int]) -> Iterator[Connection]:
    """Give a connection to a database that knows a function of ours."""
    engine: Engine = create_engine("sqlite://")
    event.listen(engine, "connect", lambda raw, _: raw.create_function("answer", 0, answer))
    stalls.tell_of_stalls(engine)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def test_a_server_that_does_not_answer_is_told_of_and_waited_for(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(stalls, "PATIENCE_S", 0.01)

    def answer() -> int:
        until(lambda: "has not answered" in caplog.text)
        return 7

    with caplog.at_level(logging.WARNING), connected(answer) as connection:
        assert connection.exec_driver_sql("SELECT answer()").scalar() == 7
    assert caplog.text.count("has not answered") == 1


def test_a_server_that_answers_or_refuses_leaves_no_clock_running(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with connected(lambda: 7) as connection:
        assert connection.exec_driver_sql("SELECT answer()").scalar() == 7
        with pytest.raises(OperationalError):
            connection.exec_driver_sql("SELECT nothing_of_the_kind()")
        connection.exec_driver_sql("SELECT 'pg_advisory_lock'")
    until(lambda: not any(isinstance(t, threading.Timer) for t in threading.enumerate()))
    assert caplog.text == ""
