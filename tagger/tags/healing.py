"""Putting back a file that a kill left half written, if it is the very file, and ours to write.

The bytes of a journal may come from anybody. So nothing is put back but in a regular file, not
reached through a link, that reads as music of a kind that the tagger writes once it is put back,
and in which what stands around the bytes is as it was.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from tagger.files.atomic import closed_quietly
from tagger.records import FileChange
from tagger.tags.fields import TagFaultError
from tagger.tags.formats import family_of
from tagger.tags.inplace import Stands, how_it_stands, put_back_bytes
from tagger.tags.splices import Splice, View


def put_back(path: Path, change: FileChange) -> Stands:
    """Look at a file that a kill may have left half written, and put it back if so.

    Returns:
        OLD or NEW, what the file is now; FOREIGN if it is another one, or somebody else has
        changed it since, and it was left alone.

    Raises:
        OSError, TagFaultError: It cannot be read or written; it may be half written still.
    """
    if os.path.realpath(path) != str(path):
        return Stands.FOREIGN
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with closed_quietly(descriptor):
        stands = _looked_at(descriptor, change)
    if stands is not Stands.TORN:
        return stands
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with closed_quietly(descriptor):
        if _looked_at(descriptor, change) is not Stands.TORN:
            return Stands.FOREIGN
        put_back_bytes(descriptor, change, path)
    return Stands.OLD


def _looked_at(descriptor: int, change: FileChange) -> Stands:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        return Stands.FOREIGN
    stands = how_it_stands(descriptor, change)
    if stands is not Stands.TORN:
        return stands
    with os.fdopen(descriptor, "rb", closefd=False) as file:
        return stands if _would_be_music(file, change) else Stands.FOREIGN


def _would_be_music(file: BinaryIO, change: FileChange) -> bool:
    """Return whether a file reads as one of a kind that is written, once it is put back."""
    size = os.fstat(file.fileno()).st_size
    back = [
        Splice(p.offset, min(max(len(p.old), len(p.new)), size - p.offset), p.old)
        for p in change.patches
    ]
    try:
        family_of(View(file, back))
    except TagFaultError:
        return False
    return True
