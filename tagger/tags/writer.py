"""Writing genres: either a file's genre changes and nothing else, or the file is as it was.

The steps of a write, each of which may fail and leave the file alone:

1. Look: the file may be written, its tags are understood, what is to change is planned as splices.
2. Compare: a view of the file with the splices applied is read; all that must stay has stayed,
   the genres are those asked for, and mutagen reads the same. Nothing has been written so far.
3. (The caller notes the write in its journal.)

In place, where little is overwritten and the caller has a journal:

4. Open: the file may be written, nobody else is writing it, and it is still the one of step 1.
5. Overwrite the bytes that change, the end of the file first.
6. Sync: the bytes are on the disk. If 5 or 6 fails, the old bytes are put back.

(Of several files at a time, see `tagger.tags.batch`.) Else through a copy:

4. Copy: a new file in the same folder, with the owner, mode and attributes of the old one.
5. Fill: what the view reads as; then read again and compared, byte for byte.
6. Take its place: the copy is on the disk, the file is still the one of step 1 and nobody is
   writing it, the copy is renamed over it, and the folder is on the disk.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Self

from tagger.errors import TagWriteError, TornWriteError, os_reason
from tagger.files.atomic import closed_quietly, sync_folder
from tagger.files.open_elsewhere import is_open_for_writing
from tagger.files.stats import inode_of, mtime_of
from tagger.reasons import Reason, ReasonCode, why_system_failed
from tagger.records import FileChange, TagWrite
from tagger.tags.fields import TagFaultError
from tagger.tags.inplace import (
    Stands,
    how_it_stands,
    keep_time,
    put_back_or_say,
    write_in_place,
)
from tagger.tags.splices import View, blocks, size_of
from tagger.tags.temporary import TemporaryCopy, copy_beside, keep_attributes

log = logging.getLogger(__name__)


@contextmanager
def reported(path: Path) -> Iterator[None]:
    """Turn what stands in the way of a write into a TagWriteError."""
    try:
        yield
    except TagFaultError as exc:
        raise TagWriteError(Reason(ReasonCode.TAG, {"words": str(exc)}), path) from exc
    except OSError as exc:
        raise TagWriteError(why_system_failed(exc), path) from exc


@dataclass(frozen=True, slots=True)
class Opened:
    """The file of step 1, what stat(2) said of it, and how it is to read."""

    file: BinaryIO
    path: Path
    stat: os.stat_result
    view: View | None

    @property
    def times_ns(self) -> tuple[int, int]:
        """Its times of access and of change."""
        return self.stat.st_atime_ns, self.stat.st_mtime_ns


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways in which a file may be written.

    Args:
        in_place: The caller keeps ``PreparedWrite.overwritten`` safe before it carries it out.
        lossy_copies: Through a copy also where that loses hard links, owner or attributes.
        linked: Files that have several names as well.
    """

    in_place: bool = True
    lossy_copies: bool = False
    linked: bool = True


SAFE_WAYS = Ways()


@dataclass(frozen=True, slots=True)
class PreparedWrite:
    """A write that has come through its comparison, and has touched nothing yet.

    Args:
        write: What changes for a reader of tags.
        kept: What takes it back byte for byte, or None where that would be too much to keep.
        overwritten: What it overwrites in place, to be on the disk before ``carry_out``; None if
            it goes through a copy, or nothing is to be written.
        is_exact: It makes the file byte for byte what it was before an earlier write.
    """

    write: TagWrite
    kept: FileChange | None
    overwritten: FileChange | None
    is_exact: bool
    _opened: Opened
    _ways: Ways

    def __enter__(self) -> Self:
        """Return the prepared write itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file; what was not carried out has not happened."""
        self._opened.file.close()

    @property
    def to_keep(self) -> FileChange:
        """What the journal keeps for good: ``kept``, or whose write it was."""
        return self.kept or replace(self._known_by, real_path=None)

    @property
    def to_roll_back(self) -> FileChange:
        """What the journal keeps until the write is over: ``overwritten``, or which file it was."""
        return self.overwritten or self._known_by

    @property
    def _known_by(self) -> FileChange:
        stat, path = self._opened.stat, self._opened.path
        return FileChange((), stat.st_size, mtime_of(stat), inode_of(stat), real_path=path)

    @property
    def n_names(self) -> int:
        """How many names the file has; each shows what is written in place."""
        return self._opened.stat.st_nlink

    @property
    def file_id(self) -> tuple[int, int]:
        """What tells one file from another, whatever its names."""
        return self._opened.stat.st_dev, self._opened.stat.st_ino

    def carry_out(self, *, preserve_mtime: bool = False) -> TagWrite:
        """Write, and return what was written.

        Args:
            preserve_mtime: Keep the file's time of change, so that backups and players see none.

        Raises:
            TagWriteError: With the reason; the file is byte for byte as it was.
            TornWriteError: It is half written; `put_back` mends it.
        """
        with reported(self.write.path):
            if self.overwritten is not None:
                self._write_in_place(self.overwritten, preserve_mtime=preserve_mtime)
            elif self._opened.view is not None:
                self._write_through_copy(self._opened.view, preserve_mtime=preserve_mtime)
        return self.write

    def _write_in_place(self, change: FileChange, *, preserve_mtime: bool) -> None:
        _refuse_half_written(self._opened.path)
        descriptor = self._opened_to_write()
        try:
            self._refuse_changed(os.fstat(descriptor))
            write_in_place(descriptor, change, self.write.path)
            if preserve_mtime:
                keep_time(descriptor, self._opened.times_ns, self.write.path)
        except BaseException:
            with suppress(OSError):
                os.close(descriptor)
            raise
        try:
            os.close(descriptor)
        except OSError as exc:
            self._look_after(change, exc)

    def _opened_to_write(self) -> int:
        return os.open(self._opened.path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)

    def _look_after(self, change: FileChange, fault: OSError) -> None:
        """Go by what stands in a file of which close(2) said that not all of it could be kept.

        A network disk may say so when the last byte was written long ago.
        """
        try:
            descriptor = self._opened_to_write()
        except OSError as exc:
            reason = f"whether its tag was written cannot be told ({os_reason(exc)}); run again"
            raise TornWriteError(reason, self.write.path) from exc
        with closed_quietly(descriptor):
            stands = how_it_stands(descriptor, change)
            if stands is Stands.NEW:
                log.warning("%s was written, though on closing it: %s", self.write.path, fault)
                return
            if stands is Stands.TORN:
                put_back_or_say(descriptor, change, self.write.path)
        raise fault

    def _write_through_copy(self, view: View, *, preserve_mtime: bool) -> None:
        self._refuse_changed(self._opened.path.stat())
        with copy_beside(self._opened.path) as copy:
            source, target = self._opened.file.fileno(), copy.file.fileno()
            keep_attributes(source, target, all_or_none=not self._ways.lossy_copies)
            _fill(copy.file, view)
            if preserve_mtime:
                keep_time(copy.file.fileno(), self._opened.times_ns, self.write.path)
            self._put_in_place(copy)

    def _put_in_place(self, copy: TemporaryCopy) -> None:
        os.fsync(copy.file.fileno())
        self._refuse_changed(self._opened.path.stat())
        _refuse_half_written(self._opened.path)
        copy.path.rename(self._opened.path)
        copy.taken = True
        try:
            sync_folder(self._opened.path.parent)
        except OSError as exc:
            # The new file is whole and in its place; only a power cut could bring the old one back.
            log.warning("%s may not yet be safe on the disk: %s", self._opened.path, exc)

    def _refuse_changed(self, now: os.stat_result) -> None:
        before = self._opened.stat
        is_same = _identity(now) == _identity(before)
        if self._ways.lossy_copies and now.st_nlink < before.st_nlink:
            # Another name of it has a copy of its own now, which sets the time of status change.
            is_same = _identity(now)[:-1] == _identity(before)[:-1]
        if not is_same:
            raise TagFaultError("it was changed by somebody else meanwhile")


def _refuse_half_written(path: Path) -> None:
    """Refuse a file that is not whole: what is still to come would go to the one replaced."""
    if is_open_for_writing(str(path)):
        raise TagFaultError("another program has it open for writing; run again when it is done")


def _fill(copy: BinaryIO, view: View) -> None:
    """Write what a view reads as into a copy, and make sure that it stands there."""
    size = size_of(view)
    for block in blocks(view, 0, size):
        copy.write(block)
    copy.flush()
    pairs = zip(blocks(view, 0, size), blocks(copy, 0, size_of(copy)), strict=False)
    if size_of(copy) != size or any(a != b for a, b in pairs):
        raise TagFaultError("its copy reads back otherwise than it was written; check the disk")


def _identity(stat: os.stat_result) -> tuple[int, ...]:
    return (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
