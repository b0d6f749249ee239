"""Fixtures that cost too much to make in every test module, and how tests run side by side."""

import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import joblib
import pytest
import torch
from threadpoolctl import threadpool_limits

from tagger.catalog import Catalog
from tests import catalogs
from tests.catalogs import Location
from tests.library import Outcome, Run, make_model, map_in_process, run_tagger
from tests.postgres import Server, running_server

# No test, and it imports what the extra [mutations] brings alone.
collect_ignore = ["mutants.py"]

_MAX_WORKERS = 8  # each takes half a gigabyte, and may start a PostgreSQL server
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def pytest_xdist_auto_num_workers() -> int:
    """Give how many workers ``-n auto`` means: one more than cores, since some tests wait."""
    n_cores: int = joblib.cpu_count()
    return min(n_cores + 1, _MAX_WORKERS)


def pytest_configure() -> None:
    """Let a worker, and the processes that it starts, compute on one thread: cores are taken.

    Whatever librosa compiles when it is first imported is compiled quickly, not to run quickly.
    """
    os.environ.setdefault("NUMBA_OPT", "0")
    if "PYTEST_XDIST_WORKER" in os.environ:
        os.environ.update(dict.fromkeys(_THREADS, "1"))
        torch.set_num_threads(1)
        threadpool_limits(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put slow ones first: else the last of them is waited for while cores are idle.

    Workers are given equal parts of the list, one after the other; each part begins with its share.
    """
    n_parts = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    slow = [item for item in items if item.get_closest_marker("slow")]
    quick = [item for item in items if not item.get_closest_marker("slow")]
    ends = [len(quick) * i // n_parts for i in range(n_parts + 1)]
    parts = [slow[i::n_parts] + quick[ends[i] : ends[i + 1]] for i in range(n_parts)]
    items[:] = [item for part in parts for item in part]


@pytest.fixture(autouse=True)
def caught() -> Iterator[list[str]]:
    """What the nets of tagger.nets catch; a test that puts a fault there clears it."""
    found: list[str] = []
    listener = logging.Handler()
    listener.emit = lambda record: found.append(listener.format(record))  # type: ignore[method-assign]
    nets = logging.getLogger("tagger.nets")
    nets.setLevel(logging.DEBUG)
    nets.addHandler(listener)
    yield found
    nets.removeHandler(listener)
    assert not found, f"a net caught a fault that no test put there: {found[0]}"


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint that hears Rock in everything, with a confidence of about 0.6."""
    return make_model(tmp_path_factory.mktemp("model") / "rock.pt")


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """An empty folder for music."""
    folder = tmp_path / "music"
    folder.mkdir()
    return folder


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where a catalogue is to be."""
    return tmp_path / "catalog.db"


@pytest.fixture(scope="session", autouse=True)
def own_data_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing is put into, or found in, the data folder of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(scope="session", autouse=True)
def quick_new_catalogs() -> Iterator[None]:
    """The migrations run once for all new files of a session, and whenever an old one is met."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tagger.catalog.upgrade.migrate", catalogs.migrate)
        yield


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL server."""
    with running_server() as running:
        yield running


@pytest.fixture(scope="session")
def new_database(server: Server) -> Callable[[], str]:
    """Make a database with an empty catalogue in it; gives its URL."""
    template = server.new_database()
    Catalog.open(template).close()
    return lambda: server.new_database(template=template)


def make_location(request: pytest.FixtureRequest, folder: Path) -> Location:
    """Return where a catalogue is to be: a file in the folder, or a database with an empty one."""
    if request.param == "sqlite":
        return folder / "catalog.db"
    url: str = request.getfixturevalue("new_database")()
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    """Where a catalogue is to be: a file, and then a database."""
    return make_location(request, tmp_path)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_location(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    """Where a catalogue is to be made: no file yet, and then a database without tables."""
    if request.param == "sqlite":
        return tmp_path / "catalog.db"
    server: Server = request.getfixturevalue("server")
    return server.new_database()


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tracks are analysed in this process, since no test of that module is about workers."""
    monkeypatch.setattr("tagger.hearing.pool.map_unordered", map_in_process)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Small matrices are multiplied on one thread, as learning does it."""
    with threadpool_limits(1):
        yield


@pytest.fixture
def run(place: Path, model: Path) -> Run:
    """Run a command on one catalogue; `tag` with the network that hears Rock in everything."""

    def run_command(command: str, *arguments: str | Path) -> Outcome:
        chosen = ("--model", model) if command == "tag" and "--model" not in arguments else ()
        common = ("--catalog", place, "--format", "jsonl")
        return run_tagger(command, *common, *chosen, *arguments)

    return run_command


@pytest.fixture
def catalog(place: Path) -> Iterator[Catalog]:
    """An empty catalogue, open."""
    with Catalog.open(place) as opened:
        yield opened
