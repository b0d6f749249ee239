"""``tagger similar``: the tracks most like one."""

from __future__ import annotations

from pathlib import Path

import click

from tagger.catalog import Catalog
from tagger.cli.list_ import COLUMNS, row_line, row_record
from tagger.cli.options import (
    absolute,
    catalog_option,
    format_option,
    under_option,
    verbose_option,
)
from tagger.cli.output import Printer
from tagger.config import load_settings
from tagger.recommend import SimilarQuery, similar


@click.command("similar")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("-n", "n", type=click.IntRange(1), default=10, show_default=True, help="How many.")
@click.option("--genre", help="Only this genre.")
@click.option("--same-genre", is_flag=True, help="Only the genre of PATH.")
@click.option("--max-per-artist", type=click.IntRange(1), metavar="N", help="At most so many.")
@under_option
@catalog_option
@format_option
@verbose_option
def command(
    path: Path,
    n: int,
    genre: str | None,
    same_genre: bool,
    max_per_artist: int | None,
    under: Path | None,
    catalog: str | None,
    format_: str,
) -> int:
    """Show the tracks of the catalogue that sound most like PATH."""
    settings, _ = load_settings({"catalog": catalog})
    query = SimilarQuery(
        n=n, genre=genre, same_genre=same_genre, max_per_artist=max_per_artist, under=under
    )
    printer = Printer(format_, (*COLUMNS, "similarity"))
    with Catalog.open(settings.catalog, create=False, read_only=True) as opened:
        for match in similar(opened, absolute(path), query):
            record = {**row_record(match.row), "similarity": match.similarity}
            printer.print(record, f"{match.similarity:.3f}  {row_line(match.row)}")
    return 0
