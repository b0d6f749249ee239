"""What text can be a genre at all: the rule that settings, models and tags share."""

from __future__ import annotations

import unicodedata


def why_no_genre(text: str) -> str:
    """Return why no tag could hold a text faithfully, "" if one can.

    >>> why_no_genre("Drum & Bass"), why_no_genre(" ")
    ('', 'a genre must not be empty')
    """
    if not text.strip():
        return "a genre must not be empty"
    if text != text.strip():
        return f"the genre {text!r} begins or ends with white space"
    # Control characters, lone surrogates and non-characters: some container would alter them.
    if any(unicodedata.category(c) in ("Cc", "Cs") or c in "\ufeff\ufffe\uffff" for c in text):
        return f"the genre {text!r} has a character that no tag can hold"
    return ""
