"""What every kind of place for a catalogue offers: a file of SQLite's, or a PostgreSQL database."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

from tagger.records import FloatArray

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from sqlalchemy import Engine

Ids: TypeAlias = "NDArray[np.int64]"
"""track_ids (n_tracks,)"""

WAIT_S = 30.0  # how long to wait for another writer

# Execution options of a connection: its transactions wait for their turn to write, and are on
# the disk when they end. Without the second, a power cut may undo the last of them, whole.
WRITING: Mapping[str, str] = {"catalog_access": "write"}
DURABLE: Mapping[str, str] = {"catalog_access": "durable"}


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What bringing a schema up to date came to.

    Args:
        found: The revision found; None where there was no catalogue.
        backup: The copy made before, if the schema was older.
    """

    found: str | None
    backup: Path | None = None


@dataclass(frozen=True, slots=True)
class Restored:
    """What putting a backup in a catalogue's place came to.

    Args:
        kept: Where what was there before is now; None where there was nothing.
        carried: Files whose writes were open in it, and are open in the new one.
        dropped: Files whose writes were open in the backup, and are known no more.
        lost: Files whose writes were open in what was there before, which could not be read.
    """

    kept: Path | None
    carried: tuple[Path, ...] = ()
    dropped: tuple[Path, ...] = ()
    lost: tuple[Path, ...] = ()

    @classmethod
    def of(
        cls,
        kept: Path | None,
        *,
        carried: Iterable[Path],
        dropped: Iterable[Path],
        opened: Iterable[Path],
    ) -> Restored:
        """Return what it came to, each file named once; ``opened`` is what the chronicle knows."""
        open_now = dict.fromkeys(carried)
        lost = dict.fromkeys(path for path in opened if path not in open_now)
        gone = dict.fromkeys(path for path in dropped if path not in {**open_now, **lost})
        return cls(kept, tuple(open_now), tuple(gone), tuple(lost))


class Search(Protocol):
    """How a database finds the nearest of one model's tracks."""

    def __call__(self, target: FloatArray, among: Ids | None) -> Iterator[Ids]:
        """Yield tracks in batches that grow, those most like a target (embedding_dim,) first.

        They are among those that are given, or any if None. What others write meanwhile may be
        passed over.
        """


class Store(Protocol):
    """A place for a catalogue, and what only that kind of place knows how to do.

    Engines that it gives understand WRITING and DURABLE; a transaction without them only reads,
    and sees the catalogue as it stood when it began.
    """

    @property
    def where(self) -> Path | str:
        """The file, or the URL without its password, as messages name it."""

    @property
    def chronicle(self) -> Path:
        """The file on this machine that has a line for each tag written."""

    def exists(self) -> bool:
        """Return whether there is a catalogue; raise CatalogError where something else is."""

    def revision(self) -> str | None:
        """Return the schema's revision; raise CatalogError for one of a newer version."""

    def open_to_write(self, wait_s: float) -> Engine:
        """Return an engine on a sound catalogue of this version's schema, made if it is absent."""

    def open_to_read(self, wait_s: float) -> Engine:
        """Return an engine that touches nothing and shows this version's schema."""

    def upgrade(self, wait_s: float) -> Upgrade:
        """Bring the schema up to date, or make it; a schema that was there is backed up first."""

    def hold_files(self, engine: Engine) -> AbstractContextManager[None]:
        """Hold the right to touch files: one process has it at a time, the others wait."""

    def back_up(self, target: Path, *, force: bool = False) -> None:
        """Copy the catalogue to an SQLite file: whole, verified, or not at all.

        What is there is replaced if it is a backup, or with ``force``.
        """

    def restore(self, source: Path, wait_s: float) -> Restored:
        """Put a backup in the catalogue's place; writes that are open there stay open."""

    def search(self, engine: Engine, model_id: str) -> Search | None:
        """Return how the database itself finds the nearest of a model's tracks, if it can."""

    def default_backup(self, label: str) -> Path:
        """Return a new file's path for a backup; the label says what kind of backup it is."""

    def damage(self) -> Iterator[str]:
        """Yield what the database itself finds wrong with what it keeps, one line each."""


def stamped(path: Path, label: str) -> Path:
    """Return a free name beside a file for a copy of it, with the time in UTC.

    >>> stamped(Path("catalog.db"), "schema-0001").match("catalog.db.schema-0001.*Z.bak")
    True
    """
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    new = path.with_name(f"{path.name}.{label}.{stamp}.bak")
    n = 1
    while os.path.lexists(new):
        n += 1
        new = path.with_name(f"{path.name}.{label}.{stamp}-{n}.bak")
    return new
