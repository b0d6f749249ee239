"""The streams that a command reads and writes. Loads nothing, for a page of help."""

from __future__ import annotations

import io
import os
import sys
from typing import TextIO


class OutputClosedError(Exception):
    """Whoever reads our output, say ``head``, has had enough."""


class UnfailingWriter(io.TextIOWrapper):
    """Writes text where another stream leads, and drops what the system refuses.

    Of a full disk nobody can be told: a run goes on without its messages, as it does where they
    were closed. Nothing is kept back to be written later. Else what a signal broke into, when it
    was written but not yet ticked off, would be written once more.
    """

    def __init__(self, stream: TextIO) -> None:
        raw = io.FileIO(stream.fileno(), "w", closefd=False)
        super().__init__(
            raw,
            encoding=stream.encoding,
            errors="backslashreplace",
            write_through=True,
        )

    def write(self, text: str) -> int:
        """Write what can be written."""
        try:
            return super().write(text)
        except OSError:
            return len(text)


def open_closed_streams() -> None:
    """Give the streams that the caller closed (``>&-``) somewhere to go.

    Else the next file opened, say the catalogue, would get their number, and what is printed.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            # The lowest free number, which is this one, since they are opened in their order.
            descriptor = os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(descriptor, True)
            stream = os.fdopen(descriptor, "w" if number else "r", encoding="utf-8")
            setattr(sys, name, stream)


def flush_output() -> None:
    """Send off what has been printed; where nobody takes it, let it go nowhere."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
