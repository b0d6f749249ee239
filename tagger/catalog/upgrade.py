"""The schema's age: told by one query, mended by Alembic, which is imported only then."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text

from tagger.catalog import chronicle, revisions, sqlite

if TYPE_CHECKING:
    from alembic.config import Config


def revision_of(connection: Connection) -> str | None:
    """Return the schema's revision, or None for a database without tables of ours."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def needs_upgrade(engine: Engine, path: Path | None) -> bool:
    """Return whether the schema is older than this version of the tagger.

    Raises:
        CatalogError: It is newer.
    """
    with engine.connect() as connection:
        found = revision_of(connection)
    return not revisions.is_current(found, path)


def upgrade_file(path: Path, *, wait_s: float) -> Path | None:
    """Bring a catalogue file to this version's schema, or make it; return the backup's path.

    A new one takes up the chronicle of one that was lost.

    A schema that was there before is copied first, to a file beside it. Tables, data and the
    file's mark change in one transaction: a kill leaves the old catalogue.
    """
    # Foreign keys would forbid the rebuild of a table, which is how SQLite alters one.
    engine = sqlite.engine_for(path, wait_s=wait_s, foreign_keys=False)
    try:
        with engine.execution_options(**sqlite.DURABLE).begin() as connection:
            found = revision_of(connection)  # another process may have been quicker
            if found == revisions.HEAD:
                return None
            backup = None if found is None else _backup_path(path, found)
            if backup is not None:
                sqlite.back_up(path, backup)
            migrate(connection)
            if found is None:
                chronicle.restore(connection, path)
            sqlite.mark_as_ours(connection)
        return backup
    finally:
        engine.dispose()


def migrate(connection: Connection) -> None:
    """Run the migrations from the schema found to this version's, in the open transaction."""
    from alembic import command  # 0.3 s, for nothing in almost every run

    logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells each step at INFO
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def alembic_config() -> Config:
    """Return Alembic's settings, with the migrations where they are installed."""
    from alembic.config import Config

    config = Config()
    folder = str(resources.files("tagger.migrations"))
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    return config


def _backup_path(path: Path, revision: str) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    return path.with_name(f"{path.name}.schema-{revision}.{stamp}.bak")
