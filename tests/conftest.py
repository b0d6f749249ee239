"""Fixtures that cost too much to make in every test module."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tagger.catalog import Catalog
from tests.library import Outcome, Run, make_model, map_in_process, run_tagger


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


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tracks are analysed in this process, since no test of that module is about workers."""
    monkeypatch.setattr("tagger.pipeline.map_unordered", map_in_process)


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
