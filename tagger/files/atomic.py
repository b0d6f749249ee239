"""Files that a command writes where the user says: whole or not at all, and over nothing else.

One rule for all of them: what is there already is replaced only if it begins as that command's
output does, or where the user says ``--force``, and never if it is read-only. A link is followed,
so it stays.
"""

from __future__ import annotations

import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from tagger.errors import TaggerError, os_reason

_BOM = b"\xef\xbb\xbf"
_HEAD_BYTES = 4096  # that tell of what kind a file is
_MOST_LETTERS = 32  # of a name that a draft's begins with: a name may be too long for more


@dataclass(frozen=True, slots=True)
class FileKind:
    """A kind of file that a command may write over.

    Args:
        start: What each begins with, a byte order mark aside; an empty file is of any kind.
        refusal: What is said where something else is there.
        error: Raised where it cannot be written.
        mark: What each has at ``mark_at`` besides.
        mark_at: See there.
    """

    start: bytes
    refusal: str
    error: type[TaggerError] = TaggerError
    mark: bytes = b""
    mark_at: int = 0

    def unless(self, force: bool) -> FileKind:
        """Return the kind of files that may be written over: with ``force`` it is any."""
        return replace(self, start=b"", mark=b"") if force else self

    def takes_in(self, found: bytes) -> bool:
        """Return whether a file that begins so is of this kind."""
        if not found:
            return True
        stop = self.mark_at + len(self.mark)
        is_begun = found.removeprefix(_BOM).startswith(self.start)
        return is_begun and found[self.mark_at : stop] == self.mark


_ANY = FileKind(b"", "")


def check_replaceable(path: Path, kind: FileKind = _ANY) -> None:
    """Check that ``replaced`` can begin, before what takes long is done for it.

    Raises:
        TaggerError: As from ``replaced``.
    """
    with _reported(path, kind), new_draft(_target(path, kind)):
        pass


@contextmanager
def replaced(path: Path, kind: FileKind = _ANY) -> Iterator[Path]:
    """Give a draft to write; it takes the file's place at the end, or goes if anything fails.

    A kill leaves it behind, so write what is at hand already where that can be.

    Args:
        path: Where the file is to be; of a link, what it leads to.
        kind: What may be written over.

    Raises:
        TaggerError: It cannot be written, is no ordinary file, such as a device, or of another
            kind.
    """
    with _reported(path, kind):
        target = _target(path, kind)
        with new_draft(target) as draft:
            yield draft
            put_in_place(draft, target)


def put_in_place(draft: Path, target: Path) -> None:
    """Give a draft the name of a file, once its bytes are on the disk; the name as well then.

    Raises:
        OSError: It cannot be done; what was there stays.
    """
    with draft.open("rb+") as file:
        os.fsync(file.fileno())
    if target.exists():  # who could read the old file can read the new one
        shutil.copymode(target, draft)
    draft.replace(target)
    sync_folder(target.parent)


@contextmanager
def new_draft(target: Path) -> Iterator[Path]:
    """Give an empty file beside another, by a name that nobody else has; it goes at the end."""
    draft = target.with_name(f".{target.name[:_MOST_LETTERS]}.{secrets.token_hex(8)}.draft")
    draft.touch(exist_ok=False)  # never one that is there, or a link that somebody left
    try:
        yield draft
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


@contextmanager
def _reported(path: Path, kind: FileKind) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise kind.error(f"cannot be written: {os_reason(exc)}", path) from exc


def _target(path: Path, kind: FileKind) -> Path:
    """Return the file that is to be written, of a link what it leads to; or refuse it."""
    target = Path(os.path.realpath(path))
    if target.is_symlink():
        raise kind.error("cannot be written: it is a link that leads in a circle", path)
    if target.exists() and not target.is_file():
        raise kind.error("cannot be written: it is there, and is no ordinary file", path)
    if _is_read_only(target):
        raise kind.error("it is read-only; make it writable to have it replaced", path)
    if not _is_of_kind(target, kind):
        raise kind.error(kind.refusal, path)
    return target


def _is_read_only(path: Path) -> bool:
    """Return whether a file's mode forbids writing it; neither a rename nor root heeds that."""
    if not path.exists():
        return False
    return not path.stat().st_mode & stat.S_IWUSR or not os.access(path, os.W_OK)


def _is_of_kind(path: Path, kind: FileKind) -> bool:
    if not (kind.start or kind.mark) or not path.exists():
        return True
    with path.open("rb") as file:
        return kind.takes_in(file.read(_HEAD_BYTES))


@contextmanager
def closed_quietly(descriptor: int) -> Iterator[None]:
    """Close a descriptor at the end; what close(2) says of bytes read, or synced, is of no use."""
    try:
        yield
    finally:
        with suppress(OSError):
            os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Have it on the disk which files a folder holds.

    Raises:
        OSError: it cannot be synced.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    with closed_quietly(descriptor):
        os.fsync(descriptor)
