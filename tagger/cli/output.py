"""How records are printed: a line of text, a JSON object or a CSV row each, to stdout."""

from __future__ import annotations

import base64
import csv
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click


class Printer:
    """Prints records of one kind, as they come.

    Args:
        format_: ``text``, ``jsonl`` or ``csv``.
        columns: The fields of a CSV row, in order.
    """

    def __init__(self, format_: str, columns: Sequence[str]) -> None:
        self._format = format_
        self._columns = columns
        self._csv = csv.DictWriter(sys.stdout, columns, extrasaction="ignore", lineterminator="\n")
        # Names of files are bytes: one that is not UTF-8 must come out as it is.
        reconfigure = getattr(sys.stdout, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="surrogateescape")
        if format_ == "csv":
            self._csv.writeheader()

    def print(self, record: Mapping[str, Any], text: str) -> None:
        """Print one record; ``text`` is what a person is shown of it."""
        if self._format == "jsonl":
            click.echo(json.dumps(record))
        elif self._format == "csv":
            self._csv.writerow({name: _cell(record.get(name)) for name in self._columns})
        elif text:
            click.echo(text)


def _cell(value: Any) -> Any:
    if isinstance(value, Mapping):
        return json.dumps(value)
    if isinstance(value, (list, tuple)):
        return "; ".join(map(str, value))
    return "" if value is None else value


def path_fields(path: Path) -> dict[str, str]:
    r"""Return a path's fields: ``path``, and ``path_b64`` where it is not UTF-8.

    >>> path_fields(Path("a.mp3"))
    {'path': 'a.mp3'}
    >>> path_fields(Path("caf\udce9"))["path_b64"]
    'Y2Fm6Q=='
    """
    text = str(path)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return {"path": text, "path_b64": base64.b64encode(os.fsencode(path)).decode("ascii")}
    return {"path": text}


def percent(p: float | None) -> str:
    """Return a probability as a person reads it, or blanks.

    >>> percent(0.987), percent(None)
    (' 98 %', '     ')
    """
    return "     " if p is None else f"{int(p * 100):3d} %"


def length(duration_s: float | None) -> str:
    """Return a duration as minutes and seconds.

    >>> length(245.2), length(None)
    (' 4:05', '    –')
    """
    if duration_s is None:
        return "    –"
    minutes, seconds = divmod(round(duration_s), 60)
    return f"{minutes:2d}:{seconds:02d}"
