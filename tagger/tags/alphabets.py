"""Texts of tags that do not say in which alphabet they are: ID3v1, INFO lists, DSDIFF's own texts.

Valid UTF-8 is UTF-8, since no other alphabet looks like that by chance. What else has bytes above
127 is shown as Latin-1, and never repeated in another tag: as what it is not, it would stand in
front of the right one.
"""

from __future__ import annotations

from tagger.tags.fields import TagFaultError


def shown(data: bytes) -> str:
    r"""Return a text for a person: UTF-8 if it is that, else Latin-1.

    >>> shown("é".encode()), shown(b"\xe9")
    ('é', 'é')
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def sure(data: bytes, tag: str) -> str:
    """Return a text that is to be repeated, or raise TagFaultError where its alphabet is unknown.

    Args:
        data: The text.
        tag: Where it stands, for a person.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise TagFaultError(
            f"{tag} is written in an alphabet that it does not name, and a new tag would have to "
            "repeat its text; save the file in a tag editor that knows the alphabet, as ID3v2 or "
            "in UTF-8, and run again"
        ) from exc


def whole(data: bytes, length: int) -> bytes:
    """Return a text without a last letter of UTF-8 that a field of fixed length has cut off.

    >>> whole("éé".encode()[:3], 3) == "é".encode()
    True
    """
    for n in range(1, min(4, len(data)) if len(data) == length else 1):
        lead = data[-n]
        if lead >= 0xC0:
            needed = 2 + (lead >= 0xE0) + (lead >= 0xF0)
            return data[:-n] if needed > n else data
    return data
