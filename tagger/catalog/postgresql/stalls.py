"""Says that a server has not answered for long: its client waits for ever, without a word.

A server that is stopped, or whose disk hangs, keeps its connections open. What it was asked for is
done once it goes on, so that nothing need be broken off; but whoever waits is to know for what.
One watcher serves an engine; it is there only while something is waited for.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, event

log = logging.getLogger(__name__)

PATIENCE_S = 30.0
_LOOKS = 4  # in that time
_OUR_LOCK = "pg_advisory_lock"  # held for whole runs; who waits for it is told elsewhere
_ENDS = ("do_commit", "do_rollback")  # of transactions: no event comes behind them


@dataclass(frozen=True, slots=True)
class Clock:
    """What tells the time to who looks, and lets him wait; a test sets one by hand."""

    now: Callable[[], float] = time.monotonic
    wait: Callable[[float], None] = time.sleep


def tell_of_stalls(engine: Engine, clock: Clock = Clock()) -> None:
    """Let a warning say where a statement, or the end of a transaction, takes very long."""
    watcher = _Watcher(engine.url.host or "the server", clock)

    def begins(connection: Connection, _cursor: object, statement: str, *_: Any) -> None:
        if _OUR_LOCK not in statement:
            watcher.began(id(connection))

    event.listen(engine, "before_cursor_execute", begins)
    event.listen(engine, "after_cursor_execute", lambda one, *_: watcher.ended(id(one)))
    event.listen(engine, "handle_error", lambda fault: watcher.ended(id(fault.connection)))
    for name in _ENDS:
        setattr(engine.dialect, name, watcher.watched(getattr(engine.dialect, name)))


class _Watcher:
    """Knows since when each connection waits, and looks from time to time.

    Args:
        host: Who is waited for.
        clock: By which.
    """

    def __init__(self, host: str, clock: Clock) -> None:
        self._host = host
        self._clock = clock
        self._lock = threading.Lock()
        self._since: dict[int, float] = {}
        self._is_looking = False

    def began(self, connection: int) -> None:
        """Note that a connection waits for the server."""
        with self._lock:
            self._since[connection] = self._clock.now()
            if not self._is_looking:
                self._is_looking = True
                threading.Thread(target=self._look, name="stall watcher", daemon=True).start()

    def ended(self, connection: int) -> None:
        """Note that it waits no more."""
        with self._lock:
            self._since.pop(connection, None)

    def watched(self, ends: Callable[[Any], None]) -> Callable[[Any], None]:
        """Return what ends a transaction, on a connection of the driver's, as a wait."""

        def end(connection: Any) -> None:
            self.began(id(connection))
            try:
                ends(connection)
            finally:
                self.ended(id(connection))

        return end

    def _look(self) -> None:
        """Look until nothing is waited for; tell of each long wait once."""
        while True:
            self._clock.wait(PATIENCE_S / _LOOKS)
            with self._lock:
                if not self._since:
                    self._is_looking = False
                    return
                late = self._clock.now() - PATIENCE_S
                told = [one for one, since in self._since.items() if since <= late]
                self._since |= dict.fromkeys(told, math.inf)
            for _ in told:
                log.warning(
                    "%s has not answered for %.0f s; waiting for it", self._host, PATIENCE_S
                )
