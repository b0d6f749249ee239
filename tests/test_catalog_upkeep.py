"""Looking after a catalogue: checks that find what is wrong, backups that can be put back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tagger.catalog import Catalog, WriteQuery
from tagger.catalog.upkeep import back_up, check, restore, upgrade_schema
from tagger.errors import CatalogError
from tagger.records import FileChange, Patch
from tests.catalogs import (
    MODEL,
    assert_consistent,
    begin,
    embedding,
    entries,
    entry,
    filled,
    planned,
)


@pytest.fixture
def catalog(place: Path) -> Iterator[Catalog]:
    """A catalogue with ten tracks, open."""
    with filled(place, *entries(0, 10)) as opened:
        yield opened


def change(place: Path, *statements: str) -> None:
    """Change a catalogue by hand, as nobody should."""
    with closing(sqlite3.connect(place)) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()


# Check


def test_a_catalogue_as_the_tagger_left_it_is_sound(place: Path, catalog: Catalog) -> None:
    catalog.journal(1, [planned(one) for one in entries(3, 5)])
    health = check(place)
    assert health.complaints == ()
    assert [path.name for path in health.open_writes] == ["00003.mp3", "00004.mp3"]
    assert health.is_current


@pytest.mark.parametrize(
    ("statement", "problem", "n"),
    [
        ("UPDATE runs SET by_genre = 'x'", "cannot be read", 1),
        ("UPDATE tracks SET genre = 'x', title = 'x' WHERE track_id < 4", "keys for searching", 3),
        ("UPDATE tracks SET heard_genres = '[]', file_genres = '[]'", "lists of genres", 10),
        ("UPDATE files SET name = 'x' WHERE file_id = 1", "names for reading", 1),
        ("UPDATE roots SET name = 'x'", "names for reading", 1),
        ("UPDATE files SET track_id = NULL WHERE file_id = 2", "tracks without a file", 1),
        ("UPDATE models SET labels = '[\"Pop\"]'", "predictions with labels", 10),
        ("UPDATE predictions SET block_row = 99 WHERE track_id = 3", "blocks of embeddings", 1),
        ("UPDATE predictions SET block_id = NULL WHERE track_id = 3", "blocks of embeddings", 1),
        (
            "UPDATE embedding_blocks SET vectors = CAST(x'00' || vectors AS BLOB)",
            "blocks of embeddings",
            1,
        ),
        ("UPDATE files SET relative = 'a.mp3' WHERE file_id = 1", "values of files.relative", 1),
        ("UPDATE embedding_blocks SET n_rows = 20", "blocks of embeddings", 1),
    ],
)
def test_a_contradiction_is_found(place: Path, statement: str, problem: str, n: int) -> None:
    filled(place, *entries(0, 10)).close()
    change(place, statement)
    (found,) = check(place).complaints
    assert problem in found.problem
    assert found.n == n


def test_an_odd_journal_is_found(place: Path, catalog: Catalog) -> None:
    catalog.journal(1, [planned(one) for one in entries(0, 3)])
    change(
        place,
        "UPDATE journal SET state = 'lost' WHERE journal_id = 1",
        "UPDATE journal SET state = 'done' WHERE journal_id = 2",
        "INSERT INTO rollbacks VALUES (2, zeroblob(3))",
    )
    assert "cannot be read" in check(place).complaints[0].problem
    change(place, "DELETE FROM rollbacks")
    (found,) = check(place).complaints
    assert (found.problem, found.example) == ("journal entries in no known state", "entry 1")


def test_bytes_kept_for_a_closed_write_are_found(place: Path, catalog: Catalog) -> None:
    change_of_file = FileChange((Patch(0, b"a", b"b"),), 10, 20)
    write = replace(planned(entry("a.mp3")), overwritten=change_of_file)
    catalog.journal(1, [write])
    change(place, "UPDATE journal SET state = 'done'")
    (found,) = check(place).complaints
    assert found.problem == "bytes kept for writes that are closed"


def test_damage_and_broken_references_are_found(place: Path) -> None:
    filled(place, *entries(0, 200)).close()
    with closing(sqlite3.connect(place)) as database:
        database.execute("PRAGMA foreign_keys = OFF")
        database.execute("DELETE FROM runs")
        database.commit()
    assert check(place).complaints[0].problem == (
        "a row of tracks refers to one of runs that is not there"
    )
    with place.open("r+b") as file:
        file.seek(place.stat().st_size // 2)
        file.write(b"\xa5" * 8192)
    assert check(place).complaints


def test_what_others_put_into_the_file_is_no_concern_of_a_check_or_a_backup(place: Path) -> None:
    filled(place, *entries(0, 10)).close()
    change(place, "CREATE TABLE mine (x, y FANCY)", "INSERT INTO mine VALUES (1, 'a')", "ANALYZE")
    assert check(place).complaints == ()
    back_up(place)


def test_a_check_changes_nothing(place: Path) -> None:
    filled(place, *entries(0, 10)).close()
    before = place.read_bytes()
    check(place)
    assert place.read_bytes() == before
    assert list(place.parent.iterdir()) == [place]


# Backup and restore


def test_a_backup_is_a_catalogue_of_its_own(place: Path, catalog: Catalog) -> None:
    copy = back_up(place)
    assert copy.parent == place.parent
    catalog.record(1, entries(10, 20))
    assert_consistent(copy)
    with Catalog.open(copy, read_only=True) as opened:
        assert opened.counts().n_tracks == 10


def test_a_backup_is_made_while_another_process_writes(place: Path, catalog: Catalog) -> None:
    with closing(sqlite3.connect(place, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE tracks SET title = 'half'")
        copy = back_up(place)
        other.execute("ROLLBACK")
    with Catalog.open(copy, read_only=True) as opened:
        assert {row.title for row in opened.tracks()} == {f"Title {n}" for n in range(10)}


def test_a_backup_never_replaces_what_is_none(
    place: Path, catalog: Catalog, tmp_path: Path
) -> None:
    note = tmp_path / "note"
    note.write_text("to do")
    whys = {place: "the catalogue itself", tmp_path: "no ordinary file", note: "no catalogue is"}
    for target, why in whys.items():
        with pytest.raises(CatalogError, match=why):
            back_up(place, target)
    assert note.read_text() == "to do"
    assert catalog.counts().n_tracks == 10


def test_a_backup_replaces_an_older_one_and_with_force_anything(
    place: Path, catalog: Catalog, tmp_path: Path
) -> None:
    target, note = tmp_path / "copy.db", tmp_path / "note"
    (tmp_path / "copy.db.part").write_text("somebody's")
    note.write_text("to do")
    back_up(place, target)
    catalog.record(1, entries(10, 20))
    for path, force in ((target, False), (note, True)):
        back_up(place, path, force=force)
        with Catalog.open(path, read_only=True) as opened:
            assert opened.counts().n_tracks == 20
    assert (tmp_path / "copy.db.part").read_text() == "somebody's"


def test_a_backup_never_takes_the_place_of_a_catalogue_in_use(
    place: Path, catalog: Catalog, tmp_path: Path
) -> None:
    other = tmp_path / "other.db"
    with filled(other, *entries(0, 3)), pytest.raises(CatalogError, match="in use"):
        back_up(place, other, force=True)


def test_a_backup_of_a_damaged_catalogue_is_none(place: Path) -> None:
    filled(place, *entries(0, 200)).close()
    with place.open("r+b") as file:
        file.seek(place.stat().st_size // 2)
        file.write(b"\xa5" * 8192)
    with pytest.raises(CatalogError, match="no backup can be made"):
        back_up(place)
    assert list(place.parent.iterdir()) == [place]


def test_a_backup_is_put_back_and_what_was_there_is_kept(place: Path) -> None:
    filled(place, *entries(0, 10)).close()
    copy = back_up(place)
    with Catalog.open(place) as catalog:
        catalog.record(1, entries(10, 20))
    kept = restore(place, copy).kept
    assert kept is not None
    for path, n in ((place, 10), (kept, 20), (copy, 10)):
        assert_consistent(path)
        with Catalog.open(path, read_only=True) as opened:
            assert opened.counts().n_tracks == n
            assert len(opened.embeddings(MODEL.model_id).track_ids) == n
    assert sorted(place.parent.iterdir()) == sorted([place, copy, kept])


def test_a_backup_takes_the_place_of_a_damaged_or_lost_catalogue(place: Path) -> None:
    filled(place, *entries(0, 200)).close()
    copy = back_up(place)
    with place.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * 65536)
    assert restore(place, copy).kept is not None
    assert check(place).complaints == ()
    place.unlink()
    assert restore(place, copy).kept is None
    assert check(place).complaints == ()


def test_writes_made_since_a_backup_can_be_undone_after_it_was_put_back(place: Path) -> None:
    with filled(place, *entries(0, 10)) as catalog:
        (closed_later,) = catalog.journal(1, [planned(entries(0, 1)[0])])
        copy = back_up(place)
        catalog.journal_done([closed_later])
        run_id = begin(catalog)
        later = planned(entry("later.mp3"))
        catalog.journal_done(catalog.journal(run_id, [later]))
    restore(place, copy)
    with Catalog.open(place) as catalog:
        assert [run.n_standing for run in catalog.runs()] == [1, 1]
        (entry_of_later,) = catalog.standing_writes(WriteQuery(run_id=run_id))
        assert entry_of_later.write == later.write
        assert catalog.pending_writes() == []
        assert catalog.journal(run_id, [planned(entry("b.mp3"))]) == [3]
    assert_consistent(place)


def test_at_each_moment_of_a_restore_a_catalogue_stands_at_its_place(
    place: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = back_up(place)
    catalog.close()

    def cut(_draft: Path, target: Path) -> None:
        assert_consistent(target)
        raise OSError("the power is cut")

    monkeypatch.setattr("tagger.catalog.sqlite.store.put_in_place", cut)
    with pytest.raises(OSError, match="the power is cut"):
        restore(place, copy)
    assert_consistent(place)


def test_a_catalogue_in_use_is_not_replaced(place: Path, catalog: Catalog) -> None:
    copy = back_up(place)
    catalog.record(1, entries(10, 20))
    with pytest.raises(CatalogError, match="has it open; close it"):
        restore(place, copy)
    assert catalog.counts().n_tracks == 20
    assert not place.with_name(f"{place.name}.restored").exists()


def test_what_is_no_backup_is_not_put_back(place: Path, tmp_path: Path) -> None:
    filled(place, *entries(0, 10)).close()
    shopping = tmp_path / "list.txt"
    shopping.write_text("my shopping list, " * 100)
    for source, why in ((shopping, "not a catalogue"), (tmp_path / "none", "no such backup")):
        with pytest.raises(CatalogError, match=why):
            restore(place, source)
    with Catalog.open(place, read_only=True) as opened:
        assert opened.counts().n_tracks == 10


def test_an_upgrade_of_what_is_up_to_date_does_nothing(place: Path) -> None:
    filled(place, *entries(0, 10)).close()
    assert upgrade_schema(place).backup is None
    assert list(place.parent.iterdir()) == [place]
    with pytest.raises(CatalogError, match="no catalogue here yet"):
        upgrade_schema(place.with_name("none.db"))


# Export


def test_an_export_gives_all_that_is_known(catalog: Catalog) -> None:
    exported = list(catalog.exported())
    assert [one.row for one in exported] == list(catalog.tracks())
    first = exported[0]
    assert first.probabilities == {"Pop": 0.25, "Rock": 0.75}
    assert (first.model_id, first.row.tags.genres, first.row.tags.provenance) == (
        MODEL.model_id,
        ("Rock",),
        "Rock; 0.75; cnn-1",
    )
    assert (first.size_bytes, first.mtime_ns) == (1000, 1_700_000_000_123_456_789)
    np.testing.assert_array_equal(catalog.embeddings(MODEL.model_id).vectors[0], embedding(0))
