"""A run over a Dask cluster of separate processes: nothing is lost, nothing is done twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tagger.errors import ClusterError
from tagger.hearing.analysis import AnalysisTask, Heard, NetworkRef, analyse_task, load_networks
from tagger.hearing.cluster import ClusterWorkers, connected
from tagger.hearing.pool import Lost
from tagger.models.files import read_card
from tagger.records import TrackFailure
from tests.catalogs import assert_consistent
from tests.library import DEADLINE_S, Outcome, Run, make_tracks, run_tagger, start_tagger, until

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
# Without a nanny, a process of its own, which starts a worker anew that dies.
ALONE = ("--nthreads", "1", "--no-nanny")


@dataclass
class Cluster:
    """A scheduler and its workers, each a process of its own."""

    address: str
    scheduler: subprocess.Popen[bytes]
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start_worker(self, *options: str, **environment: str) -> subprocess.Popen[bytes]:
        words = ["-m", "distributed.cli.dask_worker", self.address, "--no-dashboard"]
        more = options or ALONE
        worker = start([*words, "--memory-limit", "0", *more], **environment)
        self.workers.append(worker)
        return worker


def start(words: list[str], **environment: str) -> subprocess.Popen[bytes]:
    path = os.pathsep.join(filter(None, [environment.pop("PYTHONPATH", ""), str(ROOT)]))
    known = {**os.environ, "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1", **environment}
    return subprocess.Popen(
        [sys.executable, *words],
        env={**known, "PYTHONPATH": path},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


@contextmanager
def running(n_workers: int = 2, *options: str) -> Iterator[Cluster]:
    with tempfile.TemporaryDirectory(prefix="tagger-dask-") as folder:
        told = Path(folder) / "scheduler.json"
        words = ["-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
        scheduler = start([*words, "--no-dashboard", "--scheduler-file", str(told)])
        until(lambda: told.exists() and told.read_text().endswith("}"))
        cluster = Cluster(json.loads(told.read_text())["address"], scheduler)
    try:
        for _ in range(n_workers):
            cluster.start_worker(*options)
        wait_for_workers(cluster, n_workers)
        yield cluster
    finally:
        for process in (*cluster.workers, cluster.scheduler):
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process and its children at once."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_for_workers(cluster: Cluster, n_workers: int) -> None:
    from distributed import Client

    with Client(cluster.address, timeout=DEADLINE_S, set_as_default=False) as client:  # type: ignore[no-untyped-call]
        if n_workers:
            client.wait_for_workers(n_workers, timeout=DEADLINE_S)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Two workers, for tests that leave them as they are."""
    with running() as cluster:
        yield cluster


def double(n: int) -> int:
    return 2 * n


def double_slowly(n: int) -> int:
    time.sleep(0.1)
    return 2 * n


def die_of_seven(n: int) -> int:
    if n == 7:
        os.kill(os.getpid(), signal.SIGKILL)
    return 2 * n


def hang_on_three(n: int) -> int:
    while n == 3:
        time.sleep(0.1)
    return 2 * n


def ready(_: object) -> None:
    pass


def refuse(cluster: Cluster, prepare: Callable[[Any], object], sample: object, why: str) -> None:
    """Assert that a cluster is refused, for that reason."""
    with pytest.raises(ClusterError, match=why), connected(cluster.address, prepare, sample):
        pass


def by_path(outcome: Outcome) -> list[dict[str, Any]]:
    return sorted(outcome.records, key=lambda record: str(record["path"]))


# ------------------------------------------------------------------------------ the same as here


def test_a_run_over_the_cluster_gives_what_a_run_here_gives(
    cluster: Cluster, run: Run, music: Path, model: Path, tmp_path: Path
) -> None:
    make_tracks(music, 6)
    (music / "broken.mp3").write_text("Dear diary,\n" * 100)
    there = run("tag", "--no-write", "--scheduler", cluster.address, music)
    other = ("--catalog", tmp_path / "other.db", "--format", "jsonl", "--model", model)
    here = run_tagger("tag", *other, "--no-write", music)
    assert there.code == here.code == 1
    assert by_path(there) == by_path(here)
    assert Counter(there.statuses.values()) == {"predicted": 6, "failed": 1}
    again = run("tag", "--scheduler", cluster.address, music)
    assert Counter(again.statuses.values()) == {"written": 6, "failed": 1}
    assert_consistent(tmp_path / "catalog.db")


def test_results_come_as_they_are_done_and_few_are_under_way(cluster: Cluster) -> None:
    with connected(cluster.address, ready, 0) as workers:
        results = workers.map_unordered(double_slowly, range(200), timeout_s=30.0)
        first = next(results)
        assert first in (0, 2, 4, 6)
        results.close()  # the other 199 would take ten seconds; what is under way is called off


# ------------------------------------------------------------------------------- what goes wrong


class Result:
    """A future, as far as waiting for it goes."""

    status = "lost"


def test_a_result_that_is_lost_with_its_worker_is_waited_for_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    result, looks = Result(), iter(["lost", "pending", "finished"])

    def wait(_futures: object, **_options: object) -> None:
        result.status = next(looks)

    monkeypatch.setattr("distributed.wait", wait)
    client = SimpleNamespace(status="running", as_current=nullcontext, nthreads=lambda: {"one": 1})
    assert ClusterWorkers(client)._wait({result: 0}) == [result]
    assert next(looks, None) is None


def test_a_worker_that_dies_in_the_middle_costs_nothing() -> None:
    with running() as cluster, connected(cluster.address, ready, 0) as workers:
        results = workers.map_unordered(double_slowly, range(60), timeout_s=30.0)
        done = [next(results)]
        end(cluster.workers[0])
        done += results
        assert Counter(done) == Counter(2 * n for n in range(60))


@pytest.mark.parametrize(("function", "guilty"), [(die_of_seven, 7), (hang_on_three, 3)])
def test_a_task_that_workers_die_of_costs_itself_alone(
    function: Callable[[int], int], guilty: int
) -> None:
    nursed = running(2, "--nthreads", "1")
    with nursed as cluster, connected(cluster.address, ready, 0) as workers:
        done = list(workers.map_unordered(function, range(12), timeout_s=2.0))
    lost = [result for result in done if isinstance(result, Lost)]
    assert [result.task for result in lost] == [guilty]
    assert "probably damaged" in str(lost[0].reason)
    others = Counter(result for result in done if not isinstance(result, Lost))
    assert others == Counter(2 * n for n in range(12) if n != guilty)


def test_a_scheduler_that_vanishes_ends_the_run_and_the_next_goes_on(
    run: Run, music: Path, place: Path, model: Path
) -> None:
    make_tracks(music, 80)
    with running() as cluster:
        options = ["--no-write", "--by", "track", "--format", "jsonl", "--catalog", str(place)]
        broken = start_tagger(
            "tag", *options, "--model", str(model), "--scheduler", cluster.address, str(music)
        )
        assert broken.stdout is not None
        first = broken.stdout.readline()
        end(cluster.scheduler)
        assert broken.stderr is not None
        rest, said = broken.stdout.read(), broken.stderr.read()
        broken.wait(timeout=DEADLINE_S)
    heard = [json.loads(line)["path"] for line in (first + rest).splitlines()]
    assert broken.returncode == 1
    assert b"the Dask scheduler is gone" in said
    assert b"Traceback" not in said
    assert 0 < len(set(heard)) == len(heard) < 80
    assert_consistent(place)
    again = run("tag", "--no-write", music)
    assert again.code == 0
    statuses = {record["path"]: record["status"] for record in again.records}
    assert len(statuses) == 80
    assert {statuses[path] for path in heard} == {"unchanged"}
    assert set(statuses.values()) == {"unchanged", "predicted"}


def test_no_scheduler_is_said_in_one_line_and_nothing_is_recorded(
    run: Run, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tagger.hearing.cluster._CONNECT_S", 0.5)
    make_tracks(music, 1)
    done = run("tag", "--scheduler", "tcp://127.0.0.1:9", music)
    assert (done.code, done.out) == (2, "")
    assert done.err == "error: no Dask scheduler answers at tcp://127.0.0.1:9\n"
    assert run("runs").records == []


def test_a_cluster_without_workers_is_refused() -> None:
    with running(0) as cluster:
        refuse(cluster, ready, 0, "no worker")


def test_a_worker_with_another_version_is_named(tmp_path: Path) -> None:
    info = tmp_path / "genre_tagger-0.0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: genre-tagger\nVersion: 0.0.1\n")
    with running(1) as cluster:
        cluster.start_worker(PYTHONPATH=str(tmp_path))
        wait_for_workers(cluster, 2)
        expected = f"worker tcp://.* has genre-tagger 0.0.1, not {version('genre-tagger')}"
        refuse(cluster, ready, 0, expected)


def test_a_worker_with_two_threads_is_refused() -> None:
    with running(0) as cluster:
        cluster.start_worker("--nthreads", "2", "--no-nanny")
        wait_for_workers(cluster, 1)
        refuse(cluster, ready, 0, "has 2 threads: start it with --nthreads 1")


def test_a_worker_without_the_model_or_with_another_is_named(
    cluster: Cluster, tmp_path: Path, model: Path
) -> None:
    fit = NetworkRef(read_card(model).model_id, model)
    with connected(cluster.address, load_networks, AnalysisTask(Path(), (fit,))):
        pass
    for unfit in (replace(fit, path=tmp_path / "x.pt"), replace(fit, model_id="cnn-0")):
        sample = AnalysisTask(Path(), (fit, unfit))
        refuse(cluster, load_networks, sample, r"worker tcp://.* cannot load the model")


def test_a_file_that_only_the_parent_sees_is_no_bad_file(
    cluster: Cluster, run: Run, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_tracks(music, 2)

    def elsewhere(task: AnalysisTask) -> Heard | TrackFailure:
        failure = analyse_task(replace(task, path=music.parent / "x" / task.path.name))
        assert isinstance(failure, TrackFailure)
        return replace(failure, path=task.path)

    monkeypatch.setattr("tagger.tagging.listening.analyse_task", elsewhere)
    done = run("tag", "--scheduler", cluster.address, music)
    assert (done.code, done.out) == (2, "")
    assert "its storage must be mounted at the same place on all machines" in done.err
    monkeypatch.undo()
    assert Counter(run("tag", music).statuses.values()) == {"written": 2}
