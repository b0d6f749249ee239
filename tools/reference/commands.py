"""docs/reference/commands.md: every command, with every option."""

from __future__ import annotations

from collections.abc import Iterator

from tools.reference.help_texts import CommandHelp, all_help


def body() -> str:
    """Return the page: a section a command."""
    return "\n".join(line for one in all_help() for line in _section(one))


def _section(one: CommandHelp) -> Iterator[str]:
    name = " ".join(one.words)
    yield f"## {name}"
    yield f"```text\n{name} {one.usage}\n```\n"
    yield from (f"{_shown(text)}\n" for text in one.paragraphs)
    if one.example:
        yield f"```sh\n{one.example}\n```\n"
    for below, said in one.commands:
        yield f"- [`{below}`](#{'-'.join((*one.words, below))}): {said}"
    if one.commands:
        yield ""
    yield from (f"- `{option}`: {said}" for option, said in one.options)
    yield ""
    yield from (f"{_shown(text)}\n" for text in one.notes)


def _shown(text: str) -> str:
    """Return a paragraph; one whose lines are not to be joined as it stands."""
    return f"```text\n{text}\n```" if "\n" in text else text
