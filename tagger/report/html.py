"""HTML that is right by construction: whatever is no ``Html`` already is escaped.

So are characters that cannot be seen, or that turn the text around them: a name is shown, and does
nothing else.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

from tagger.errors import plain, printable

MOST_LETTERS = 160  # of a name; the rest says little and pushes all else aside
_VOID = frozenset({"meta", "input"})


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def element(name: str, /, *children: str, **attributes: str | float | bool | None) -> Html:
    """Return an element.

    Args:
        name: Its tag.
        children: Elements, and text that is escaped here.
        attributes: ``_`` at an end of a name is dropped and elsewhere stands for ``-``; None and
            False leave one out, True gives it no value.

    >>> element("a", "<b>", element("i", "c"), href="#x", class_='"', hidden=True, id=None)
    '<a href="#x" class="&quot;" hidden>&lt;b&gt;<i>c</i></a>'
    """
    opening = "".join(_attribute(key, value) for key, value in attributes.items())
    inner = joined(*children)
    return Html(f"<{name}{opening}>" if name in _VOID else f"<{name}{opening}>{inner}</{name}>")


def joined(*children: str) -> Html:
    r"""Return elements and text, one after the other.

    >>> joined("<\0", element("b", "a"))
    '&lt;\\x00<b>a</b>'
    """
    return Html("".join(c if isinstance(c, Html) else escape(plain(c)) for c in children))


def paragraph(*children: str, class_: str | None = None) -> Html:
    """Return a paragraph."""
    return element("p", joined(*children), class_=class_)


def name(text: str, most: int = MOST_LETTERS) -> Html:
    r"""Return a name from a tag: on its own whichever way it is written, cut where it is endless.

    >>> name("a\u202e<b>")
    '<bdi>a\\u202e&lt;b&gt;</bdi>'
    """
    return element("bdi", cut(plain(text), most))


def file_name(path: Path) -> Html:
    """Return a path; its end tells more than its beginning.

    >>> file_name(Path("/music/a&b.mp3"))
    '<bdi class="path">/music/a&amp;b.mp3</bdi>'
    """
    text = printable(path)
    shown = text if len(text) <= MOST_LETTERS else "…" + text[1 - MOST_LETTERS :]
    return element("bdi", shown, class_="path")


def cut(text: str, most: int = MOST_LETTERS) -> str:
    """Return text, its end left out where it is endless.

    >>> cut("Singer-Songwriter", 8)
    'Singer-…'
    """
    return text if len(text) <= most else text[: most - 1] + "…"


def _attribute(key: str, value: str | float | bool | None) -> str:
    if value is None or value is False:
        return ""
    shown = key.strip("_").replace("_", "-")
    return f" {shown}" if value is True else f' {shown}="{escape(plain(str(value)))}"'
