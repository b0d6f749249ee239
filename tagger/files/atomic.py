"""Files that a command writes where the user says: whole or not at all, and over nothing else."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tagger.errors import TaggerError, os_reason

_BOM = b"\xef\xbb\xbf"
_MOST_LETTERS = 32  # of a name that a draft's begins with: a name may be too long for more


@dataclass(frozen=True, slots=True)
class FileKind:
    """A kind of file that a command may write over.

    Args:
        start: What each begins with, a byte order mark aside; an empty file is of any kind.
        refusal: What is said where something else is there.
        error: Raised where it cannot be written.
    """

    start: bytes
    refusal: str
    error: type[TaggerError] = TaggerError


_ANY = FileKind(b"", "")


def check_replaceable(path: Path, kind: FileKind = _ANY) -> None:
    """Check that ``replaced`` can begin, before what takes long is done for it.

    Raises:
        TaggerError: As from ``replaced``.
    """
    with _reported(path, kind):
        _new_draft(_target(path, kind)).unlink()


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
    draft: Path | None = None
    try:
        with _reported(path, kind):
            target = _target(path, kind)
            draft = _new_draft(target)
            yield draft
            with draft.open("rb+") as file:
                os.fsync(file.fileno())
            if target.exists():  # who could read the old file can read the new one
                shutil.copymode(target, draft)
            draft.replace(target)
            sync_folder(target.parent)
    finally:
        if draft is not None:
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
    if not _is_of_kind(target, kind):
        raise kind.error(kind.refusal, path)
    return target


def _new_draft(target: Path) -> Path:
    """Make an empty file beside another; never one that is there, or a link that somebody left."""
    draft = target.with_name(f".{target.name[:_MOST_LETTERS]}.{secrets.token_hex(4)}.draft")
    draft.touch(exist_ok=False)
    return draft


def _is_of_kind(path: Path, kind: FileKind) -> bool:
    if not kind.start or not path.exists():
        return True
    with path.open("rb") as file:
        found = file.read(len(_BOM) + len(kind.start))
    return not found or found.removeprefix(_BOM).startswith(kind.start)


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
