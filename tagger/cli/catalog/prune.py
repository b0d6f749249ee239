"""``tagger catalog prune``: forget the files that have vanished."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from tagger.catalog import Catalog, VanishedFile
from tagger.cli.options import catalog_option, format_option, under_option, verbose_option
from tagger.cli.output import Printer, path_fields
from tagger.config import load_settings
from tagger.errors import printable
from tagger.files.paths import absolute
from tagger.tagging.vanished import gone_from

COLUMNS = ("path", "vanished", "undoable", "forgotten")


@click.command("prune")
@click.option("--dry-run", "--pretend", "dry_run", is_flag=True, help="Forget nothing.")
@under_option
@click.option(
    "--gone",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Also what is no longer in this folder, where tagger tag would not believe it.",
)
@click.option("--force", is_flag=True, help="With --gone: though their disk may only be missing.")
@catalog_option
@format_option
@verbose_option
def command(
    dry_run: bool,
    under: Path | None,
    gone: Path | None,
    force: bool,
    catalog: str | None,
    format_: str,
) -> int:
    """Forget the files that tagger tag no longer found, and what was heard and written there.

    A tag that was written in such a file can no longer be undone, should the file come back.
    Files on a disk that is not there have not vanished, and are not forgotten. Where tagger tag
    found so many gone that it marked none, --gone FOLDER looks for each file that is known there
    and forgets those that are gone.

    Example: tagger catalog prune --dry-run
    """
    if gone is not None and under is not None:
        raise click.UsageError("--gone names a folder already; leave out --under")
    if force and gone is None:
        raise click.UsageError("--force goes with --gone")
    settings, _ = load_settings({"catalog": catalog})
    printer = Printer(format_, COLUMNS)
    with Catalog.open(settings.catalog, create=False, read_only=dry_run) as opened:
        folder = under if gone is None else absolute(gone)
        also = [] if gone is None else gone_from(opened, absolute(gone), force=force)
        found = (opened.vanished if dry_run else opened.prune)(folder, also)
    for file in found:
        printer.print(_record(file, dry_run=dry_run), printable(file.path))
    click.echo(_summary(found, dry_run=dry_run), err=True)
    return 0


def _record(file: VanishedFile, *, dry_run: bool) -> Mapping[str, Any]:
    return {
        **path_fields(file.path),
        "vanished": file.vanished_at.isoformat(),
        "undoable": file.n_undoable,
        "forgotten": not dry_run and not file.is_open,
    }


def _summary(found: Sequence[VanishedFile], *, dry_run: bool) -> str:
    gone = [file for file in found if not file.is_open]
    n_undoable = sum(file.n_undoable for file in gone)
    said = f"{len(gone)} vanished {'would be' if dry_run else 'were'} forgotten"
    if n_undoable:
        tags = "tag" if n_undoable == 1 else "tags"
        said += f", with {n_undoable} {tags} that could have been undone"
    if len(gone) < len(found):
        said += f"; {len(found) - len(gone)} kept, where a write was broken off"
    return said
