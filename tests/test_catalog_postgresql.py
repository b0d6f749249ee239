"""What only a catalogue in PostgreSQL has: a server that may refuse, and other machines."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from tagger.catalog import Catalog, upgrade
from tagger.catalog.opening import store_of
from tagger.catalog.postgresql import database as rules
from tagger.catalog.postgresql import engines
from tagger.catalog.tables import metadata
from tagger.catalog.upkeep import back_up, check, restore, upgrade_schema
from tagger.errors import CatalogError
from tests.catalogs import (
    MODEL,
    assert_consistent,
    begin,
    database,
    entries,
    entry,
    filled,
    planned,
)
from tests.library import Outcome, genre_of, make_tracks, run_tagger
from tests.postgres import GUARDED, Server

Run = Callable[..., Outcome]


@pytest.fixture
def url(new_database: Callable[[], str]) -> str:
    """A database with an empty catalogue."""
    return new_database()


def value(url: str, statement: str) -> object:
    with database(url) as connection:
        return connection.execute(statement).fetchone()[0]


def refusal(url: str, **options: bool) -> str:
    """Why a catalogue is not opened, in one line without a password."""
    with pytest.raises(CatalogError) as caught:
        Catalog.open(url, **options)
    said = str(caught.value)
    assert said.startswith("postgresql://")
    assert "\n" not in said
    assert "secret" not in said
    return said


# The schema


def test_the_migrations_make_the_tables_that_the_code_uses(url: str) -> None:
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_text_sorts_by_its_code_points_whatever_the_servers_language(url: str) -> None:
    statement = (
        "SELECT count(*) FROM information_schema.columns WHERE data_type = 'text' "
        "AND table_schema = 'public' AND table_name IN (SELECT tablename FROM pg_tables) "
        "AND collation_name IS DISTINCT FROM 'C'"
    )
    assert value(url, statement) == 0


def test_the_library_view_reads_like_a_listing(url: str) -> None:
    filled(url, entry("a.mp3", 1)).close()
    with database(url) as connection:
        rows = connection.execute("SELECT path, genre, confidence, status FROM library").fetchall()
    assert rows == [("/music/a.mp3", "Rock", 0.75, "written")]


def test_an_older_schema_waits_for_the_command_that_upgrades_it(server: Server) -> None:
    url = server.new_database()
    engine = engines.engine_for(store_of(url).url, wait_s=1)  # type: ignore[attr-defined]
    with engine.execution_options(catalog_access="durable").begin() as connection:
        upgrade.migrate(connection, "0001")
        rules.mark_as_ours(connection)
        connection.exec_driver_sql("INSERT INTO roots (path, name) VALUES ('/music', '/music')")
    engine.dispose()
    for read_only in (False, True):
        assert "run tagger catalog upgrade" in refusal(url, read_only=read_only)
    done = upgrade_schema(url)
    assert (done.found, upgrade_schema(url).backup) == ("0001", None)
    assert done.backup is not None
    assert value(url, "SELECT name FROM roots") == "/music"
    assert check(url).complaints == ()
    with database(done.backup) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)
        assert connection.execute("SELECT path, name FROM roots").fetchone() == (
            b"/music",
            "/music",
        )


# Refused


def test_a_server_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    assert "cannot be reached" in refusal("postgresql://me:secret@localhost:1/music")
    assert "cannot be reached" in refusal(f"postgresql://me:secret@/music?host={tmp_path}")
    outcome = run_tagger("list", "--catalog", "postgresql://me:secret@localhost:1/music")
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert "secret" not in outcome.err


def test_a_wrong_password_and_an_unknown_user_are_told(server: Server) -> None:
    name = "check the user and the password"
    server.run(f"CREATE USER {GUARDED} PASSWORD 'secret:/@'")
    place = server.new_database()
    guarded = place.replace("postgres@", f"{GUARDED}:{{}}@")
    assert name in refusal(guarded.format("secrets"))
    assert name in refusal(place.replace("postgres@", f"{GUARDED}@"))
    assert name in refusal(place.replace("postgres@", "nobody@"))
    assert "no right" in refusal(guarded.format(quote("secret:/@", safe="")))
    shown = str(store_of(guarded.format("x") + "&password=secret").where)
    assert "password" not in shown


def test_a_database_that_is_not_there_is_told(server: Server) -> None:
    assert "no such database" in refusal(server.url("none"))


def test_another_programs_database_is_left_alone(server: Server) -> None:
    url = server.new_database()
    with database(url) as connection:
        connection.execute("CREATE TABLE files (name text)")
    for read_only in (False, True):
        assert "tables of another program" in refusal(url, read_only=read_only)
    assert value(url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 1


def test_an_extension_is_no_other_program(server: Server) -> None:
    url = server.new_database()
    with database(url) as connection:
        connection.execute("CREATE EXTENSION vector")
    Catalog.open(url).close()


def test_another_encoding_is_told(server: Server) -> None:
    server.run("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
    assert "is in LATIN1; make one in UTF8" in refusal(server.url("latin"))


def test_an_old_server_is_told(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "OLDEST", 99)
    assert "it must be 99 or newer" in refusal(url)


def test_a_newer_catalogue_is_told(url: str) -> None:
    with database(url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0999'")
    for read_only in (False, True):
        assert "made by a newer version of tagger" in refusal(url, read_only=read_only)


def test_a_server_that_takes_no_changes_is_told_and_can_be_read(url: str) -> None:
    filled(url, entry("a.mp3")).close()
    name = value(url, "SELECT current_database()")
    with database(url) as connection:
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    assert "takes no changes" in refusal(url)
    with Catalog.open(url, read_only=True) as catalog:
        assert catalog.counts().n_tracks == 1


def test_a_lock_that_is_held_too_long_is_told(url: str) -> None:
    with filled(url, entry("a.mp3")), database(url) as other:
        other.execute(f"SELECT pg_advisory_xact_lock({engines._WRITE_LOCK})")
        with pytest.raises(CatalogError, match="held the catalogue locked for too long; wait"):
            Catalog.open(url, wait_s=0.1)


def test_a_catalogue_that_was_opened_to_read_is_not_written(url: str) -> None:
    with Catalog.open(url, read_only=True) as catalog, pytest.raises(CatalogError, match="read-on"):
        begin(catalog)


def test_a_connection_that_breaks_is_told_and_loses_nothing(url: str, server: Server) -> None:
    with filled(url, *entries(0, 3)) as catalog:
        catalog.counts()
        server.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'tagger'"
        )
        with pytest.raises(CatalogError, match="run again when it is back"):
            catalog.record(1, entries(3, 6))
        catalog.record(1, entries(3, 6))
        assert catalog.counts().n_tracks == 6
    assert_consistent(url)


def test_without_the_driver_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(CatalogError, match=r"-m pip install 'psycopg\[binary\]'"):
        Catalog.open("postgresql://localhost/music")


# Copies


def test_a_backup_is_an_sqlite_file_and_can_be_put_back(url: str) -> None:
    with filled(url, *entries(0, 300)) as catalog:
        catalog.journal_done(catalog.journal(1, [planned(entries(0, 1)[0])]))
        copy = back_up(url)
        catalog.record(begin(catalog), entries(300, 310))
    assert_consistent(copy)
    assert check(copy).complaints == ()
    kept = restore(url, copy).kept
    assert kept is not None
    assert_consistent(url)
    for location, n in ((url, 300), (kept, 310), (copy, 300)):
        with Catalog.open(location, read_only=True) as catalog:
            assert catalog.counts().n_tracks == n
            assert len(catalog.embeddings(MODEL.model_id).track_ids) == n
            assert catalog.runs()[-1].n_standing == 1
    with Catalog.open(url) as catalog:  # numbers go on after those that were put back
        catalog.record(begin(catalog), entries(300, 310))
        assert catalog.journal(1, [planned(entry("new.mp3"))]) == [2]
    assert_consistent(url)


def test_a_file_becomes_a_database(place: Path, server: Server) -> None:
    filled(place, *entries(0, 10)).close()
    with database(place) as connection:
        connection.execute("CREATE TABLE mine (x)")
    url = server.new_database()
    assert restore(url, place).kept is None
    assert_consistent(url)
    with Catalog.open(url) as catalog:
        assert catalog.counts().n_tracks == 10


def test_a_catalogue_in_use_is_not_replaced(url: str) -> None:
    with filled(url, *entries(0, 3)) as catalog:
        copy = back_up(url)
        with pytest.raises(CatalogError, match="another tagger has it open"):
            restore(url, copy)
        assert catalog.counts().n_tracks == 3


# Several machines


HOLD = """
import sys
from tagger.catalog import Catalog
with Catalog.open(sys.argv[1]) as catalog, catalog.writing():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_one_machine_at_a_time_touches_files_and_a_dead_one_holds_up_nobody(url: str) -> None:
    command = [sys.executable, "-c", HOLD, url]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with Catalog.open(url) as catalog:
        catalog.record(begin(catalog), entries(0, 3))  # which needs no such right
        lock = f"SELECT pg_try_advisory_lock({engines._FILES_LOCK})"
        assert value(url, lock) is False
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
        with catalog.writing():
            assert value(url, lock) is False
        assert value(url, lock) is True


@pytest.mark.usefixtures("in_process")
def test_tags_are_written_and_taken_back_and_known_without_the_database(
    music: Path, url: str, model: Path, server: Server
) -> None:
    def run(command: str, *arguments: str | Path) -> Outcome:
        chosen = ("--model", model) if command == "tag" else ()
        common = ("--catalog", url, "--format", "jsonl", *chosen)
        return run_tagger(command, *common, *arguments, XDG_DATA_HOME=os.environ["XDG_DATA_HOME"])

    paths = make_tracks(music, 3)
    before = [path.read_bytes() for path in paths]
    assert set(run("tag", music).statuses.values()) == {"written"}
    assert set(run("tag", music).statuses.values()) == {"unchanged"}
    assert_consistent(url)
    with database(url) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    outcome = run("undo")
    assert outcome.code == 0
    assert all(record["exact"] for record in outcome.records)
    assert [path.read_bytes() for path in paths] == before
    assert set(run("tag", music).statuses.values()) == {"kept"}
    assert genre_of(paths[0]) == []


def test_the_password_is_in_no_file_and_no_name(url: str) -> None:
    with_password = url.replace("postgres@", "postgres:secret@")
    store = store_of(with_password)
    assert store.where == store_of(url).where
    assert store.chronicle == store_of(url).chronicle
    assert "secret" not in str(store.where)


@pytest.mark.parametrize("option", ["--config", "--format=jsonl"])
def test_a_password_is_never_shown(option: str, model: Path) -> None:
    url = "postgresql://me:secret@localhost:1/music"
    outcome = run_tagger("info", option, "--catalog", url, "--model", model)
    assert "secret" not in outcome.out + outcome.err
    assert "postgresql://me@localhost:1/music" in outcome.out + outcome.err


def test_a_reader_sees_one_moment(url: str) -> None:
    with filled(url, *entries(0, 1500)) as catalog, Catalog.open(url) as other:
        rows = catalog.tracks()
        next(rows)
        other.record(1, entries(1500, 1600))
        assert len(list(rows)) == 1499
        assert catalog.counts().n_tracks == 1600


def test_psycopg_is_loaded_only_for_a_url(place: Path) -> None:
    code = (
        "import sys; from tagger.catalog import Catalog; "
        "Catalog.open(sys.argv[1]).close(); sys.exit('psycopg' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, place], check=False).returncode == 0
