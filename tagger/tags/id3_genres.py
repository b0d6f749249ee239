"""Genres as ID3 writes them: numbers of the ID3v1 list, references like (17), plain names."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mutagen.id3 import TCON

NO_GENRE = 255
_NAMES: tuple[str, ...] = tuple(TCON.GENRES)
_NUMBERS = {name.casefold(): number for number, name in enumerate(_NAMES)}
_REFERENCE = re.compile(r"\((\d{1,3}|RX|CR)\)")
_SHORT = {"RX": "Remix", "CR": "Cover"}


def genre_of_number(number: int) -> str:
    """Return the name of a genre of the ID3v1 list, "" where the list lacks the number."""
    return _NAMES[number] if 0 <= number < len(_NAMES) else ""


def number_of_genre(genre: str) -> int:
    """Return a genre's number in the ID3v1 list, 255 where the list lacks it."""
    return _NUMBERS.get(genre.casefold(), NO_GENRE)


def resolved(values: Iterable[str]) -> list[str]:
    """Return the names that the values of a TCON frame stand for.

    >>> resolved(["(17)", "(4)(CR)Eurodisco", "8", "RX", "((sic)", "(255)", "Rock (live)"])
    ['Rock', 'Disco', 'Cover', 'Eurodisco', 'Jazz', 'Remix', '(sic)', 'Rock (live)']
    """
    names: list[str] = []
    for value in values:
        rest = value.strip()
        while match := _REFERENCE.match(rest):
            names.append(_named(match[1]))
            rest = rest[match.end() :]
        # Before v2.4 a name's own "(" at the start was written twice.
        rest = rest[1:] if rest.startswith("((") else rest
        names.append(_named(rest.strip()))
    return [name for name in names if name]


def _named(value: str) -> str:
    if value.isascii() and value.isdecimal() and len(value) <= 3 and int(value) <= NO_GENRE:
        return genre_of_number(int(value))
    return _SHORT.get(value, value)
