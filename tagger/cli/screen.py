"""What a terminal shows: how wide text is there, and whether it may be coloured."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from typing import Any

import click

_LEAST_WIDTH = 40  # of a window that is narrower, lines run over its edge


@dataclass(frozen=True, slots=True)
class Screen:
    """Where lines of text go.

    Args:
        width: Places in a line; None where nothing is cut, as in a file or a pipe.
        color: Whether text may be coloured.
    """

    width: int | None = None
    color: bool = False

    def fit(self, line: str) -> str:
        """Return a line cut to the width of the screen."""
        return line if self.width is None else cut(line, self.width)

    def styled(self, text: str, **style: Any) -> str:
        """Return text in a colour or weight of click's, where colours are shown."""
        return click.style(text, **style) if self.color else text


def screen_of_stdout(color: str = "auto") -> Screen:
    """Return what stdout is: a terminal's width and colours, or a plain pipe.

    Args:
        color: ``always``, ``never``, or ``auto``: on a terminal, unless NO_COLOR is set
            (Source: no-color.org).
    """
    is_terminal = sys.stdout.isatty()
    width = max(_LEAST_WIDTH, shutil.get_terminal_size().columns) if is_terminal else None
    by_itself = is_terminal and not os.environ.get("NO_COLOR")
    return Screen(width, color == "always" or (color == "auto" and by_itself))


def width_of(text: str) -> int:
    """Return how many places text takes: wide letters two, marks that combine none.

    >>> width_of("Rock"), width_of("ロック"), width_of("é"), width_of("👨‍👩‍👧")
    (4, 6, 1, 2)
    """
    if text.isascii() and text.isprintable():
        return len(text)
    import wcwidth  # its tables cost 20 ms

    return wcwidth.width(text, control_codes="ignore")


def cut(text: str, width: int) -> str:
    """Return text in so many places at most; what was cut ends in an ellipsis.

    >>> cut("Singer-Songwriter", 8), cut("ロック音楽", 6), cut("Rock", 4)
    ('Singer-…', 'ロッ…', 'Rock')
    """
    if width_of(text) <= width:
        return text
    import wcwidth

    return wcwidth.clip(text, 0, width - 1, control_codes="ignore").rstrip() + "…"


def column(text: str, width: int) -> str:
    """Return text in a column of a table, filled up or cut.

    >>> column("Rock", 6), column("ロック", 8), column("Singer-Songwriter", 8)
    ('Rock  ', 'ロック  ', 'Singer-…')
    """
    shown = cut(text, width)
    return shown + " " * (width - width_of(shown))
