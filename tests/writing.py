"""Writing a genre at once, as tests do that need no journal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tagger.records import TagsFound, TagWrite
from tagger.tags import Ways, prepare_write

COPY = Ways(in_place=False)


def write_genres(
    path: Path,
    genres: Sequence[str],
    *,
    provenance: str | None,
    preserve_mtime: bool = False,
    expected: TagsFound | None = None,
    ways: Ways = COPY,
) -> TagWrite:
    """Write through a copy, unless other ways are given; else as `prepare_write` does."""
    asked = prepare_write(path, genres, provenance=provenance, expected=expected, ways=ways)
    with asked as prepared:
        return prepared.carry_out(preserve_mtime=preserve_mtime)
