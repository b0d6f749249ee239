"""Writing genres: either a file's genre changes and nothing else, or the file is as it was.

The steps of a write, each of which may fail and leave the file alone:

1. Look: the file may be written, its tags are understood, what must stay is noted, what is to
   change is planned as splices.
2. Copy: a new file in the same folder, with the owner, mode and attributes of the old one.
3. Fill: the old bytes with the splices applied.
4. Compare: the copy is read again; all that must stay has stayed, the genres are those asked for,
   and mutagen reads the same.
5. Take its place: the copy is on the disk, the file is still the one of step 1, the copy is
   renamed over it, and the folder is on the disk.

Many splices fit in place (their new bytes are as long as the old ones); an in-place path can take
the plan of step 1 as it is.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from stat import S_IWUSR
from typing import BinaryIO

from tagger.errors import TagWriteError, os_reason
from tagger.records import TagsFound, TagWrite
from tagger.tags.copies import Copy, copy_beside, keep_attributes
from tagger.tags.fields import (
    SEPARATOR,
    Change,
    Part,
    TagFaultError,
    checked_change,
    merged,
    restoring_change,
)
from tagger.tags.formats import Family, family_of
from tagger.tags.reader import open_regular
from tagger.tags.splices import Splice, real_changes, spliced

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What step 1 found: the open file, what it says, what must stay, what is to change."""

    file: BinaryIO
    path: Path
    family: Family
    found: TagsFound
    rest: list[Part]
    change: Change
    splices: list[Splice]
    stat: os.stat_result


def write_genres(
    path: Path,
    genres: Sequence[str],
    *,
    provenance: str | None,
    preserve_mtime: bool = False,
    expected: TagsFound | None = None,
) -> TagWrite:
    """Make a file carry these genres and our own field, and change nothing else in it.

    A file that carries them already is not touched.

    Args:
        path: The file; where it is a link, its target is written and the link stays.
        genres: Non-empty texts; several are stored in the format's own way.
        provenance: The text of our own field (see `provenance_text`), None to have none.
        preserve_mtime: Keep the file's time of change, so that backups and players see no change.
        expected: What `read_tags` said; if other genres stand there now, nothing is written.

    Raises:
        TagWriteError: With the reason; the file is byte for byte as it was.
    """
    return _written(
        path,
        lambda: checked_change(genres, provenance),
        preserve_mtime=preserve_mtime,
        expected=expected,
    )


def restore_genres(
    path: Path,
    before: TagsFound,
    *,
    preserve_mtime: bool = False,
    expected: TagsFound | None = None,
) -> TagWrite:
    """Make a file carry the genres and our own field that stood there before, or none.

    Otherwise as `write_genres`.
    """
    return _written(
        path,
        lambda: restoring_change(before.genres, before.provenance),
        preserve_mtime=preserve_mtime,
        expected=expected,
    )


def _written(
    path: Path,
    asked: Callable[[], Change],
    *,
    preserve_mtime: bool,
    expected: TagsFound | None,
) -> TagWrite:
    try:
        change = asked()
        real = Path(os.path.realpath(path, strict=True))
        with open_regular(real) as file:
            plan = _looked_at(file, real, change, expected)
            if plan.splices:
                _write_through_copy(plan, preserve_mtime=preserve_mtime)
    except TagFaultError as exc:
        raise TagWriteError(str(exc), path) from exc
    except OSError as exc:
        raise TagWriteError(os_reason(exc), path) from exc
    before = plan.found
    return TagWrite(path, before.genres, change.genres, before.provenance, change.provenance)


def _looked_at(file: BinaryIO, path: Path, change: Change, expected: TagsFound | None) -> _Plan:
    """Step 1."""
    before = os.fstat(file.fileno())
    _refuse_protected(path, before)
    family = family_of(file)
    found = merged(family.read(file))
    if expected is not None and found.genres != expected.genres:
        raise TagFaultError("its genre was changed by somebody else meanwhile")
    splices = real_changes(file, family.plan(file, change))
    rest = family.rest(file) if splices else []
    return _Plan(file, path, family, found, rest, change, splices, before)


def _refuse_protected(path: Path, before: os.stat_result) -> None:
    """Respect what the mode says; as root, or by a rename, nothing else would."""
    if not before.st_mode & S_IWUSR or not os.access(path, os.W_OK):
        raise TagFaultError("the file is read-only; make it writable to have it tagged")
    folder = path.parent
    if not folder.stat().st_mode & S_IWUSR or not os.access(folder, os.W_OK | os.X_OK):
        raise TagFaultError("its folder is read-only; make it writable to have it tagged")
    if before.st_nlink > 1:
        raise TagFaultError(
            f"it has {before.st_nlink} hard links, which a write would split; copy it first"
        )


def _write_through_copy(plan: _Plan, *, preserve_mtime: bool) -> None:
    """Steps 2 to 5."""
    with copy_beside(plan.path) as copy:
        keep_attributes(plan.file.fileno(), copy.file.fileno())
        for block in spliced(plan.file, plan.splices):
            copy.file.write(block)
        copy.file.flush()
        _compare(plan, copy.file)
        if preserve_mtime:
            times = (plan.stat.st_atime_ns, plan.stat.st_mtime_ns)
            os.utime(copy.file.fileno(), ns=times)
        _take_its_place(plan, copy)


def _compare(plan: _Plan, copy: BinaryIO) -> None:
    """Step 4."""
    family = family_of(copy)
    if family.name != plan.family.name:
        raise TagFaultError(f"it would be taken for {family.name} after the write")
    lost = _first_lost(plan.rest, family.rest(copy))
    if lost:
        raise TagFaultError(f"{lost} would be changed")
    after = merged(family.read(copy))
    if after.genres != plan.change.genres or after.provenance != plan.change.provenance:
        raise TagFaultError(f"the genre would read as {SEPARATOR.join(after.genres)!r}")
    second = _second_opinion(plan, copy)
    if second not in (None, plan.change.joined):
        raise TagFaultError(f"another reader would see the genre as {second!r}")


def _second_opinion(plan: _Plan, copy: BinaryIO) -> str | None:
    """Return the genres as mutagen reads them, None if it could not read the old file either."""
    try:
        return SEPARATOR.join(plan.family.second_opinion(copy))
    except TagFaultError:
        try:
            plan.family.second_opinion(plan.file)
        except TagFaultError:
            return None
        raise


def _first_lost(before: list[Part], after: list[Part]) -> str | None:
    """Return the name of what is missing, altered or out of order; new parts do no harm."""
    standing = iter(after)
    return next((part[0] for part in before if part not in standing), None)


def _take_its_place(plan: _Plan, copy: Copy) -> None:
    """Step 5."""
    os.fsync(copy.file.fileno())
    if _identity(plan.path.stat()) != _identity(plan.stat):
        raise TagFaultError("it was changed by somebody else meanwhile")
    copy.path.rename(plan.path)
    copy.taken = True
    try:
        _sync_folder(plan.path.parent)
    except OSError as exc:
        # The new file is whole and in its place; only a power cut now could bring back the old one.
        log.warning("%s may not yet be safe on the disk: %s", plan.path, exc)


def _identity(stat: os.stat_result) -> tuple[int, ...]:
    return (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
