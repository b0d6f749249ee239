"""Files that a command writes where the user says: whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tagger.errors import TaggerError, os_reason


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Give a draft to write; it takes the file's place at the end, or goes if anything fails.

    Raises:
        TaggerError: It cannot be written, or is no ordinary file, such as a device.
    """
    target = path.resolve()  # a link stays, and leads to what is written
    if target.exists() and not target.is_file():
        raise TaggerError("cannot be written: it is there, and is no ordinary file", path)
    draft = target.with_name(f".{target.name}.draft")
    try:
        yield draft
        with draft.open("rb+") as file:
            os.fsync(file.fileno())
        draft.replace(target)
    except OSError as exc:
        raise TaggerError(f"cannot be written: {os_reason(exc)}", path) from exc
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
