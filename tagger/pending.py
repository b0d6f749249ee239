"""What a kill left open: each write is found to have happened or not, and its traces go."""

from __future__ import annotations

import os
from pathlib import Path

from tagger.catalog import Catalog, JournalEntry
from tagger.errors import TagReadError
from tagger.tags import clean_leftovers, read_tags


def close_pending(catalog: Catalog) -> None:
    """Settle writes that a kill left open: the file holds its old tag or its new one.

    Nothing else needs mending: before a file is written its tags are read again, whatever its row
    says. The copy that a kill may have left beside it is removed.
    """
    done: list[int] = []
    dropped: list[int] = []
    for entry in catalog.pending_writes():
        clean_leftovers(Path(os.path.realpath(entry.file.path)).parent)
        (done if _was_made(entry) else dropped).append(entry.journal_id)
    catalog.journal_done(done)
    catalog.journal_dropped(dropped)


def _was_made(entry: JournalEntry) -> bool:
    try:
        found = read_tags(entry.file.path)
    except TagReadError:
        return False
    write = entry.write
    return (found.genres, found.provenance) == (write.after, write.provenance_after)
