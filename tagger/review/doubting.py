"""What looks wrong, looked for in a process of its own: the page stands meanwhile."""

from __future__ import annotations

import logging
import multiprocessing
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from tagger.catalog import Catalog
from tagger.errors import TaggerError
from tagger.review.learner import leave_interrupts
from tagger.review.questions import Suspect

log = logging.getLogger(__name__)

_DIED = "the process that looked for them has died; end the review by Ctrl-C, and start it anew"


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found.

    Args:
        suspects: The tracks whose genre looks wrong, the surest first.
        why_not: Why nothing could be judged, or "".
    """

    suspects: tuple[Suspect, ...] = ()
    why_not: str = ""


def look(location: str | Path, folders: Sequence[Path]) -> Looked:
    """Return the tracks in some folders whose genre looks wrong; runs in its own process."""
    from tagger.learning.reviewing import doubts_in

    try:
        with Catalog.open(location, create=False, read_only=True) as catalog:
            found = {doubt.path: doubt for doubt in doubts_in(catalog, folders)}
            asked = catalog.unanswered(folders, only_blank=False)
            tracks = {track.path: track for track in asked if track.path in found}
    except TaggerError as exc:
        return Looked(why_not=str(exc))
    return Looked(
        tuple(
            Suspect(tracks[path], doubt.suggestion, doubt.likelihood, doubt.confidence)
            for path, doubt in found.items()
            # Another run may have recorded it in between.
            if path in tracks and tracks[path].tags.genres == doubt.genres
        )
    )


@dataclass
class Doubter:
    """Looks once; what it has found comes by itself.

    Args:
        location: The catalogue.
        folders: Where to look; () is anywhere.
        take: Given what was found.
    """

    location: str | Path
    folders: Sequence[Path]
    take: Callable[[Looked], None]

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._run, name="doubting", daemon=True).start()

    def _run(self) -> None:
        # Spawned, not forked: this process has threads.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=context, initializer=leave_interrupts) as process:
            try:
                self.take(process.submit(look, self.location, self.folders).result())
            except BrokenProcessPool:
                log.warning(_DIED)
                self.take(Looked(why_not=_DIED))
