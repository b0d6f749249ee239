"""docs/tag.svg, what a terminal shows of a run on the examples: `python -m tools.capture`.

The run is a real one, on a copy, in a terminal of a fixed width. The picture needs no font from
elsewhere: each letter stands where it belongs, in whatever font of even width is there.
"""

from __future__ import annotations

import fcntl
import io
import os
import pty
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "tag.svg"
_WIDTH = 92
_LINE = 24.4  # of the picture; rich makes it so
_CALL = "tagger tag ~/Music"
_FORMAT = """<svg class="terminal" viewBox="0 0 {width} HEIGHT"
 xmlns="http://www.w3.org/2000/svg" role="img" aria-label="A run of the tagger in a terminal">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
 font-size: {char_height}px; line-height: {line_height}px; }}
{styles}
</style>
<defs>{lines}</defs>
<rect width="100%" height="100%" rx="8" fill="#1b1b1b"/>
<g transform="translate(12, 8)">
{backgrounds}
<g class="{unique_id}-matrix" xml:space="preserve">
{matrix}
</g>
</g>
</svg>
"""


def main() -> None:
    """Make the picture anew."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        shutil.copytree(ROOT / "examples", home / "Music", ignore=shutil.ignore_patterns("*.md"))
        said = shown_by_a_run(home)
    PICTURE.write_text(picture_of(f"\x1b[1m$ {_CALL}\x1b[0m\n{said}"), encoding="utf-8")
    print(PICTURE.relative_to(ROOT))


def shown_by_a_run(home: Path) -> str:
    """Return what a run on ~/Music prints: to a terminal, and then its summary."""
    terminal, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 60, _WIDTH, 0, 0))
    ours = {k: v for k, v in os.environ.items() if not k.startswith(("TAGGER_", "XDG_"))}
    run = subprocess.Popen(
        [sys.executable, "-m", "tagger", "tag", str(home / "Music")],
        env={**ours, "HOME": str(home), "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"},
        stdout=end,
        stderr=subprocess.PIPE,
        cwd=home,
    )
    os.close(end)
    rows = _all_of(terminal)
    _, summary = run.communicate()
    if run.returncode:
        raise SystemExit(summary.decode())
    shown = rows.decode().replace("\r\n", "\n") + summary.decode()
    return shown.replace(str(home), "~")


def _all_of(terminal: int) -> bytes:
    """Return what comes until the other end of a terminal is closed, which reads as an error."""
    found = b""
    while True:
        try:
            part = os.read(terminal, 4096)
        except OSError:
            return found
        if not part:
            return found
        found += part


def picture_of(shown: str) -> str:
    """Return a picture of what a terminal shows, as SVG."""
    console = Console(record=True, width=_WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(shown.rstrip("\n")), soft_wrap=False, overflow="fold")
    # A theme for light letters on the dark ground of the picture.
    svg = console.export_svg(code_format=_FORMAT, theme=MONOKAI, unique_id="tagger")
    return svg.replace("HEIGHT", str(round(_LINE * (shown.rstrip("\n").count("\n") + 1) + 24)))


if __name__ == "__main__":
    main()
