"""What a kill left open: each write is found to have happened or not, and its traces go."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from tagger.catalog import Catalog, JournalEntry
from tagger.errors import TagReadError, os_reason
from tagger.records import FileChange
from tagger.tags import Stands, clean_leftovers, put_back, read_tags

log = logging.getLogger(__name__)


def close_pending(catalog: Catalog) -> None:
    """Settle writes that a kill left open, so that each file holds its old tag or its new one.

    A file half written in place is put back. The copy that a kill may have left beside a file is
    removed. Nothing else needs mending: before a file is written its tags are read again, whatever
    its row says. A file that was written in place and cannot be looked at now stays open, and so
    does one whose library is not there.
    """
    if not catalog.pending_writes():
        return
    with catalog.writing():
        done: list[int] = []
        dropped: list[int] = []
        for entry in catalog.pending_writes():
            was_made = _was_made(entry)
            if was_made is not None:
                (done if was_made else dropped).append(entry.journal_id)
        catalog.journal_done(done)
        catalog.journal_dropped(dropped)


def _was_made(entry: JournalEntry) -> bool | None:
    """Return whether the file holds its new tag, once it holds one; None if that is not known."""
    path = Path(os.path.realpath(entry.file.path))
    if entry.overwritten is not None:
        return _in_place(path, entry.overwritten)
    if not entry.file.root.is_dir():  # its disk is away, or it is another machine's
        return None
    clean_leftovers(path.parent)
    try:
        found = read_tags(path)
    except TagReadError:
        return False
    write = entry.write
    return (found.genres, found.provenance) == (write.after, write.provenance_after)


def _in_place(path: Path, change: FileChange) -> bool | None:
    try:
        stands = put_back(path, change)
    except OSError as exc:
        log.error(
            "%s may be half written since an earlier run, and cannot be put back: %s",
            path,
            os_reason(exc),
        )
        return None
    if stands is Stands.FOREIGN:
        log.warning("%s was changed by somebody else since an earlier run broke off", path)
    return stands is Stands.NEW
