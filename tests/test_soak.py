"""Small samples of the soaks; `python -m tests.soak` and `tests.soak_rescans` are the whole."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.library import map_in_process
from tests.soak_rescans import Soak

ROOT = Path(__file__).parent.parent


def test_kills_at_random_moments_lose_nothing() -> None:
    # In a process of its own: it forks, which one that has threads must not do.
    command = [sys.executable, "-m", "tests.soak", "-n", "6", "--copies", "2"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=280, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    counts = dict(line.split(": ") for line in done.stdout.splitlines() if ": " in line)
    assert int(counts["kills"]) >= 6
    assert int(counts["rounds"]) >= 1


def test_a_library_that_changes_is_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tagger.pipeline.map_unordered", map_in_process)
    soak = Soak(tmp_path, seed=2)
    soak.run(40)
    assert sum(soak.counts.values()) == 40


def test_the_model_notices_a_row_that_did_not_follow_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tagger.pipeline.map_unordered", map_in_process)
    monkeypatch.setattr("tagger.recognition._is_gone", lambda copy: False)
    with pytest.raises(AssertionError):
        Soak(tmp_path, seed=2).run(40)
