"""Folders in, sound files out: which files of a collection are ours to look at.

This module owns what is passed over (what its name speaks against, links that lead nowhere or back,
what is still being written), and that no recording is given twice. It reads no file: whether there
is sound in it is for the decoder to say.
"""

from __future__ import annotations

import errno
import fnmatch
import os
import re
import stat
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tagger.errors import ScanError
from tagger.files.names import (
    AUDIO_EXTENSIONS,
    EXCLUDE_MARK,
    is_audio_name,
    unfinished_among,
    why_passed_over,
)
from tagger.files.open_elsewhere import is_open_for_writing
from tagger.files.paths import absolute
from tagger.files.stats import audio_file
from tagger.reasons import Reason, ReasonCode, why_system_failed
from tagger.records import AudioFile, Stage, TrackFailure

_STALLED_S = 3600.0  # for how long a download may stand still; only files changed since are asked
_ABSENT = (errno.ENOENT, errno.ENOTDIR)


@dataclass(frozen=True)
class ScanOptions:
    """What to look at.

    Args:
        exclude: Globs; what matches by its name, or by its path under the folder given, is left
            out. ``*`` matches across folders too.
        follow_symlinks: Whether to enter links to folders. Links to files are always followed.
        folders: Only files right in these, as the walk names them; None is all.
        settle_s: Pass over files that changed less than so many seconds ago, or that some program
            has still open for writing, and empty ones: they are being written, it may be.
    """

    exclude: tuple[str, ...] = ()
    follow_symlinks: bool = False
    folders: frozenset[str] | None = None
    settle_s: float = 0.0


@dataclass
class ScanTally:
    """What a scan passed over, filled in while it goes on.

    Args:
        skipped: How many files and folders were passed over, by reason. A folder counts once,
            whatever is in it; a file that is no sound file by its name does not count.
        failures: What could not be looked at, at stage ``scan``.
        unsettled: Folders of files that had changed just before, or were open for writing.
    """

    skipped: Counter[str] = field(default_factory=Counter)
    failures: list[TrackFailure] = field(default_factory=list)
    unsettled: set[str] = field(default_factory=set)


def scan(paths: Sequence[Path], options: ScanOptions, tally: ScanTally) -> Iterator[AudioFile]:
    """Return the sound files at and under some paths, one by one, in a fixed order.

    A folder's own files come before its subfolders, each sorted by name. Every file is given once,
    however many of the paths and links lead to it. What is named itself is looked at even if its
    name is hidden.

    Args:
        paths: Files and folders.
        options: What to leave out and which links to follow.
        tally: Told what is passed over and what fails, while the files are taken.

    Raises:
        ScanError: None of the paths can be looked at; raised at once, before the first file.
    """
    found: list[tuple[Path, os.stat_result]] = []
    failures: list[TrackFailure] = []
    for path in map(absolute, paths):
        try:
            found.append((path, path.stat()))
        except OSError as exc:
            failures.append(TrackFailure(path, Stage.SCAN, _why(exc)))
    if not found:
        raise _nothing_to_scan(failures)
    tally.failures += failures
    return _Walk(options, tally).run(found)


def check_any_there(paths: Sequence[Path]) -> None:
    """Check that one of the paths can be looked at.

    Raises:
        ScanError: None can.
    """
    scan(paths, ScanOptions(), ScanTally())


class _Walk:
    """One scan: what it has been told, and where it has been.

    Memory grows with the number of folders, of links and of files named, not with that of files.
    """

    def __init__(self, options: ScanOptions, tally: ScanTally) -> None:
        self.follow_symlinks = options.follow_symlinks
        self.settle_s = options.settle_s
        self.folders = options.folders
        # The folders asked for and all above them: where the walk has to go.
        self.leading = _with_parents(options.folders or ())
        self.tally = tally
        globs = [fnmatch.translate(glob.rstrip("/")) for glob in options.exclude]
        self.exclude = re.compile("|".join(globs)) if globs else None
        # Where folders entered from outside really lie: what is under them is reached by itself.
        self.real_roots: list[Path] = []
        # (device, inode) of the folders entered, and of the files given by name or link.
        self.folders_entered: set[tuple[int, int]] = set()
        self.files_given: set[tuple[int, int]] = set()

    def run(self, found: list[tuple[Path, os.stat_result]]) -> Iterator[AudioFile]:
        """Yield the files at and under paths that exist."""
        folders = [path for path, status in found if stat.S_ISDIR(status.st_mode)]
        self.real_roots += [folder.resolve() for folder in folders]
        # Files first: named, they count even where the walk would pass them over.
        for path, status in found:
            if not stat.S_ISDIR(status.st_mode):
                yield from self._named_file(path, status)
        for folder in folders:
            yield from self._tree(folder)

    def _named_file(self, path: Path, status: os.stat_result) -> Iterator[AudioFile]:
        """Yield a file that was named itself, unless there is a reason against it."""
        if not stat.S_ISREG(status.st_mode):
            self._fail(path, Reason(ReasonCode.NOT_A_FILE))
        elif not is_audio_name(path.name):
            kinds = " ".join(sorted(extension[1:] for extension in AUDIO_EXTENSIONS))
            self._fail(path, Reason(ReasonCode.OTHER_KIND, {"kinds": kinds}))
        elif path.name in unfinished_among(_names_beside(path)):
            self.tally.skipped["unfinished download"] += 1
        elif self._is_excluded(path.name, str(path)):
            self.tally.skipped["excluded"] += 1
        elif self._is_first_visit(self.files_given, status):
            yield audio_file(path, path.parent, status)

    def _tree(self, root: Path) -> Iterator[AudioFile]:
        """Yield the files under a folder: no recursion, so that depth costs nothing."""
        pending = [str(root)]
        len_root = len(os.path.join(root, ""))  # noqa: PTH118 - what to cut off for a relative path
        while pending:
            folder = pending.pop()
            subfolders: list[str] = []
            gives_files = self.folders is None or folder in self.folders
            inside = self._entries(folder, is_root=folder == str(root))
            unfinished = unfinished_among(entry.name for entry in inside)
            for entry in inside:
                if not (gives_files or entry.path in self.leading):
                    continue
                name_reason = self._reason_against(entry.name, entry.path[len_root:])
                if name_reason:
                    self._skip(entry, name_reason)
                    continue
                status = self._status(entry)
                if status is None:
                    continue
                if stat.S_ISDIR(status.st_mode):
                    if self._leads_on(entry.path) and self._may_enter(entry, status):
                        subfolders.append(entry.path)
                elif self._is_unfinished(entry, unfinished):
                    self.tally.unsettled.add(folder)
                elif self._may_give(entry, status):
                    yield audio_file(Path(entry.path), root, status)
            pending += reversed(subfolders)

    def _entries(self, folder: str, *, is_root: bool) -> list[os.DirEntry[str]]:
        """Return what lies in a folder, sorted; nothing if it is marked, known or unreadable."""
        try:
            status = os.stat(folder)  # noqa: PTH116
            with os.scandir(folder) as entries:
                inside = sorted(entries, key=lambda entry: entry.name)
        except OSError as exc:
            self._fail(Path(folder), _why(exc))
            return []
        if not is_root and any(entry.name == EXCLUDE_MARK for entry in inside):
            self.tally.skipped[f"folder with {EXCLUDE_MARK}"] += 1
            return []
        return inside if self._is_first_visit(self.folders_entered, status) else []

    def _status(self, entry: os.DirEntry[str]) -> os.stat_result | None:
        """Return what an entry is, links followed; None, and counted, if that cannot be told."""
        try:
            return entry.stat()
        except OSError as exc:
            if exc.errno not in (errno.ENOENT, errno.ELOOP, errno.ENOTDIR):
                self._fail(Path(entry.path), _why(exc))
            elif entry.is_symlink():
                self.tally.skipped["broken link"] += 1
            else:
                self.tally.skipped["gone meanwhile"] += 1
            return None

    def _leads_on(self, folder: str) -> bool:
        """Say whether a folder has something in it that was asked for."""
        return self.folders is None or folder in self.leading

    def _may_enter(self, entry: os.DirEntry[str], status: os.stat_result) -> bool:
        """Say whether to walk into a folder, or a link to one."""
        if not entry.is_symlink():
            return True
        if not self.follow_symlinks:
            self.tally.skipped["link to a folder"] += 1
            return False
        real = Path(entry.path).resolve()
        if self._is_reached_anyway(real) or _identity(status) in self.folders_entered:
            self.tally.skipped["link to what is scanned anyway"] += 1
            return False
        self.real_roots.append(real)
        return True

    def _is_unfinished(self, entry: os.DirEntry[str], unfinished: set[str]) -> bool:
        """Say whether a download manager has not got all of a file yet; count it if so."""
        if not is_audio_name(entry.name) or entry.name not in unfinished:
            return False
        self.tally.skipped["unfinished download"] += 1
        return True

    def _may_give(self, entry: os.DirEntry[str], status: os.stat_result) -> bool:
        """Say whether something that is no folder is a sound file not given yet."""
        if not stat.S_ISREG(status.st_mode):
            self.tally.skipped["not a regular file"] += 1
            return False
        if not is_audio_name(entry.name) or self._is_unsettled(entry, status):
            return False
        if not entry.is_symlink():
            return not self.files_given or _identity(status) not in self.files_given
        is_new = not self._is_reached_anyway(Path(entry.path).resolve())
        if is_new and self._is_first_visit(self.files_given, status):
            return True
        self.tally.skipped["link to what is scanned anyway"] += 1
        return False

    def _is_unsettled(self, entry: os.DirEntry[str], status: os.stat_result) -> bool:
        """Say whether a file may still be being written; count it if so.

        Its inode's change counts as well: a copy that keeps times sets them at its end. A clock
        far from ours, on a network disk, says nothing. A download that has stalled keeps its file
        open; were it replaced by a tagged one, what is still to come would go nowhere.
        """
        if not self.settle_s:
            return False
        now = time.time()
        is_fresh = abs(now - max(status.st_mtime, status.st_ctime)) < self.settle_s
        if not is_fresh and abs(now - status.st_ctime) < _STALLED_S:
            is_fresh = is_open_for_writing(entry.path)
        if is_fresh:
            self.tally.unsettled.add(os.path.dirname(entry.path))  # noqa: PTH120
        if is_fresh or not status.st_size:
            self.tally.skipped["still being written"] += 1
            return True
        return False

    def _is_reached_anyway(self, real: Path) -> bool:
        """Say whether the walk comes, or came, to a link's target by itself.

        A target in a place that the walk passes over is not reached: git-annex keeps all files in
        a hidden folder and links to them.
        """
        for root in self.real_roots:
            if not real.is_relative_to(root):
                continue
            inside = real.relative_to(root)
            steps = [inside, *inside.parents][:-1]
            is_file = not real.is_dir()
            if (
                not any(self._reason_against(step.name, str(step)) for step in steps)
                and not any((root / step / EXCLUDE_MARK).exists() for step in steps[is_file:])
                and not (is_file and not is_audio_name(real.name))
            ):
                return True
        return False

    def _reason_against(self, name: str, path_inside: str) -> str | None:
        """Return why an entry is passed over by its name alone, or None."""
        why = why_passed_over(name)
        return why or ("excluded" if self._is_excluded(name, path_inside) else None)

    def _is_excluded(self, name: str, path: str) -> bool:
        """Say whether one of the globs matches."""
        return bool(self.exclude and (self.exclude.match(name) or self.exclude.match(path)))

    def _skip(self, entry: os.DirEntry[str], reason: str) -> None:
        """Count what is passed over by name, but not excluded files that are no sound anyway."""
        if reason != "excluded" or is_audio_name(entry.name) or entry.is_dir():
            self.tally.skipped[reason] += 1

    def _fail(self, path: Path, why: Reason) -> None:
        self.tally.failures.append(TrackFailure(path, Stage.SCAN, why))

    def _is_first_visit(self, visited: set[tuple[int, int]], status: os.stat_result) -> bool:
        """Note a visit, and say whether it is the first."""
        identity = _identity(status)
        is_first = identity not in visited
        if status.st_ino:  # some network disks number nothing
            visited.add(identity)
        return is_first


def _names_beside(path: Path) -> set[str]:
    """Return the names in a file's folder; none if it may not be read."""
    try:
        return {one.name for one in path.parent.iterdir()}
    except OSError:
        return set()


def _with_parents(folders: Iterable[str]) -> set[str]:
    """Return folders and all that lie above them."""
    found: set[str] = set()
    for folder in folders:
        while folder not in found:
            found.add(folder)
            folder = os.path.dirname(folder)  # noqa: PTH120
    return found


def _identity(status: os.stat_result) -> tuple[int, int]:
    """Return what two paths to the same file have in common."""
    return status.st_dev, status.st_ino


def is_absent(path: Path) -> bool:
    """Return whether there is no such file; not being let near it, or a fault, is no proof."""
    try:
        path.lstat()
    except OSError as exc:
        return exc.errno in _ABSENT
    return False


def is_folder(path: Path) -> bool:
    """Return whether a folder is there, and not on a disk that answers no more."""
    try:
        return path.is_dir()
    except OSError:
        return False


def _why(exc: OSError) -> Reason:
    """Return why a path cannot be looked at and what to do."""
    return Reason(ReasonCode.NOT_FOUND) if exc.errno in _ABSENT else why_system_failed(exc)


def _nothing_to_scan(failures: list[TrackFailure]) -> ScanError:
    """Return the error for a scan without a single path that can be looked at."""
    if not failures:
        return ScanError("no file or folder given: name at least one")
    first, *others = failures
    if not others:
        return ScanError(first.reason, first.path)
    return ScanError(f"{first.reason} (nor can {len(others)} more that were given)", first.path)
