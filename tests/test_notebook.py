"""The notebook: it runs from top to bottom, and what is kept of its outputs is small and clean."""

import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.synthetic import write_features
from tests.test_training import TINY
from training.recipe import make_checkpoint

pytestmark = pytest.mark.slow

PATH = Path(__file__).parent.parent / "notebooks" / "fma_small.ipynb"
LARGEST = 600_000


def kept() -> Any:
    """Return the notebook as it stands in the repository."""
    read: Any = nbformat.read
    return read(PATH, as_version=4)


def executed(monkeypatch: pytest.MonkeyPatch, **environment: Path) -> Any:
    """Run the notebook with those variables and no others of its own; return it."""
    for name in ("FMA_FEATURES", "FMA_CHECKPOINT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, str(value))
    notebook = kept()
    resources = {"metadata": {"path": str(PATH.parent)}}
    return NotebookClient(notebook, timeout=840, resources=resources).execute()


def cells_of(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def text_of(notebook: Any) -> str:
    outputs = [output for cell in cells_of(notebook) for output in cell.outputs]
    return "".join(output.get("text", "") for output in outputs)


def n_pictures(notebook: Any) -> int:
    outputs = [output for cell in cells_of(notebook) for output in cell.outputs]
    return sum("image/png" in output.get("data", {}) for output in outputs)


def test_it_runs_on_a_made_up_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = executed(monkeypatch)
    assert "made-up.npz: 240 tracks by 60 artists" in text_of(notebook)
    assert n_pictures(notebook) == n_pictures(kept())


def test_it_looks_at_the_file_and_the_network_that_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    features = write_features(tmp_path / "mine.npz", n_tracks=200, n_artists=50)
    card = make_checkpoint(features, tmp_path / "mine.pt", TINY)
    notebook = executed(monkeypatch, FMA_FEATURES=features, FMA_CHECKPOINT=tmp_path / "mine.pt")
    text = text_of(notebook)
    assert "mine.npz: 200 tracks by 50 artists" in text
    accuracy = card.provenance["scores"]["test"]["accuracy"]
    assert f"{card.n_parameters:,} parameters" in text and f"accuracy {accuracy:.1%}" in text


def test_what_is_kept_is_of_one_run_small_and_names_no_machine() -> None:
    notebook = kept()
    counts = [cell.execution_count for cell in cells_of(notebook)]
    assert counts == list(range(1, len(counts) + 1))
    assert n_pictures(notebook) >= 8
    assert "FMA_FEATURES" not in text_of(notebook) and "tracks by" in text_of(notebook)
    assert PATH.stat().st_size < LARGEST
    outputs = json.dumps([cell.outputs for cell in cells_of(notebook)])
    assert not re.search(r"/(home|root|tmp|work|Users)/|[A-Z]:\\\\", outputs)
    assert '"stderr"' not in outputs and '"error"' not in outputs
