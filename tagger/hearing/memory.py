"""How much memory decoding a track may take: a file of a megabyte can ask for a gigabyte.

The limit holds while a file is decoded, and is counted from what the process has mapped by then:
torch and its networks map gigabytes of their own. Linux alone counts mappings (RLIMIT_DATA, since
4.7); elsewhere the limit does nothing.
"""

from __future__ import annotations

import mmap
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from tagger.errors import AudioDecodeError
from tagger.reasons import Reason, ReasonCode

MOST_MB = 1024
"""Of the dearest sound there is, DSD at 45 MHz, segments of 3 s take 170 MB, and those of 30 s,
which a network of one's own may want, just that much."""

_MOST = MOST_MB << 20
_STATM = Path("/proc/self/statm")
_DATA = 5  # the place of what counts for the limit, in pages


@contextmanager
def bounded(path: Path) -> Iterator[None]:
    """Let decoding a file take no more memory than a sane one needs.

    Raises:
        AudioDecodeError: It takes more.
        MemoryError: There is not even so much.
    """
    before, hard = _limits_at_start()
    _set_limit(_lower(_mapped_bytes() + _MOST, before), hard)
    try:
        yield
    except MemoryError as exc:
        _set_limit(before, hard)
        if not _is_there(_MOST):
            raise
        raise AudioDecodeError(Reason(ReasonCode.TOO_MUCH, {"most_mb": MOST_MB}), path) from exc
    finally:
        _set_limit(before, hard)


@cache
def _limits_at_start() -> tuple[int, int]:
    return resource.getrlimit(resource.RLIMIT_DATA)


def _lower(limit: int, other: int) -> int:
    return limit if other == resource.RLIM_INFINITY else min(limit, other)


def _set_limit(soft: int, hard: int) -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _mapped_bytes() -> int:
    """Return what this process has mapped for itself; more than there can be where nobody says."""
    try:
        return int(_STATM.read_text(encoding="ascii").split()[_DATA]) * resource.getpagesize()
    except OSError:  # no Linux, or no /proc
        return 1 << 62


def _is_there(n_bytes: int) -> bool:
    """Return whether the system would give so much memory, which is not touched."""
    try:
        mmap.mmap(-1, n_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS).close()
    except OSError:
        return False
    return True
