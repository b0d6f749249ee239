"""After a scan: files that are no longer there are marked, unless it may be their disk that is not.

Marking forgets nothing: a file that comes back is known again, and only ``catalog prune`` forgets.
Where nothing was marked, a person may know better.
"""

from __future__ import annotations

import shlex
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tagger.catalog import Catalog, RootRow
from tagger.errors import CatalogError, printable
from tagger.files.scan import is_absent
from tagger.files.stats import device_of
from tagger.records import AudioFile
from tagger.wording import counted


@dataclass
class Seen:
    """What a scan has come across.

    Args:
        file_ids: Rows of files seen; eight bytes each, however large the library.
        n_found: Files found from each starting folder.
    """

    file_ids: array[int] = field(default_factory=lambda: array("q"))
    n_found: Counter[Path] = field(default_factory=Counter)

    def add(self, file: AudioFile, file_id: int | None) -> None:
        """Note a file, and its row if it had one."""
        self.n_found[file.root] += 1
        if file_id is not None:
            self.file_ids.append(file_id)

    def sorted_ids(self) -> NDArray[np.int64]:
        """Return the rows seen, once each."""
        return np.unique(np.array(self.file_ids, np.int64))


@dataclass(frozen=True, slots=True)
class Missing:
    """What became of files that were not there.

    Args:
        n_marked: How many were marked.
        held_back: For each folder where none was: how many, and why, in words for a person.
    """

    n_marked: int = 0
    held_back: tuple[str, ...] = ()


def mark_missing(catalog: Catalog, folders: Sequence[Path], seen: Seen) -> Missing:
    """Mark what is gone from folders that were scanned to the end.

    Args:
        catalog: Where it is marked.
        folders: Absolute paths of folders that are there.
        seen: What the scan came across.
    """
    n_marked = 0
    held_back: list[str] = []
    for one in _absences(catalog, folders, seen):
        if one.gone and one.why_not:
            held_back.append(_about(len(one.gone), one.folder, one.why_not))
        elif one.gone:
            catalog.mark_vanished(one.gone)
            n_marked += len(one.gone)
        root, device = one.root, one.device
        if device is not None and device != root.device and 2 * len(one.gone) < root.n_files:
            catalog.set_device(root.root_id, device)
    return Missing(n_marked, tuple(held_back))


def are_missing(catalog: Catalog, folders: Sequence[Path], seen: Seen) -> bool:
    """Return whether ``mark_missing`` would mark any file."""
    return any(one.gone and not one.why_not for one in _absences(catalog, folders, seen))


def gone_from(catalog: Catalog, folder: Path, *, force: bool = False) -> list[int]:
    """Return the rows of files that are known in a folder and gone from it, marked or not.

    Args:
        catalog: Where they are known.
        folder: An absolute path.
        force: Even where it may be their disk that is not there.

    Raises:
        CatalogError: It may be.
    """
    none_seen = np.empty(0, np.int64)
    found: list[int] = []
    for root in catalog.roots_under(folder):
        gone = _gone(catalog, folder, root, none_seen)
        why = _disk_missing(root, _device(root.path))
        if gone and why and not force:
            raise CatalogError(
                f"{_so_many(len(gone))} gone, but {why}; say --force if they will not come back",
                folder,
            )
        found += gone
    return found


@dataclass(frozen=True, slots=True)
class _Absence:
    """What is gone from the part of a root that lies in a folder.

    Args:
        device: The one that the root is on now; None if it is not there.
        gone: The rows of the files.
        why_not: Why they are not to be marked, or "".
    """

    folder: Path
    root: RootRow
    device: int | None
    gone: list[int]
    why_not: str


def _absences(catalog: Catalog, folders: Sequence[Path], seen: Seen) -> Iterator[_Absence]:
    ids = seen.sorted_ids()
    for folder in folders:
        for root in catalog.roots_under(folder):
            gone, device = _gone(catalog, folder, root, ids), _device(root.path)
            why_not = _why_not(root, device, len(gone), n_found=seen.n_found[folder])
            yield _Absence(folder, root, device, gone, why_not)


def _gone(catalog: Catalog, folder: Path, root: RootRow, seen: NDArray[np.int64]) -> list[int]:
    unseen = catalog.unseen(folder, root.root_id, seen)
    return [row.file_id for row in unseen if is_absent(row.path)]


def _device(path: Path) -> int | None:
    try:
        return device_of(path.stat())
    except OSError:
        return None


def _why_not(root: RootRow, device: int | None, n_gone: int, *, n_found: int) -> str:
    """Return why nothing is to be marked in a root, or ""."""
    if device is not None and not n_found:
        return "there is no music any more"
    why = _disk_missing(root, device)
    if why:
        return why
    return "they are more than half of what is known there" if 2 * n_gone > root.n_files else ""


def _disk_missing(root: RootRow, device: int | None) -> str:
    """Return why a root's disk may not be there, or ""."""
    if device is None:
        return f"{printable(root.path)} is missing"
    is_other = root.device is not None and device != root.device
    return f"{printable(root.path)} is on another device than before" if is_other else ""


def _about(n_gone: int, folder: Path, why: str) -> str:
    shown = printable(folder)
    return (
        f"{_so_many(n_gone)} gone from {shown}, but nothing was marked as gone: {why}. If that is "
        f"right, tagger catalog prune --gone {shlex.quote(shown)} forgets them"
    )


def _so_many(n_files: int) -> str:
    return counted(n_files, "file is", "files are")
