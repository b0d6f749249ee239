"""What text a tag can hold: as a genre, or as the name of the model that heard it."""

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


def id_of(name: str, digest: str) -> str:
    r"""Return a model's id, from its file's name and what it is made of.

    It stands in tags, at the end of a list that ";" separates, and in the catalogue.

    >>> id_of("my; Jazz\n\udcff", "1a2b")
    'my_ Jazz__-1a2b'
    """
    fit = "".join(c if c.isprintable() and c != ";" else "_" for c in name)
    return f"{fit}-{digest}"
