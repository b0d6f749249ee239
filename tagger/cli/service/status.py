"""``tagger service status``: which services there are, and how they stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from tagger.cli.options import format_option, verbose_option
from tagger.cli.output import Printer, path_fields
from tagger.errors import plain, printable
from tagger.services import Installed, Systemd

COLUMNS = ("job", "path", "installed", "ours", "enabled", "active", "command")


@click.command("status")
@format_option
@verbose_option
def command(format_: str) -> int:
    """Show which services there are, what each runs, and whether systemd runs it.

    Example: tagger service status
    """
    systemd = Systemd.of_user()
    printer = Printer(format_, COLUMNS)
    for one in systemd.status():
        printer.print(_record(one), _line(one))
    if not systemd.runs:
        click.echo("systemd does not run here: docs/services.md says what else there is", err=True)
    return 0


def _record(one: Installed) -> Mapping[str, Any]:
    return {
        "job": one.job,
        **path_fields(one.file),
        "installed": one.is_there,
        "ours": one.is_ours,
        "enabled": one.enabled,
        "active": one.active,
        "command": one.command,
    }


def _line(one: Installed) -> str:
    if not one.is_there:
        return f"{one.job:8s} not installed"
    states = ", ".join(filter(None, (one.enabled, one.active))) or "systemd was not asked"
    whose = "" if one.is_ours else " (not made by the tagger)"
    return f"{one.job:8s} {states}{whose}  {printable(one.file)}\n         {plain(one.command)}"
