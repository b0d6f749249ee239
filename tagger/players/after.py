"""A command of the owner's, run when files have changed: say, to have a player look for them.

No shell reads it, so no blank and no letter in it means anything else than it says.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from tagger.errors import os_reason, plain

log = logging.getLogger(__name__)

_TIMEOUT_S = 60.0
_MOST_SHOWN = 2000  # bytes of what it prints, the last ones
_MOST_LINES = 5


def run_after(after: Mapping[str, Any]) -> str:
    """Run the command, if there is one; return what went wrong with it, or "".

    Args:
        after: The setting: ``command`` as words, and ``timeout``.
    """
    words: Sequence[str] = after.get("command", ())
    if not words:
        return ""
    program = str(Path(words[0]).expanduser())
    timeout_s = after.get("timeout", _TIMEOUT_S)
    with tempfile.TemporaryFile() as printed:
        try:
            code = _exit_code([program, *words[1:]], printed, timeout_s)
        except OSError as exc:
            return f"after: {plain(program)}: {os_reason(exc)}"
        what = _what_happened(code, timeout_s)
        if not what:
            log.info("after: %s: done", plain(program))
            return ""
        return f"after: {plain(program)} {what}{_end_of(printed)}"


def _exit_code(words: Sequence[str], printed: BinaryIO, timeout_s: float) -> int | None:
    """Return with what a command ended; None if it had to be ended, with all that it started."""
    # What it prints is kept apart: our own output is read by programs. In a file, not in a pipe,
    # which a server that it leaves behind would keep open.
    with subprocess.Popen(
        words,
        stdin=subprocess.DEVNULL,
        stdout=printed,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        try:
            return process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None
        finally:
            if process.returncode is None:  # it takes too long, or we were told to end
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)


def _what_happened(code: int | None, timeout_s: float) -> str:
    """Return in words with what a command ended; "" if all is well.

    >>> _what_happened(3, 60), _what_happened(-9, 60), _what_happened(None, 60)
    ('ended with 3', 'was killed by signal 9', 'took more than 60 s and was ended')
    """
    if code is None:
        return f"took more than {timeout_s:g} s and was ended"
    if code < 0:
        return f"was killed by signal {-code}"
    return f"ended with {code}" if code else ""


def _end_of(printed: BinaryIO) -> str:
    """Return the last lines that a command printed, with a colon before them; "" if none."""
    size = printed.seek(0, os.SEEK_END)
    printed.seek(max(0, size - _MOST_SHOWN))
    lines = printed.read().decode("utf-8", "replace").splitlines()
    told = [plain(line) for line in lines if line.strip()][-_MOST_LINES:]
    return "".join(f"\n  {line}" for line in told)
