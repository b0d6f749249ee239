"""A database that does not answer is told of, by a clock and a server of SQLite's."""

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


def test_a_server_that_stalls_at_the_end_of_a_transaction_is_told_of_then(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(stalls, "PATIENCE_S", 0.01)
    monkeypatch.setattr(SQLiteDialect_pysqlite, "do_commit", _commit_once_told(caplog))
    with caplog.at_level(logging.WARNING), connected(lambda: 7) as connection:
        with connection.begin():
            connection.exec_driver_sql("SELECT answer()")
            assert caplog.text == ""
        assert caplog.text.count("has not answered") == 1


def _commit_once_told(caplog: pytest.LogCaptureFixture) -> Callable[[object, object], None]:
    def commit(_dialect: object, _connection: object) -> None:
        until(lambda: "has not answered" in caplog.text)

    return commit


def test_one_watcher_serves_all_statements_and_ends_when_nothing_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    others = set(threading.enumerate())  # of engines that were used before

    def watchers() -> list[threading.Thread]:
        mine = set(threading.enumerate()) - others
        return [thread for thread in mine if thread.name == "stall watcher"]

    with connected(lambda: 7) as connection:
        for _ in range(20):
            assert connection.exec_driver_sql("SELECT answer()").scalar() == 7
        assert len(watchers()) == 1
    monkeypatch.setattr(stalls, "PATIENCE_S", 0.01)
    with connected(lambda: 7) as connection:
        with pytest.raises(OperationalError):
            connection.exec_driver_sql("SELECT nothing_of_the_kind()")
        connection.exec_driver_sql("SELECT 'pg_advisory_lock'")
        until(lambda: len(watchers()) < 2)
    assert caplog.text == ""
