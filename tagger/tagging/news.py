"""What the catalogue does not know yet of files that were found: whether a run is worth while."""

from __future__ import annotations

from dataclasses import dataclass

from tagger.catalog import Catalog, KnownTrack
from tagger.files.scan import ScanTally, scan
from tagger.records import Status
from tagger.tagging.chunking import chunks
from tagger.tagging.request import TagRequest
from tagger.tagging.vanished import Seen, are_missing

_CHUNK_FILES = 256  # looked up at a time


@dataclass(frozen=True, slots=True)
class News:
    """What the catalogue says of a batch before it is run.

    Args:
        folders: Those in which a run would have something to do.
        unsettled: Those with files that may still be being written.
        has_gone: Files are gone and not marked as such; told where all was looked through.
    """

    folders: frozenset[str]
    unsettled: frozenset[str]
    has_gone: bool


def news_for(request: TagRequest, catalog: Catalog) -> News:
    """Return where a run would have anything to do."""
    tally, seen = ScanTally(), Seen()
    folders: set[str] = set()
    for files in chunks(scan(request.paths, request.scan, tally), _CHUNK_FILES):
        for file, known in zip(files, catalog.lookup(files, request.card.model_id), strict=True):
            seen.add(file, known.file_id if known else None)
            if _is_news(known, request):
                folders.add(file.folder)
    has_gone = request.scan.folders is None and are_missing(catalog, request.paths, seen)
    return News(frozenset(folders), frozenset(tally.unsettled), has_gone)


def _is_news(known: KnownTrack | None, request: TagRequest) -> bool:
    if known is None or not known.unchanged:
        return True
    if known.failure is not None:
        return False  # as long as it has not changed, it fails again
    if known.status is Status.PREDICTED and request.intent.write:
        return True  # a run broke off before it was decided on
    is_anothers = known.other_model is not None and not request.refresh
    return known.has_vanished or (known.prediction is None and not is_anothers)
