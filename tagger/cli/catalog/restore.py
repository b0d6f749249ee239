"""``tagger catalog restore``: put a backup in the catalogue's place."""

from __future__ import annotations

from pathlib import Path

import click

from tagger.catalog import restore
from tagger.cli.options import catalog_option, verbose_option
from tagger.config import load_settings
from tagger.errors import printable
from tagger.files.paths import absolute


@click.command("restore")
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path))
@catalog_option
@verbose_option
def command(source: Path, catalog: str | None) -> int:
    """Put a backup in the catalogue's place.

    What was there is kept in another file, whose name is told. Which tags were written since the
    backup was made is taken up from the list beside the catalogue, so that they can be undone;
    what else has changed since is found by the next tagger tag. Writes that a kill left open stay
    open, for the next tagger tag to settle.

    Example: tagger catalog restore ~/catalog-copy.db
    """
    settings, _ = load_settings({"catalog": catalog})
    found = restore(settings.catalog, absolute(source))
    for path in found.carried:
        click.echo(f"its write was broken off; tagger tag settles it: {printable(path)}", err=True)
    for path in found.lost:
        click.echo(f"may be half written, look at it yourself: {printable(path)}", err=True)
    for path in found.dropped:
        click.echo(f"its write was open in the backup, and is dropped: {printable(path)}", err=True)
    said = "" if found.kept is None else f"; what was there before is now {printable(found.kept)}"
    click.echo(f"restored from {printable(source)}{said}", err=True)
    return 0
