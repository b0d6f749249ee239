"""A few of the hostile files that ``python -m tests.fuzz_hearing`` makes by the thousand."""

import pytest

from tests.fuzz_hearing import MOST_RESIDENT, fuzz


@pytest.mark.slow
def test_hostile_files_end_no_run_and_cost_the_parent_little_memory() -> None:
    counts, resident = fuzz(60)
    assert counts.total() == 60
    assert resident < MOST_RESIDENT
    assert len(counts) > 2, counts  # some are written, some refused
