"""Workers of a Dask cluster: a crash, a hang or a lost machine costs one task, not the batch.

Dask's own futures are used, not joblib's backend for Dask, which does not say which task workers
died of. No more tasks are under way than keep the workers busy, so that the parent's memory does
not grow with the library.

The workers are processes that somebody started on machines that see the same files at the same
paths (docs/scale.md). Only the parent writes tags and the catalogue.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Generic

from tagger.errors import ClusterError, TaggerError, how_to_install
from tagger.hearing.pool import Lost, Result, Task, Watched
from tagger.reasons import Reason, ReasonCode

log = logging.getLogger(__name__)

_TALKATIVE = ("distributed", "distributed.client", "distributed.core")
_CONNECT_S = 10
_POLL_S = 0.5
_PATIENCE_S = 60.0  # how long there may be no worker at all
_TASKS_A_WORKER = 2  # one that it works on, one that waits beside it
_DISTRIBUTION = "genre-tagger"

_GONE = "the Dask scheduler is gone; what was heard is recorded, run again to go on"


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why a worker cannot do its work.

    Args:
        reason: What it has or lacks, and the remedy.
    """

    reason: str


@contextmanager
def _in_touch() -> Iterator[None]:
    """Around whatever asks the scheduler.

    Raises:
        ClusterError: it does not answer any more.
    """
    try:
        yield
    except (OSError, CancelledError) as exc:
        raise ClusterError(_GONE) from exc


@dataclass(frozen=True, slots=True)
class _There(Generic[Task, Result]):
    """What runs on a worker: a check, then the task under its watchdog.

    Args:
        watched: The task's function.
        prepare: Loads what all tasks share; raises TaggerError where it cannot.
        expected: The parent's version of the tagger.
    """

    watched: Watched[Task, Result]
    prepare: Callable[[Task], object]
    expected: str

    def __call__(self, task: Task) -> Result | Unfit:
        unfit = why_unfit(self.prepare, task, self.expected)
        if unfit is None:
            return self.watched(task)[1]
        from distributed import get_worker

        return Unfit(f"worker {get_worker().address} {unfit.reason}")


def why_unfit(prepare: Callable[[Task], object], sample: Task, expected: str) -> Unfit | None:
    """Return why this process cannot do tasks like a sample; None if it can."""
    found = version(_DISTRIBUTION)
    if found != expected:
        return Unfit(f"has {_DISTRIBUTION} {found}, not {expected}: install the same everywhere")
    try:
        prepare(sample)
    except TaggerError as exc:
        return Unfit(f"cannot load the model: {exc}")
    return None


@contextmanager
def connected(
    address: str, prepare: Callable[[Task], object], sample: Task
) -> Iterator[ClusterWorkers]:
    """Give the workers of a cluster, all of them fit for tasks like a sample.

    Raises:
        ClusterError: there is no scheduler, no worker, or an unfit one.
    """
    try:
        from distributed import Client

    except ImportError as exc:
        reason = f"--scheduler needs Dask: {how_to_install('distributed')}"
        raise ClusterError(reason) from exc
    try:
        client = Client(address, timeout=_CONNECT_S, set_as_default=False)  # type: ignore[no-untyped-call]
    except (TimeoutError, OSError, ValueError) as exc:
        raise ClusterError(f"no Dask scheduler answers at {address}") from exc
    for name in _TALKATIVE:  # what is the matter is said here, once
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with client:
        check_workers(client, prepare, sample)
        yield ClusterWorkers(client)


def check_workers(client: Any, prepare: Callable[[Task], object], sample: Task) -> None:
    """Let each worker say whether it is fit.

    Raises:
        ClusterError: one is not, or there is none; it names the worker and the remedy.
    """
    n_threads: Mapping[str, int] = client.nthreads()
    if not n_threads:
        raise ClusterError("the cluster has no worker: start some (dask worker ADDRESS)")
    for worker, n in n_threads.items():
        if n != 1:
            reason = f"worker {worker} has {n} threads: start it with --nthreads 1 --nworkers N"
            raise ClusterError(reason)
    said = client.run(why_unfit, prepare, sample, version(_DISTRIBUTION), on_error="return")
    for worker, unfit in said.items():
        if isinstance(unfit, Exception):
            reason = f"worker {worker} cannot run the tagger, is it installed there? {unfit!r}"
            raise ClusterError(reason)
        if unfit is not None:
            raise ClusterError(f"worker {worker} {unfit.reason}")


@dataclass
class ClusterWorkers:
    """The workers of a cluster.

    Args:
        client: A distributed.Client.
    """

    client: Any

    def map_unordered(
        self,
        function: Callable[[Task], Result],
        tasks: Sequence[Task],
        *,
        timeout_s: float,
        prepare: Callable[[Task], object] | None = None,
    ) -> Generator[Result | Lost[Task], None, None]:
        """Yield a result for each task, in the order in which they are done.

        A task whose workers keep dying is run once more with nothing beside it, so that no other
        one is blamed for it.

        Raises:
            ClusterError: the scheduler is gone, or the workers are, or one is not fit.
        """
        watched = Watched(function, None, timeout_s)
        there = _There(watched, prepare or _nothing, version(_DISTRIBUTION))
        suspects: list[Task] = []
        for task, outcome in self._stream(there, iter(tasks), self.n_at_once):
            if isinstance(outcome, Lost):
                suspects.append(task)
            else:
                yield outcome
        for suspect in suspects:
            for _, outcome in self._stream(there, iter([suspect]), 1):
                yield outcome

    @property
    def n_at_once(self) -> int:
        """How many tasks are under way or wait beside a worker."""
        with _in_touch():
            return max(1, _TASKS_A_WORKER * len(self.client.nthreads()))

    def _stream(
        self, there: _There[Task, Result], tasks: Iterator[Task], n_at_once: int
    ) -> Iterator[tuple[Task, Result | Lost[Task]]]:
        """Yield tasks with their outcomes, never more than so many under way."""
        pending: dict[Any, Task] = {}
        try:
            while True:
                for task in tasks:
                    with _in_touch():
                        pending[self.client.submit(there, task, pure=False)] = task
                    if len(pending) >= n_at_once:
                        break
                if not pending:
                    return
                for future in self._wait(pending):
                    task = pending.pop(future)
                    yield task, self._outcome(future, task)
        finally:
            if pending and self._is_there():
                self.client.cancel(list(pending), force=True)

    def _is_there(self) -> bool:
        return bool(self.client.status == "running")

    def _wait(self, pending: Mapping[Any, Task]) -> list[Any]:
        """Wait until some futures are done.

        Raises:
            ClusterError: the scheduler is gone, or there has been no worker for a while.
        """
        from distributed import wait

        deserted_at: float | None = None
        while True:
            with suppress(TimeoutError, CancelledError), self.client.as_current():
                wait(list(pending), timeout=_POLL_S, return_when="FIRST_COMPLETED")  # type: ignore[no-untyped-call]
            if not self._is_there():
                raise ClusterError(_GONE)
            # What was lost with the worker that held it is computed again.
            done = [future for future in pending if future.status not in ("pending", "lost")]
            if done:
                return done
            with _in_touch():
                is_deserted = not self.client.nthreads()
            deserted_at = (deserted_at or time.monotonic()) if is_deserted else None
            if deserted_at is not None and time.monotonic() - deserted_at > _PATIENCE_S:
                raise ClusterError("all workers are gone; start some and run again to go on")

    def _outcome(self, future: Any, task: Task) -> Any:
        """Return a done future's result, or that its task was lost.

        Raises:
            ClusterError: the worker was not fit, or the scheduler is gone.
        """
        from distributed import KilledWorker

        if future.status == "cancelled":
            raise ClusterError(_GONE)
        with _in_touch():
            failure = future.exception() if future.status == "error" else None
            result = future.result() if failure is None else None
        if isinstance(failure, KilledWorker):
            log.info("workers died of %r", task)
            return Lost(task, Reason(ReasonCode.LOST))
        if failure is not None:
            raise ClusterError(f"a worker cannot run the tagger: {failure!r}") from failure
        if isinstance(result, Unfit):
            raise ClusterError(result.reason)
        return result


def _nothing(_task: object) -> None:
    pass
