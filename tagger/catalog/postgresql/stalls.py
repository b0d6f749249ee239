"""Says that a server has not answered for long: its client waits for ever, without a word.

A server that is stopped, or whose disk hangs, keeps its connections open. What it was asked for is
done once it goes on, so that nothing need be broken off; but whoever waits is to know for what.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

from sqlalchemy import Connection, Engine, event

log = logging.getLogger(__name__)

PATIENCE_S = 30.0
_TIMER = "stall timer"
_OUR_LOCK = "pg_advisory_lock"  # held for whole runs; who waits for it is told elsewhere


def tell_of_stalls(engine: Engine) -> None:
    """Let a warning say where a statement takes longer than anyone expects."""
    event.listen(engine, "before_cursor_execute", _begin_to_wait)
    event.listen(engine, "after_cursor_execute", _waited)
    event.listen(engine, "handle_error", lambda context: _stop(context.connection))


def _begin_to_wait(connection: Connection, _cursor: object, statement: str, *_: Any) -> None:
    if _OUR_LOCK in statement:
        return
    timer = threading.Timer(PATIENCE_S, _tell, [connection.engine.url.host or "the server"])
    timer.daemon = True
    connection.info[_TIMER] = timer
    timer.start()


def _waited(connection: Connection, *_: Any) -> None:
    _stop(connection)


def _stop(connection: Connection | None) -> None:
    timer = None if connection is None else connection.info.pop(_TIMER, None)
    if timer is not None:
        timer.cancel()


def _tell(host: str) -> None:
    log.warning("%s has not answered for %.0f s; waiting for it", host, PATIENCE_S)
