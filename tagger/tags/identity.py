"""Which recording a file holds: told from its sound, whatever its name, place and tags.

An identity is the length of the sound in bytes and a hash of a few blocks spread over it, so that
a file on a network share need not be read whole. Ogg pages are hashed without their numbers, which
a longer tag in front of them moves on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from tagger.errors import TagReadError
from tagger.nets import net
from tagger.reasons import Reason, ReasonCode, why_system_failed
from tagger.tags.fields import Span, TagFaultError
from tagger.tags.formats import family_of
from tagger.tags.ogg import without_numbers
from tagger.tags.reader import open_regular
from tagger.tags.splices import read_at

_N_BLOCKS = 8
_BLOCK = 8192
_PAGE_HEADER = 26  # so far before a block an Ogg page may begin whose number lies in the block


def audio_identity(path: Path) -> str:
    """Return what all copies of a recording's sound have in common, "LENGTH-HASH".

    Raises:
        TagReadError: the file cannot be read, or is of no kind whose sound can be told.
    """
    with net(path, TagReadError):
        return _audio_identity(path)


def _audio_identity(path: Path) -> str:
    try:
        with open_regular(path) as file:
            return _identity(file)
    except TagFaultError as exc:
        raise TagReadError(Reason(ReasonCode.TAG, {"words": str(exc)}), path) from exc
    except OSError as exc:
        raise TagReadError(why_system_failed(exc), path) from exc


def _identity(file: BinaryIO) -> str:
    family = family_of(file)
    spans = [span for span in family.audio(file) if span[0] < span[1]]
    if not spans:
        raise TagFaultError("it holds no sound")
    length = sum(stop - start for start, stop in spans)
    total = hashlib.blake2b(digest_size=16)
    for start in _starts(length):
        total.update(_block(file, spans, start, min(_BLOCK, length - start)))
    return f"{length}-{total.hexdigest()}"


def _starts(length: int) -> Sequence[int]:
    """Return where blocks begin: all over the sound, the first and the last one at its ends.

    >>> _starts(20000), _starts(1_000_000)[:3], _starts(1_000_000)[-1]
    ((0, 8192, 16384), (0, 141686, 283373), 991808)
    """
    if length <= _N_BLOCKS * _BLOCK:
        return tuple(range(0, length, _BLOCK))
    return tuple(n * (length - _BLOCK) // (_N_BLOCKS - 1) for n in range(_N_BLOCKS))


def _block(file: BinaryIO, spans: Sequence[Span], start: int, length: int) -> bytes:
    """Return bytes of the sound, which may stand in several places of the file."""
    lead = min(start, _PAGE_HEADER)
    data = b""
    at = 0
    for first, stop in spans:
        a = max(first, first + start - lead - at)
        z = min(stop, first + start + length - at)
        if a < z:
            data += read_at(file, a, z - a)
        at += stop - first
    return without_numbers(data)[lead:] if b"OggS" in data else data[lead:]
