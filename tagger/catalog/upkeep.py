"""Looking after a catalogue as a whole: checked, copied, put back, brought up to date."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tagger.catalog import checking, faults, upgrade
from tagger.catalog.catalog import ABSENT
from tagger.catalog.checking import Complaint
from tagger.catalog.opening import store_of
from tagger.catalog.sqlite.store import SqliteStore
from tagger.catalog.store import WAIT_S, Store, Upgrade

__all__ = ["Complaint", "Health", "Upgrade", "back_up", "check", "restore", "upgrade_schema"]


@dataclass(frozen=True, slots=True)
class Health:
    """What a check found.

    Args:
        where: The catalogue, as messages name it.
        schema: Its revision.
        is_current: That revision is this version's.
        n_open_writes: Writes that are under way, or were broken off.
        complaints: What is wrong; () where all is well.
    """

    where: Path | str
    schema: str | None
    is_current: bool
    n_open_writes: int
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
            return Health(store.where, None, True, 0, damage)
        return _health(store)


def _health(store: Store) -> Health:
    schema = store.revision()
    engine = store.open_to_read(WAIT_S)
    try:
        with engine.begin() as connection:
            found = tuple(checking.complaints(connection))
            n_open = checking.n_open_writes(connection)
    finally:
        engine.dispose()
    return Health(store.where, schema, schema == upgrade.HEAD, n_open, found)


def back_up(location: str | Path, target: Path | None = None) -> Path:
    """Copy a catalogue to a new SQLite file, while others may write; return its path.

    Args:
        location: The catalogue.
        target: The file, which must not exist; by default one beside the catalogue with the time
            in its name.
    """
    store = _existing(location)
    chosen = target or store.default_backup("backup")
    with faults.reported(store.where):
        store.back_up(chosen)
    return chosen


def restore(location: str | Path, source: Path) -> Path | None:
    """Put a backup in a catalogue's place; return where what was there has been kept.

    The chronicle knows of tags written since the backup was made, and they are taken up.
    """
    store = store_of(location)
    if not SqliteStore(source).exists():
        raise faults.complaint("there is no such backup", source)
    with faults.reported(store.where):
        return store.restore(source, WAIT_S)


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
