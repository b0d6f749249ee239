"""Which folders the system says that a file has come to: its events, by way of watchdog.

They are hints. Where the system tells nothing, or not all, whoever asks has to look from time to
time as well.
"""

from __future__ import annotations

import errno
import logging
import os
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

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
from watchdog.observers.api import BaseObserver

from tagger.errors import os_reason
from tagger.files.names import is_audio_name, why_passed_over

log = logging.getLogger(__name__)

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


class Notices:
    """Collects the folders that something has come to, until they are taken.

    Linked folders are not watched: links may lead in circles, and watchdog would follow them.
    """

    def __init__(self) -> None:
        self.arrived = threading.Event()
        self._lock = threading.Lock()
        self._folders: set[str] = set()
        self._has_new_folders = False
        self._is_full = False
        self._observer: BaseObserver | None = None
        self._complaints = _Complaints()

    def arm(self, root: Path) -> str | None:
        """Watch a folder and all below it; return why not all of it can be, if so."""
        try:
            if self._observer is None:
                self._observer = Observer()
                self._observer.start()
            # A link itself would be watched, and not what it leads to.
            real = os.path.realpath(root)
            ear = _Ear(self._note, self._note_new_folder, real, str(root))
            self._observer.schedule(ear, real, recursive=True, event_filter=_KINDS)
            _try_one_more(self._observer)
        except OSError as exc:
            self._is_full = True
            return _LIMITS.get(exc.errno or 0) or os_reason(exc)
        return None

    def take(self) -> set[str]:
        """Return the folders that something has come to, and forget them."""
        with self._lock:
            taken, self._folders = self._folders, set()
            self.arrived.clear()
        return taken

    def have_failed(self) -> bool:
        """Return whether events may have been lost, and all has to be armed anew."""
        if self._observer is None:
            return False
        threads = (self._observer, *self._observer.emitters)
        are_alive = all(thread.is_alive() for thread in threads)
        return self._complaints.were_heard or not are_alive or self._have_filled_up(self._observer)

    def _have_filled_up(self, observer: BaseObserver) -> bool:
        """Return whether folders have come and the limit is reached, where it was not before."""
        with self._lock:
            has_new, self._has_new_folders = self._has_new_folders, False
        if not has_new or self._is_full:
            return False
        try:
            _try_one_more(observer)
        except OSError as exc:
            log.info("watchdog: %s", exc)
            return True
        return False

    def reset(self) -> None:
        """Watch nothing, until a folder is armed."""
        if self._observer is not None:
            _stop(self._observer)
        self._observer = None
        self._is_full = False
        self._complaints.were_heard = False

    def close(self) -> None:
        """Watch nothing any more."""
        self.reset()
        self._complaints.stop_listening()

    def _note_new_folder(self) -> None:
        with self._lock:
            self._has_new_folders = True
            self.arrived.set()

    def _note(self, folder: str) -> None:
        with self._lock:
            self._folders.add(folder)
            self.arrived.set()


class _Ear(FileSystemEventHandler):
    """Hears the events of one folder; called by watchdog's threads.

    Args:
        note: Told of the folders that something has come to.
        note_new_folder: Told that a folder has come, which has to be watched as well.
        real: The folder, links resolved: what events name.
        root: The folder as it is known here.
    """

    def __init__(
        self,
        note: Callable[[str], object],
        note_new_folder: Callable[[], object],
        real: str,
        root: str,
    ) -> None:
        self._note = note
        self._note_new_folder = note_new_folder
        self._real = real
        self._root = root

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Note where something has come to."""
        path = os.fsdecode(event.dest_path or event.src_path)
        folder, name = os.path.split(path)
        if event.is_directory:
            self._note_new_folder()
            folder = path
        elif not is_audio_name(name):
            return
        below = folder.removeprefix(self._real)
        if not any(why_passed_over(part) for part in Path(below).parts):
            self._note(self._root + below)


class _Complaints(logging.Handler):
    """Hears that watchdog has lost events, which it does not say otherwise.

    It logs that the kernel's queue ran over. And its thread ends by a KeyError where folders were
    moved away whose place others have taken.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.were_heard = False
        self._logger = logging.getLogger("watchdog")
        self._before = (self._logger.level, self._logger.propagate)
        self._hear_end_before = threading.excepthook
        self._logger.setLevel(logging.WARNING)
        self._logger.propagate = False
        self._logger.addHandler(self)
        threading.excepthook = self._hear_end
        # That it watches already what comes back: said by a list of all folders, and no harm.
        warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"watchdog\.")

    def emit(self, record: logging.LogRecord) -> None:
        """Take note of a complaint."""
        log.info("watchdog: %s", record.getMessage())
        self.were_heard = True

    def _hear_end(self, end: threading.ExceptHookArgs) -> None:
        """Take note of a thread that an exception has ended, if it is one of watchdog's."""
        if type(end.thread).__module__.startswith("watchdog."):
            log.info("watchdog: a thread has ended: %r", end.exc_value)
            self.were_heard = True
        else:
            self._hear_end_before(end)

    def stop_listening(self) -> None:
        """Leave all as it was."""
        self._logger.removeHandler(self)
        level, self._logger.propagate = self._before
        self._logger.setLevel(level)
        threading.excepthook = self._hear_end_before


def _stop(observer: BaseObserver) -> None:
    """Stop an observer; what it has lost count of, its threads are left to end with us."""
    try:
        observer.stop()
    except KeyError as exc:  # as in _Complaints
        log.info("watchdog: %r", exc)
    else:
        observer.join()


def _try_one_more(observer: BaseObserver) -> None:
    """Raise if the limit is reached: of a folder's subfolders watchdog does not say so."""
    handler = FileSystemEventHandler()
    observer.unschedule(observer.schedule(handler, os.sep, event_filter=[DirMovedEvent]))
