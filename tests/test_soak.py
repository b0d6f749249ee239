"""A small sample of the soak; `python -m tests.soak` is the whole of it."""

from pathlib import Path

from tests.soak import Soak


def test_kills_at_random_moments_lose_nothing(tmp_path: Path) -> None:
    counts = Soak(tmp_path, copies=2).run(n_kills=12)
    assert counts["kills"] >= 12
    assert counts["rounds"] >= 1
