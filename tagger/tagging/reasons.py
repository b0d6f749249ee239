"""In words, why a genre that was heard is not written; and what such words said.

A catalogue keeps the words alone, and so a report reads them again.
"""

from __future__ import annotations

import re
from enum import Enum


class WhyNot(Enum):
    """Why a genre that was heard is not written; the value is what is said of it."""

    NEVER = "which genre_map says is never written"
    UNTRUSTED = (
        "which this model cannot be trusted with; --genres together with --min-confidence writes "
        "it all the same"
    )
    UNASKED = "which is not written unless asked for with --genres"
    UNSURE = "{needed} % needed"


def say_why_not(label: str, percent: int, why: WhyNot, needed: int = 100) -> str:
    """Return what a track sounds like, how sure that is, and why it is not written.

    >>> say_why_not("Folk", 61, WhyNot.UNSURE, 75)
    'sounds like Folk (61 %), 75 % needed'
    """
    return f"sounds like {label} ({percent} %), {why.value.format(needed=needed)}"


def read_why_not(reason: str) -> tuple[str, WhyNot] | None:
    """Return the label and the reason that ``say_why_not`` told of, or None: these are not such.

    >>> read_why_not("sounds like Folk (61 %), 75 % needed")
    ('Folk', <WhyNot.UNSURE: '{needed} % needed'>)
    >>> read_why_not("silent") is None
    True
    """
    found = _SAID.fullmatch(reason)
    if found is None:
        return None
    said = (why for why in WhyNot if found["why"] == why.value)
    return found["label"], next(said, WhyNot.UNSURE)


_SAID = re.compile(r"sounds like (?P<label>.+) \(\d+ %\), (?P<why>.+)", re.DOTALL)
