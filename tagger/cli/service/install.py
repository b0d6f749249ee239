"""``tagger service install``: watch folders from now on, or tag every night."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from tagger.cli.options import catalog_option, model_option, verbose_option
from tagger.cli.output import say
from tagger.config import APP, PASSWORD
from tagger.errors import printable
from tagger.files.paths import absolute
from tagger.files.scan import check_any_there
from tagger.services import Job, Systemd, unit_files, unit_names


@click.command("install")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH…")
@click.option("--nightly", is_flag=True, help="Tag every night, instead of watching.")
@click.option(
    "--at", default="03:00", show_default=True, metavar="HH:MM", help="When, with --nightly."
)
@click.option(
    "--dry-run", "--pretend", "dry_run", is_flag=True, help="Show the unit files; touch nothing."
)
@click.option("--force", is_flag=True, help="Replace unit files that the tagger did not make.")
@model_option
@catalog_option
@verbose_option
def command(
    paths: tuple[Path, ...],
    nightly: bool,
    at: str,
    dry_run: bool,
    force: bool,
    model: str | None,
    catalog: str | None,
) -> int:
    """Have systemd run tagger watch on PATH whenever you are logged in, or tagger tag every night.

    The unit files go to your own systemd; no other right is needed. Settings come from
    config.toml. What is there already is replaced if the tagger made it.

    Example: tagger service install --nightly --at 04:30 ~/Music
    """
    folders = [absolute(path) for path in paths]
    check_any_there(folders)
    job = Job.NIGHTLY if nightly else Job.WATCH
    options = [*(("--model", model) if model else ()), *(("--catalog", catalog) if catalog else ())]
    run = [sys.executable, "-m", APP, "tag" if nightly else "watch", "--quiet"]
    files = unit_files(job, [*run, *options, *map(str, folders)], at=at)
    systemd = Systemd.of_user()
    _tell_of_variables()
    if dry_run:
        for one in files:
            say(f"# {printable(systemd.folder / one.name)}\n{one.text}")
        if not systemd.runs:
            click.echo("systemd does not run here, so nothing can be installed", err=True)
        return 0
    systemd.install(files, force=force)
    name = unit_names(job)[-1]
    click.echo(f"{name} runs; what it says: journalctl --user -u tagger-{job}", err=True)
    click.echo("to have it run while you are logged out: loginctl enable-linger", err=True)
    return 0


def _tell_of_variables() -> None:
    """Say which settings of this shell the service will not have."""
    names = [n for n in sorted(os.environ) if n.startswith(f"{APP.upper()}_") and n != PASSWORD]
    if names:
        click.echo(
            f"{', '.join(names)}: set in this shell alone; a service reads config.toml", err=True
        )
