"""docs/reference/python.md: what ``import tagger`` offers, by its docstrings."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import tagger
from tagger.catalog import TrackRow
from tagger.reasons import Reason
from tagger.recommending.recommend import Match
from tagger.records import Suggestion, TagsFound, TrackFailure, TrackPrediction, TrackResult

_METHODS = ("open", "tracks", "runs", "counts", "close")
_GIVEN = ("self", "connection", "ask", "roots")  # by the catalogue itself, not by who calls
"""What programs may use of a catalogue."""

_RETURNED = (
    TrackResult,
    Suggestion,
    Reason,
    TrackFailure,
    TrackPrediction,
    TagsFound,
    TrackRow,
    Match,
)


def body() -> str:
    """Return the page: a section a name."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    for name in tagger.__all__:
        yield f"## {name}\n"
        yield from _told(name, getattr(tagger, name))
    yield "## What these return\n"
    for record in _RETURNED:
        yield f"### {record.__name__}\n"
        yield from _told(record.__name__, record)


def _told(name: str, what: Any) -> Iterator[str]:
    if isinstance(what, str):
        yield "The version, as text.\n"
        return
    if what is tagger.Status:
        yield f"{_prose(inspect.getdoc(what))}\n"
        yield ", ".join(f"`{one.name}`" for one in tagger.Status)
        yield "(what each means: [output](output.md#what-became-of-a-track))\n"
        return
    if what is not tagger.Catalog:  # made by its own methods
        yield f"```text\n{name}{_signature(what)}\n```\n"
    yield f"{_prose(inspect.getdoc(what))}\n"
    if what is tagger.Catalog:
        for method in _METHODS:
            found = getattr(what, method)
            yield f"**`Catalog.{method}`**\n"
            yield f"```text\n{method}{_signature(found)}\n```\n\n{_prose(inspect.getdoc(found))}\n"


def _signature(what: Any) -> str:
    """Return how it is called, a line a parameter where that is long."""
    signature = inspect.signature(what)
    kept = [p for name, p in signature.parameters.items() if name not in _GIVEN]
    text = str(signature.replace(parameters=kept))
    # Types are kept as text in our modules; a default that is an object says more than is asked.
    text = re.sub(r" -> '?None'?$", "", text)
    text = re.sub(r"(: |-> )'([^']*)'", r"\1\2", text)
    text = re.sub(r"= (<factory>|[A-Z]\w+\(.*?\)(?=[,)]))", "= …", text)
    return text if len(text) < 90 else re.sub(r", (?=\w+:|\*)", ",\n    ", text)


def _prose(docstring: str | None) -> str:
    r"""Return a docstring as Markdown: arguments as a list, doctests left out.

    >>> print(_prose("Do it.\n\nArgs:\n    a: One\n        thing.\n    b: Two.\n\n>>> 1\n1"))
    Do it.
    <BLANKLINE>
    - `a`: One thing.
    - `b`: Two.
    """
    parts = (part for part in (docstring or "").split("\n\n") if not part.startswith(">>>"))
    return "\n\n".join(_paragraph(part) for part in parts).replace("``", "`")


def _paragraph(part: str) -> str:
    head, _, rest = part.partition("\n")
    if head not in ("Args:", "Raises:"):
        return " ".join(part.split())
    items = re.split(r"\n    (?=\S)", "\n" + rest)[1:]
    named = (" ".join(item.split()).partition(": ") for item in items)
    listed = "\n".join(f"- `{name}`: {said}" for name, _, said in named)
    return listed if head == "Args:" else f"Raises:\n\n{listed}"
