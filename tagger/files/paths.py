"""The one way in which a path that somebody names becomes one from the root."""

from __future__ import annotations

from pathlib import Path


def absolute(path: Path) -> Path:
    """Return a path from the root, ``~`` expanded, links as they are but where ``..`` crosses one.

    A link stays a link, as a scan finds it; but what lies above one only the disk knows.

    >>> absolute(Path("/music/./a"))
    PosixPath('/music/a')
    """
    expanded = path.expanduser() if path.parts[:1] == ("~",) else path
    return expanded.resolve() if ".." in expanded.parts else expanded.absolute()
