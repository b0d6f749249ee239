"""``tagger list``: query the catalogue."""

from __future__ import annotations

from pathlib import Path

import click

from tagger.catalog import Reader, SortKey, TrackQuery, Years
from tagger.cli.completing import genres
from tagger.cli.options import (
    NumberRange,
    catalog_option,
    format_option,
    max_option,
    under_option,
    verbose_option,
    year_option,
)
from tagger.cli.output import Printer, say
from tagger.cli.rows import COLUMNS, HEADER, row_line, row_record
from tagger.cli.screen import screen_of_stdout
from tagger.config import load_settings
from tagger.errors import printable
from tagger.records import Status


@click.command("list")
@click.option("--genre", shell_complete=genres, help="Only this genre.")
@click.option("--min-confidence", type=NumberRange(0, 1), metavar="P", help="Only so sure.")
@click.option("--artist", help="Only artists whose name holds this.")
@under_option
@year_option
@click.option("--status", type=click.Choice([str(s) for s in Status]), help="Only this outcome.")
@click.option("--blank", is_flag=True, help="Only tracks without a genre.")
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
    year: Years | None,
    status: str | None,
    blank: bool,
    sort: str,
    limit: int | None,
    catalog: str | None,
    format_: str,
) -> int:
    """List the tracks of the catalogue.

    On a terminal a line is cut to its width; in a pipe or file it is whole.

    Example: tagger list --genre Jazz --year 1950-1969 --sort confidence
    """
    settings, _ = load_settings({"catalog": catalog})
    query = TrackQuery(
        genre=genre,
        min_confidence=min_confidence,
        artist=artist,
        years=year,
        under=under,
        status=Status(status) if status else None,
        is_blank=blank,
        sort=SortKey(sort),
        limit=limit,
    )
    printer, screen = Printer(format_, COLUMNS), screen_of_stdout()
    with Reader.open(settings.catalog) as reader:
        n_found = 0
        for n_found, row in enumerate(reader.listed(query), 1):
            if n_found == 1 and format_ == "text" and screen.width is not None:
                say(screen.styled(screen.fit(HEADER), dim=True), color=screen.color)
            printer.print(row_record(row), screen.fit(row_line(row)))
        if n_found == 0 and (format_ == "text" or reader.is_empty):
            click.echo(_why_none(reader, query), err=True)
    return 0


def _why_none(reader: Reader, query: TrackQuery) -> str:
    if reader.is_empty:
        return "the catalogue is empty; tagger tag FOLDER puts tracks in it"
    if query.genre is not None and not reader.spellings(query.genre):
        return reader.unknown_genre(query.genre)
    if query.under is not None and not len(reader.under(query.under)):
        return f"no track of the catalogue lies in {printable(query.under)}"
    return "no track is like that"
