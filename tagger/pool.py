"""Worker processes that outlive what they work on: a crash or a hang costs one task, not the batch.

joblib gives up the whole batch when a worker dies. Here the tasks that were under way are then run
again one by one, in new workers, so that the guilty one is known; the rest go on as before.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import joblib
from joblib.externals.loky.process_executor import BrokenProcessPool

log = logging.getLogger(__name__)

Task = TypeVar("Task")
Result = TypeVar("Result")

_MIN_WORKER_BYTES = 600 * 2**20


@dataclass(frozen=True, slots=True)
class Lost(Generic[Task]):
    """A task that took its worker process with it, twice."""

    task: Task
    reason: str


def default_n_jobs() -> int:
    """Return the number of cores, or fewer where memory is short."""
    cores: int = joblib.cpu_count()
    return max(1, min(cores, _available_bytes() // _MIN_WORKER_BYTES))


def _available_bytes() -> int:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        sizes = dict(line.split(":") for line in lines)
        return int(sizes["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):  # not Linux: believe that there is enough
        return 2**40


def map_unordered(
    function: Callable[[Task], Result],
    tasks: Sequence[Task],
    *,
    n_jobs: int,
    timeout_s: float,
) -> Iterator[Result | Lost[Task]]:
    """Yield a result for each task, in the order in which they are done.

    Args:
        function: Importable by name; what it raises ends the batch, so it should not.
        tasks: What it is called with, each hashable and distinct.
        n_jobs: Worker processes.
        timeout_s: Seconds after which a task counts as hung and its worker is ended.
    """
    waiting = list(tasks)
    while waiting:
        under_way: dict[Task, None] = {}
        feed = _Feed(waiting, under_way)
        try:
            yield from _stream(function, feed, under_way, n_jobs, 2 * n_jobs, timeout_s)
            return
        except BrokenProcessPool:
            log.info("a worker died; running %d tasks one by one", len(under_way))
        waiting = waiting[feed.n_taken :]
        yield from _one_by_one(function, list(under_way), timeout_s)


def _one_by_one(
    function: Callable[[Task], Result], suspects: list[Task], timeout_s: float
) -> Iterator[Result | Lost[Task]]:
    while suspects:
        under_way: dict[Task, None] = {}
        feed = _Feed(suspects, under_way)
        try:
            yield from _stream(function, feed, under_way, 1, 1, timeout_s)
            return
        except BrokenProcessPool as exc:
            for task in under_way:
                yield Lost(task, _how_it_died(exc, timeout_s))
        suspects = suspects[feed.n_taken :]


def _how_it_died(error: BaseException, timeout_s: float) -> str:
    said = str(error)
    for name in ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE"):
        if name in said:
            return f"decoding it crashes the decoder ({name}); the file is probably damaged"
    if "SIGKILL" in said:
        return "analysing it was ended by the system, probably for want of memory; try --jobs 1"
    return (
        f"analysing it took over {timeout_s:.0f} s or ended its process; the file is probably "
        "damaged, or the disk very slow: then give more time with --timeout"
    )


class _Feed(Generic[Task]):
    """Hands out tasks and notes which were taken; joblib takes them from threads of its own."""

    def __init__(self, tasks: Sequence[Task], under_way: dict[Task, None]) -> None:
        self._tasks = tasks
        self._under_way = under_way
        self.n_taken = 0

    def __iter__(self) -> Iterator[Task]:
        for task in self._tasks:
            self._under_way[task] = None
            self.n_taken += 1
            yield task


def _stream(
    function: Callable[[Task], Result],
    feed: _Feed[Task],
    under_way: dict[Task, None],
    n_jobs: int,
    n_ahead: int,
    timeout_s: float,
) -> Iterator[Result]:
    # joblib runs a single job in the parent itself, where a crash would end everything: so two
    # workers at least, of which one is idle where only one task is let out at a time.
    parallel = joblib.Parallel(
        n_jobs=max(2, n_jobs),
        backend="loky",
        return_as="generator_unordered",
        batch_size=1,
        pre_dispatch=n_ahead if n_jobs > 1 else 1,
        initializer=_prepare_worker,
    )
    watched = joblib.delayed(_watched)
    for task, result in parallel(watched(function, task, timeout_s) for task in feed):
        del under_way[task]
        yield result


def _prepare_worker() -> None:
    # Ctrl-C reaches the whole process group; the parent alone says what happens then.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _watched(
    function: Callable[[Task], Result], task: Task, timeout_s: float
) -> tuple[Task, Result]:
    """Run a task; end the process if it takes too long, be it inside a decoder's C code."""
    with Path(os.devnull).open("w") as nowhere:
        faulthandler.dump_traceback_later(timeout_s, exit=True, file=nowhere)
        try:
            return task, function(task)
        finally:
            faulthandler.cancel_dump_traceback_later()
