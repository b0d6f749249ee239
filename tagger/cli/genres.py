"""``tagger genres``: what stands in the library, and the owner's words put for it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import click

from tagger.catalog import Catalog
from tagger.cli.options import (
    allow_copies_option,
    catalog_option,
    format_option,
    genre_list_option,
    preserve_mtime_option,
    quiet_option,
    under_option,
    verbose_option,
)
from tagger.cli.output import Printer, path_fields, plain, reason_fields
from tagger.cli.rewriting import Telling, after_rewriting, carry_out
from tagger.cli.screen import column
from tagger.config import Settings, Sourced, load_settings
from tagger.errors import ConfigError, printable
from tagger.genre_list import GenreList, default_place, load_genre_list
from tagger.genre_text import letters_of
from tagger.report import commands
from tagger.tagging.renaming import (
    RenameRequest,
    RenameResult,
    RenameRun,
    Spelling,
    n_to_rename,
    spellings,
)
from tagger.tags import Ways

_MANY = 100  # files that are renamed unasked, as many as may follow one's tags unasked
LISTED = ("genre", "word", "allowed", "n_tracks", "n_ours")
_NOTHING = "all genres are in the words of your list"
RENAMED = ("path", "status", "before", "genres", "ours", "reason")


@click.command("genres")
@click.option("--apply", "applies", is_flag=True, help="Put the words of your list into the files.")
@click.option(
    "--dry-run", "--pretend", "dry_run", is_flag=True, help="With --apply: touch nothing."
)
@click.option("--yes", is_flag=True, help=f"Rename more than {_MANY} files unasked.")
@under_option
@genre_list_option
@preserve_mtime_option
@allow_copies_option
@catalog_option
@format_option
@quiet_option
@verbose_option
def command(
    applies: bool,
    dry_run: bool,
    yes: bool,
    under: Path | None,
    format_: str,
    quiet: bool,
    **options: Any,
) -> int:
    """List the genres that stand in your library: how often, in which spellings, and what your
    list of genres would change.

    With --apply files get the words of your list, your own genres among them: that is the one
    command that renames what you set. A genre of yours stays yours, one of the tagger's stays its
    own, nothing is taken out, and tagger undo puts it back.

    Example: tagger genres --apply --dry-run
    """
    settings, sources = load_settings(options)
    genre_list = load_genre_list(settings.genre_list)
    if applies and not genre_list:
        raise ConfigError("there is no list of genres here yet (docs/genres.md)", default_place())
    touches = applies and not dry_run
    with Catalog.open(settings.catalog, create=False, read_only=not touches) as catalog:
        if not applies:
            found = spellings(catalog, genre_list, under=under)
            _list(found, Printer(format_, LISTED))
            _tell_next(found, genre_list, _apply_command(settings, sources, under))
            return 0
        if touches and not _is_wanted(n_to_rename(catalog, genre_list, under=under), yes=yes):
            return 2
        request = RenameRequest(
            genre_list,
            under,
            dry_run=dry_run,
            preserve_mtime=settings.preserve_mtime,
            ways=Ways(settings.allow_copies, linked=settings.hard_links == "write"),
        )
        telling = Telling(Printer(format_, RENAMED), _renamed, _change, _NOTHING, quiet)
        run = RenameRun(request, catalog)
        code = carry_out(run, telling)
    return after_rewriting(run.summary, settings, code)


def _is_wanted(n: int, *, yes: bool) -> bool:
    """Return whether so many files are to be renamed: a person is asked, on a terminal."""
    if n <= _MANY or yes:
        return True
    if sys.stdin.isatty() and sys.stderr.isatty():
        return click.confirm(f"rename genres in {n} files", err=True)
    click.echo(f"{n} files would be renamed; so many only with --yes", err=True)
    return False


def _list(found: Sequence[Spelling], printer: Printer) -> None:
    for _, group in groupby(found, key=lambda one: letters_of(one.word)):
        together = list(group)
        for one, text in zip(together, _lines(together), strict=True):
            printer.print(_listed(one), text)


def _tell_next(found: Sequence[Spelling], genre_list: GenreList, command: str) -> None:
    if not found:
        click.echo("no file in the catalogue has a genre yet", err=True)
    elif not genre_list:
        click.echo(f"a list of your own goes to {printable(default_place())}", err=True)
    elif any(one.changes for one in found):
        click.echo(f"to put these words into the files: {command}", err=True)


def _apply_command(settings: Settings, sources: Mapping[str, Sourced], under: Path | None) -> str:
    """Return what renames as was listed, whatever options that was listed with."""
    listed = ""
    if sources["genre_list"].source == "option":
        listed = f" --genre-list {commands.to_copy(settings.genre_list, 'FILE')}"
    folder = "" if under is None else f" --under {commands.quoted(under)}"
    where = commands.catalog_option(commands.catalog_to_name(settings, sources))
    return f"tagger genres --apply{listed}{folder}{where}"


def _listed(one: Spelling) -> Mapping[str, Any]:
    return {
        "genre": one.genre,
        "word": one.word,
        "allowed": one.is_allowed,
        "n_tracks": one.n_tracks,
        "n_ours": one.n_ours,
    }


def _lines(together: Sequence[Spelling]) -> list[str]:
    """Return a line for each spelling of a genre; where it has many, all of them come first."""
    lines = [_line(one) for one in together]
    if len(together) > 1:
        n = sum(one.n_tracks for one in together)
        lines = [f"         {line}" for line in lines]
        lines[0] = f"{n:7d}  {plain(together[0].word)}\n{lines[0]}"
    return lines


def _line(one: Spelling) -> str:
    ours = f"{one.n_ours} by the tagger" if one.n_ours else ""
    becomes = f"→ {plain(one.word)}" if one.changes else ""
    about = ", ".join(filter(None, (ours, "" if one.is_allowed else "not allowed by your list")))
    told = "  ".join(filter(None, (becomes, about)))
    return f"{one.n_tracks:7d}  {column(plain(one.genre), 24)}  {told}".rstrip()


def _renamed(result: RenameResult) -> Mapping[str, Any]:
    return {
        **path_fields(result.path),
        "status": result.status,
        "before": list(result.before),
        "genres": list(result.genres),
        "ours": result.is_ours,
        **reason_fields(result.reason),
    }


def _change(result: RenameResult) -> str:
    change = f"{plain(', '.join(result.before))} → {plain(', '.join(result.genres))}"
    return f"{result.status:9s} {column(change, 32)}  {printable(result.path)}"
