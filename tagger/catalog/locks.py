"""The right to touch files: one process has it at a time, for as long as a batch of writes takes.

It is a lock on a file beside the catalogue, which the system gives back when its holder dies.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tagger.errors import CatalogError, os_reason


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Wait for the lock on a file, which is made if it is absent, and hold it.

    Raises:
        CatalogError: The file cannot be made or locked.
    """
    try:
        file = path.open("ab")
        fcntl.flock(file, fcntl.LOCK_EX)
    except OSError as error:
        raise CatalogError(os_reason(error), path) from error
    with file:
        yield
