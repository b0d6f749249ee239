"""How much a sane tag holds at most: what holds more is refused before it takes time and memory.

Four thousand fields are a hundred times what taggers write, and 64 MB a whole booklet in pictures.
Compressed frames are rare; one of a megabyte can inflate to a gigabyte.
"""

from __future__ import annotations

from collections.abc import Sized

from tagger.tags.fields import TagLimitError

MAX_FIELDS = 4096
"""Comments, items, frames, chunks or blocks."""
MAX_ATOMS = 100_000
"""Atoms of an MP4 file, of which a fragmented one has some for each second."""
MAX_BYTES = 64 << 20
"""Bytes of a tag, which are read into memory."""
MAX_INFLATED = 16 << 20
"""Bytes of all compressed frames of a tag together, once they are inflated."""
MAX_DEPTH = 8
"""Chapters within chapters."""


def refuse_too_many(parts: Sized, most: int = MAX_FIELDS) -> None:
    """Raise TagLimitError where a tag has more parts than any sane one."""
    if len(parts) > most:
        raise TagLimitError(f"its tag has more than {most:,} parts; repair it with a tag editor")


def refuse_too_long(n_bytes: int) -> None:
    """Raise TagLimitError where a tag is longer than any sane one."""
    if n_bytes > MAX_BYTES:
        raise TagLimitError(
            f"its tag holds more than {MAX_BYTES >> 20} MB; take pictures out of it with a tag "
            "editor"
        )


def refuse_inflating(n_bytes: int) -> None:
    """Raise TagLimitError where a tag's compressed frames hold more than any sane ones."""
    if n_bytes > MAX_INFLATED:
        raise TagLimitError(
            f"its tag has compressed frames that hold more than {MAX_INFLATED >> 20} MB; take them "
            "out with a tag editor"
        )


def refuse_too_deep(n_levels_left: int) -> None:
    """Raise TagLimitError where parts of a tag stand within parts, deeper than in any sane one."""
    if n_levels_left < 1:
        raise TagLimitError(
            f"its tag has parts within parts, deeper than {MAX_DEPTH}; repair it with a tag editor"
        )
