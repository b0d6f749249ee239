"""The schema: tables and migrations say the same, and an upgrade keeps a copy of what was."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect

from tagger.catalog import Catalog, WriteQuery, upgrade
from tagger.catalog.postgresql import database as server_database
from tagger.catalog.sqlite import header
from tagger.catalog.sqlite.store import SqliteStore
from tagger.catalog.tables import metadata
from tagger.catalog.upkeep import upgrade_schema
from tagger.errors import CatalogError
from tagger.records import TagsFound, TagWrite
from tests import catalogs
from tests.catalogs import Location, assert_consistent, database, entries, entry, filled

HEAD, NEXT = upgrade.HEAD, "9998"
NEXT_STEP = f"""
from alembic import op
import sqlalchemy as sa

revision = "{NEXT}"
down_revision = "{HEAD}"

def upgrade():
    with op.batch_alter_table("models") as table:
        table.add_column(sa.Column("note", sa.Text(), nullable=False, server_default="new"))
        table.alter_column("architecture", new_column_name="kind")
"""


def test_the_migrations_make_the_tables_that_the_code_uses(tmp_path: Path) -> None:
    Catalog.open(tmp_path / "catalog.db").close()
    engine = create_engine(f"sqlite:///{tmp_path / 'catalog.db'}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_what_tests_begin_with_is_what_the_migrations_make(tmp_path: Path) -> None:
    made = []
    for migrate in (catalogs.run_migrations, catalogs.migrate):
        engine = create_engine(f"sqlite:///{tmp_path / migrate.__module__}")
        with engine.begin() as connection:
            migrate(connection)
        with closing(sqlite3.connect(tmp_path / migrate.__module__)) as file:
            # Alembic lists a table's foreign keys in no certain order.
            lines = "\n".join(file.iterdump()).splitlines()
            made.append(sorted(line.strip(" ,") for line in lines))
        engine.dispose()
    assert made[0] == made[1]
    assert len(made[0]) > 100


def test_constraints_have_the_names_of_the_convention(tmp_path: Path) -> None:
    Catalog.open(tmp_path / "catalog.db").close()
    engine = create_engine(f"sqlite:///{tmp_path / 'catalog.db'}")
    found = inspect(engine)
    for name, table in metadata.tables.items():
        assert found.get_pk_constraint(name)["name"] == f"pk_{name}"
        assert {key["name"] for key in found.get_foreign_keys(name)} == {
            f"fk_{name}_{key.parent.name}_{key.column.table.name}" for key in table.foreign_keys
        }
        assert all(one["name"] for one in found.get_check_constraints(name))
    engine.dispose()


def test_the_known_revisions_are_those_that_are_installed() -> None:
    scripts = ScriptDirectory.from_config(upgrade.alembic_config())
    installed = [script.revision for script in scripts.walk_revisions()]
    listed = upgrade.REVISIONS
    assert tuple(reversed(installed)) == listed, "add it to tagger/catalog/revisions.py"


def test_every_table_is_explained() -> None:
    assert all(table.comment for table in metadata.tables.values())


def test_the_library_view_reads_like_a_listing(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    kept = entry("b\n.mp3", genres=("Rock",), tags=TagsFound(("Jazz", "Blues")))
    filled(path, entry("a.mp3", 1), kept).close()
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute(
            "SELECT path, title, genre, confidence, status FROM library ORDER BY path"
        ).fetchall()
    assert rows == [
        ("/music/a.mp3", "Title 1", "Rock", 0.75, "written"),
        ("/music/b\\n.mp3", "", "Jazz; Blues", None, "written"),
    ]


def test_opening_an_up_to_date_catalogue_does_not_import_alembic(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    filled(path, entry("a.mp3")).close()
    code = (
        "import sys; from tagger.catalog import Catalog; "
        "Catalog.open(sys.argv[1]).close(); sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, path], check=False).returncode == 0


@pytest.fixture
def next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tagger as if it knew one migration more."""
    (tmp_path / "versions").mkdir()
    (tmp_path / "versions" / "next.py").write_text(NEXT_STEP)
    known = upgrade.alembic_config

    def config() -> Config:
        changed = known()
        script_location = changed.get_main_option("script_location")
        places = f"{script_location}/versions\n{tmp_path / 'versions'}"
        changed.set_main_option("version_locations", places)
        return changed

    monkeypatch.setattr(upgrade, "alembic_config", config)
    monkeypatch.setattr(upgrade, "REVISIONS", (*upgrade.REVISIONS, NEXT))
    monkeypatch.setattr(upgrade, "HEAD", NEXT)


def kinds(path: Path) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute("SELECT kind, note FROM models").fetchall()


def test_an_older_schema_is_upgraded_and_its_copy_kept(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    path = tmp_path / "data" / "catalog.db"
    filled(path, *entries(0, 20)).close()
    request.getfixturevalue("next_version")
    Catalog.open(path).close()
    assert kinds(path) == [("cnn", "new")]
    assert_consistent(path)
    (backup,) = path.parent.glob(f"catalog.db.schema-{HEAD}.*.bak")
    assert sorted(path.parent.iterdir()) == sorted([path, backup])
    assert_consistent(backup)
    with closing(sqlite3.connect(backup)) as database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchone() == (HEAD,)
        assert database.execute("SELECT count(*) FROM tracks").fetchone() == (20,)


def test_reading_only_an_older_schema_upgrades_a_copy_in_memory(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    path = tmp_path / "data" / "catalog.db"
    filled(path, *entries(0, 20)).close()
    before = path.read_bytes()
    request.getfixturevalue("next_version")
    with Catalog.open(path, read_only=True) as catalog:
        assert catalog.counts().n_tracks == 20
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_failing_upgrade_leaves_the_old_schema(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    path = tmp_path / "data" / "catalog.db"
    filled(path, *entries(0, 20)).close()
    request.getfixturevalue("next_version")
    step = tmp_path / "versions" / "next.py"
    step.write_text(NEXT_STEP + "    raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        Catalog.open(path)
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT architecture FROM models").fetchall() == [("cnn",)]
        assert database.execute("SELECT version_num FROM alembic_version").fetchone() == (HEAD,)


def test_without_room_for_the_copy_nothing_is_upgraded(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "data" / "catalog.db"
    filled(path, *entries(0, 20)).close()
    request.getfixturevalue("next_version")
    nowhere = tmp_path / "nowhere" / "backup"
    monkeypatch.setattr(SqliteStore, "default_backup", lambda store, label: nowhere)
    with pytest.raises(CatalogError, match="cannot be written"):
        Catalog.open(path)
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchone() == (HEAD,)


def test_a_catalogue_of_the_first_schema_is_upgraded_with_its_journal(tmp_path: Path) -> None:
    path = tmp_path / "data" / "catalog.db"
    path.parent.mkdir()
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config = upgrade.alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        header.mark_as_ours(connection)
        for statement in FIRST_ROWS:
            connection.exec_driver_sql(statement)
    engine.dispose()
    with Catalog.open(path) as catalog:
        (run,) = catalog.runs()
        assert (run.command, run.paths, run.n_standing) == ("tag", (), 1)
        (standing,) = catalog.standing_writes(WriteQuery())
        assert standing.write == TagWrite(Path("/music/a.mp3"), (), ("Rock",), None, None)
        (pending,) = catalog.pending_writes()
        assert pending.journal_id == 2
    assert_consistent(path)
    assert len(list(path.parent.glob("catalog.db.schema-0001.*.bak"))) == 1


def test_tracks_of_the_third_schema_keep_their_tags_and_wait_to_be_read(
    empty_location: Location,
) -> None:
    location = empty_location
    is_file = isinstance(location, Path)
    engine = create_engine(
        f"sqlite:///{location}"
        if is_file
        else str(location).replace("postgresql:", "postgresql+psycopg:")
    )
    with engine.begin() as connection:
        upgrade.migrate(connection, "0003")
        (header if is_file else server_database).mark_as_ours(connection)
        for statement in THIRD_ROWS:
            connection.exec_driver_sql(statement if is_file else statement.replace("BLOB", "BYTEA"))
    engine.dispose()
    upgrade_schema(location)
    with Catalog.open(location) as catalog:
        (row,) = catalog.tracks()
    assert row.tags == TagsFound(("Rock",), None, "Title", "Artist", "Album", "", "id", "")
    assert not row.tags.is_complete
    with database(location) as connection:
        assert connection.execute("SELECT title, year FROM library").fetchall() == [("Title", None)]


THIRD_ROWS = (
    "INSERT INTO roots (root_id, path, name) VALUES (1, CAST('/music' AS BLOB), '/music')",
    "INSERT INTO runs (run_id, command, started_at, interrupted, by_status, by_genre, skipped)"
    " VALUES (1, 'tag', '2026-01-31T12:00:00Z', false, '{}', '{}', '{}')",
    "INSERT INTO tracks (track_id, title, artist, album, album_artist, title_key, artist_key,"
    " album_key, file_genres, genre, heard_genres, confidence, mb_recording, status, reason,"
    " run_id) VALUES (1, 'Title', 'Artist', 'Album', '', 'title', 'artist', 'album',"
    """ '["Rock"]', 'Rock', '[]', 0.5, 'id', 'kept', 'why', 1)""",
    "INSERT INTO files (file_id, root_id, relative, name, size_bytes, mtime_ns, track_id)"
    " VALUES (1, 1, CAST('a.mp3' AS BLOB), 'a.mp3', 10, 20, 1)",
)
FIRST_ROWS = (
    "INSERT INTO roots VALUES (1, CAST('/music' AS BLOB), '/music')",
    "INSERT INTO files VALUES (1, 1, CAST('a.mp3' AS BLOB), 'a.mp3', 10, 20, NULL)",
    "INSERT INTO runs VALUES (1, 'tag', NULL, '2026-01-31T12:00:00Z', NULL, NULL, 0, '{}', '{}',"
    " '{}')",
    """INSERT INTO journal VALUES (1, 1, 1, '[]', '["Rock"]', NULL, NULL, 'done',"""
    " '2026-01-31T12:00:00Z'), (2, 1, 1, '[]', '[]', NULL, NULL, 'intended',"
    " '2026-01-31T12:00:00Z')",
)
