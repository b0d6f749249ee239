"""A worker that dies or hangs costs its task, never the batch."""

import errno
import logging
import os
import resource
import signal
import time
from collections.abc import Callable
from contextlib import closing
from itertools import count

import joblib
import pytest

from tagger.errors import WorkersError
from tagger.hearing.pool import Lost, default_n_jobs, map_unordered


def square(n: int) -> int:
    return n * n


def crash_on_seven(n: int) -> int:
    if n == 7:
        os.kill(os.getpid(), signal.SIGSEGV)
    return n


def hang_on_three(n: int) -> int:
    while n == 3:
        time.sleep(0.1)
    return n


def run_out_of_memory_on_two(n: int) -> int:
    if n == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return n


def leave_on_one(n: int) -> int:
    if n == 1:
        os._exit(3)
    return n


def cannot_load(_: int) -> None:
    os._exit(1)


def load_slowly(_: int) -> None:
    time.sleep(0.8)


def outcomes(
    function: Callable[[int], int], tasks: list[int], *, n_jobs: int = 2, timeout_s: float = 30.0
) -> tuple[list[int], list[Lost[int]]]:
    results = list(map_unordered(function, tasks, n_jobs=n_jobs, timeout_s=timeout_s))
    lost = [r for r in results if isinstance(r, Lost)]
    return sorted(r for r in results if not isinstance(r, Lost)), lost


def test_each_task_gets_its_result() -> None:
    done, lost = outcomes(square, list(range(50)))
    assert done == sorted(n * n for n in range(50))
    assert lost == []


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_crash_costs_one_task(n_jobs: int) -> None:
    done, lost = outcomes(crash_on_seven, list(range(20)), n_jobs=n_jobs)
    assert done == [n for n in range(20) if n != 7]
    assert [r.task for r in lost] == [7]
    assert "SIGSEGV" in str(lost[0].reason)
    assert lost[0].is_for_good


@pytest.mark.parametrize("level", [logging.WARNING, logging.INFO])
def test_a_crash_dumps_its_stack_only_where_all_is_told(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, level: int
) -> None:
    caplog.set_level(level, "tagger")
    outcomes(crash_on_seven, [7])
    assert ("crash_on_seven" in capfd.readouterr().err) == (level == logging.INFO)


def test_a_worker_that_ends_is_not_said_to_have_been_slow() -> None:
    _, (lost,) = outcomes(leave_on_one, [1, 2])
    assert "exit code 3" in str(lost.reason)
    assert "took over" not in str(lost.reason)


def test_workers_that_cannot_start_blame_no_task() -> None:
    results = map_unordered(square, [1, 2], n_jobs=2, timeout_s=30.0, prepare=cannot_load)
    with pytest.raises(WorkersError, match="before they begin"):
        list(results)


def test_a_system_without_room_for_workers_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr("tagger.hearing.pool.joblib.Parallel.__call__", refuse)
    with pytest.raises(WorkersError, match="Too many open files"):
        list(map_unordered(square, [1], n_jobs=2, timeout_s=30.0))


def test_a_want_of_open_files_is_told_before_workers_start() -> None:
    opened = {int(name) for name in os.listdir("/proc/self/fd")}  # noqa: PTH208
    few = next(n for n in count() if len(set(range(n)) - opened) == 5)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (few, before[1]))
    try:
        with pytest.raises(WorkersError, match="Too many open files"):
            outcomes(square, [1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert outcomes(square, [1]) == ([1], [])


def test_a_want_of_shared_memory_is_told_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("multiprocessing.synchronize.SemLock._make_name", full)
    with pytest.raises(WorkersError, match="/dev/shm: No space left"):
        outcomes(square, [1])


def test_where_there_was_no_shared_memory_at_first_no_task_runs_in_the_parent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(joblib.parallel.BACKENDS, "loky")
    with pytest.raises(WorkersError, match="no room in /dev/shm"):
        outcomes(square, [1])


def test_a_hang_costs_one_task() -> None:
    done, lost = outcomes(hang_on_three, list(range(8)), timeout_s=1.0)
    assert done == [n for n in range(8) if n != 3]
    assert [r.task for r in lost] == [3]
    assert "--timeout" in str(lost[0].reason)
    assert not lost[0].is_for_good


def test_what_the_system_ends_costs_one_task() -> None:
    done, lost = outcomes(run_out_of_memory_on_two, list(range(6)))
    assert done == [0, 1, 3, 4, 5]
    assert [r.task for r in lost] == [2]
    assert "memory" in str(lost[0].reason)


def test_loading_what_tasks_share_is_not_timed() -> None:
    results = map_unordered(square, [1, 2], n_jobs=2, timeout_s=0.4, prepare=load_slowly)
    assert sorted(results, key=repr) == [1, 4]


def test_who_breaks_off_is_not_warned(recwarn: pytest.WarningsRecorder) -> None:
    with closing(map_unordered(square, list(range(50)), n_jobs=2, timeout_s=30.0)) as results:
        next(results)
    assert not recwarn.list


def test_workers_are_never_run_in_the_parent() -> None:
    assert os.getpid() not in map_unordered(pid_of, list(range(4)), n_jobs=1, timeout_s=30.0)


def pid_of(_: int) -> int:
    return os.getpid()


def test_there_is_at_least_one_job() -> None:
    assert default_n_jobs() >= 1
