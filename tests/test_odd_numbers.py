"""Numbers that no column holds, as file systems, tags and decoders may give them."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagger.catalog import Catalog
from tagger.files.stats import audio_file
from tests.catalogs import Location, assert_consistent, entry, filled, planned
from tests.library import make_tracks, run_tagger

_A_DAY_S = 86_400
FAR_DATES_S = {"2400": 157_000 * _A_DAY_S, "1600": -135_000 * _A_DAY_S}


@pytest.mark.usefixtures("in_process")
@pytest.mark.parametrize("year", FAR_DATES_S)
def test_a_file_of_a_far_date_is_tagged_known_again_and_taken_back(
    music: Path, location: Location, model: Path, year: str
) -> None:
    far, plain = make_tracks(music, 2)
    os.utime(far, (0, FAR_DATES_S[year]))
    before = [far.read_bytes(), plain.read_bytes()]
    common = ("--catalog", location, "--format", "jsonl", "--preserve-mtime")
    tag = ("tag", "--model", model, *common, music)
    first = run_tagger(*tag)
    assert set(first.statuses.values()) == {"written"}, first.err
    assert set(run_tagger(*tag).statuses.values()) == {"unchanged"}
    assert_consistent(location)
    undone = run_tagger("undo", *common)
    assert [record["exact"] for record in undone.records] == [True, True]
    assert [far.read_bytes(), plain.read_bytes()] == before


@given(st.integers(-(1 << 70), 1 << 70))
def test_whatever_stat_says_fits_a_database(number: int) -> None:
    said = os.stat_result((0,) * 10, {"st_mtime_ns": number, "st_ctime_ns": number})
    file = audio_file(Path("/m/a"), Path("/m"), said)
    assert all(-(1 << 63) <= n < 1 << 63 for n in (file.mtime_ns, file.ctime_ns))
    assert number not in range(-(1 << 63), 1 << 63) or file.mtime_ns == number


def test_a_number_that_a_column_cannot_hold_does_not_end_a_run(location: Location) -> None:
    huge = entry("a.mp3")
    for name in ("size_bytes", "mtime_ns", "ctime_ns", "inode"):
        object.__setattr__(huge.file, name, 1 << 70)
    with filled(location, huge) as catalog:
        catalog.journal(1, [planned(huge)])
    with Catalog.open(location) as catalog:
        assert [row.path for row in catalog.tracks()] == [huge.file.path]
