"""What is done once files have changed: the owner's command, told of only where it fails."""

from __future__ import annotations

import click

from tagger.config import Settings
from tagger.players.after import run_after


def after_change(settings: Settings, code: int = 0) -> int:
    """Run the owner's command, if there is one; say so if it fails.

    Args:
        settings: With the command.
        code: With what we would end.

    Returns:
        With what to end now: 1 if the command failed and all else went well.
    """
    failure = run_after(settings.after)
    if failure:
        click.echo(failure, err=True)
    return code or int(bool(failure))
