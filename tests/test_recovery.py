"""What a kill left half written is put back, by this user's own catalogues, and no other file."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tagger.catalog import Catalog, PlannedWrite, WriteQuery, chronicle, packing
from tagger.catalog.sealing import SEAL_BYTES, Seal
from tagger.catalog.upkeep import back_up, check, restore
from tagger.errors import CatalogError
from tagger.files.stats import inode_of
from tagger.records import AudioFile, FileChange, Patch
from tagger.tagging.recovery import Settled, adopt, close_pending, settle
from tagger.tags import PreparedWrite, audio_identity, prepare_write
from tests import tagged
from tests.catalogs import assert_consistent, begin
from tests.library import journal, run_tagger, unlooked_at

KINDS = ["mp3 v2.3", "flac", "m4a", "wav", "aac", "tta", "ape", "wv", "mpc", "dsf", "dff", "wma"]
OURS = "Folk; 0.50; cnn-1"


def noted(path: Path, root: Path | None = None) -> AudioFile:
    stat = path.stat()
    root = root or path.parent
    return AudioFile(path, root, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, inode_of(stat))


def planned(path: Path, prepared: PreparedWrite, root: Path | None = None) -> PlannedWrite:
    file = noted(path, root)
    return PlannedWrite(
        file, prepared.write, kept=prepared.to_keep, overwritten=prepared.to_roll_back
    )


def half_of(path: Path, change: FileChange) -> None:
    """Leave a file as a kill would in the middle of a write in place."""
    with path.open("r+b") as file:
        for patch in reversed(change.patches):
            file.seek(patch.offset)
            file.write(patch.new[: max(1, len(patch.new) // 2)])


def torn(place: Path, path: Path, root: Path | None = None) -> bytes:
    """Let a run be killed in the middle of a write; return what stood in the file before."""
    before = path.read_bytes()
    with Catalog.open(place) as catalog, prepare_write(path, ["Folk"], provenance=OURS) as write:
        assert write.overwritten is not None
        catalog.journal(begin(catalog), [planned(path, write, root)])
        half_of(path, write.overwritten)
    assert path.read_bytes() != before
    return before


@pytest.fixture
def somebody_else(tmp_path: Path) -> Callable[[pytest.MonkeyPatch], None]:
    """Become another user, who has a data folder of his own."""

    def become(patch: pytest.MonkeyPatch) -> None:
        patch.setenv("XDG_DATA_HOME", str(tmp_path / "another"))

    return become


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_was_renamed_since_is_put_back_on_the_first_start(
    music: Path, place: Path, kind: str
) -> None:
    path = tagged.make(music, kind)
    before, sound = torn(place, path), None
    moved = music / "elsewhere" / f"other{path.suffix}"
    moved.parent.mkdir()
    path.rename(moved)
    with Catalog.open(place) as catalog:
        assert settle(catalog) == Settled(n_dropped=1)
    assert moved.read_bytes() == before
    sound = audio_identity(moved)
    assert sound
    assert check(place).open_writes == ()


def test_a_file_is_found_by_its_inode_in_the_folders_of_the_next_run(
    music: Path, place: Path, tmp_path: Path
) -> None:
    path = tagged.make(music, "ape")
    before = torn(place, path)
    music.rename(tmp_path / "Music of mine")
    moved = tmp_path / "Music of mine" / path.name
    with Catalog.open(place) as catalog:
        assert settle(catalog).still_open == (path,)
        assert settle(catalog, [moved.parent]).n_dropped == 1
    assert moved.read_bytes() == before


def test_another_file_in_its_place_is_left_alone_and_the_right_one_put_back(
    music: Path, place: Path
) -> None:
    path = tagged.make(music, "mp3 v2.3")
    before = torn(place, path)
    path.rename(music / "moved.mp3")
    path.write_bytes(tagged.sound("mp3") + b"somebody's")
    with Catalog.open(place) as catalog:
        close_pending(catalog)
    assert path.read_bytes() == tagged.sound("mp3") + b"somebody's"
    assert (music / "moved.mp3").read_bytes() == before


def test_a_catalogue_heals_wherever_it_was_moved(music: Path, place: Path, tmp_path: Path) -> None:
    path = tagged.make(music, "flac")
    before = torn(place, path)
    moved = tmp_path / "moved" / "mine.db"
    moved.parent.mkdir()
    place.rename(moved)
    with Catalog.open(moved) as catalog:
        close_pending(catalog)
    assert path.read_bytes() == before


def test_somebody_elses_catalogue_heals_nothing_until_it_is_adopted(
    music: Path,
    place: Path,
    somebody_else: Callable[[pytest.MonkeyPatch], None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = tagged.make(music, "flac")
    before = torn(place, path)
    half = path.read_bytes()
    somebody_else(monkeypatch)
    with Catalog.open(place) as catalog:
        close_pending(catalog)
        assert settle(catalog).others == (path,)
    assert path.read_bytes() == half
    assert "tagger catalog adopt" in caplog.text
    outcome = run_tagger("catalog", "adopt", "--catalog", place)
    assert outcome.code == 0
    assert "of what was broken off 1 write has been settled" in outcome.err
    assert path.read_bytes() == before


def forge(place: Path, path: Path, change: FileChange, root: Path) -> None:
    """Note an open write of a version without seals, as whoever made the catalogue likes it."""
    with (
        Catalog.open(place) as catalog,
        prepare_write(tagged.make(root, "flac"), ["Folk"], provenance=OURS) as write,
    ):
        catalog.journal(begin(catalog), [planned(path, write, root)])
    whole = packing.packed(change)
    value = whole[: len(whole) - len(packing._packed_known_by(change)) - SEAL_BYTES]
    with closing(sqlite3.connect(place)) as database:
        database.execute("UPDATE rollbacks SET overwritten = ?", (value,))
        database.execute("UPDATE files SET size_bytes = ?", (change.size_before,))
        database.commit()


@pytest.mark.parametrize("adopted", [False, True])
@pytest.mark.parametrize("kind", ["document", "link", "outside", "beyond"])
def test_forged_open_writes_change_no_file(
    music: Path, place: Path, tmp_path: Path, kind: str, adopted: bool
) -> None:
    victim = tmp_path / ".bashrc" if kind == "document" else tmp_path / "song.flac"
    victim.write_bytes(b"alias ls=ls\n" if kind == "document" else tagged.rich_flac())
    before = victim.read_bytes()
    path = music / "song2.flac"
    if kind == "link":
        path.symlink_to(victim)
    elif kind in ("document", "beyond"):
        victim.rename(path)
        victim = path
    patch = Patch(6, before[6:8], b"!!") if kind != "beyond" else Patch(len(before) + 9, b"", b"!")
    odd = Patch(10, bytes([before[10], before[11] ^ 1]), bytes([before[10] ^ 1, before[11]]))
    patches = (patch,) if kind == "beyond" else (patch, odd)
    if not path.exists():
        path.write_bytes(before)
    forge(place, path, FileChange(patches, len(before), 0), music)
    if kind == "outside":
        path.unlink()
        with closing(sqlite3.connect(place)) as database:
            database.execute("UPDATE files SET relative = ?", (b"../song.flac",))
            database.commit()
    if adopted:
        adopt(place)
    else:
        with Catalog.open(place) as catalog:
            close_pending(catalog)
    assert victim.read_bytes() == before


def test_what_was_noted_before_there_were_seals_is_put_back_at_the_default_place(
    music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    place = tmp_path / "home" / "tagger" / "catalog.db"
    place.parent.mkdir(parents=True)
    path = tagged.make(music, "mp3 v2.3")
    with prepare_write(path, ["Folk"], provenance=OURS) as write:
        change = write.overwritten
        assert change is not None
    before = path.read_bytes()
    forge(place, path, replace(change, inode=0, around=b"", real_path=None), music)
    half_of(path, change)
    with Catalog.open(place) as catalog:
        close_pending(catalog)
    assert path.read_bytes() == before


def test_a_note_that_somebody_has_tampered_with_is_not_ours(music: Path, place: Path) -> None:
    path = tagged.make(music, "flac")
    torn(place, path)
    half = path.read_bytes()
    with closing(sqlite3.connect(place)) as database:
        (value,) = database.execute("SELECT overwritten FROM rollbacks").fetchone()
        at = value.index(os.fsencode(path)) + 1
        value = value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :]
        database.execute("UPDATE rollbacks SET overwritten = ?", (value,))
        database.commit()
    with Catalog.open(place) as catalog:
        (entry,) = catalog.pending_writes()
        assert entry.seal is Seal.OTHER
        close_pending(catalog)
    assert path.read_bytes() == half


def test_what_changed_around_a_patch_since_leaves_the_file_alone(music: Path, place: Path) -> None:
    path = tagged.make(music, "flac")
    torn(place, path)
    half = bytearray(path.read_bytes())
    half[len(half) // 2] ^= 1
    path.write_bytes(half)
    with Catalog.open(place) as catalog:
        close_pending(catalog)
    assert path.read_bytes() == half


def test_a_link_in_its_place_is_not_followed(music: Path, place: Path, tmp_path: Path) -> None:
    path = tagged.make(music, "flac")
    torn(place, path)
    half, copy = path.read_bytes(), tmp_path / "copy.flac"
    shutil.copy(path, copy)
    path.unlink()
    path.symlink_to(copy)
    with Catalog.open(place) as catalog:
        close_pending(catalog)
    assert copy.read_bytes() == half


def test_somebody_elses_writes_are_not_taken_back_until_they_are_adopted(
    music: Path,
    place: Path,
    somebody_else: Callable[[pytest.MonkeyPatch], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tagged.make(music, "flac")
    before = path.read_bytes()
    with Catalog.open(place) as catalog, prepare_write(path, ["Folk"], provenance=OURS) as write:
        (number,) = catalog.journal(begin(catalog), [planned(path, write)])
        write.carry_out()
        catalog.journal_done([number])
    written = path.read_bytes()
    somebody_else(monkeypatch)
    refused = run_tagger("undo", "--catalog", place)
    assert (refused.code, "tagger catalog adopt" in refused.err) == (1, True)
    assert path.read_bytes() == written
    adopt(place)
    assert run_tagger("undo", "--catalog", place).code == 0
    assert path.read_bytes() == before


# A catalogue that is replaced, or gone


def test_restoring_a_backup_carries_open_writes_over(music: Path, place: Path) -> None:
    path = tagged.make(music, "flac")
    with Catalog.open(place) as catalog:
        begin(catalog)
    copy = back_up(place)
    before = torn(place, path)
    outcome = run_tagger("catalog", "restore", "--catalog", place, copy)
    assert f"tagger tag settles it: {path}" in outcome.err
    with Catalog.open(place) as catalog:
        close_pending(catalog)
    assert path.read_bytes() == before
    assert journal(place) == ["dropped"]
    assert_consistent(place)
    assert chronicle.open_writes(chronicle.path_of(place)) == {}


def test_open_writes_of_a_backup_itself_are_dropped_and_named(music: Path, place: Path) -> None:
    path = tagged.make(music, "flac")
    torn(place, path)
    copy = back_up(place)
    with Catalog.open(place) as catalog:
        close_pending(catalog)
    settled = path.read_bytes()
    found = restore(place, copy)
    assert (found.dropped, found.carried, found.lost) == ((path,), (), ())
    with Catalog.open(place) as catalog:
        assert catalog.pending_writes() == []
    assert path.read_bytes() == settled


def test_what_a_damaged_catalogue_left_open_is_named(music: Path, place: Path) -> None:
    path = tagged.make(music, "flac")
    with Catalog.open(place) as catalog:
        begin(catalog)
    copy = back_up(place)
    torn(place, path)
    place.write_bytes(place.read_bytes()[:5000])
    assert restore(place, copy).lost == (path,)


def test_where_a_catalogue_went_away_in_the_middle_of_a_write_none_begins_unasked(
    music: Path, place: Path, tmp_path: Path
) -> None:
    path = tagged.make(music, "flac")
    before = torn(place, path)
    half = path.read_bytes()
    away = tmp_path / "away.db"
    place.rename(away)
    with pytest.raises(CatalogError, match="Put the catalogue back") as caught:
        Catalog.open(place)
    assert str(path) in caught.value.reason
    assert not place.exists()
    assert path.read_bytes() == half
    away.rename(place)
    with Catalog.open(place) as catalog:
        close_pending(catalog)
    assert path.read_bytes() == before
    place.unlink()
    Catalog.open(place).close()


def test_a_lost_catalogue_is_let_go_by_adopting(music: Path, place: Path) -> None:
    torn(place, tagged.make(music, "flac"))
    place.unlink()
    assert run_tagger("catalog", "adopt", "--catalog", place).code == 0
    with Catalog.open(place) as catalog:
        assert catalog.pending_writes() == []


def test_where_there_never_was_a_catalogue_there_is_none_to_adopt(place: Path) -> None:
    outcome = run_tagger("catalog", "adopt", "--catalog", place)
    assert (outcome.code, "no catalogue here yet" in outcome.err) == (2, True)


def test_a_check_names_open_writes(music: Path, place: Path) -> None:
    path = tagged.make(music, "flac")
    torn(place, path)
    outcome = run_tagger("catalog", "check", "--catalog", place)
    assert (outcome.code, f"was broken off: {path}" in outcome.err) == (0, True)


def broken_off(catalog: Catalog, path: Path) -> None:
    """Let a kill come behind a write through a copy, before its row."""
    with prepare_write(path, ["Folk"], provenance=OURS) as write:
        assert write.overwritten is None
        catalog.journal(begin(catalog), [planned(path, write)])
        write.carry_out()


def test_a_write_through_a_copy_that_was_broken_off_is_settled_as_well(
    music: Path, place: Path
) -> None:
    path = tagged.make(music, "bare mp3")
    with Catalog.open(place) as catalog:
        broken_off(catalog, path)
        assert settle(catalog) == Settled(n_done=1)
        assert len(catalog.standing_writes(WriteQuery())) == 1


def test_a_write_stays_undoable_where_its_file_cannot_be_read_at_the_next_start(
    music: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tagged.make(music, "bare mp3")
    with Catalog.open(place) as catalog:
        broken_off(catalog, path)
        with monkeypatch.context() as patch:
            patch.setattr(os, "access", lambda *_: False)
            assert settle(catalog) == Settled(still_open=(path,))
        assert settle(catalog) == Settled(n_done=1)


def test_a_disk_that_answers_no_more_ends_no_start(
    music: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tagged.make(music, "bare mp3")
    with Catalog.open(place) as catalog:
        broken_off(catalog, path)
        with monkeypatch.context() as patch:
            unlooked_at(patch, music)
            assert settle(catalog) == Settled(still_open=(path,))
        assert settle(catalog) == Settled(n_done=1)
