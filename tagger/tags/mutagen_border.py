"""The one place where mutagen's exceptions become faults of ours, and its looseness ends.

mutagen answers damaged input with its own error and with those of the code it runs.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from mutagen import MutagenError
from mutagen.ogg import OggPage as _OggPage

from tagger.tags.fields import TagFaultError

OggPage: Any = _OggPage  # Its methods have no types.
_DAMAGE = (
    MutagenError,
    EOFError,
    IndexError,
    KeyError,
    OverflowError,
    TypeError,
    UnicodeError,
    ValueError,
    struct.error,
    zlib.error,
)


class Bounded:
    """A file for mutagen: asked for more than there is, it gives what there is.

    Python sets memory aside for all that is asked for, and a damaged size may ask for any amount.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._size = file.seek(0, 2)
        file.seek(0)

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        left = max(0, self._size - self._file.tell())
        return self._file.read(left if size < 0 else min(size, left))

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the place."""
        return self._file.tell()


@contextmanager
def mutagen_faults() -> Iterator[None]:
    """Turn what mutagen raises on damaged input into TagFaultError."""
    try:
        yield
    except _DAMAGE as exc:
        raise TagFaultError(f"it is damaged ({type(exc).__name__}: {exc})") from exc
