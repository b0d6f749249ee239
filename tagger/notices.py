"""Which folders the system says that a file has come to: its events, by way of watchdog.

They are hints. Where the system tells nothing, or not all, whoever asks has to look from time to
time as well.
"""

from __future__ import annotations

import errno
import os
import sys
import tempfile
from pathlib import Path
from threading import Event, Lock

from watchdog.events import (
    DirCreatedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, ObservedWatch

from tagger.errors import os_reason
from tagger.filenames import is_audio_name

# Not each write to a file, where its end is told: a copy is a thousand of them.
_KINDS: list[type[FileSystemEvent]] = [
    FileCreatedEvent,
    FileMovedEvent,
    FileClosedEvent if sys.platform == "linux" else FileModifiedEvent,
    DirCreatedEvent,
    DirMovedEvent,
]

_LIMITS = {
    errno.ENOSPC: "the system watches as many folders as it may (sudo sysctl "
    "fs.inotify.max_user_watches=1048576 lets it watch more)",
    errno.EMFILE: "the system lets no more programs watch (sudo sysctl "
    "fs.inotify.max_user_instances=1024 lets more)",
}


class Notices(FileSystemEventHandler):
    """Collects the folders that something has come to, until they are taken.

    Args:
        follow_symlinks: Whether linked folders are watched too.
    """

    def __init__(self, *, follow_symlinks: bool) -> None:
        self.arrived = Event()
        self._follow_symlinks = follow_symlinks
        self._lock = Lock()
        self._folders: set[str] = set()
        self._watches: dict[Path, ObservedWatch] = {}
        self._observer: BaseObserver | None = None

    def arm(self, root: Path) -> str | None:
        """Watch a folder and all below it; return why not all of it can be, if so."""
        try:
            if self._observer is None:
                self._observer = Observer()
                self._observer.start()
            self._watches[root] = self._observer.schedule(
                self,
                str(root),
                recursive=True,
                event_filter=_KINDS,
                follow_symlink=self._follow_symlinks,
            )
            _try_one_more(self._observer)
        except OSError as exc:
            return _LIMITS.get(exc.errno or 0) or os_reason(exc)
        return None

    def disarm(self, root: Path) -> None:
        """Watch a folder no more, if it was."""
        watch = self._watches.pop(root, None)
        if watch is not None and self._observer is not None:
            self._observer.unschedule(watch)

    def close(self) -> None:
        """Watch nothing any more."""
        if self._observer is not None:
            self._observer.stop()
            self._observer.join()

    def take(self) -> set[str]:
        """Return the folders that something has come to, and forget them."""
        with self._lock:
            taken, self._folders = self._folders, set()
            self.arrived.clear()
        return taken

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Note where something has come to; called by watchdog's thread."""
        path = os.fsdecode(event.dest_path or event.src_path)
        folder, name = os.path.split(path)
        if not event.is_directory and not is_audio_name(name):
            return
        with self._lock:
            self._folders.add(path if event.is_directory else folder)
            self.arrived.set()


def _try_one_more(observer: BaseObserver) -> None:
    """Raise if the limit is reached: of a folder's subfolders watchdog does not say so."""
    with tempfile.TemporaryDirectory() as another:
        watch = observer.schedule(
            FileSystemEventHandler(), another, event_filter=[FileCreatedEvent]
        )
        observer.unschedule(watch)
