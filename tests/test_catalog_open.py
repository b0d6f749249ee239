"""Opening a catalogue: made where there is none, refused where something else is, never harmed."""

from __future__ import annotations

import logging
import os
import sqlite3
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tagger.catalog import Catalog
from tagger.errors import CatalogError
from tests.catalogs import MODEL, audio_file, begin, entries, entry, filled

log = logging.getLogger(__name__)


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    """What a folder holds: names, bytes and times of change."""
    return {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.iterdir()}


def refusal(path: Path, *, read_only: bool = False) -> str:
    """Why a catalogue is not opened, after a check that its folder is as it was."""
    before = contents(path.parent)
    with pytest.raises(CatalogError) as caught:
        Catalog.open(path, read_only=read_only)
    assert contents(path.parent) == before
    assert caught.value.path == path
    assert "\n" not in str(caught.value)
    return caught.value.reason


def test_a_catalogue_and_the_folders_above_it_are_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "fol%40der" / "cat?alog#.db"
    with Catalog.open(path) as catalog:
        catalog.record(begin(catalog), [entry("a.mp3")])
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    with Catalog.open(path) as catalog:
        assert catalog.counts().n_tracks == 1


def test_a_catalogues_own_name_need_not_be_utf_8(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.db")
    filled(path, entry("a.mp3")).close()
    assert [os.fsencode(p.name) for p in tmp_path.iterdir()] == [b"caf\xe9.db"]


def test_a_url_names_the_same_file_as_its_path(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    filled(path, entry("a.mp3")).close()
    with Catalog.open(f"sqlite:///{path}") as catalog:
        assert catalog.counts().n_tracks == 1


@pytest.mark.parametrize(
    "url", ["postgresql://me:secret@host", "sqlite://", "nonsense://me:secret@host/x", "://"]
)
def test_a_url_that_names_no_file_is_refused_in_one_line(url: str) -> None:
    with pytest.raises(CatalogError) as caught:
        Catalog.open(url)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_without_create_an_absent_catalogue_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="run tagger tag first"):
        Catalog.open(tmp_path / "catalog.db", create=False)
    assert contents(tmp_path) == {}


def test_an_empty_file_becomes_a_catalogue(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    path.touch()
    filled(path, entry("a.mp3")).close()


# What is not ours


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    path.write_text("my shopping list, " * 100)
    assert "not a catalogue" in refusal(path)
    assert "not a catalogue" in refusal(path, read_only=True)


def test_a_short_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    path.write_bytes(b"SQLite format 3\0")
    assert "not a catalogue" in refusal(path)


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "library.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA journal_mode = {mode}")
        database.execute("CREATE TABLE items (path BLOB)")
    assert "belongs to another program" in refusal(path)
    assert "belongs to another program" in refusal(path, read_only=True)


def test_another_program_that_has_its_database_open_is_not_disturbed(tmp_path: Path) -> None:
    path = tmp_path / "library.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = wal")
        database.execute("CREATE TABLE items (path BLOB)")
        assert "belongs to another program" in refusal(path)


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="this is a folder; name a file in it"):
        Catalog.open(tmp_path)


def test_a_file_in_its_folders_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("a file")
    with pytest.raises(CatalogError, match="Not a directory"):
        Catalog.open(tmp_path / "folder" / "catalog.db")


def test_a_fifo_is_refused_and_not_waited_on(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "catalog.db")
    with pytest.raises(CatalogError, match="no ordinary file"):
        Catalog.open(tmp_path / "catalog.db")


# Newer, damaged, locked, read-only


def test_a_catalogue_from_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    filled(path, entry("a.mp3")).close()
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE alembic_version SET version_num = '0999'")
        database.commit()
    assert "made by a newer version of tagger (schema 0999); upgrade tagger" in refusal(path)
    assert "made by a newer version" in refusal(path, read_only=True)


@pytest.mark.parametrize("read_only", [False, True])
def test_a_catalogue_that_was_cut_off_is_refused(tmp_path: Path, *, read_only: bool) -> None:
    path = tmp_path / "catalog.db"
    filled(path, *entries(0, 200)).close()
    os.truncate(path, path.stat().st_size // 2)
    assert "damaged; put a backup in its place" in refusal(path, read_only=read_only)


def test_a_damaged_page_is_found_on_opening(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    filled(path, *entries(0, 200)).close()
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xa5" * 8192)
    assert "damaged" in refusal(path)


@pytest.mark.parametrize("text", ["CAST(x'ff' AS TEXT)", """'["'"""])
def test_damaged_text_is_told_as_damage_when_it_is_read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "catalog.db"
    filled(path, *entries(0, 5)).close()
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"UPDATE tracks SET file_genres = {text}")
        database.commit()
    with (
        Catalog.open(path, create=False, read_only=True) as catalog,
        pytest.raises(CatalogError, match="damaged; put a backup in its place"),
    ):
        list(catalog.surveyed())


def test_a_catalogue_that_is_locked_for_too_long_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    with filled(path, entry("a.mp3")), closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(CatalogError, match="held the catalogue locked for too long; wait"):
            Catalog.open(path, wait_s=0.1)


@pytest.fixture
def without_rights() -> Iterator[Path]:
    """A folder that may be read and not written, also when the tests are run by root."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "read-only"
        folder.mkdir()
        filled(folder / "catalog.db", entry("a.mp3")).close()
        Path(name).chmod(0o755)
        folder.chmod(0o555)
        (folder / "catalog.db").chmod(0o444)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        try:
            yield folder
        finally:
            if user == 0:
                os.seteuid(0)
            folder.chmod(0o755)


def test_a_read_only_catalogue_is_refused_for_writing_at_once(without_rights: Path) -> None:
    with pytest.raises(CatalogError, match=r"read-only|cannot be opened") as caught:
        Catalog.open(without_rights / "catalog.db")
    assert "choose another --catalog" in caught.value.reason


def test_a_read_only_catalogue_can_be_read(without_rights: Path) -> None:
    with Catalog.open(without_rights / "catalog.db", read_only=True) as catalog:
        assert catalog.counts().n_tracks == 1
    assert [p.name for p in without_rights.iterdir()] == ["catalog.db"]


def test_a_folder_without_rights_is_refused_for_a_new_catalogue(without_rights: Path) -> None:
    for path in (without_rights / "new.db", without_rights / "folder" / "new.db"):
        with pytest.raises(CatalogError, match="choose another --catalog"):
            Catalog.open(path)


# Reading only


def test_reading_only_leaves_no_trace(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    filled(path, *entries(0, 3)).close()
    before = contents(tmp_path)
    with Catalog.open(path, create=False, read_only=True) as catalog:
        assert len(list(catalog.tracks())) == 3
        assert catalog.lookup([one.file for one in entries(0, 3)], MODEL.model_id)[0]
        assert contents(tmp_path) == before
    assert contents(tmp_path) == before


def test_reading_only_sees_what_another_process_has_just_written(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    with filled(path, entry("a.mp3")):
        assert path.with_name("catalog.db-wal").stat().st_size > 0
        with Catalog.open(path, read_only=True) as catalog:
            assert catalog.counts().n_tracks == 1


def test_reading_only_an_absent_catalogue_is_an_empty_one_and_makes_nothing(
    tmp_path: Path,
) -> None:
    with Catalog.open(tmp_path / "x" / "catalog.db", read_only=True) as catalog:
        assert list(catalog.tracks()) == []
        assert catalog.lookup([audio_file("a.mp3")], MODEL.model_id) == [None]
        assert catalog.embeddings(MODEL.model_id).vectors.shape == (0, 0)
        assert catalog.info(Path("/music/a.mp3")) is None
        assert catalog.pending_writes() == []
    assert contents(tmp_path) == {}


def test_a_catalogue_that_was_opened_to_read_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    filled(path).close()
    for catalog in (Catalog.open(path, read_only=True), Catalog.empty()):
        with catalog, pytest.raises(CatalogError, match="read-only"):
            begin(catalog)


# Upkeep


def test_readers_and_a_writer_work_side_by_side(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    with filled(path, *entries(0, 1500)) as catalog, Catalog.open(path) as other:
        rows = catalog.tracks()
        next(rows)
        other.record(1, entries(1500, 1600))
        assert len(list(rows)) == 1499  # what stood there when the reading began
        assert catalog.counts().n_tracks == 1600


def test_a_catalogue_is_not_for_everyone_to_write(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    filled(path).close()
    assert not path.stat().st_mode & (stat.S_IWOTH | stat.S_IXUSR)


def test_opening_a_catalogue_that_is_up_to_date_is_quick(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    filled(path, *entries(0, 500)).close()
    begun = time.process_time()
    Catalog.open(path).close()
    elapsed = time.process_time() - begun
    log.info("opened and closed in %.1f ms", 1000 * elapsed)
    assert elapsed < 1.0  # of the processor, 5 ms; running Alembic would take longer
