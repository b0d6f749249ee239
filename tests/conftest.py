"""Fixtures that cost too much to make in every test module."""

from pathlib import Path

import pytest

from tests.library import make_model


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint that hears Rock in everything, with a confidence of about 0.6."""
    return make_model(tmp_path_factory.mktemp("model") / "rock.pt")
