"""``tagger catalog relocate``: follow a library that was moved as a whole."""

from __future__ import annotations

from pathlib import Path

import click

from tagger.catalog import Catalog, Relocated
from tagger.cli.options import catalog_option, verbose_option
from tagger.config import load_settings
from tagger.errors import printable
from tagger.files.paths import absolute
from tagger.wording import counted


@click.command("relocate")
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@catalog_option
@verbose_option
def command(old: Path, new: Path, catalog: str | None) -> int:
    """Let the catalogue know that all that was in OLD is in NEW now.

    Nothing on the disk is looked at or moved. Single files that were moved need no such command:
    the next tagger tag knows them by their sound.

    Example: tagger catalog relocate /mnt/old/Music ~/Music
    """
    settings, _ = load_settings({"catalog": catalog})
    with Catalog.open(settings.catalog, create=False) as opened:
        moved = opened.relocate(absolute(old), absolute(new))
    for path in moved.left:
        click.echo(f"left where it was, since another recording is in its place: {printable(path)}")
    click.echo(_summary(moved, new), err=True)
    return 1 if moved.left else 0


def _summary(moved: Relocated, new: Path) -> str:
    n_files = moved.n_files - len(moved.left)
    files = counted(n_files, "file is", "files are")
    said = f"{files} known in {printable(new)} now"
    if moved.n_joined:
        said += f"; {moved.n_joined} were known there already, and were joined with those"
    return said if new.exists() else f"{said}, though nothing is there yet"
