"""``tagger catalog check``: look for damage and contradictions."""

from __future__ import annotations

from pathlib import Path

import click

from tagger.catalog import Complaint, Health, check
from tagger.cli.options import catalog_option, format_option, verbose_option
from tagger.cli.output import Printer
from tagger.config import load_settings
from tagger.errors import printable
from tagger.wording import counted

COLUMNS = ("problem", "n", "example")


@click.command("check")
@catalog_option
@format_option
@verbose_option
def command(catalog: str | None, format_: str) -> int:
    """Look for damage and contradictions in the catalogue; change nothing.

    All of it is read. The exit code is 0 where all is well and 1 where something is wrong.

    Example: tagger catalog check
    """
    settings, _ = load_settings({"catalog": catalog})
    printer = Printer(format_, COLUMNS)
    health = check(settings.catalog)
    for complaint in health.complaints:
        printer.print(_record(complaint), _line(complaint))
    for path in health.open_writes:
        click.echo(f"a write is under way, or was broken off: {printable(path)}", err=True)
    click.echo(_verdict(health), err=True)
    return 1 if health.complaints else 0


def _record(complaint: Complaint) -> dict[str, object]:
    return {"problem": complaint.problem, "n": complaint.n, "example": complaint.example}


def _line(complaint: Complaint) -> str:
    if not complaint.example:
        return complaint.problem
    return f"{complaint.problem}: {complaint.n} (the first is {complaint.example})"


def _verdict(health: Health) -> str:
    where = printable(Path(health.where)) if isinstance(health.where, Path) else health.where
    if health.complaints:
        return (
            f"{where}: something is wrong; put a backup in its place (tagger catalog restore "
            "FILE), or move it away and tag again (the tags in your files are not lost)"
        )
    said = [f"{where}: all is well"]
    if not health.is_current:
        said.append(f"its schema, {health.schema}, will be upgraded when it is next written to")
    if health.open_writes:
        writes = counted(len(health.open_writes), "write is", "writes are")
        said.append(f"{writes} under way, or broken off and settled by the next tagger tag")
    return "; ".join(said)
