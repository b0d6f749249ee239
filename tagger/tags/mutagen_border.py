"""The one place where mutagen's exceptions become faults of ours, and its loose types end.

mutagen answers damaged input with its own error and with those of the code it runs.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

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


@contextmanager
def mutagen_faults() -> Iterator[None]:
    """Turn what mutagen raises on damaged input into TagFaultError."""
    try:
        yield
    except _DAMAGE as exc:
        raise TagFaultError(f"it is damaged ({type(exc).__name__}: {exc})") from exc
