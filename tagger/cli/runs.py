"""``tagger runs``: what was run, when, and what it did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from tagger.catalog import Catalog, RunRow
from tagger.cli.options import catalog_option, format_option, max_option, verbose_option
from tagger.cli.output import Printer
from tagger.cli.screen import column
from tagger.config import load_settings
from tagger.records import Status

_COUNTED = (
    Status.WRITTEN,
    Status.PREDICTED,
    Status.KEPT,
    Status.UNSURE,
    Status.UNCHANGED,
    Status.RESTORED,
    Status.FAILED,
)
COLUMNS = (
    "id",
    "command",
    "started",
    "ended",
    "elapsed_s",
    "interrupted",
    "paths",
    "model",
    *_COUNTED,
    "undoable",
)


@click.command("runs")
@max_option
@catalog_option
@format_option
@verbose_option
def command(limit: int | None, catalog: str | None, format_: str) -> int:
    """List past runs, the latest first: when, of which paths, and how many tracks became what.

    Example: tagger runs -n 5
    """
    settings, _ = load_settings({"catalog": catalog})
    printer = Printer(format_, COLUMNS)
    with Catalog.open(settings.catalog, create=False, read_only=True) as opened:
        for run in opened.runs(limit):
            printer.print(_record(run), _line(run))
    return 0


def run_record(run: RunRow) -> Mapping[str, Any]:
    """Return which run it was, as JSON and CSV give it."""
    return {
        "id": run.run_id,
        "command": run.command,
        "started": run.started.isoformat(),
        "ended": run.ended.isoformat() if run.ended else None,
        "model": run.model_id,
    }


def _record(run: RunRow) -> Mapping[str, Any]:
    return {
        **run_record(run),
        "elapsed_s": run.summary.elapsed_s,
        "interrupted": run.summary.interrupted,
        "paths": list(run.paths),
        **{str(status): run.summary.by_status.get(status, 0) for status in _COUNTED},
        "undoable": run.n_standing,
    }


def _line(run: RunRow) -> str:
    counts = [f"{n} {status}" for status, n in run.summary.by_status.items()]
    if run.ended is None:
        counts.append("under way, or killed")
    elif run.summary.interrupted:
        counts.append("interrupted")
    undoable = f"; {run.n_standing} can be undone" if run.n_standing else ""
    when = run.started.astimezone().strftime("%Y-%m-%d %H:%M")
    what = f"{', '.join(counts) or 'nothing to do'}{undoable}"
    return f"{run.run_id:5d}  {when}  {column(run.command, 5)}  {what}  [{', '.join(run.paths)}]"
