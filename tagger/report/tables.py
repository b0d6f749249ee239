"""Tables whose rows and columns have headings, and which scroll where there is no room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tagger.report.bars import swatch
from tagger.report.html import Html, element, paragraph
from tagger.report.words import counted


@dataclass(frozen=True, slots=True)
class ColumnHead:
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


BARS = ColumnHead("")


def first(title: str) -> ColumnHead:
    """Return the head of the first column."""
    return ColumnHead(title, is_first=True)


def number(title: str, shade: str | None = None) -> ColumnHead:
    """Return the head of a column of numbers."""
    return ColumnHead(title, is_number=True, shade=shade)


def table(caption: str, heads: Sequence[ColumnHead], rows: Sequence[Sequence[str]]) -> Html:
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


def more(n: int, one: str, what: str) -> str:
    """Return what a table leaves out, "" where that is nothing."""
    return paragraph(f"And {counted(n, one)} more, {what}.", class_="note") if n > 0 else ""


def _head(head: ColumnHead) -> Html:
    if not head.title:  # a column of bars, whose numbers stand in others
        return element("td")
    spot = swatch(head.shade) if head.shade else ""
    return element("th", spot, f" {head.title}", scope="col", class_=head.kind)


def _cell(head: ColumnHead, content: str) -> Html:
    if head.is_first:
        return element("th", content, scope="row", class_=head.kind)
    return element("td", content, class_=head.kind)
