"""Every command says what it does, with an example that is one of its calls."""

import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tagger.cli import cli


def commands(group: click.Group, *words: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, *words, name)
        else:
            yield (*words, name), command


ALL = dict(commands(cli))


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_the_help_of_a_command_has_an_example_that_it_takes(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ALL[words]
    (example,) = [
        line.strip().removeprefix("Example: ")
        for line in (command.help or "").splitlines()
        if line.strip().startswith("Example: ")
    ]
    given = shlex.split(example.partition(" > ")[0])
    assert given[: len(words) + 1] == ["tagger", *words]
    monkeypatch.setattr(click.Path, "convert", lambda _self, value, *_: Path(value))
    command.make_context(words[-1], given[len(words) + 1 :])
