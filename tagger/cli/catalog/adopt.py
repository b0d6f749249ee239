"""``tagger catalog adopt``: take somebody else's catalogue for one's own."""

from __future__ import annotations

import click

from tagger.cli.options import catalog_option, verbose_option
from tagger.config import load_settings
from tagger.errors import printable
from tagger.tagging.recovery import Settled, adopt
from tagger.wording import counted


@click.command("adopt")
@catalog_option
@verbose_option
def command(catalog: str | None) -> int:
    """Take a catalogue that was not made by you, or not here, for your own.

    What a catalogue says of bytes to put back into files is carried out only where you noted it
    yourself, wherever the catalogue has been moved to since. Adopt one that somebody gave you, one
    of an older version that is not at the default place, or a PostgreSQL catalogue one of whose
    machines died: what was broken off is settled now, and its writes can be undone from here.
    Adopt it only if you trust whoever made it.

    Example: tagger catalog adopt --catalog ~/theirs.db
    """
    settings, _ = load_settings({"catalog": catalog})
    found = adopt(settings.catalog)
    for path in found.still_open:
        click.echo(f"may be half written, and cannot be looked at: {printable(path)}", err=True)
    click.echo(_said(found), err=True)
    return 1 if found.still_open else 0


def _said(found: Settled) -> str:
    n = found.n_done + found.n_dropped
    if not n:
        return "adopted"
    return f"adopted; of what was broken off {counted(n, 'write has', 'writes have')} been settled"
