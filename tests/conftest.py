"""Fixtures that cost too much to make in every test module."""

from pathlib import Path

import pytest

from tests.library import make_model, map_in_process


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
