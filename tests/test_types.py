"""The types of the whole tree fit."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.slow
@pytest.mark.timeout(1200)  # without a cache a minute of one core that nothing else uses
def test_mypy_finds_no_fault() -> None:
    """One test among others, so that mypy, which knows one core alone, keeps no other idle."""
    done = subprocess.run(
        [sys.executable, "-m", "mypy"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
