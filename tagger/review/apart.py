"""Work in a process of its own, which the page never waits for, and which ends with this one."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import TypeVar

G = TypeVar("G")
R = TypeVar("R")


class DiedError(Exception):
    """The process ended without an answer."""


def apart(work: Callable[[G], R], given: G) -> R:
    """Return what a function gives in a process of its own.

    Args:
        work: A function of a module.
        given: What it is given.

    Raises:
        DiedError: The process ended without an answer.
    """
    # Spawned, not forked: this process has threads. It ends with this one at the latest.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_tell, args=(theirs, work, given), daemon=True)
    process.start()
    theirs.close()  # so that its end is noticed here
    try:
        with ours:
            told: R = ours.recv()
    except EOFError as exc:
        raise DiedError from exc
    process.join()
    return told


def _tell(pipe: Connection, work: Callable[[G], R], given: G) -> None:
    """Send what a function gives to who waits for it."""
    leave_interrupts()
    with pipe:
        pipe.send(work(given))


def leave_interrupts() -> None:
    """Leave Ctrl-C, which reaches every process of a terminal, to the process that serves."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
