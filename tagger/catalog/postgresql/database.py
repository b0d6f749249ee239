"""Whose database it is, whether it will do, and who else is connected to it."""

from __future__ import annotations

from sqlalchemy import Connection
from sqlalchemy.schema import SetColumnComment, SetTableComment

from tagger.catalog import faults
from tagger.catalog.postgresql.engines import APPLICATION
from tagger.catalog.tables import metadata

OLDEST = 14  # the oldest that the PostgreSQL project itself mended in 2026
_MARK = "catalogue of tagger"  # as a comment on Alembic's table

_FOREIGN = """
SELECT relname FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f')
AND NOT EXISTS (
    SELECT 1 FROM pg_depend
    WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e'
)
LIMIT 1
"""
_OTHERS = f"""
SELECT coalesce(host(client_addr), 'this machine') FROM pg_stat_activity
WHERE datname = current_database() AND application_name = '{APPLICATION}'
AND pid <> pg_backend_pid()
LIMIT 1
"""


def is_catalog(connection: Connection, where: str) -> bool:
    """Return whether there is a catalogue; False where there is nothing yet.

    Raises:
        CatalogError: The database will not do, or has other things in it.
    """
    version = int(_value(connection, "SHOW server_version_num") or 0) // 10_000
    if version < OLDEST:
        reason = f"the server is PostgreSQL {version}; it must be {OLDEST} or newer"
        raise faults.complaint(reason, where)
    encoding = _value(connection, "SHOW server_encoding")
    if encoding != "UTF8":
        reason = f"the database is in {encoding}; make one in UTF8 (createdb -E UTF8 -T template0)"
        raise faults.complaint(reason, where)
    if _value(connection, "SELECT current_schema()") is None:
        raise faults.complaint("the database has no schema that you may use; make one", where)
    if _value(connection, "SELECT obj_description(to_regclass('alembic_version'))") == _MARK:
        return True
    if _value(connection, _FOREIGN) is not None:
        raise faults.complaint(
            "this database has tables of another program; it was left alone, "
            "give the catalogue a database of its own",
            where,
        )
    return False


def refuse_company(connection: Connection, where: str) -> None:
    """Make sure that no other tagger is connected.

    Raises:
        CatalogError: One is.
    """
    host = _value(connection, _OTHERS)
    if host is not None:
        reason = f"another tagger has it open, from {host}; let it end first and try again"
        raise faults.complaint(reason, where)


def refuse_read_only(connection: Connection, where: str) -> None:
    """Make sure that the server takes changes: a standby does not.

    Raises:
        CatalogError: It does not.
    """
    if _value(connection, "SHOW transaction_read_only") == "on":
        raise faults.complaint(faults.READ_ONLY_SERVER, where)


def mark_as_ours(connection: Connection) -> None:
    """Write our name beside the tables, within the transaction that makes them."""
    connection.exec_driver_sql(f"COMMENT ON TABLE alembic_version IS '{_MARK}'")


def explain_tables(connection: Connection) -> None:
    """Write what tables and columns are for beside them, for people who look with psql."""
    for table in metadata.sorted_tables:
        connection.execute(SetTableComment(table))
        for column in table.c:
            if column.comment:
                connection.execute(SetColumnComment(column))


def empty_tables(connection: Connection) -> None:
    """Delete all rows, so that who reads still sees them until the transaction ends."""
    for table in reversed(metadata.sorted_tables):
        connection.execute(table.delete())


def go_on_numbering(connection: Connection) -> None:
    """Let new rows get numbers after those of rows that were put in with theirs."""
    for table in metadata.sorted_tables:
        column = table.autoincrement_column
        if column is not None:
            connection.exec_driver_sql(
                f"SELECT setval(pg_get_serial_sequence('{table.name}', '{column.name}'), "
                f"max({column.name})) FROM {table.name}"
            )


def _value(connection: Connection, statement: str) -> str | None:
    value = connection.exec_driver_sql(statement).scalar()
    return None if value is None else str(value)
