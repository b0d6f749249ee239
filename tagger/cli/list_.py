"""``tagger list``: query the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from tagger.catalog import Catalog, SortKey, TrackQuery, TrackRow
from tagger.cli.options import (
    catalog_option,
    format_option,
    max_option,
    under_option,
    verbose_option,
)
from tagger.cli.output import Printer, column, length, path_fields, percent, plain
from tagger.config import load_settings
from tagger.errors import printable
from tagger.records import Status

COLUMNS = ("path", "title", "artist", "album", "genres", "confidence", "duration_s")


@click.command("list")
@click.option("--genre", help="Only this genre.")
@click.option("--min-confidence", type=click.FloatRange(0, 1), metavar="P", help="Only so sure.")
@click.option("--artist", help="Only artists whose name holds this.")
@under_option
@click.option("--status", type=click.Choice([str(s) for s in Status]), help="Only this outcome.")
@click.option("--sort", type=click.Choice([str(k) for k in SortKey]), default="path")
@max_option
@catalog_option
@format_option
@verbose_option
def command(
    genre: str | None,
    min_confidence: float | None,
    artist: str | None,
    under: Path | None,
    status: str | None,
    sort: str,
    limit: int | None,
    catalog: str | None,
    format_: str,
) -> int:
    """List the tracks of the catalogue."""
    settings, _ = load_settings({"catalog": catalog})
    query = TrackQuery(
        genre=genre,
        min_confidence=min_confidence,
        artist=artist,
        under=under,
        status=Status(status) if status else None,
        sort=SortKey(sort),
        limit=limit,
    )
    printer = Printer(format_, COLUMNS)
    with Catalog.open(settings.catalog, create=False, read_only=True) as opened:
        for row in opened.tracks(query):
            printer.print(row_record(row), row_line(row))
    return 0


def row_record(row: TrackRow) -> Mapping[str, Any]:
    """Return a track's fields, as JSON and CSV give them."""
    return {
        **path_fields(row.path),
        "title": row.title,
        "artist": row.artist,
        "album": row.album,
        "genres": list(row.genres),
        "confidence": row.confidence,
        "duration_s": row.duration_s,
        "status": row.status,
    }


def row_line(row: TrackRow) -> str:
    """Return a track as one line of text."""
    genres = plain(", ".join(row.genres)) or "–"
    told = " – ".join(plain(part) for part in (row.artist, row.title) if part)
    where = printable(row.path)
    named = f"{told}  [{where}]" if told else where
    why = f" — {row.reason}" if row.reason and not row.genres else ""
    sure = percent(row.confidence if row.genres else None)
    return f"{column(genres, 16)} {sure} {length(row.duration_s)}  {named}{why}"
