"""What a kill left open: each write is found to have happened or not, and its traces go.

What a catalogue says of bytes to put back is carried out only where this user noted it, or adopts
it (`tagger catalog adopt`): a catalogue may come from anybody. The file is looked for where it was
written and, should it have been renamed since, by its inode in the folders of the runs concerned.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tagger.catalog import Catalog, JournalEntry, let_go
from tagger.errors import TagReadError, os_reason, printable
from tagger.files.scan import is_absent, is_folder
from tagger.files.stats import inode_of
from tagger.records import FileChange
from tagger.tags import Stands, TagFaultError, clean_leftovers, put_back, read_tags

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of open writes: made or not made, still open, or left to who noted them."""

    n_done: int = 0
    n_dropped: int = 0
    still_open: tuple[Path, ...] = ()
    others: tuple[Path, ...] = ()


def adopt(location: str | Path) -> Settled:
    """Take a catalogue for this user's own; settle what was broken off, and say what came of it.

    Where a catalogue was lost while files were written, a new one begins.
    """
    let_go(location)
    with Catalog.open(location) as catalog:
        catalog.adopt()
        return settle(catalog, adopted=True)


def close_pending(catalog: Catalog, folders: Sequence[Path] = ()) -> None:
    """Settle the writes that a kill left open, as ``settle`` does, and log what is not settled."""
    found = settle(catalog, folders)
    for path in found.still_open:
        log.error(
            "%s may be half written since an earlier run; it is put back once it can be", path
        )
    if found.others:
        log.warning(
            "writes of another user or machine were broken off, the first to %s; if they are to be "
            "settled here, run tagger catalog adopt",
            found.others[0],
        )


def settle(catalog: Catalog, folders: Sequence[Path] = (), *, adopted: bool = False) -> Settled:
    """Settle writes that a kill left open, so that each file holds its old tag or its new one.

    A file half written in place is put back. The copy that a kill may have left beside a file is
    removed. Nothing else needs mending: before a file is written its tags are read again, whatever
    its row says. A file that was written in place and cannot be looked at now stays open, and so
    does one whose library is not there.

    Args:
        catalog: Whose journal it is.
        folders: Where else to look for files that were renamed.
        adopted: Settle what others have noted as well.
    """
    if not catalog.pending_writes():
        return Settled()
    with catalog.writing():
        entries = catalog.pending_writes()
        ours = [entry for entry in entries if adopted or catalog.is_own(entry)]
        found = _found(ours, catalog, folders)
        done = [entry.journal_id for entry in ours if found[entry.journal_id]]
        dropped = [entry.journal_id for entry in ours if found[entry.journal_id] is False]
        catalog.journal_done(done)
        catalog.journal_dropped(dropped)
    return Settled(
        len(done),
        len(dropped),
        tuple(entry.file.path for entry in ours if found[entry.journal_id] is None),
        tuple(entry.file.path for entry in entries if entry not in ours),
    )


def _found(
    entries: Sequence[JournalEntry], catalog: Catalog, folders: Sequence[Path]
) -> dict[int, bool | None]:
    """Return {journal_id: whether the file holds its new tag, once it holds one; None: unknown}."""
    found: dict[int, bool | None] = {}
    lost: list[JournalEntry] = []
    for entry in entries:
        if entry.overwritten is None:
            found[entry.journal_id] = _was_replaced(entry)
            continue
        stands = _in_place(_place(entry, is_own=catalog.is_own(entry)), entry.overwritten)
        found[entry.journal_id] = None if stands is None else stands is Stands.NEW
        if stands in (None, Stands.FOREIGN):
            lost.append(entry)
    for entry, path, change in _renamed(lost, folders):
        stands = _in_place(path, change)
        if stands in (Stands.OLD, Stands.NEW):
            lost.remove(entry)
            found[entry.journal_id] = stands is Stands.NEW
    for entry in lost:
        if found[entry.journal_id] is False:
            log.warning("%s was changed since an earlier run broke off", entry.file.path)
    return found


def _place(entry: JournalEntry, *, is_own: bool) -> Path | None:
    """Return where a file was written; None where nothing may be put back there.

    Of what others noted, it must be the very file, and not lie outside the folder of that run.
    """
    real = Path(os.path.realpath(entry.file.path))
    if is_own and entry.real_path is not None:
        return entry.real_path
    if not real.is_relative_to(os.path.realpath(entry.file.root)):
        return None
    change = entry.overwritten
    assert change is not None
    try:
        is_it = change.inode in (0, inode_of(real.lstat()))
    except OSError:
        return real
    return real if is_it else None


def _was_replaced(entry: JournalEntry) -> bool | None:
    """Return whether the copy of a file took its place; None if that is not known."""
    if not is_folder(entry.file.root):  # its disk is away, or it is another machine's
        return None
    path = Path(os.path.realpath(entry.file.path))
    if path == entry.real_path or path.is_relative_to(os.path.realpath(entry.file.root)):
        clean_leftovers(path.parent)
    if not is_absent(path) and not os.access(path, os.R_OK):
        return None
    try:
        found = read_tags(path)
    except TagReadError:
        return False
    write = entry.write
    return (found.genres, found.provenance) == (write.after, write.provenance_after)


def _in_place(path: Path | None, change: FileChange) -> Stands | None:
    """Put a file back if it is half written; return what it is now, None if that is not known."""
    if path is None:
        return Stands.FOREIGN
    try:
        return put_back(path, change)
    except OSError as exc:
        log.info("%s cannot be looked at: %s", path, os_reason(exc))
    except TagFaultError as exc:
        log.error("%s is half written since an earlier run: %s", path, exc)
    return None


def _renamed(
    lost: Sequence[JournalEntry], folders: Sequence[Path]
) -> Iterator[tuple[JournalEntry, Path, FileChange]]:
    """Give the files that have the inode of a file that is not where it was written."""
    by_inode: dict[int, list[JournalEntry]] = {}
    for entry in lost:
        if entry.overwritten is not None and entry.overwritten.inode:
            by_inode.setdefault(entry.overwritten.inode, []).append(entry)
    if not by_inode:
        return
    roots = {entry.file.root for entry in lost} | set(folders)
    for found in _files_in(roots):
        for entry in by_inode.get(_inode(found), ()):
            assert entry.overwritten is not None
            yield entry, Path(found.path), entry.overwritten


def _files_in(roots: Iterable[Path]) -> Iterator[os.DirEntry[str]]:
    """Give the files in folders, at any depth; no link is followed, and no folder walked twice."""
    left = sorted({os.path.realpath(root) for root in roots})
    seen: set[str] = set()
    while left:
        folder = left.pop()
        if folder in seen:
            continue
        seen.add(folder)
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        left.append(entry.path)
                    elif entry.is_file(follow_symlinks=False):
                        yield entry
        except OSError as exc:
            log.info("%s is not searched: %s", printable(Path(folder)), os_reason(exc))


def _inode(entry: os.DirEntry[str]) -> int:
    try:
        return inode_of(entry.stat(follow_symlinks=False))
    except OSError:
        return 0
