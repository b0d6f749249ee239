"""``tagger catalog COMMAND``: looking after the catalogue."""

from __future__ import annotations

import click

from tagger.cli.lazy import LazyGroup

_COMMANDS = {
    "check": ("tagger.cli.catalog.check", "Look for damage and contradictions."),
    "backup": ("tagger.cli.catalog.backup", "Copy the catalogue to a file."),
    "restore": ("tagger.cli.catalog.restore", "Put a backup in the catalogue's place."),
    "adopt": (
        "tagger.cli.catalog.adopt",
        "Make a catalogue of another computer or person your own.",
    ),
    "upgrade": ("tagger.cli.catalog.upgrade", "Bring it to this version's schema."),
    "prune": ("tagger.cli.catalog.prune", "Forget the files that have vanished."),
    "relocate": ("tagger.cli.catalog.relocate", "Follow a library that was moved as a whole."),
    "export": ("tagger.cli.catalog.export", "Write all tracks to CSV, JSON Lines or Parquet."),
}


@click.group("catalog", cls=LazyGroup, lazy=_COMMANDS)
def command() -> None:
    """Look after the catalogue."""
