"""Bars of inline SVG, which need no script, beside the numbers that they show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tagger.report.html import Html, element
from tagger.report.words import count, share

_LENGTH = 100  # of the longest bar, in units of its own
_HEIGHT = 8


class Part(NamedTuple):
    """A part of a bar: its class in the style sheet, what it stands for, how much."""

    kind: str
    title: str
    n: int


def bar(parts: Sequence[Part], of: int) -> Html:
    """Return a bar whose parts lie one after the other.

    Args:
        parts: From left to right.
        of: How much the whole length is.
    """
    drawn, start = [], 0.0
    for part in parts:
        width = _LENGTH * part.n / max(of, 1)
        if part.n:
            drawn.append(
                element(
                    "rect", class_=part.kind, x=_short(start), width=_short(width), height=_HEIGHT
                )
            )
        start += width
    return element(
        "svg",
        *drawn,
        class_="bar",
        viewBox=f"0 0 {_LENGTH} {_HEIGHT}",
        preserveAspectRatio="none",
        aria_hidden="true",
        focusable="false",
    )


def legend(parts: Sequence[Part], of: int) -> Html:
    """Return what the parts of a bar stand for, with their numbers."""
    return element(
        "ul",
        *(
            element(
                "li",
                swatch(part.kind),
                f" {part.title} ",
                element("strong", count(part.n)),
                f" ({share(part.n, of)})",
            )
            for part in parts
            if part.n
        ),
        class_="legend",
    )


def swatch(kind: str) -> Html:
    """Return a spot of colour."""
    return element(
        "svg",
        element("rect", class_=kind, width="10", height="10"),
        class_="swatch",
        viewBox="0 0 10 10",
        aria_hidden="true",
        focusable="false",
    )


def _short(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
