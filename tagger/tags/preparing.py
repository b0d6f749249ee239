"""Making a write ready: steps 1 and 2 of those in `tagger.tags.writer`; nothing is touched yet."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from stat import S_IWUSR
from typing import BinaryIO

from tagger.errors import TagWriteError
from tagger.nets import net
from tagger.records import FileChange, TagsFound, TagWrite
from tagger.tags.changes import kept_change, overwriting_change, splices_back
from tagger.tags.comparing import compare, refuse_second_opinion
from tagger.tags.differences import narrowed
from tagger.tags.fields import Change, TagFaultError, checked_change, merged, restoring_change
from tagger.tags.formats import Family, family_of
from tagger.tags.reader import open_regular
from tagger.tags.splices import Splice, View, real_changes
from tagger.tags.writer import SAFE_WAYS, Opened, PreparedWrite, Ways, reported

log = logging.getLogger(__name__)


def prepare_write(
    path: Path,
    genres: Sequence[str],
    *,
    provenance: str | None,
    expected: TagsFound | None = None,
    ways: Ways = SAFE_WAYS,
) -> PreparedWrite:
    """Make ready that a file carries these genres and our own field, and changes in nothing else.

    Of a file that carries them already nothing is to be written.

    Args:
        path: The file; where it is a link, its target is written and the link stays.
        genres: Non-empty texts; several are stored in the format's own way.
        provenance: The text of our own field (see `provenance_text`), None to have none.
        expected: What `read_tags` said; if other genres stand there now, nothing is written.
        ways: Those that may be taken.

    Raises:
        TagWriteError: With the reason.
    """
    with net(path, TagWriteError), reported(path):
        task = _ByFamily(checked_change(genres, provenance))
        return _prepared(path, task, expected=expected, ways=ways)


def prepare_restore(
    path: Path,
    before: TagsFound,
    *,
    kept: FileChange | None = None,
    expected: TagsFound | None = None,
    ways: Ways = SAFE_WAYS,
) -> PreparedWrite:
    """Make ready that a file carries the genres and our own field that stood there before.

    Args:
        path: The file.
        before: What stood there, which may be nothing.
        kept: The change to take back, of the write that replaced it: byte for byte, if the file
            is still as that write left it where it wrote.
        expected: As for `prepare_write`.
        ways: As for `prepare_write`.

    Raises:
        TagWriteError: With the reason.
    """
    with net(path, TagWriteError), reported(path):
        change = restoring_change(before.genres, before.provenance)
        if kept is not None:
            task = _ByBytes(change, kept)
            try:
                return _prepared(path, task, expected=expected, ways=ways)
            except TagFaultError as exc:
                log.info("%s is not put back byte for byte: %s", path, exc)
        return _prepared(path, _ByFamily(change), expected=expected, ways=ways)


@dataclass(frozen=True, slots=True)
class _ByFamily:
    """A change that the format's family plans."""

    change: Change
    is_exact = False

    def plan(self, family: Family, file: BinaryIO) -> list[Splice]:
        return narrowed(file, real_changes(file, family.plan(file, self.change)))

    def compare(self, family: Family, file: BinaryIO, splices: Sequence[Splice]) -> View:
        view = compare(family, file, splices, self.change, is_exact=False)
        refuse_second_opinion(family, file, view, self.change)
        return view


@dataclass(frozen=True, slots=True)
class _ByBytes:
    """A change that takes an earlier one back, whatever other readers made of the file then."""

    change: Change
    kept: FileChange
    is_exact = True

    def plan(self, _family: Family, file: BinaryIO) -> list[Splice]:
        return splices_back(file, self.kept)

    def compare(self, family: Family, file: BinaryIO, splices: Sequence[Splice]) -> View:
        return compare(family, file, splices, self.change, is_exact=True)


def _prepared(
    path: Path, task: _ByFamily | _ByBytes, *, expected: TagsFound | None, ways: Ways
) -> PreparedWrite:
    """Steps 1 and 2."""
    real = Path(os.path.realpath(path, strict=True))
    with ExitStack() as on_error:
        file = on_error.enter_context(open_regular(real))
        stat = os.fstat(file.fileno())
        _refuse_read_only(real, stat)
        family = family_of(file)
        found = merged(family.read(file))
        if expected is not None and found.genres != expected.genres:
            raise TagFaultError("its genre was changed by somebody else meanwhile")
        nothing_to_do = task.change.is_blank and not found.genres and found.provenance is None
        splices = [] if nothing_to_do else task.plan(family, file)
        view = task.compare(family, file, splices) if splices else None
        overwritten = overwriting_change(file, view, splices) if ways.in_place and view else None
        if view and stat.st_nlink > 1 and not ways.linked:
            raise TagFaultError(f"it has {stat.st_nlink} names, and hard_links says to leave such")
        if view and not overwritten:
            _refuse_copying(real, stat, ways)
        on_error.pop_all()
    to = task.change
    return PreparedWrite(
        TagWrite(path, found.genres, to.genres, found.provenance, to.provenance),
        kept_change(file, splices) if splices else None,
        overwritten and replace(overwritten, real_path=real),
        task.is_exact,
        Opened(file, real, stat, view),
        ways,
    )


def _refuse_read_only(path: Path, before: os.stat_result) -> None:
    """Respect what the mode says; as root, or by a rename, nothing else would."""
    may_write = os.access(path, os.W_OK)
    if not may_write and os.statvfs(path).f_flag & os.ST_RDONLY:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))
    if not before.st_mode & S_IWUSR or not may_write:
        raise TagFaultError("the file is read-only; make it writable to have it tagged")


def _refuse_copying(path: Path, before: os.stat_result, ways: Ways) -> None:
    """Refuse to put a copy in the place of a file where that would do harm."""
    folder = path.parent
    if not folder.stat().st_mode & S_IWUSR or not os.access(folder, os.W_OK | os.X_OK):
        raise TagFaultError("its folder is read-only; make it writable to have it tagged")
    if before.st_nlink > 1 and not ways.lossy_copies:
        raise TagFaultError(
            f"it has {before.st_nlink} hard links, which its new copy would not share; "
            "--allow-copies writes it all the same"
        )
