"""Small samples of `python -m tests.soak` and of its kin, `tests.soak_pairs` and others."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.library import map_in_process
from tests.soak_moves import AFTER
from tests.soak_rescans import Soak

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent


def counts_of(soak: str, *options: str) -> dict[str, int]:
    """Run a soak in a process of its own: it forks, which one that has threads must not do."""
    command = [sys.executable, "-m", soak, *options]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=840, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    told = (line.split(": ") for line in done.stdout.splitlines() if ": " in line)
    return {name: int(n) for name, n in told}


def test_kills_at_random_moments_lose_nothing() -> None:
    counts = counts_of("tests.soak", "-n", "6", "--copies", "2")
    assert counts["kills"] >= 6
    assert counts["rounds"] >= 1


def test_kills_while_the_owners_tags_decide_lose_nothing() -> None:
    counts = counts_of("tests.soak_evidence", "-n", "6", "--copies", "2")
    assert counts["kills"] >= 6
    assert counts["rounds"] >= 1


def test_kills_after_which_something_moves_lose_nothing() -> None:
    counts = counts_of("tests.soak_moves", *(f"--after={what}" for what in AFTER), "-n", "2")
    assert {what: counts[f"kills before {what}"] for what in AFTER} == dict.fromkeys(AFTER, 2)


@pytest.mark.parametrize("options", [(), ("--postgresql",)])
def test_two_processes_tag_a_library_at_once(options: tuple[str, ...]) -> None:
    counts = counts_of("tests.soak_pairs", "-n", "2", *options)
    assert counts["rounds"] == 2
    assert counts["files"] == 16


def test_a_watched_library_is_tagged_whatever_happens_to_it() -> None:
    counts = counts_of("tests.soak_watch", "-n", "25", "--seed", "1", "--kills")
    assert counts["kill"] >= 1
    assert sum(counts.values()) == 25


def test_a_library_that_changes_is_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tagger.hearing.pool.map_unordered", map_in_process)
    soak = Soak(tmp_path, seed=2)
    soak.run(40)
    assert sum(soak.counts.values()) == 40


def test_the_model_notices_a_row_that_did_not_follow_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tagger.hearing.pool.map_unordered", map_in_process)
    monkeypatch.setattr("tagger.tagging.recognition._is_gone", lambda copy: False)
    with pytest.raises(AssertionError):
        Soak(tmp_path, seed=2).run(40)
