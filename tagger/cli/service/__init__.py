"""``tagger service COMMAND``: the tagger as a service of systemd."""

from __future__ import annotations

import click

from tagger.cli.lazy import LazyGroup

_COMMANDS = {
    "install": ("tagger.cli.service.install", "Watch folders from now on, or tag every night."),
    "status": ("tagger.cli.service.status", "Show which services there are, and how they stand."),
    "remove": ("tagger.cli.service.remove", "End a service and take its unit files away."),
}


@click.group("service", cls=LazyGroup, lazy=_COMMANDS)
def command() -> None:
    """Run the tagger by itself: a service of your systemd (Linux)."""
