"""Files that a person writes for us to heed: settings, saved playlists, the list of genres.

One that is not there says nothing. One that is there and cannot be read must never count as that,
since what it forbids would be done.
"""

from __future__ import annotations

import os
import stat
import tomllib
from pathlib import Path
from typing import Any

from tagger.errors import ConfigError, os_reason, plain

_LONGEST = 1 << 20  # bytes; the largest trees of genres have some dozens of thousands


def read_text(path: Path) -> str | None:
    """Return what stands in a file; None if there is none, and no link either.

    Raises:
        ConfigError: It cannot be read, or is no text.
    """
    try:
        data = _read_bytes(path)
    except OSError as exc:
        raise ConfigError(_why_not(path, exc), path) from exc
    if data is None:
        return None
    if len(data) > _LONGEST:
        raise ConfigError("longer than 1 MB, which no file of this kind is", path)
    try:
        return data.decode("utf-8-sig")  # editors on Windows begin a file with a mark
    except UnicodeDecodeError as exc:
        raise ConfigError("not UTF-8: save it in that encoding", path) from exc


def read_toml(text: str) -> dict[str, Any]:
    """Return what a text says in TOML.

    Raises:
        ConfigError: It is none.
    """
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as exc:
        raise ConfigError(f"not TOML: {exc}") from exc


def _read_bytes(path: Path) -> bytes | None:
    """Return the start of a file, one byte longer than it may be; None if it is not there."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISCHR(mode):  # a pipe would be waited for
        raise ConfigError("not a file", path)
    with path.open("rb") as file:
        return file.read(_LONGEST + 1)


def _why_not(path: Path, error: OSError) -> str:
    if isinstance(error, FileNotFoundError) and path.is_symlink():
        target = plain(os.fsencode(path.readlink()).decode("utf-8", "replace"))
        return f"a link to {target}, which is not there; put that back, or remove the link"
    return os_reason(error)
