"""``tagger help``: the same as ``--help``, for whoever asks in words."""

from __future__ import annotations

import click

from tagger.cli.output import say


@click.command("help")
@click.argument("names", nargs=-1, metavar="[COMMAND…]")
def command(names: tuple[str, ...]) -> int:
    """Show what a command does, as tagger COMMAND --help does.

    Example: tagger help catalog prune
    """
    context = click.get_current_context().find_root()
    for name in names:
        if not isinstance(context.command, click.Group):
            raise click.UsageError(f"{context.command_path} has no command {name!r}.", context)
        _, found, _ = context.command.resolve_command(context, [name])
        if found is None:
            raise click.UsageError(f"No such command {name!r}.", context)
        context = click.Context(found, context, name)
    say(context.get_help())
    return 0
