"""The one writer behind the page: a thread that carries answers out, oldest first."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tagger.errors import CatalogError, TaggerError
from tagger.nets import net, tell

if TYPE_CHECKING:
    from tagger.catalog import Catalog
    from tagger.tagging.answering import Manner

log = logging.getLogger(__name__)

_ANSWERS = Path("the answers of a review")  # what a fault is told of
_RETRY_S = 3.0  # after which a catalogue that was locked or full is tried again


@dataclass
class Writer:
    """Carries out what was answered, now and in sessions that a kill ended.

    Args:
        open_catalog: Gives a catalogue of its own to the thread.
        manner: Gives how answers are written; what writes them is imported behind the page.
        trouble: What keeps it from its work, or "".
        has_changed_files: It has written genres, or put old ones back.
    """

    open_catalog: Callable[[], Catalog]
    manner: Callable[[], Manner]
    trouble: str = ""
    has_changed_files: bool = False
    _there_is_more: threading.Event = field(default_factory=threading.Event)
    _is_idle: threading.Event = field(default_factory=threading.Event)
    _is_over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _starting: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        """Begin with what lies open, unless it has begun."""
        with self._starting:
            if self._thread is None:
                self._there_is_more.set()
                self._thread = threading.Thread(target=self._run, name="answers", daemon=True)
                self._thread.start()

    def wake(self) -> None:
        """Say that there is something to carry out."""
        self._is_idle.clear()
        self._there_is_more.set()

    @property
    def is_idle(self) -> bool:
        """Whether all that was answered is written."""
        return self._is_idle.is_set()

    def finish(self, timeout_s: float) -> bool:
        """End when the files under way are done; return whether nothing was left to do.

        Args:
            timeout_s: Wait no longer for what is still open; the next start goes on with it.
        """
        self.start()  # it may end before it has begun, and what a kill left open is still there
        done = self._is_idle.wait(timeout_s)
        self._is_over.set()
        self._there_is_more.set()
        if self._thread is not None:
            self._thread.join()
        return done

    def _run(self) -> None:
        """Carry out until it is over; what goes wrong is told on the page, and tried again."""
        while not self._is_over.is_set():
            try:
                with net(_ANSWERS, CatalogError):
                    self._carry_out()
            except TaggerError as exc:
                if str(exc) != self.trouble:
                    log.warning("%s", exc)
                    tell(_ANSWERS, exc.trace)
                self.trouble = str(exc)
                self._there_is_more.set()
                self._is_over.wait(_RETRY_S)

    def _carry_out(self) -> None:
        with self.open_catalog() as catalog:
            while True:
                self._there_is_more.wait()
                self._there_is_more.clear()
                if not self._work(catalog):
                    return

    def _work(self, catalog: Catalog) -> bool:
        """Carry out all there is; return False when it is over."""
        from tagger.tagging.answering import carry_out_next
        from tagger.tagging.recovery import close_pending

        manner = self.manner()
        while not self._is_over.is_set():
            close_pending(catalog)
            carried = carry_out_next(catalog, manner)
            self.trouble = ""
            if carried is None:
                if not self._there_is_more.is_set():
                    self._is_idle.set()
                return True
            self.has_changed_files |= carried.has_changed_files
        return False
