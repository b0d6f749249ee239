"""``tagger catalog backup``: copy the catalogue to a file."""

from __future__ import annotations

from pathlib import Path

import click

from tagger.catalog import back_up
from tagger.cli.options import catalog_option, overwrite_file_option, verbose_option
from tagger.cli.output import say
from tagger.config import load_settings
from tagger.errors import printable
from tagger.files.paths import absolute


@click.command("backup")
@click.option(
    "-o",
    "target",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="An older backup, or none yet. [default: beside the catalogue, the time in its name]",
)
@overwrite_file_option
@catalog_option
@verbose_option
def command(target: Path | None, force: bool, catalog: str | None) -> int:
    """Copy the catalogue to an SQLite file, and print its path.

    The copy is verified before it gets its name. Another process may write to the catalogue
    meanwhile: the copy is what stood there when it began. It can be opened with --catalog, and
    put in the catalogue's place with tagger catalog restore.

    Example: tagger catalog backup -o ~/catalog-copy.db
    """
    settings, _ = load_settings({"catalog": catalog})
    chosen = None if target is None else absolute(target)
    say(printable(back_up(settings.catalog, chosen, force=force)))
    return 0
