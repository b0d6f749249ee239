"""A library moved as a whole: all rows follow, and none is lost where some are known there."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tagger.catalog import Catalog, TrackQuery, WriteQuery
from tagger.errors import CatalogError
from tests.catalogs import MODEL, MUSIC, assert_consistent, begin, entries, entry, filled, planned
from tests.library import run_tagger

NEW = Path("/mnt/disk/songs")


def paths(catalog: Catalog, under: Path | None = None) -> list[str]:
    return [str(row.path) for row in catalog.tracks(TrackQuery(under=under))]


def test_rows_history_and_embeddings_follow_the_library(place: Path) -> None:
    with filled(place, *entries(0, 1200)) as catalog:
        before = catalog.embeddings(MODEL.model_id)
        moved = catalog.relocate(MUSIC, NEW)
        assert (moved.n_files, moved.n_joined, moved.left) == (1200, 0, ())
        assert paths(catalog)[0] == "/mnt/disk/songs/album/00000.mp3"
        assert paths(catalog, MUSIC) == []
        assert (catalog.embeddings(MODEL.model_id).track_ids == before.track_ids).all()
        assert catalog.info(NEW / "album" / "00007.mp3") is not None
    assert_consistent(place)


def test_it_is_one_change_where_nothing_is_known_at_the_new_place(place: Path) -> None:
    with filled(place, *entries(0, 5)) as catalog:
        catalog.relocate(MUSIC, NEW)
    with closing(sqlite3.connect(place)) as database:
        assert database.execute("SELECT name, device FROM roots").fetchall() == [(str(NEW), None)]


def test_a_part_of_a_library_may_move_alone(place: Path) -> None:
    with filled(place, entry("a/1.mp3", 1), entry("b/2.mp3", 2), entry("ab/3.mp3", 3)) as catalog:
        assert catalog.relocate(MUSIC / "a", NEW).n_files == 1
        assert paths(catalog) == ["/mnt/disk/songs/1.mp3", "/music/ab/3.mp3", "/music/b/2.mp3"]
        catalog.relocate(NEW, MUSIC / "c")
        assert paths(catalog) == ["/music/ab/3.mp3", "/music/b/2.mp3", "/music/c/1.mp3"]
    assert_consistent(place)


def test_what_is_known_at_both_places_becomes_one_with_both_histories(place: Path) -> None:
    old = entry("a.mp3", 1, audio="1-aa")
    new = entry("a.mp3", 1, root=NEW, audio="1-aa")
    other = entry("b.mp3", 2, root=NEW, audio="2-bb")
    with filled(place, old, new, other) as catalog:
        run_id = begin(catalog)
        for one in (old, new):
            catalog.journal_done(catalog.journal(run_id, [planned(one)]))
        moved = catalog.relocate(MUSIC, NEW)
        assert (moved.n_files, moved.n_joined, moved.left) == (1, 1, ())
        assert paths(catalog) == ["/mnt/disk/songs/a.mp3", "/mnt/disk/songs/b.mp3"]
        standing = catalog.standing_writes(WriteQuery(run_id=run_id))
        assert [one.file.path for one in standing] == [NEW / "a.mp3"] * 2
    assert_consistent(place)


@pytest.mark.parametrize("audio", ["9-ff", None])
def test_another_recording_in_its_place_keeps_a_row_where_it_is(
    place: Path, audio: str | None
) -> None:
    old, new = entry("a.mp3", 1, audio=audio), entry("a.mp3", 2, root=NEW, audio="1-aa")
    with filled(place, old, new, entry("b.mp3", 3, audio="3-cc")) as catalog:
        moved = catalog.relocate(MUSIC, NEW)
        assert moved.left == (MUSIC / "a.mp3",)
        assert paths(catalog) == [
            "/mnt/disk/songs/a.mp3",
            "/mnt/disk/songs/b.mp3",
            "/music/a.mp3",
        ]
    assert_consistent(place)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (MUSIC, MUSIC / "a", "lies in the other"),
        (MUSIC / "a", MUSIC, "lies in the other"),
        (Path("/nowhere"), NEW, "no file is known in /nowhere"),
    ],
)
def test_what_makes_no_sense_changes_nothing(
    place: Path, old: Path, new: Path, reason: str
) -> None:
    with filled(place, *entries(0, 3)) as catalog:
        before = paths(catalog)
        with pytest.raises(CatalogError, match=reason):
            catalog.relocate(old, new)
        assert paths(catalog) == before


def test_the_command_says_what_it_did(place: Path, tmp_path: Path) -> None:
    filled(place, *entries(0, 3)).close()
    outcome = run_tagger("catalog", "relocate", "--catalog", place, MUSIC, tmp_path)
    assert (outcome.code, outcome.out) == (0, "")
    assert outcome.err == f"3 files are known in {tmp_path} now\n"
    again = run_tagger("catalog", "relocate", "--catalog", place, MUSIC, tmp_path)
    assert again.code == 2
    assert "no file is known in /music" in again.err
