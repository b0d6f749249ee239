r"""man/tagger.1, tagger-tag.1 …: a manual page for each command, in roff.

Own code, since what there is for click writes texts as they are: a line that begins with a dot is
an order to roff, and a backslash the beginning of one.
"""

from __future__ import annotations

from collections.abc import Iterator

from tagger import __version__
from tagger.cli import EXIT_CODES
from tools.reference.help_texts import CommandHelp, all_help


def pages() -> dict[str, str]:
    """Return the pages by the names of their files."""
    return {f"{'-'.join(one.words)}.1": "\n".join(_lines(one)) + "\n" for one in all_help()}


def _lines(one: CommandHelp) -> Iterator[str]:
    name, title = "-".join(one.words), "-".join(one.words).upper()
    yield r".\" Made from the help texts by python -m tools.reference."
    yield f'.TH {title} 1 "" "tagger {__version__}" "tagger"'
    yield f".SH NAME\n{_text(name)} \\- {_text(one.short.rstrip('.'))}"
    yield f".SH SYNOPSIS\n.B {_text(' '.join(one.words))}\n{_text(one.usage)}"
    yield ".SH DESCRIPTION"
    yield from (f".PP\n{_block(text)}" for text in one.paragraphs)
    yield from _listed("OPTIONS", one.options)
    yield from _listed("COMMANDS", one.commands)
    if one.example:
        yield f".SH EXAMPLES\n{_as_it_stands(one.example)}"
    if one.notes and len(one.words) > 1:
        yield ".SH NOTES"
        yield from (f".PP\n{_block(text)}" for text in one.notes)
    yield from _listed("EXIT STATUS", tuple((str(c), said) for c, said in EXIT_CODES.items()))
    yield f".SH SEE ALSO\n{_see_also(one)}"


def _listed(heading: str, items: tuple[tuple[str, str], ...]) -> Iterator[str]:
    if items:
        yield f".SH {heading}"
    yield from (f".TP\n.B {_text(name)}\n{_text(said)}" for name, said in items)


def _see_also(one: CommandHelp) -> str:
    above = [("-".join(one.words[:n])) for n in range(1, len(one.words))]
    below = ["-".join((*one.words, name)) for name, _ in one.commands]
    return ",\n".join(f".BR {_text(name)} (1)" for name in (*above, *below)).replace(",\n", " ,\n")


def _block(text: str) -> str:
    return _as_it_stands(text) if "\n" in text else _text(text)


def _as_it_stands(text: str) -> str:
    return "\n".join([".nf", *map(_text, text.splitlines()), ".fi"])


def _text(text: str) -> str:
    r"""Return text that roff shows as it stands, whatever it begins with and whatever its letters.

    >>> _text("--force"), _text(".hidden"), _text("a\\b"), _text("PATH…")
    ('\\-\\-force', '\\&.hidden', 'a\\eb', 'PATH\\[u2026]')
    """
    shown = "".join(_SHOWN.get(c, c if c.isascii() else rf"\[u{ord(c):04X}]") for c in text)
    return rf"\&{shown}" if shown.startswith(".") else shown


# What roff takes for an order, or sets as something that a shell does not take.
_SHOWN = {
    "\\": r"\e",
    "-": r"\-",
    '"': r"\(dq",
    "'": r"\(aq",
    "`": r"\(ga",
    "~": r"\(ti",
    "^": r"\(ha",
}
