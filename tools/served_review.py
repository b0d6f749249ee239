"""A review that runs as a process, for what measures it and what films it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def served_review(catalog: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Run a review of a catalogue; give its process, and the address that lets its reader in."""
    command = [sys.executable, "-m", "tagger", "review", "--no-browser", "--catalog", str(catalog)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True)
    try:
        assert process.stderr is not None
        (url,) = re.findall(r"http://\S+", process.stderr.readline().decode())
        yield process, url
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
