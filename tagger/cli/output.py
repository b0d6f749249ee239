"""How records are printed: a line of text, a JSON object or a CSV row each, to stdout."""

from __future__ import annotations

import base64
import csv
import io
import json
import os
import sys
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from tagger.cli.streams import OutputClosedError as OutputClosedError
from tagger.errors import TaggerError, os_reason
from tagger.errors import plain as plain  # commands print by this module alone
from tagger.reasons import Reason


def say(text: str | bytes, *, color: bool | None = None) -> None:
    """Print text and a line's end to stdout; bytes, whatever the terminal's encoding.

    Args:
        text: To be printed.
        color: Whether colours in it stay; None where stdout is a terminal.

    Raises:
        OutputClosedError: nobody reads it.
        TaggerError: it cannot be written, as on a disk that is full.
    """
    try:
        click.echo(text, color=color)
    except BrokenPipeError as exc:
        raise OutputClosedError from exc
    except OSError as exc:
        raise TaggerError(f"standard output cannot be written: {os_reason(exc)}") from exc


class Printer:
    """Prints records of one kind, as they come.

    Args:
        format_: ``text``, ``jsonl`` or ``csv``.
        columns: The fields of a CSV row, in order.
        write: What takes a line, if not stdout.
    """

    def __init__(
        self,
        format_: str,
        columns: Sequence[str],
        write: Callable[[str], object] | None = None,
    ) -> None:
        self._format = format_
        self._columns = columns
        self._write = write or say
        # CSV gives names of files as the bytes they are; text escapes them before they come here,
        # and then only what a terminal's encoding lacks is left to be replaced.
        reconfigure = getattr(sys.stdout, "reconfigure", None)
        if write is None and reconfigure is not None:
            reconfigure(errors="surrogateescape" if format_ == "csv" else "backslashreplace")
        if format_ == "csv":
            self._write(_csv_row(columns))

    def print(self, record: Mapping[str, Any], text: str) -> None:
        """Print one record; ``text`` is what a person is shown of it.

        Raises:
            OutputClosedError: nobody reads it.
        """
        if self._format == "jsonl":
            self._write(json.dumps(record))
        elif self._format == "csv":
            self._write(_csv_row([_cell(record.get(name)) for name in self._columns]))
        elif text:
            self._write(text)


_CSV_END = "\r\n"


def _csv_row(cells: Sequence[Any]) -> str:
    row = io.StringIO()
    # A line's end within a cell is quoted only if it is one that ends rows as well.
    csv.writer(row, lineterminator=_CSV_END).writerow(cells)
    return row.getvalue().removesuffix(_CSV_END)


def _cell(value: Any) -> Any:
    if isinstance(value, Mapping):
        return json.dumps(value)
    if isinstance(value, (list, tuple)):
        return _harmless("; ".join(map(str, value)))
    if isinstance(value, str):
        return _harmless(value)
    return "" if value is None else value


def _harmless(text: str) -> str:
    r"""Return text that a spreadsheet shows and does not work out, control characters made visible.

    >>> _harmless("=1+1"), _harmless("a\tb"), _harmless("Blue-Eyed")
    ("'=1+1", 'a\\tb', 'Blue-Eyed')
    """
    shown = "".join(repr(c)[1:-1] if unicodedata.category(c) == "Cc" else c for c in text)
    return f"'{shown}" if text.startswith(_FORMULA_STARTS) else shown


_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


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


def reason_fields(reason: Reason | None) -> dict[str, str | None]:
    """Return a reason's fields: in words, and its code (docs/reference/reasons.md).

    >>> from tagger.reasons import ReasonCode
    >>> reason_fields(Reason(ReasonCode.SILENT)), reason_fields(None)
    ({'reason': 'silent', 'reason_code': 'silent'}, {'reason': '', 'reason_code': None})
    """
    if reason is None:
        return {"reason": "", "reason_code": None}
    return {"reason": str(reason), "reason_code": reason.code.value}


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
