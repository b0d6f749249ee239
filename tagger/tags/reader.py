"""Reading the tags of a file: open it safely, tell its family, merge what its containers say."""

from __future__ import annotations

import io
import logging
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from tagger.errors import TagReadError, printable
from tagger.nets import net
from tagger.reasons import Reason, ReasonCode, why_system_failed
from tagger.records import TagsFound
from tagger.tags import ends
from tagger.tags.fields import TagFaultError, TagLimitError, merged
from tagger.tags.formats import family_of

log = logging.getLogger(__name__)


class _ReadAlone(io.BufferedReader):
    """A file open for reading: what was read holds, whatever close(2) says in the end."""

    def close(self) -> None:
        """Close it."""
        with suppress(OSError):
            super().close()


def open_regular(path: Path) -> BinaryIO:
    """Open a file for reading; raise TagFaultError for a folder, a FIFO and the like."""
    # Without O_NONBLOCK, opening a FIFO would wait for a writer for ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    file = _ReadAlone(io.FileIO(descriptor))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        file.close()
        raise TagFaultError("it is not a regular file")
    return file


def read_tags(path: Path) -> TagsFound:
    """Return what a file's tags say; raise TagReadError where they cannot be understood."""
    with net(path, TagReadError):
        return _read_tags(path)


def _read_tags(path: Path) -> TagsFound:
    try:
        with open_regular(path) as file:
            return merged(family_of(file).read(file))
    except TagFaultError as exc:
        raise TagReadError(Reason(ReasonCode.TAG, {"words": str(exc)}), path) from exc
    except OSError as exc:
        raise TagReadError(why_system_failed(exc), path) from exc


def check_limits(path: Path) -> None:
    """Make sure that a file's tags hold no more than sane ones, before a decoder opens them.

    FFmpeg inflates and keeps whatever a tag holds. Any other fault of a tag is no hindrance to it.

    Raises:
        TagReadError: they hold more.
    """
    with net(path, TagReadError):
        _check_limits(path)


def _check_limits(path: Path) -> None:
    try:
        with open_regular(path) as file:
            _read_all(file)
    except TagLimitError as exc:
        raise TagReadError(Reason(ReasonCode.TAG, {"words": str(exc)}), path) from exc
    except (TagFaultError, OSError) as exc:
        log.debug("%s: its tags cannot be read: %s", printable(path), exc)


def _read_all(file: BinaryIO) -> None:
    """Read what a decoder will: ID3v2 in front of a file of any kind, and its family's tags."""
    try:
        family = family_of(file)
    except TagFaultError:
        ends.read_heads(file)
    else:
        family.read(file)
