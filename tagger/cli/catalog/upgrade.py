"""``tagger catalog upgrade``: bring the catalogue to this version's schema."""

from __future__ import annotations

import click

from tagger.catalog import HEAD, upgrade_schema
from tagger.cli.options import catalog_option, verbose_option
from tagger.config import load_settings
from tagger.errors import printable


@click.command("upgrade")
@catalog_option
@verbose_option
def command(catalog: str | None) -> int:
    """Bring the catalogue to this version's schema, after a backup.

    A catalogue in a file is upgraded by itself when it is first written to. One in PostgreSQL is
    shared with other machines, whose tagger may be older, and waits for this command.

    Example: tagger catalog upgrade
    """
    settings, _ = load_settings({"catalog": catalog})
    done = upgrade_schema(settings.catalog)
    if done.backup is None:
        click.echo(f"the schema is {HEAD} already", err=True)
    else:
        backup = printable(done.backup)
        click.echo(f"the schema was {done.found} and is {HEAD}; a backup is {backup}", err=True)
    return 0
