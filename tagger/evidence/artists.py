"""Who is one artist: by the MusicBrainz id where the tags have one, else by the name.

The same id is one artist however the name is spelt, and two ids under one name are two artists. A
name without an id is the artist's whose single id stands under that name elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

_END = "\n"  # no key of a name holds it


def identity(key: str, musicbrainz_id: str) -> str:
    """Return all that a track's tags say of who its artist is, as one text.

    Args:
        key: The artist's name, as ``names.artist_key`` gives it.
        musicbrainz_id: "" where the tags have none.

    >>> identity("joni", ""), name_in(identity("joni", "f27e")), id_in(identity("joni", "f27e"))
    ('joni', 'joni', 'f27e')
    """
    return f"{key}{_END}{musicbrainz_id}" if musicbrainz_id else key


def name_in(one: str) -> str:
    """Return the key of the name in an identity."""
    return one.partition(_END)[0]


def id_in(one: str) -> str:
    """Return the MusicBrainz id in an identity, or ""."""
    return one.partition(_END)[2]


def marks_of(one: str) -> Iterator[str]:
    """Yield what another identity of the same artist has in common with this: the name, the id."""
    key, end, musicbrainz_id = one.partition(_END)
    if key:
        yield key
    if musicbrainz_id:
        yield f"{end}{musicbrainz_id}"


class Artists:
    r"""Tells artists apart, by all identities that a library has.

    Args:
        identities: As ``identity`` gives them.

    >>> artists = Artists(["cure\n1", "cure", "kure\n1", "sparks\n2", "sparks\n3", "sparks"])
    >>> [artists.number(one) for one in ("cure", "cure\n1", "kure\n1", "the kure\n1", "cure\n9")]
    [0, 0, 0, 0, -1]
    >>> len({artists.number(one) for one in ("sparks\n2", "sparks\n3", "sparks")})
    3
    """

    def __init__(self, identities: Iterable[str]) -> None:
        known = sorted(set(identities))
        self._ids: dict[str, set[str]] = {}
        for one in known:
            ids = self._ids.setdefault(name_in(one), set())
            if id_in(one):
                ids.add(id_in(one))
        # Numbers that follow the names: draws of artists must not depend on who came first.
        self._numbers: dict[str, int] = {}
        for one in known:
            self._numbers.setdefault(self.who(one), len(self._numbers))

    def number(self, one: str) -> int:
        """Return whose an identity is; -1 is nobody's here."""
        return self._numbers.get(self.who(one), -1)

    def who(self, one: str) -> str:
        """Return the id of whose an identity is, after a line's end; else the name."""
        key, musicbrainz_id = name_in(one), id_in(one)
        ids = self._ids.get(key, set())
        if musicbrainz_id and (musicbrainz_id in ids or f"{_END}{musicbrainz_id}" in self._numbers):
            return f"{_END}{musicbrainz_id}"
        if musicbrainz_id and not ids:
            return key
        if musicbrainz_id:
            return one  # another artist of that name, of whom nothing is known here
        return f"{_END}{next(iter(ids))}" if len(ids) == 1 else key
