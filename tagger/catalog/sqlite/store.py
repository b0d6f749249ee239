"""A catalogue in a file of SQLite's."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from tagger.catalog import carrying, chronicle, faults, locks, upgrade
from tagger.catalog.sqlite import backups, connecting, engines, header, wal
from tagger.catalog.store import Restored, Upgrade, stamped
from tagger.errors import CatalogError
from tagger.files.atomic import new_draft, put_in_place
from tagger.files.mounts import unsafe_for_wal

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SqliteStore:
    """A file, with the chronicle beside it."""

    path: Path

    @property
    def where(self) -> Path:
        """The file."""
        return self.path

    @property
    def chronicle(self) -> Path:
        """A file of the same name and ``.writes``."""
        return chronicle.path_of(self.path)

    def exists(self) -> bool:
        """Return whether the file is a catalogue; False where there is none."""
        return header.is_catalog(self.path)

    def revision(self) -> str | None:
        """Return the schema's revision."""
        engine = engines.reading_engine_for(self.path)
        try:
            with engine.connect() as connection:
                return upgrade.known_revision(connection, self.path)
        finally:
            engine.dispose()

    def open_to_write(self, wait_s: float) -> Engine:
        """Return an engine on a sound catalogue of this version's schema, made if it is absent."""
        header.make_folder(self.path)
        if not self.exists():
            chronicle.refuse_open_writes(self.chronicle)
        is_shared = unsafe_for_wal(self.path.parent) is not None
        with ExitStack() as on_error:
            engine = engines.engine_for(self.path, wait_s=wait_s, careful=is_shared)
            on_error.callback(engine.dispose)
            if upgrade.needs_upgrade(engine, self.path):
                self.upgrade(wait_s)
            self._check_sound(engine)
            wal.choose_mode(engine, self.path)
            engines.check_writable(engine)
            on_error.pop_all()
        return engine

    def open_to_read(self, wait_s: float) -> Engine:
        """Return an engine on the file as it is, or on a copy in memory with today's schema."""
        with ExitStack() as on_error:
            engine = engines.reading_engine_for(self.path, wait_s=wait_s)
            on_error.callback(engine.dispose)
            is_old = upgrade.needs_upgrade(engine, self.path)
            self._check_sound(engine)
            if not is_old:
                on_error.pop_all()
                return engine
            copy = backups.copy_to_memory(engine)
            with copy.begin() as connection:
                upgrade.migrate(connection)
            engines.forbid_writing(copy)
        return copy

    def _check_sound(self, engine: Engine) -> None:
        """Look for damage in a catalogue that is small enough to be read at every start."""
        with engine.connect() as connection:
            if not connecting.looks_sound(engines.raw(connection), self.path):
                raise CatalogError(faults.DAMAGED, self.path)

    def upgrade(self, wait_s: float) -> Upgrade:
        """Bring the file to this version's schema, or make it.

        A new one takes up the chronicle of one that was lost. Tables, data and the file's mark
        change in one transaction: a kill leaves the old catalogue.
        """
        with engines.rebuilding(self.path, wait_s) as connection:
            # Another process may have been quicker since it was found to be old.
            found = upgrade.known_revision(connection, self.path)
            if found == upgrade.HEAD:
                return Upgrade(found)
            backup = None if found is None else self.default_backup(f"schema-{found}")
            if backup is not None:
                self.back_up(backup)
            upgrade.migrate(connection)
            if found is None:
                chronicle.take_up(connection, self.chronicle)
            header.mark_as_ours(connection)
        return Upgrade(found, backup)

    def hold_files(self, engine: Engine) -> AbstractContextManager[None]:  # noqa: ARG002
        """Hold a lock on the chronicle, which the system gives back when its holder dies."""
        return locks.held(self.chronicle)

    def back_up(self, target: Path, *, force: bool = False) -> None:
        """Copy the catalogue to a file, whole and verified, while others may write."""
        backups.back_up(self.path, target, force=force)

    def restore(self, source: Path, wait_s: float) -> Restored:
        """Put a backup in the file's place; what was there is renamed, not deleted."""
        header.make_folder(self.path)
        opened = chronicle.open_writes(self.chronicle)
        carried = self._open_writes(wait_s)
        with new_draft(self.path) as draft:
            backups.copy_to_draft(source, draft)
            with engines.rebuilding(draft, wait_s) as connection:
                if upgrade.known_revision(connection, source) != upgrade.HEAD:
                    upgrade.migrate(connection)
                chronicle.take_up(connection, self.chronicle)
                dropped = carrying.drop_open(connection)
                now = carrying.take_over(connection, carried)
            kept = self.default_backup("replaced") if self.exists() else None
            if kept is not None:
                backups.move_aside(self.path, kept)
            put_in_place(draft, self.path)
        carrying.renumber(self.chronicle, [*opened, *(one.journal_id for one in carried)], now)
        return Restored.of(kept, carried=now.values(), dropped=dropped, opened=opened.values())

    def _open_writes(self, wait_s: float) -> list[carrying.OpenWrite]:
        """Return the writes that are open in the file; none where it cannot be read."""
        if not self.exists():
            return []
        try:
            engine = self.open_to_read(wait_s)
        except (CatalogError, DBAPIError) as exc:
            log.warning("%s: which writes are open there cannot be read: %s", self.path, exc)
            return []
        try:
            with engine.begin() as connection:
                return carrying.open_writes(connection)
        except (ValueError, DBAPIError) as exc:
            log.warning("%s: which writes are open there cannot be read: %s", self.path, exc)
            return []
        finally:
            engine.dispose()

    def search(self, engine: Engine, model_id: str) -> None:
        """Return None: SQLite knows nothing of vectors."""

    def default_backup(self, label: str) -> Path:
        """Return a name beside the file."""
        return stamped(self.path, label)

    def damage(self) -> Iterator[str]:
        """Yield what SQLite finds wrong with the file."""
        return backups.damage(self.path)
