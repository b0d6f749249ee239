"""A few of the hostile files that ``python -m tests.fuzz_hearing`` makes by the thousand."""

from pathlib import Path

import pytest

from tests.bombs import COSTLY
from tests.fuzz_hearing import MOST_RESIDENT, fuzz, run_on
from tests.library import make_track


@pytest.mark.slow
def test_hostile_files_end_no_run_and_cost_the_parent_little_memory() -> None:
    counts, cost = fuzz(60)
    assert counts.total() == 60
    assert cost.parent < MOST_RESIDENT
    assert len(counts) > 2, counts  # some are written, some refused


@pytest.mark.slow
def test_a_short_file_that_inflates_costs_neither_parent_nor_worker_much(
    tmp_path: Path, model: Path
) -> None:
    folder = tmp_path / "music"
    make_track(folder / "sane.flac")
    for name, make in COSTLY.items():
        (folder / name).write_bytes(make())
    results, cost = run_on(folder, model)
    became = {Path(result["path"]).name: result for result in results}
    assert became.pop("sane.flac")["status"] == "written"
    assert became.keys() == COSTLY.keys()
    told = {name: (result["error"] or {}).get("reason", "") for name, result in became.items()}
    by_limit = ("compressed frames that hold", "more than 4,096 parts", "parts within parts")
    others = {name: why for name, why in told.items() if not any(w in why for w in by_limit)}
    assert others.keys() == {"an index.m4a", "attributes.wma"}, others
    assert "takes more than 1024 MB of memory" in others["an index.m4a"]
    assert cost.worker < 1 << 30, cost
