"""Connections to PostgreSQL: how they are opened, and how their transactions begin."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event

from tagger.catalog.postgresql.stalls import tell_of_stalls
from tagger.catalog.store import DURABLE
from tagger.errors import CatalogError, how_to_install

APPLICATION = "tagger"  # as the server lists who is connected
_DRIVER = "postgresql+psycopg"
_CONNECT_S = "10"
# Numbers for locks that the server keeps and knows nothing else of: "TGGR", and what for.
_WRITE_LOCK = (0x54474752 << 8) + 1
_FILES_LOCK = (0x54474752 << 8) + 2
_NO_BEGINNING = {"catalog_access": "none", "isolation_level": "AUTOCOMMIT"}

# Of tables that can be made again: on an engine that otherwise only reads, too.
REBUILDING = {"catalog_access": "rebuild"}

# A machine that is switched off while it holds a lock is found to be gone within two minutes.
# Compiling queries costs more than it saves for ours.
_SETTINGS = {
    "tcp_keepalives_idle": "60",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "6",
    "jit": "off",
}


def engine_for(url: URL, *, wait_s: float, read_only: bool = False) -> Engine:
    """Return an engine on a database; nothing is connected yet.

    Args:
        url: Where it is.
        wait_s: How long to wait while another process writes.
        read_only: Let the server refuse whatever would change something.

    Raises:
        CatalogError: The driver is not installed.
    """
    given = {"connect_timeout": _CONNECT_S, "application_name": APPLICATION, **url.query}
    try:
        engine = create_engine(url.set(drivername=_DRIVER, query=given))
    except ImportError as error:
        raise CatalogError(
            f"a catalogue in PostgreSQL needs psycopg: {how_to_install('psycopg[binary]')}"
        ) from error
    settings = _SETTINGS | ({"default_transaction_read_only": "on"} if read_only else {})
    event.listen(engine, "connect", lambda connection, _: _prepare(connection, settings))
    event.listen(engine, "begin", lambda connection: _begin(connection, wait_s))
    tell_of_stalls(engine)
    return engine


def _prepare(connection: Any, settings: dict[str, str]) -> None:
    connection.autocommit = True
    connection.execute("; ".join(f"SET {name} = {value}" for name, value in settings.items()))
    connection.autocommit = False


def _begin(connection: Connection, wait_s: float) -> None:
    # Who writes waits for the lock first, and sees then what was there before; a transaction that
    # reads sees one moment. So nobody meets half of what another one did, and none deadlock.
    access = connection.get_execution_options().get("catalog_access")
    if access is None:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    elif access != _NO_BEGINNING["catalog_access"]:
        commit = "on" if access == DURABLE["catalog_access"] else "off"
        if access == REBUILDING["catalog_access"]:
            connection.exec_driver_sql("SET TRANSACTION READ WRITE")
        connection.exec_driver_sql(
            f"SET LOCAL lock_timeout = {max(1, round(wait_s * 1000))}; "
            f"SET LOCAL synchronous_commit = {commit}; "
            f"SELECT pg_advisory_xact_lock({_WRITE_LOCK})"
        )


@contextmanager
def files_held(engine: Engine) -> Iterator[None]:
    """Hold a lock that the server gives back when its holder dies or its connection breaks."""
    with engine.connect().execution_options(**_NO_BEGINNING) as connection:
        connection.exec_driver_sql(f"SELECT pg_advisory_lock({_FILES_LOCK})")
        try:
            yield
        finally:
            # Its end frees the lock whatever state the connection is in.
            connection.invalidate()
