"""How a track is printed: its fields for programs, a line for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tagger.catalog import TrackRow
from tagger.cli.output import length, path_fields, percent, plain, reason_fields
from tagger.cli.screen import column
from tagger.errors import printable

_GENRE = 16  # places

HEADER = f"{column('genre', _GENRE)}  sure  time  track"
"""Stands above ``row_line``s on a terminal."""

COLUMNS = ("path", "title", "artist", "album", "year", "genres", "confidence", "duration_s")


def row_record(row: TrackRow) -> Mapping[str, Any]:
    """Return a track's fields, as JSON and CSV give them."""
    return {
        **path_fields(row.path),
        "title": row.title,
        "artist": row.artist,
        "album": row.tags.album,
        "year": row.tags.year,
        "genres": list(row.genres),
        "confidence": row.confidence,
        "duration_s": row.duration_s,
        "status": row.status,
        **reason_fields(row.reason),
    }


def row_line(row: TrackRow) -> str:
    """Return a track as one line of text."""
    genres = plain(", ".join(row.genres)) or "–"
    told = " – ".join(plain(part) for part in (row.artist, row.title) if part)
    if told and row.tags.year:
        told += f" ({row.tags.year})"
    where = printable(row.path)
    named = f"{told}  [{where}]" if told else where
    why = f" — {row.reason}" if row.reason and not row.genres else ""
    sure = percent(row.confidence if row.genres else None)
    return f"{column(genres, _GENRE)} {sure} {length(row.duration_s)}  {named}{why}"
