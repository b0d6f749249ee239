"""A catalogue in a PostgreSQL database."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from sqlalchemy import URL, Connection, Engine

from tagger.catalog import carrying, chronicle, faults, transfer, upgrade
from tagger.catalog.postgresql import database, engines, vectors
from tagger.catalog.store import DURABLE, WAIT_S, Restored, Search, Upgrade, stamped
from tagger.errors import CatalogError, os_reason

_SHOWN = ("host", "port")  # of a URL's query; the rest may hold secrets


@dataclass(frozen=True, slots=True)
class PostgresStore:
    """A database, with the chronicle of what this machine wrote in the user's data folder."""

    url: URL

    @property
    def where(self) -> str:
        """The URL without its password."""
        query = {name: value for name, value in self.url.query.items() if name in _SHOWN}
        shown = self.url.set(drivername="postgresql", query=query)
        # Not set(): it takes no password to mean that the old one stays.
        return shown._replace(password=None).render_as_string()

    @property
    def chronicle(self) -> Path:
        """A file named by a hash of the URL without its password."""
        name = hashlib.sha256(self.where.encode()).hexdigest()[:16]
        return platformdirs.user_data_path("tagger") / f"postgresql-{name}.writes"

    def exists(self) -> bool:
        """Return whether there is a catalogue; raise CatalogError where something else is."""
        with self._reading(WAIT_S) as connection:
            return database.is_catalog(connection, self.where)

    def revision(self) -> str | None:
        """Return the schema's revision; raise CatalogError for one of a newer version."""
        with self._reading(WAIT_S) as connection:
            return upgrade.known_revision(connection, self.where)

    def open_to_write(self, wait_s: float) -> Engine:
        """Return an engine on a catalogue of this version's schema, made if it is absent.

        An older schema is not brought up to date here: that shuts out the taggers of other
        machines that are older.
        """
        self._make_folder()
        with ExitStack() as on_error:
            engine = engines.engine_for(self.url, wait_s=wait_s)
            on_error.callback(engine.dispose)
            with engine.execution_options(**DURABLE).begin() as connection:
                database.refuse_read_only(connection, self.where)
                if not database.is_catalog(connection, self.where):
                    self._make(connection)
            self._refuse_other_schema(engine)
            on_error.pop_all()
        return engine

    def open_to_read(self, wait_s: float) -> Engine:
        """Return an engine with which the server lets nothing be changed."""
        with ExitStack() as on_error:
            engine = engines.engine_for(self.url, wait_s=wait_s, read_only=True)
            on_error.callback(engine.dispose)
            self._refuse_other_schema(engine)
            on_error.pop_all()
        return engine

    def _refuse_other_schema(self, engine: Engine) -> None:
        if upgrade.needs_upgrade(engine, self.where):
            raise faults.complaint(
                f"this catalogue's schema is older than {upgrade.HEAD}; run tagger catalog "
                "upgrade once every machine has this version of tagger",
                self.where,
            )

    def _make(self, connection: Connection) -> None:
        """Make the tables, and take up what this machine wrote into a catalogue that was lost."""
        chronicle.refuse_open_writes(self.chronicle)
        self._migrate(connection)
        database.mark_as_ours(connection)
        self._take_up_chronicle(connection)

    def _migrate(self, connection: Connection) -> None:
        upgrade.migrate(connection)
        database.explain_tables(connection)

    def _take_up_chronicle(self, connection: Connection) -> None:
        chronicle.take_up(connection, self.chronicle)
        database.go_on_numbering(connection)

    def upgrade(self, wait_s: float) -> Upgrade:
        """Bring the schema up to date, in one transaction, while nobody else is connected."""
        self._make_folder()
        with self._writing(wait_s) as connection:
            found = upgrade.known_revision(connection, self.where)
            if found == upgrade.HEAD:
                return Upgrade(found)
            database.refuse_company(connection, self.where)
            backup = self.default_backup(f"schema-{found}")
            self.back_up(backup)
            self._migrate(connection)
        return Upgrade(found, backup)

    def hold_files(self, engine: Engine) -> AbstractContextManager[None]:
        """Hold a lock of the server's, for all machines."""
        return engines.files_held(engine)

    def back_up(self, target: Path, *, force: bool = False) -> None:
        """Copy the catalogue to an SQLite file, while others may write."""
        with self._reading(WAIT_S) as connection:
            transfer.back_up(connection, target, force=force)

    def restore(self, source: Path, wait_s: float) -> Restored:
        """Put a backup's rows in place of those that are there, which are backed up first."""
        self._make_folder()
        opened = chronicle.open_writes(self.chronicle)
        with (
            tempfile.TemporaryDirectory(prefix="tagger-") as folder,
            transfer.upgraded_copy(source, Path(folder)) as (copy, tables),
            self._writing(wait_s) as connection,
        ):
            kept, carried = self._cleared(connection)
            transfer.copy_rows(copy, connection, tables=tables)
            self._take_up_chronicle(connection)
            dropped = carrying.drop_open(connection)
            now = carrying.take_over(connection, carried)
        carrying.renumber(self.chronicle, [*opened, *(one.journal_id for one in carried)], now)
        return Restored.of(kept, carried=now.values(), dropped=dropped, opened=opened.values())

    def _cleared(self, connection: Connection) -> tuple[Path | None, list[carrying.OpenWrite]]:
        """Leave this version's tables and nothing in them.

        Returns:
            The backup of what was there, and the writes that were open there.
        """
        if not database.is_catalog(connection, self.where):
            self._migrate(connection)
            database.mark_as_ours(connection)
            return None, []
        database.refuse_company(connection, self.where)
        kept = self.default_backup("replaced")
        self.back_up(kept)
        if upgrade.known_revision(connection, self.where) != upgrade.HEAD:
            self._migrate(connection)
        carried = carrying.open_writes(connection)
        database.empty_tables(connection)
        return kept, carried

    def search(self, engine: Engine, model_id: str) -> Search | None:
        """Return how pgvector finds the nearest tracks; None where the server does not have it."""
        return vectors.search(engine, model_id)

    def default_backup(self, label: str) -> Path:
        """Return a name in the user's data folder."""
        return stamped(self.chronicle.with_suffix(""), label)

    def damage(self) -> Iterator[str]:
        """Yield nothing: PostgreSQL checks references and types itself, and reports bad pages."""
        return iter(())

    def _make_folder(self) -> None:
        try:
            self.chronicle.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CatalogError(os_reason(error), self.chronicle.parent) from error

    @contextmanager
    def _reading(self, wait_s: float) -> Iterator[Connection]:
        engine = engines.engine_for(self.url, wait_s=wait_s, read_only=True)
        try:
            with engine.begin() as connection:
                yield connection
        finally:
            engine.dispose()

    @contextmanager
    def _writing(self, wait_s: float) -> Iterator[Connection]:
        engine = engines.engine_for(self.url, wait_s=wait_s)
        try:
            with engine.execution_options(**DURABLE).begin() as connection:
                yield connection
        finally:
            engine.dispose()
