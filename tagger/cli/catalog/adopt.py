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
    """Make a catalogue of another computer or person your own.

    tagger undo, and the repair of a write that was cut off, change files only if you recorded the
    write yourself, on this computer. Adopt a catalogue first if somebody gave it to you, if an
    older version made it and it is not at the default place, or if it is in PostgreSQL and one of
    its machines died. Writes that were cut off are then settled at once. Adopt only a catalogue
    of somebody you trust: it says which bytes of your files are changed.

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
