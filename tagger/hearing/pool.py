"""Worker processes that outlive what they work on: a crash or a hang costs one task, not the batch.

joblib gives up the whole batch when a worker dies. Here the tasks that were under way are then run
again one by one, in new workers, so that the guilty one is known; the rest go on as before.
"""

from __future__ import annotations

import errno
import faulthandler
import logging
import multiprocessing.resource_tracker
import os
import re
import signal
import threading
import time
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from tagger.errors import WorkersError, os_reason
from tagger.hearing.signals import put_off, raise_all
from tagger.reasons import Reason, ReasonCode

# Broken off in between, it would leave a lock behind, and say so.
with put_off() as _came, warnings.catch_warnings():
    # Of no room in /dev/shm; _check_locks says it in a line.
    warnings.simplefilter("ignore", UserWarning)
    import joblib
    from joblib.externals import loky
    from joblib.externals.loky.process_executor import BrokenProcessPool
raise_all(_came)

log = logging.getLogger(__name__)

Task = TypeVar("Task")
Result = TypeVar("Result")

_STDERR = 2
_LOKYS_THREAD = "ExecutorManagerThread"
_WANT_OF_FILES = (errno.EMFILE, errno.ENFILE)
_PIPES = 12  # that a pool needs besides one a worker, with some to spare
_MIN_WORKER_BYTES = 600 * 2**20


@dataclass(frozen=True, slots=True)
class Lost(Generic[Task]):
    """A task that took its worker process with it, twice.

    Args:
        task: The task.
        reason: How its worker died.
        is_for_good: It crashed the worker, as it will the next one; a want of time or memory may
            have gone by then.
    """

    task: Task
    reason: Reason
    is_for_good: bool = False


class Workers(Protocol):
    """Processes that tasks are handed to, here or on other machines."""

    @property
    def n_at_once(self) -> int:
        """How many tasks are under way or wait beside a worker."""

    def map_unordered(
        self,
        function: Callable[[Task], Result],
        tasks: Sequence[Task],
        *,
        timeout_s: float,
        prepare: Callable[[Task], object] | None = None,
    ) -> Generator[Result | Lost[Task], None, None]:
        """Yield a result for each task, in the order in which they are done."""


@dataclass(frozen=True, slots=True)
class LocalWorkers:
    """Processes of this machine; see ``map_unordered``.

    Args:
        n_jobs: How many.
    """

    n_jobs: int

    @property
    def n_at_once(self) -> int:
        """How many tasks are under way or wait beside a worker."""
        return 2 * self.n_jobs

    def map_unordered(
        self,
        function: Callable[[Task], Result],
        tasks: Sequence[Task],
        *,
        timeout_s: float,
        prepare: Callable[[Task], object] | None = None,
    ) -> Generator[Result | Lost[Task], None, None]:
        """Yield a result for each task, in the order in which they are done."""
        return map_unordered(
            function, tasks, n_jobs=self.n_jobs, timeout_s=timeout_s, prepare=prepare
        )


def default_n_jobs() -> int:
    """Return the number of cores, or fewer where memory is short."""
    cores: int = joblib.cpu_count()
    return max(1, min(cores, _available_bytes() // _MIN_WORKER_BYTES))


def _available_bytes() -> int:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
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
    prepare: Callable[[Task], object] | None = None,
) -> Generator[Result | Lost[Task], None, None]:
    """Yield a result for each task, in the order in which they are done.

    Args:
        function: Importable by name; what it raises ends the batch, so it should not.
        tasks: What it is called with, each hashable and distinct.
        n_jobs: Worker processes.
        timeout_s: Seconds after which a task counts as hung and its worker is ended.
        prepare: Called before each task and not timed: it loads what all tasks share.

    Raises:
        WorkersError: Workers cannot be started, or die before they begin with a task.
    """
    watched = Watched(function, prepare, timeout_s)
    rest = list(tasks)
    while rest:
        feed = _Feed(rest)
        try:
            yield from _stream(watched, feed, n_jobs)
            return
        except BrokenProcessPool:
            suspects, rest = feed.close()
            log.info("a worker died; running %d tasks one by one", len(suspects))
        yield from _one_by_one(watched, suspects)


def _one_by_one(
    watched: Watched[Task, Result], suspects: list[Task]
) -> Iterator[Result | Lost[Task]]:
    for task in suspects:
        started = time.monotonic()
        # Each in a stream of its own: in one stream joblib would let out the next task before the
        # result of this one is taken, and a crash would leave two to be blamed.
        try:
            yield from _stream(watched, _Feed([task]), 1)
        except BrokenProcessPool as exc:
            elapsed_s = time.monotonic() - started
            _check_workers_start(watched, task)
            yield _lost(task, exc, elapsed_s, watched.timeout_s)


def _check_workers_start(watched: Watched[Task, Result], task: Task) -> None:
    """Make sure that a worker lives that does all for a task but the task itself.

    Raises:
        WorkersError: It does not, so that no task is to blame.
    """
    try:
        for _ in _stream(Watched(_idle, watched.prepare, watched.timeout_s), _Feed([task]), 1):
            pass
    except BrokenProcessPool as exc:
        raise WorkersError(
            f"worker processes end before they begin ({_exit_of(exc)}); is there enough memory, "
            "and is the installation whole? tagger --verbose shows what they say"
        ) from exc


def _idle(_task: object) -> None:
    pass


def _lost(task: Task, error: BaseException, elapsed_s: float, timeout_s: float) -> Lost[Task]:
    """Return how a task's worker died.

    Args:
        task: The task.
        error: What joblib says of it.
        elapsed_s: How long the task was under way, seconds, with the start of its worker.
        timeout_s: After how many it was to be ended.
    """
    how = _exit_of(error)
    if how in _CRASHES:
        return Lost(task, Reason(ReasonCode.CRASHED, {"signal": how}), is_for_good=True)
    if how == "SIGKILL":
        return Lost(task, Reason(ReasonCode.KILLED))
    if elapsed_s >= timeout_s:
        return Lost(task, Reason(ReasonCode.HUNG, {"timeout_s": timeout_s}))
    return Lost(task, Reason(ReasonCode.ENDED, {"how": how}))


def _exit_of(error: BaseException) -> str:
    """Return the signal or exit code that ended a worker, as joblib names it.

    >>> _exit_of(BrokenProcessPool("… The exit codes of the workers are {SIGSEGV(-11)}"))
    'SIGSEGV'
    >>> _exit_of(BrokenProcessPool("… The exit codes of the workers are {EXIT(1)}"))
    'exit code 1'
    """
    ends = [f"exit code {code}" if name == "EXIT" else name for name, code in _END(str(error))]
    # Of several workers one crashed, and joblib ended the others.
    return min(ends, key=lambda end: not end.startswith("SIG"), default="nobody knows why")


_END = re.compile(r"\b(SIG[A-Z]+|EXIT)\((-?\d+)\)").findall
_CRASHES = ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE")


class _Feed(Generic[Task]):
    """Hands out tasks and knows which are under way; joblib takes them from threads of its own."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._tasks = tasks
        self._lock = threading.Lock()
        self._n_taken = 0
        self._is_closed = False
        self._under_way: dict[Task, None] = {}

    def __iter__(self) -> Iterator[Task]:
        return self

    def __next__(self) -> Task:
        with self._lock:
            if self._is_closed or self._n_taken == len(self._tasks):
                raise StopIteration
            task = self._tasks[self._n_taken]
            self._n_taken += 1
            self._under_way[task] = None
            return task

    def done(self, task: Task) -> None:
        """Note that the result of a task has arrived."""
        with self._lock:
            del self._under_way[task]

    def close(self) -> tuple[list[Task], list[Task]]:
        """Hand out no more; return the tasks that are under way and those not yet handed out."""
        with self._lock:
            self._is_closed = True
            return list(self._under_way), list(self._tasks[self._n_taken :])


def _check_locks() -> None:
    """Make sure that there is room for the locks between processes, which joblib does without.

    Raises:
        WorkersError: There is none, or was none when joblib was loaded.
    """
    try:
        multiprocessing.get_context("spawn").Lock()
    except OSError as exc:
        where = "" if exc.errno in _WANT_OF_FILES else ", for want of room in /dev/shm"
        raise WorkersError(f"no worker process can be started{where}: {os_reason(exc)}") from exc
    if "loky" not in joblib.parallel.BACKENDS:
        raise WorkersError("there was no room in /dev/shm for worker processes; start anew")


def _check_descriptors(n_jobs: int) -> None:
    """Make sure that workers do not run out of open files half way, of which loky tells in pages.

    Raises:
        OSError: They would.
    """
    with ExitStack() as spare:
        for _ in range(_PIPES + n_jobs):
            spare.enter_context(Path(os.devnull).open("rb", buffering=0))


def _stream(watched: Watched[Task, Result], feed: _Feed[Task], n_jobs: int) -> Iterator[Result]:
    try:
        with _deaf_children() as came:
            _check_locks()
            _check_descriptors(max(2, n_jobs))
            # joblib runs a single job in the parent itself, where a crash would end everything: so
            # two workers at least, of which one is idle where one task is let out at a time.
            parallel = joblib.Parallel(
                n_jobs=max(2, n_jobs),
                backend="loky",
                return_as="generator_unordered",
                batch_size=1,
                pre_dispatch=2 * n_jobs if n_jobs > 1 else 1,
                initializer=None if log.isEnabledFor(logging.INFO) else _be_silent,
            )
            results = parallel(joblib.delayed(watched)(task) for task in feed)
    except OSError as exc:
        raise WorkersError(f"no worker process can be started: {os_reason(exc)}") from exc
    try:
        raise_all(came)
        for task, result in results:
            feed.done(task)
            yield result
    finally:
        with warnings.catch_warnings(), _loky_quiet():
            # Whoever breaks off, by Ctrl-C or otherwise, knows that work is lost by it.
            warnings.filterwarnings("ignore", "[0-9]+ tasks ", UserWarning)
            results.close()


@contextmanager
def _loky_quiet() -> Iterator[None]:
    # Its thread may still hand out a task that is taken from it, and would show the traceback.
    before = threading.excepthook

    def note(told: threading.ExceptHookArgs) -> None:
        is_lokys = told.thread is not None and told.thread.name.startswith(_LOKYS_THREAD)
        if not is_lokys:
            before(told)
            return
        log.info("work was broken off", exc_info=told.exc_value)

    threading.excepthook = note
    try:
        yield
    finally:
        threading.excepthook = before


def _be_silent() -> None:
    """Let this worker print nothing: what becomes of a task the parent says, a crash as well."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, _STDERR)
    os.close(nowhere)


@contextmanager
def _deaf_children() -> Iterator[Sequence[int]]:
    """Start workers that hear no Ctrl-C; give the signals that came meanwhile, to be raised."""
    # Ctrl-C reaches the whole process group, but the parent alone says what happens then. A mask
    # is inherited: so the workers, started in here, never hear of it, not even while they import.
    # Two helpers are started before, since starting them would lift the mask.
    with put_off() as came:
        multiprocessing.resource_tracker.ensure_running()
        loky.backend.resource_tracker.ensure_running()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            yield came
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


@dataclass(frozen=True, slots=True)
class Watched(Generic[Task, Result]):
    """Runs a task; ends the process if it takes too long, be it inside a decoder's C code."""

    function: Callable[[Task], Result]
    prepare: Callable[[Task], object] | None
    timeout_s: float

    def __call__(self, task: Task) -> tuple[Task, Result]:
        if self.prepare is not None:
            self.prepare(task)
        with Path(os.devnull).open("w") as nowhere:
            faulthandler.dump_traceback_later(self.timeout_s, exit=True, file=nowhere)
            try:
                return task, self.function(task)
            finally:
                faulthandler.cancel_dump_traceback_later()
