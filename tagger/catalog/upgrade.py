"""The schema's age: told by one query, mended by Alembic, which is imported only then."""

from __future__ import annotations

import logging
from importlib import resources
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text

from tagger.catalog import faults, revisions

if TYPE_CHECKING:
    from alembic.config import Config

REVISIONS, HEAD = revisions.REVISIONS, revisions.HEAD


def revision_of(connection: Connection) -> str | None:
    """Return the schema's revision, or None for a database without tables of ours."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def needs_upgrade(engine: Engine, where: faults.Where) -> bool:
    """Return whether the schema is older than this version of the tagger.

    Raises:
        CatalogError: It is newer.
    """
    with engine.connect() as connection:
        return known_revision(connection, where) != HEAD


def known_revision(connection: Connection, where: faults.Where) -> str | None:
    """Return the schema's revision, or None for a database without tables of ours.

    Raises:
        CatalogError: It is newer than this version of the tagger.
    """
    found = revision_of(connection)
    if found is not None and found not in REVISIONS:
        raise faults.complaint(
            f"this catalogue was made by a newer version of tagger (schema {found}); "
            "upgrade tagger, or choose another --catalog",
            where,
        )
    return found


def migrate(connection: Connection, revision: str = "head") -> None:
    """Run the migrations from the schema found to this version's, in the open transaction.

    Args:
        connection: Where.
        revision: An older one to stop at.
    """
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells each step at INFO
    from alembic import command  # 0.3 s, for nothing in almost every run

    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def alembic_config() -> Config:
    """Return Alembic's settings, with the migrations where they are installed."""
    from alembic.config import Config

    config = Config()
    folder = str(resources.files("tagger.migrations"))
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    return config
