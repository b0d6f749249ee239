"""``tagger undo``: put back the genres that a run replaced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from tagger.catalog import Catalog, JournalEntry, WriteQuery
from tagger.cli.completing import genres, runs
from tagger.cli.options import (
    allow_copies_option,
    catalog_option,
    format_option,
    preserve_mtime_option,
    quiet_option,
    under_option,
    verbose_option,
)
from tagger.cli.output import Printer, path_fields, plain, reason_fields
from tagger.cli.rewriting import Telling, after_rewriting, carry_out
from tagger.cli.screen import column
from tagger.config import load_settings
from tagger.errors import printable
from tagger.tagging.undo import UndoRequest, UndoResult, UndoRun
from tagger.tags import Ways
from tagger.wording import counted

_NOTHING = "there is nothing to undo; an undo itself is taken back by its number: tagger runs"
COLUMNS = ("path", "status", "genres", "before", "run", "exact", "reason")


@click.command("undo")
@click.argument(
    "run_id", required=False, type=click.IntRange(1), metavar="[RUN]", shell_complete=runs
)
@under_option
@click.option(
    "--genre", shell_complete=genres, help="Only where this genre was written or replaced."
)
@click.option("--dry-run", "--pretend", "dry_run", is_flag=True, help="Touch nothing.")
@click.option("--force", is_flag=True, help="Also where the genre was changed since.")
@preserve_mtime_option
@allow_copies_option
@catalog_option
@format_option
@quiet_option
@verbose_option
def command(
    run_id: int | None,
    under: Path | None,
    genre: str | None,
    dry_run: bool,
    force: bool,
    format_: str,
    quiet: bool,
    **options: Any,
) -> int:
    """Put back the genres as they stood before RUN, by default the last run that wrote any.

    RUN is a number from tagger runs. With --under or --genre the last run is meant that wrote
    what they ask for. A genre that somebody has changed since is left alone. What was taken back
    is not written again unless tagger tag is given --force; taking an undo back by its number
    writes it again as well.

    Example: tagger undo --under ~/Music/Live
    """
    settings, _ = load_settings(options)
    request = UndoRequest(
        WriteQuery(run_id, under, genre),
        dry_run=dry_run,
        force=force,
        preserve_mtime=settings.preserve_mtime,
        ways=Ways(lossy_copies=settings.allow_copies),
    )
    telling = Telling(Printer(format_, COLUMNS), _record, _line, _NOTHING, quiet)
    with Catalog.open(settings.catalog, create=False, read_only=dry_run) as catalog:
        _refuse_unknown_run(catalog, run_id)
        run = UndoRun(request, catalog)
        code = carry_out(run, telling)
        if not (dry_run or quiet or run.summary.interrupted):
            _tell_of_earlier(catalog.standing_writes(replace(request.query, run_id=None)))
    return after_rewriting(run.summary, settings, code)


def _tell_of_earlier(standing: Sequence[JournalEntry]) -> None:
    if standing:
        n, run_id = counted(len(standing), "genre"), standing[0].run_id
        click.echo(f"{n} of run {run_id} can be taken back next: tagger undo {run_id}", err=True)


def _refuse_unknown_run(catalog: Catalog, run_id: int | None) -> None:
    if run_id is not None and all(run.run_id != run_id for run in catalog.runs()):
        raise catalog.complaint(f"there was no run {run_id}; tagger runs lists them")


def _record(result: UndoResult) -> Mapping[str, Any]:
    return {
        **path_fields(result.path),
        "status": result.status,
        "genres": list(result.genres),
        "before": list(result.before),
        "run": result.run_id,
        **reason_fields(result.reason),
        "exact": result.is_exact,
    }


def _line(result: UndoResult) -> str:
    change = f"{_said(result.before)} → {_said(result.genres)}"
    why = f" — {result.reason}" if result.reason else ""
    return f"{result.status:9s} {column(change, 24)}  {printable(result.path)}{why}"


def _said(genres: tuple[str, ...]) -> str:
    return plain(", ".join(genres)) or "–"
