"""Charts that need no script: bars of inline SVG, beside the numbers that they show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tagger.report.html import Html, element, joined
from tagger.report.words import count, share

_LENGTH = 100  # of the longest bar, in units of its own
_HEIGHT = 8


class Part(NamedTuple):
    """A part of a bar: its class in the style sheet, what it stands for, how much."""

    kind: str
    title: str
    n: int


@dataclass(frozen=True, slots=True)
class Head:
    """What a column holds.

    Args:
        title: Its heading; "" for bars.
        is_first: Its cells are the headings of their rows.
        is_number: They are numbers.
        shade: The class of the bars' part that stands for it.
    """

    title: str
    is_first: bool = False
    is_number: bool = False
    shade: str | None = None

    @property
    def kind(self) -> str | None:
        """The class of its cells."""
        return "n" if self.is_number else None


BARS = Head("")


def first(title: str) -> Head:
    """Return the head of the first column."""
    return Head(title, is_first=True)


def number(title: str, shade: str | None = None) -> Head:
    """Return the head of a column of numbers."""
    return Head(title, is_number=True, shade=shade)


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
                element("rect", class_=part.kind, x=_short(start), width=_short(width), height="8")
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


def table(caption: str, heads: Sequence[Head], rows: Sequence[Sequence[str]]) -> Html:
    """Return a table that scrolls sideways where there is no room; each row begins with its head.

    Args:
        caption: What it shows.
        heads: Of the columns.
        rows: Cells, escaped where they are no Html.
    """
    body = [element("tr", *(_cell(*pair) for pair in zip(heads, row, strict=True))) for row in rows]
    whole = element(
        "table",
        element("caption", caption),
        element("thead", element("tr", *map(_head, heads))),
        element("tbody", *body),
    )
    # It scrolls, so the keyboard must reach it.
    return element("div", whole, class_="scrolls", tabindex="0", role="region", aria_label=caption)


def _head(head: Head) -> Html:
    if not head.title:  # a column of bars, whose numbers stand in others
        return element("td")
    spot = swatch(head.shade) if head.shade else ""
    return element("th", spot, f" {head.title}", scope="col", class_=head.kind)


def _cell(head: Head, content: str) -> Html:
    if head.is_first:
        return element("th", content, scope="row", class_=head.kind)
    return element("td", content, class_=head.kind)


def paragraph(*children: str, class_: str | None = None) -> Html:
    """Return a paragraph."""
    return element("p", joined(*children), class_=class_)


def _short(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
