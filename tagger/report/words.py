"""Numbers as people read them."""

from __future__ import annotations


def count(n: int) -> str:
    """Return a number with its thousands apart.

    >>> count(1234567)
    '1,234,567'
    """
    return f"{n:,}"


def counted(n: int, one: str, many: str = "") -> str:
    """Return how many of something there are.

    >>> counted(1, "track"), counted(2000, "track")
    ('1 track', '2,000 tracks')
    """
    return f"{count(n)} {one if n == 1 else many or one + 's'}"


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
