"""``prune`` forgets what has vanished, all of it, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tagger.catalog import Catalog, FailedFile, WriteQuery
from tagger.catalog.opening import store_of
from tagger.catalog.upkeep import check
from tagger.reasons import Reason
from tagger.records import Stage, TrackFailure
from tests.catalogs import (
    MODEL,
    MUSIC,
    Location,
    assert_consistent,
    audio_file,
    begin,
    database,
    entries,
    entry,
    filled,
    planned,
)
from tests.library import run_tagger

TABLES = ("files", "tracks", "predictions", "track_genres", "failures", "journal")


def vanish(location: Location, *names: str) -> None:
    """Mark files as gone."""
    with database(location) as connection:
        for name in names:
            connection.execute(
                f"UPDATE files SET vanished_at = '2026-01-31T12:00:00Z' WHERE name = '{name}'"
            )


def n_rows(location: Location) -> dict[str, int]:
    with database(location) as connection:
        counted = {t: connection.execute(f"SELECT count(*) FROM {t}") for t in TABLES}
        return {table: cursor.fetchone()[0] for table, cursor in counted.items()}


def names(n: int) -> list[str]:
    return [f"album/{number:05d}.mp3" for number in range(n)]


def test_what_has_vanished_is_forgotten_with_all_that_belongs_to_it(location: Location) -> None:
    bad = audio_file("bad.mp3")
    with filled(location, *entries(0, 10)) as catalog:
        catalog.record_failures(
            1, [FailedFile(bad, TrackFailure(bad.path, Stage.DECODE, Reason.told("text")))]
        )
        catalog.journal_done(catalog.journal(1, [planned(one) for one in entries(0, 5)]))
        before = n_rows(location)
        vanish(location, "bad.mp3", *names(4))
        gone = catalog.prune()
        assert [one.path for one in gone] == [MUSIC / name for name in [*names(4), "bad.mp3"]]
        assert [one.n_undoable for one in gone] == [1, 1, 1, 1, 0]
        less = {"files": 5, "failures": 1, "journal": 4}
        assert n_rows(location) == {t: n - less.get(t, 4) for t, n in before.items()}
        assert len(catalog.embeddings(MODEL.model_id).track_ids) == 6
        assert [run.n_standing for run in catalog.runs()] == [1]
        assert catalog.prune() == []
    assert_consistent(location)
    assert check(location).complaints == ()


def test_a_pruned_catalogue_takes_new_tracks_in(location: Location) -> None:
    with filled(location, *entries(0, 300)) as catalog:
        vanish(location, *names(300))
        assert len(catalog.prune()) == 300
        assert catalog.embeddings(MODEL.model_id).vectors.shape == (0, 8)
        catalog.record(begin(catalog), entries(0, 20))
        assert catalog.counts().n_tracks == 20
    assert check(location).complaints == ()


def test_only_what_lies_in_the_folder_asked_for_is_forgotten(location: Location) -> None:
    with filled(location, *entries(0, 2), entry("other/a.mp3")) as catalog:
        vanish(location, *names(2), "other/a.mp3")
        assert [one.path for one in catalog.vanished(MUSIC / "other")] == [MUSIC / "other/a.mp3"]
        assert len(catalog.prune(MUSIC / "other")) == 1
        assert len(catalog.vanished()) == 2


def test_a_file_that_a_write_was_broken_off_in_is_kept(location: Location) -> None:
    with filled(location, *entries(0, 2)) as catalog:
        catalog.journal(1, [planned(entries(0, 1)[0])])
        vanish(location, *names(2))
        assert [one.is_open for one in catalog.prune()] == [True, False]
        assert len(catalog.pending_writes()) == 1
        assert [one.path for one in catalog.vanished()] == [MUSIC / names(1)[0]]
    assert_consistent(location)


def test_a_root_without_files_is_forgotten_and_can_come_back(location: Location) -> None:
    other = Path("/elsewhere")
    with filled(location, *entries(0, 2), entry("a.mp3", root=other)) as catalog:
        vanish(location, "a.mp3")
        catalog.prune()
        with database(location) as connection:
            assert connection.execute("SELECT name FROM roots").fetchall() == [("/music",)]
        catalog.record(1, [entry("a.mp3", root=other)])
        assert len(list(catalog.tracks())) == 3


def test_the_chronicle_forgets_too_and_numbers_may_be_used_again(location: Location) -> None:
    first, second, third = entries(0, 3)
    with filled(location, first, second, third) as catalog:
        written = catalog.journal(1, [planned(first), planned(second)])
        catalog.journal_done(written)
        undone = catalog.journal(1, [replace(planned(second), undoes=written[1])])
        catalog.journal_done(undone)
        vanish(location, names(2)[1])
        catalog.prune()
        again = catalog.journal(1, [planned(third)])
        catalog.journal_done(again)
        standing = [one.file.path for one in catalog.standing_writes(WriteQuery())]
    with Catalog.empty(location) as from_chronicle:
        found = [one.file.path for one in from_chronicle.standing_writes(WriteQuery())]
    assert found == standing == [third.file.path, first.file.path]
    assert store_of(location).chronicle.read_bytes().count(b"forgotten") == 1


def test_the_command_says_what_it_forgets_and_a_dry_run_forgets_nothing(place: Path) -> None:
    with filled(place, *entries(0, 3)) as catalog:
        catalog.journal_done(catalog.journal(1, [planned(entries(0, 1)[0])]))
    vanish(place, *names(2))
    common = ("--catalog", place)
    before = n_rows(place)
    planned_only = run_tagger("catalog", "prune", "--dry-run", *common)
    assert planned_only.out == "/music/album/00000.mp3\n/music/album/00001.mp3\n"
    assert planned_only.err == (
        "2 vanished would be forgotten, with 1 tag that could have been undone\n"
    )
    assert n_rows(place) == before
    records = run_tagger("catalog", "prune", "--format", "jsonl", *common).records
    assert [(one["undoable"], one["forgotten"]) for one in records] == [(1, True), (0, True)]
    assert records[0]["vanished"] == "2026-01-31T12:00:00+00:00"
    assert run_tagger("catalog", "prune", *common).err == "0 vanished were forgotten\n"
    assert_consistent(place)
