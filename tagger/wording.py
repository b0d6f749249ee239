"""Numbers in words for a person, and the form of the word that goes with each."""

from __future__ import annotations


def count(n: int) -> str:
    """Return a number with its thousands apart.

    >>> count(1234567)
    '1,234,567'
    """
    return f"{n:,}"


def counted(n: int, one: str, many: str = "") -> str:
    """Return how many of something there are.

    >>> counted(1, "track"), counted(2000, "track"), counted(0, "copy", "copies")
    ('1 track', '2,000 tracks', '0 copies')
    """
    return f"{count(n)} {one if n == 1 else many or one + 's'}"
