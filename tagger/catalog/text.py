"""Text as the catalogue keeps it: keys to search by, and nothing that no database stores."""

from __future__ import annotations

import unicodedata

_KEY_CHARACTERS = 600  # of four bytes at most: an index of PostgreSQL takes 2,700 bytes


def key_of(genre: str) -> str:
    """Return what a genre is looked for by: folded, and cut where no index could hold it.

    >>> key_of("Hip-Hop"), len(key_of("x" * 9000))
    ('hip-hop', 600)
    """
    return fold(genre)[:_KEY_CHARACTERS]


def fold(text: str) -> str:
    """Return the key by which text is searched and sorted, whatever its case and script.

    SQLite's own lower() and LIKE know ASCII only, and other databases follow their locale, so
    the keys are made here and stored beside the text.

    >>> fold("BJÖRK") == fold("Bjo\u0308rk")
    True
    """
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def storable(text: str) -> str:
    r"""Return text without what no database stores: NUL and halves of surrogate pairs.

    >>> storable("a\0b\udce9")
    'a\ufffdb?'
    """
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")
