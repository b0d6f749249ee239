"""Signals that wait while workers are made: one that is half made would say so on stdout."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def put_off() -> Iterator[Sequence[int]]:
    """Let no signal raise within; give those that came, for ``raise_all``.

    To block signals is not enough: any thread may take one, and Python's handlers run in the main
    thread all the same.
    """
    came: list[int] = []
    is_main = threading.current_thread() is threading.main_thread()
    numbers = [n for n in _ENDING if is_main and callable(signal.getsignal(n))]
    before = {n: signal.signal(n, lambda number, _: came.append(number)) for n in numbers}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def raise_all(came: Iterable[int]) -> None:
    """Let the handlers run that were put off."""
    for number in came:
        signal.raise_signal(number)
