"""A small sample of the soak; `python -m tests.soak` is the whole of it."""

import subprocess
import sys
from pathlib import Path

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
