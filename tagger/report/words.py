"""Numbers and names as people read them."""

from __future__ import annotations

from pathlib import Path

from tagger.errors import plain, printable
from tagger.wording import count

_MOST_LETTERS = 160  # of a name; the rest says little and pushes all else aside


def share(n: int, of: int) -> str:
    """Return a share in percent; what is there is never 0 %, what is not all never 100 %.

    >>> share(1, 3), share(1, 9999), share(9998, 9999), share(0, 0)
    ('33 %', '< 1 %', '> 99 %', '0 %')
    """
    if 0 < n < of:
        percent = round(100 * n / of)
        return "< 1 %" if percent == 0 else "> 99 %" if percent == 100 else f"{percent} %"
    return "100 %" if n and n == of else "0 %"


def hours(duration_s: float) -> str:
    """Return a long duration.

    >>> hours(59), hours(5400), hours(3_600_000)
    ('1 min', '1 h 30 min', '1,000 h')
    """
    minutes = round(duration_s / 60)
    if minutes >= 600:
        return f"{count(round(minutes / 60))} h"
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"


def name(text: str, most: int = _MOST_LETTERS) -> str:
    r"""Return a name from a tag: it turns nothing around, and is cut where it is endless.

    >>> name("a\u202eb"), name("Singer-Songwriter", 8)
    ('a\\u202eb', 'Singer-…')
    """
    shown = plain(text)
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def file_name(path: Path | str) -> str:
    """Return a path; its end tells more than its beginning.

    >>> file_name(Path("/music/a.mp3")), len(file_name(Path("a" * 900)))
    ('/music/a.mp3', 160)
    """
    text = printable(path)
    return text if len(text) <= _MOST_LETTERS else "…" + text[1 - _MOST_LETTERS :]
