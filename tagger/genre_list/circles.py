"""Genres that would be a kind of themselves."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from graphlib import CycleError, TopologicalSorter


def find_circle(above: Mapping[str, Collection[str]]) -> list[str]:
    """Return a way from a genre over what it is a kind of back to itself; [] if there is none.

    >>> find_circle({"bebop": ["jazz"], "jazz": ["bebop"]}), find_circle({"bebop": ["jazz"]})
    (['bebop', 'jazz', 'bebop'], [])
    """
    try:
        TopologicalSorter(above).prepare()
    except CycleError as exc:
        circle: list[str] = list(reversed(exc.args[1]))
        least = circle.index(min(circle))  # the same way, wherever the search began
        return [*circle[least:], *circle[1 : least + 1]]
    return []
