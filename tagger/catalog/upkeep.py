"""Looking after a catalogue as a whole: checked, copied, put back, brought up to date."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tagger.catalog import checking, chronicle, faults, journal, upgrade
from tagger.catalog.catalog import ABSENT
from tagger.catalog.checking import Complaint
from tagger.catalog.opening import store_of
from tagger.catalog.sqlite.store import SqliteStore
from tagger.catalog.store import WAIT_S, Restored, Store, Upgrade
from tagger.errors import CatalogError

__all__ = [
    "Complaint",
    "Health",
    "Restored",
    "Upgrade",
    "back_up",
    "check",
    "let_go",
    "restore",
    "upgrade_schema",
]


@dataclass(frozen=True, slots=True)
class Health:
    """What a check found.

    Args:
        where: The catalogue, as messages name it.
        schema: Its revision.
        is_current: That revision is this version's.
        open_writes: Files whose writes are under way, or were broken off.
        complaints: What is wrong; () where all is well.
    """

    where: Path | str
    schema: str | None
    is_current: bool
    open_writes: tuple[Path, ...]
    complaints: tuple[Complaint, ...]


def check(location: str | Path) -> Health:
    """Look for damage and contradictions; nothing is changed.

    Raises:
        CatalogError: There is no catalogue, or one of a newer version.
    """
    store = _existing(location)
    with faults.reported(store.where):
        damage = tuple(Complaint(line) for line in store.damage())
        if damage:  # what a damaged catalogue says of its rows is worth nothing
            return Health(store.where, None, True, (), damage)
        return _health(store)


def _health(store: Store) -> Health:
    schema = store.revision()
    engine = store.open_to_read(WAIT_S)
    try:
        with engine.begin() as connection:
            found = tuple(checking.complaints(connection))
            open_writes = tuple(entry.file.path for entry in journal.pending(connection))
    finally:
        engine.dispose()
    return Health(store.where, schema, schema == upgrade.HEAD, open_writes, found)


def back_up(location: str | Path, target: Path | None = None, *, force: bool = False) -> Path:
    """Copy a catalogue to an SQLite file, while others may write; return its path.

    Args:
        location: The catalogue.
        target: The file, an older backup or none yet; by default one beside the catalogue with
            the time in its name.
        force: Write over a file of any kind.
    """
    store = _existing(location)
    chosen = target or store.default_backup("backup")
    _refuse_in_use(chosen, store)
    with faults.reported(store.where):
        store.back_up(chosen, force=force)
    return chosen


def _refuse_in_use(target: Path, store: Store) -> None:
    """Refuse to put a backup in the place of a catalogue that is one, and no backup."""
    if isinstance(store.where, Path) and target.exists() and target.samefile(store.where):
        raise CatalogError("this is the catalogue itself; name another file with -o", target)
    if any(target.with_name(target.name + end).exists() for end in ("-wal", "-journal")):
        raise CatalogError("a catalogue that is in use is there; name another file", target)


def restore(location: str | Path, source: Path) -> Restored:
    """Put a backup in a catalogue's place.

    The chronicle knows of tags written since the backup was made, and they are taken up. Writes
    that are open in the catalogue that was there stay open; those of the backup are dropped.
    """
    store = store_of(location)
    if not SqliteStore(source).exists():
        raise faults.complaint("there is no such backup", source)
    with faults.reported(store.where):
        return store.restore(source, WAIT_S)


def let_go(location: str | Path) -> None:
    """Let a new catalogue begin where one was lost while files were written, if that is so here.

    Raises:
        CatalogError: There is no catalogue, nor was one.
    """
    store = store_of(location)
    with faults.reported(store.where):
        if store.exists():
            return
        if not chronicle.has_lines(store.chronicle):
            raise faults.complaint(ABSENT, store.where)
        chronicle.drop(store.chronicle, list(chronicle.open_writes(store.chronicle)))


def upgrade_schema(location: str | Path) -> Upgrade:
    """Bring a catalogue to this version's schema, after a backup."""
    store = _existing(location)
    with faults.reported(store.where):
        return store.upgrade(WAIT_S)


def _existing(location: str | Path) -> Store:
    store = store_of(location)
    with faults.reported(store.where):
        if not store.exists():
            raise faults.complaint(ABSENT, store.where)
    return store
