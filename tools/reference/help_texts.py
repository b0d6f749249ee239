"""What the help of each command says, taken apart for whatever shows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import click

from tagger.cli import cli
from tagger.cli.lazy import LazyGroup

_EXAMPLE = "Example: "


@dataclass(frozen=True, slots=True)
class CommandHelp:
    """The help of one command.

    Args:
        words: How it is called: ``("tagger", "catalog", "prune")``.
        usage: What comes after those words.
        short: What stands beside its name in the help of the command above it.
        paragraphs: What it does; lines that are not to be joined are kept.
        example: A call, or "" where there is none.
        options: Names with what they take, and what each does.
        commands: Commands below it, and what stands beside each.
        notes: What stands at the end.
    """

    words: tuple[str, ...]
    usage: str
    short: str
    paragraphs: tuple[str, ...]
    example: str
    options: tuple[tuple[str, str], ...]
    commands: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def all_help() -> list[CommandHelp]:
    """Return the help of the tagger and of all its commands, each before those below it."""
    return list(
        _walk(
            cli,
            click.Context(cli, info_name="tagger", **cli.context_settings),
            "Fill blank genre tags, safely.",
        )
    )


def _walk(command: click.Command, context: click.Context, short: str) -> Iterator[CommandHelp]:
    below = _below(command, context)
    yield _help_of(command, context, short, tuple((name, said) for name, _, said in below))
    for name, one, said in below:
        yield from _walk(one, click.Context(one, info_name=name, parent=context), said)


def _below(command: click.Command, context: click.Context) -> list[tuple[str, click.Command, str]]:
    if not isinstance(command, LazyGroup):
        return []
    found = ((name, command.get_command(context, name)) for name in command.list_commands(context))
    return [(name, one, command.short_help_of(name)) for name, one in found if one is not None]


def _help_of(
    command: click.Command, context: click.Context, short: str, below: tuple[tuple[str, str], ...]
) -> CommandHelp:
    paragraphs = _paragraphs(command.help)
    return CommandHelp(
        words=tuple(context.command_path.split()),
        usage=" ".join(command.collect_usage_pieces(context)),
        short=short,
        paragraphs=tuple(one for one in paragraphs if not one.startswith(_EXAMPLE)),
        example=next((p.removeprefix(_EXAMPLE) for p in paragraphs if p.startswith(_EXAMPLE)), ""),
        options=tuple(
            filter(None, (one.get_help_record(context) for one in _options(command, context)))
        ),
        commands=below,
        notes=tuple(_paragraphs(command.epilog)),
    )


def _options(command: click.Command, context: click.Context) -> list[click.Parameter]:
    return [one for one in command.get_params(context) if isinstance(one, click.Option)]


def _paragraphs(text: str | None) -> list[str]:
    r"""Return the paragraphs of a help text, each on one line unless it says otherwise.

    >>> _paragraphs("One\n  two.\n\n  \b\n  a  b\n  c")
    ['One two.', 'a  b\nc']
    """
    parts = ("\n".join(map(str.strip, part.split("\n"))) for part in (text or "").split("\n\n"))
    return [
        part.removeprefix("\b\n") if part.startswith("\b\n") else " ".join(part.split())
        for part in parts
        if part.strip()
    ]
