"""What becomes of a command whose reader has had enough. Loads nothing, for a page of help."""

from __future__ import annotations

import os
import sys


class OutputClosedError(Exception):
    """Whoever reads our output, say ``head``, has had enough."""


def flush_output() -> None:
    """Send off what has been printed; where nobody takes it, let it go nowhere."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
