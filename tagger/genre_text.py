"""Genres as text: what a tag can hold, when two are the same, and which say nothing of the music.

Within a file two genres are one if only their case differs: nothing that stands there may be lost.
Elsewhere two are the same if a person means the same by them, and ``key_of`` tells that.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

FILLER_KEYS = frozenset(
    {
        *("other", "unknown", "genre", "misc", "miscellaneous", "various", "none", "null", "na"),
        *("undefined", "unclassifiable", "unclassified", "uncategorized", "unspecified", "default"),
        *("music", "audio", "mp3", "nogenre", "unknowngenre"),
    }
)
"""Keys of what other programs write where they know no genre."""

# {key of a spelling: key of the genre}, where a comparison of letters would not do.
ALIASES = {
    "altrock": "alternativerock",
    "alternrock": "alternativerock",
    "alternative": "alternativerock",
    "dnb": "drumnbass",
    "drumbass": "drumnbass",
    "electronicmusic": "electronic",
    "hiphoprap": "hiphop",
    "raphiphop": "hiphop",
    "rhythmnblues": "rnb",
    "worldmusic": "world",
    "soundtracks": "soundtrack",
    "ost": "soundtrack",
}
_AND = re.compile(r"\s*(?:&|\+|\band\b|'n'|\bn\b)\s*")
_VARIANTS = frozenset(map(chr, range(0xFE00, 0xFE10)))  # of how a picture is drawn
_ID3_NUMBER = re.compile(r"^(\(\d{1,3}\)\s*)+")  # before or instead of a name: (17)Rock


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


@lru_cache(maxsize=4096)
def key_of(genre: str) -> str:
    """Return what all spellings of a genre have in common.

    >>> {key_of(text) for text in ("Hip-Hop", "hip hop", "HIPHOP", "Hip-Hop/Rap")}
    {'hiphop'}
    >>> key_of("R&B") == key_of("RnB"), key_of("Drum & Bass") == key_of("drum'n'bass")
    (True, True)
    >>> key_of("Финский танго")
    'финскийтанго'
    >>> key_of("(17)Rock"), key_of("(17)"), key_of("🎸❤️")
    ('rock', '', '🎸❤')
    """
    letters = letters_of(genre)
    return ALIASES.get(letters, letters)


@lru_cache(maxsize=4096)
def letters_of(genre: str) -> str:
    """Return what spellings of one word have in common, whatever else may be called the same.

    >>> letters_of("Hip-Hop"), letters_of("hip hop"), letters_of("OST"), key_of("OST")
    ('hiphop', 'hiphop', 'ost', 'soundtrack')
    """
    text = unicodedata.normalize("NFKC", spelling(genre)).casefold()
    if not any(c.isalnum() for c in text):
        # A genre may be all pictures; only punctuation and blanks say nothing.
        return "".join(c for c in text if unicodedata.category(c) == "So")
    return "".join(c for c in _AND.sub("n", text) if c.isalnum() or _is_mark(c))


def _is_mark(letter: str) -> bool:
    """Return whether it belongs to the letter before: an accent, a vowel of Indian scripts."""
    return unicodedata.category(letter).startswith("M") and letter not in _VARIANTS


def spelling(genre: str) -> str:
    r"""Return a genre as a tag can hold it: composed, without control characters and ID3 numbers.

    >>> spelling("\ufeffMusique  le\u0301ge\u0300re\0"), spelling("(17)Rock"), spelling("(17)")
    ('Musique légère', 'Rock', '')
    """
    text = unicodedata.normalize("NFC", genre)
    held = "".join(" " if why_no_genre(f"a{c}a") else c for c in text)
    return _ID3_NUMBER.sub("", " ".join(held.split()))


def are_among(genres: Iterable[str], names: Iterable[str]) -> bool:
    """Return whether genres are all of these names, however they are spelt.

    >>> are_among(["other"], ["Other"]), are_among(["Other", "Rock"], ["Other"])
    (True, False)
    """
    return set(map(key_of, genres)) <= set(map(key_of, names))


def say_nothing(genres: Iterable[str]) -> bool:
    """Return whether there are genres, and none of them says anything of the music.

    >>> say_nothing(["Unknown", "Misc."]), say_nothing(["Other", "Rock"]), say_nothing([])
    (True, False, False)
    """
    keys = set(map(key_of, genres))
    return bool(keys) and keys <= FILLER_KEYS | {""}


def without_repeats(genres: Iterable[str]) -> tuple[str, ...]:
    """Return the genres once each, in order; blank ones dropped, case apart they are the same.

    >>> without_repeats(["Hip-Hop", " ", "hip-hop ", "Rap"])
    ('Hip-Hop', 'Rap')
    """
    once: dict[str, str] = {}
    for genre in genres:
        if genre.strip():
            once.setdefault(genre.strip().casefold(), genre.strip())
    return tuple(once.values())
