"""``tagger undo``: put back the genres that a run replaced."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from tagger.catalog import Catalog, WriteQuery
from tagger.cli.after import after_change
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
from tagger.cli.output import OutputClosedError, Printer, path_fields, plain, reason_fields
from tagger.cli.screen import column
from tagger.config import load_settings
from tagger.errors import printable
from tagger.records import RunSummary, Status
from tagger.tagging.undo import UndoRequest, UndoResult, UndoRun
from tagger.tags import Ways

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
    printer = Printer(format_, COLUMNS)
    with Catalog.open(settings.catalog, create=False, read_only=dry_run) as catalog:
        _refuse_unknown_run(catalog, run_id)
        run = UndoRun(request, catalog)
        try:
            with closing(run.results()) as results:
                for result in results:
                    _print(result, printer, quiet=quiet)
        except (KeyboardInterrupt, OutputClosedError):
            _report(run.summary, quiet=quiet)
            return 130
    _report(run.summary, quiet=quiet)
    code = 1 if run.summary.by_status.get(Status.FAILED) else 0
    has_written = not dry_run and run.summary.by_status.get(Status.RESTORED, 0) > 0
    return after_change(settings, code) if has_written else code


def _refuse_unknown_run(catalog: Catalog, run_id: int | None) -> None:
    if run_id is not None and all(run.run_id != run_id for run in catalog.runs()):
        raise catalog.complaint(f"there was no run {run_id}; tagger runs lists them")


def _print(result: UndoResult, printer: Printer, *, quiet: bool) -> None:
    if result.status is Status.FAILED:
        click.echo(f"{printable(result.path)}: {result.reason}", err=True)
    silent = quiet or result.status is Status.FAILED
    printer.print(_record(result), "" if silent else _line(result))


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


def _report(summary: RunSummary, *, quiet: bool) -> None:
    if quiet:
        return
    counts = [f"{n} {status}" for status, n in summary.by_status.items()]
    click.echo(", ".join(counts) or "there is nothing to undo", err=True)
    if summary.interrupted:
        click.echo("interrupted; what was finished stays finished, run again to go on", err=True)
