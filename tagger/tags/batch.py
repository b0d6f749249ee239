"""Carrying out many writes: those in place some at a time, for most of each is a wait for the disk.

A disk makes several files safe about as fast as one. Copies are made one after another, so that no
more room is needed than for the longest file, and so are writes to one file under two names.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from tagger.errors import TagWriteError, TornWriteError
from tagger.nets import net
from tagger.tags.writer import PreparedWrite

_AT_ONCE = 8


def carry_out_all(
    writes: Sequence[PreparedWrite], *, preserve_mtime: bool = False
) -> list[TagWriteError | None]:
    """Carry writes out; return what stood in the way of each, None where nothing did.

    Args:
        writes: Journalled, as for `PreparedWrite.carry_out`.
        preserve_mtime: As there.
    """

    def carry_out(numbers: Sequence[int]) -> dict[int, TagWriteError]:
        return {
            n: error for n in numbers if (error := _fault_of(writes[n], preserve_mtime)) is not None
        }

    in_place: dict[tuple[int, int], list[int]] = {}
    for n, write in enumerate(writes):
        if write.overwritten is not None:
            in_place.setdefault(write.file_id, []).append(n)
    copies = [n for n, write in enumerate(writes) if write.overwritten is None]
    errors: dict[int, TagWriteError] = {}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for found in pool.map(carry_out, in_place.values()):
            errors |= found
    errors |= carry_out(copies)
    return [errors.get(n) for n in range(len(writes))]


def _fault_of(write: PreparedWrite, preserve_mtime: bool) -> TagWriteError | None:
    try:
        # Nobody knows how far it came: the journal entry stays open, and the next start sees to it.
        with net(write.write.path, TornWriteError):
            _carried_out(write, preserve_mtime)
    except TagWriteError as exc:
        return exc
    return None


def _carried_out(write: PreparedWrite, preserve_mtime: bool) -> None:
    write.carry_out(preserve_mtime=preserve_mtime)
