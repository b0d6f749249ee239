"""``tagger service remove``: end a service and take its unit files away."""

from __future__ import annotations

import click

from tagger.cli.options import verbose_option
from tagger.errors import printable
from tagger.services import Job, Systemd


@click.command("remove")
@click.argument("jobs", nargs=-1, type=click.Choice([job.value for job in Job]))
@click.option("--dry-run", "--pretend", "dry_run", is_flag=True, help="Touch nothing.")
@click.option("--force", is_flag=True, help="Also unit files that the tagger did not make.")
@verbose_option
def command(jobs: tuple[str, ...], dry_run: bool, force: bool) -> int:
    """End services and take their unit files away: watch, nightly, or both if none is named.

    What they tagged stays, and so does the catalogue.

    Example: tagger service remove nightly
    """
    systemd = Systemd.of_user()
    gone = [
        path
        for job in dict.fromkeys(jobs or Job)
        for path in systemd.remove(Job(job), force=force, dry_run=dry_run)
    ]
    for path in gone:
        click.echo(f"{'would go' if dry_run else 'gone'}: {printable(path)}", err=True)
    if not gone:
        click.echo("there is no service of the tagger's here", err=True)
    return 0
