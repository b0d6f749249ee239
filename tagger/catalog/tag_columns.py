"""The columns that hold what a file's tags say, and how its tags come out of a row."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Any

from sqlalchemy import Row

from tagger.catalog.tables import tracks
from tagger.records import TagsFound
from tagger.tag_fields import TAG_FIELDS

TAG_COLUMNS = (
    *(tracks.c[one.name] for one in TAG_FIELDS),
    tracks.c.file_genres,
    tracks.c.provenance,
    tracks.c.tags_read_by,
    tracks.c.overruled,
)
"""What a query selects so that ``tags_of`` can say what stands in a file."""


_EMPTY = [(one.name, one.kind.value) for one in TAG_FIELDS]
_values_of = attrgetter(*(one.name for one in TAG_FIELDS))  # for each row of a whole library


def tags_of(row: Row[*tuple[Any, ...]]) -> TagsFound:
    """Return the tags that a row with TAG_COLUMNS tells; none where there is no track."""
    values = {
        name: value or empty for (name, empty), value in zip(_EMPTY, _values_of(row), strict=True)
    }
    return TagsFound(
        genres=row.file_genres or (),
        provenance=row.provenance,
        read_by=row.tags_read_by or "",
        overruled=row.overruled,
        **values,
    )


def tag_values(tags: TagsFound) -> Mapping[str, Any]:
    """Return {column: value} of what stands in a file; empty where a column may be that."""
    values = {tracks.c[one.name]: getattr(tags, one.name) for one in TAG_FIELDS}
    return {
        **{to.name: None if to.nullable and not value else value for to, value in values.items()},
        "file_genres": tags.genres,
        "provenance": tags.provenance,
        "tags_read_by": tags.read_by or None,
        "overruled": tags.overruled,
    }
