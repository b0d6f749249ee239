"""The nets at the borders where one file could end a run: what nobody foresaw becomes its failure.

Here alone any exception is caught. One that is caught is a mistake of ours: its traceback goes to
the log. What is known to go wrong has an error of its own, which passes, as interrupts do.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tagger.errors import TaggerError, printable
from tagger.reasons import Reason, ReasonCode

log = logging.getLogger(__name__)


@contextmanager
def net(path: Path, error: type[TaggerError]) -> Iterator[None]:
    """Turn what nobody foresaw into an error about a file, with its traceback to be told.

    Args:
        path: The file at work.
        error: Of the kind that is expected at this border.
    """
    try:
        yield
    except TaggerError:
        raise
    except Exception as exc:
        said = " ".join(f"{type(exc).__name__}: {exc}".split())[:300]
        caught = error(Reason(ReasonCode.FAULT, {"fault": said}), path)
        caught.trace = traceback.format_exc()
        log.debug("caught at %s", printable(path), exc_info=True)  # the suite listens for this
        raise caught from exc


def tell(path: Path, trace: str) -> None:
    """Put the traceback of what a net caught into the log; nothing where none caught anything."""
    if trace:
        log.error("a fault of the tagger's own, at %s:\n%s", printable(path), trace)
