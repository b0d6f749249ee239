"""Who is one artist, who is no artist, and what is one album: told from tags and folders."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import NamedTuple

from tagger.evidence.artists import identity
from tagger.evidence.nobody import NO_ALBUMS, NOBODY, NOBODY_IDS, OF_NO_ARTIST, VARIOUS, VARIOUS_ID
from tagger.genre_text import key_of
from tagger.records import TagsFound

_GUEST = re.compile(r"(?<=\S)\s*[(\[]?\s*\b(?:feat|ft|featuring)\b\.?\s+\S.*$")
# Feet and feats that belong to a name: "10 Ft. Ganja Plant", "Six Ft. Ditch", "Little Feat".
_NO_GUEST = re.compile(
    r"(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|fifty|hundred)"
    r"[\s\-]+ft\b|little\s+feat\b(?!\.)"
)
_WITH = re.compile(r"(?<=\S)\s*[(\[]\s*with\s[^()\[\]]*[)\]]")
_THE_FIRST, _THE_LAST = re.compile(r"^the\s+(?=\S)"), re.compile(r"(?<=\S),\s*the$")
_MARKS = "()[]{}<>.,;:!?*_-–—\"' "  # around a name that is no artist's
_PLAIN = str.maketrans("‘’‚‛′“”„‟″‐‑‒", "'''''\"\"\"\"\"---")
_NUMBER = r"(?:\d{1,2}|[ivx]{1,4}|one|two|three|four)"
_DISC = re.compile(
    rf"[\s,:;_\-–]*[(\[]?\s*\b(?:cd|dis[ck]|disque|disco)[\s.:#_\-]*{_NUMBER}"
    rf"(?:\s*(?:of|von|/)\s*\d{{1,2}})?\s*[)\]]?\s*$",
    re.IGNORECASE,
)
_DISC_FOLDER = re.compile(
    rf"(?:cd|dis[ck]|disque|disco)[\s.:#_\-]*{_NUMBER}(?:\b|_)", re.IGNORECASE
)


_LONGEST = 1000  # letters of a name that count: a tag may hold megabytes of them
_LONGEST_END = 64  # letters in which a disc is looked for: the time grows with their square


class Album(NamedTuple):
    """What an album's tracks have in common: a folder, an album tag and an artist.

    Args:
        folder: That in which all of its discs lie.
        title: As a key.
        artist: Who its artist is, as ``artists.identity`` has it; "" where nobody is named.
    """

    folder: str
    title: str
    artist: str


@lru_cache(maxsize=1 << 16)
def artist_key(name: str) -> str:
    """Return what all ways to write one artist's name have in common.

    >>> {artist_key(n) for n in ("The Cure", "Cure, The", "THE CURE feat. X", "Cure (with Y)")}
    {'cure'}
    >>> artist_key("Björk") == artist_key("BJORK"), artist_key("が") == artist_key("か")
    (True, False)
    >>> artist_key("Sleeping with Sirens"), artist_key("The The"), artist_key("Ｆｔ. Worth")
    ('sleeping with sirens', 'the', 'ft. worth')
    """
    text = _plain(name)
    bare = _WITH.sub("", _without_guests(text)).strip() or text
    turned = _THE_LAST.sub("", bare)
    return _THE_FIRST.sub("", turned) if turned == bare else turned


def _without_guests(text: str) -> str:
    own = _NO_GUEST.match(text)
    guest = _GUEST.search(text, own.end() if own else 0)
    return text[: guest.start()] if guest else text


def _plain(text: str) -> str:
    """Return text whatever its case, width and blanks, its Latin and Greek letters unaccented."""
    text = text[:_LONGEST]
    if text.isascii():
        return " ".join(text.lower().split())
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(_unaccented(folded).translate(_PLAIN).split())


def _unaccented(text: str) -> str:
    """Return text without accents on Latin and Greek letters; elsewhere a mark makes a letter."""
    kept: list[str] = []
    is_european = False
    for letter in unicodedata.normalize("NFD", text):
        if unicodedata.category(letter) != "Mn":
            is_european = unicodedata.name(letter, "").startswith(("LATIN", "GREEK"))
            kept.append(letter)
        elif not is_european:
            kept.append(letter)
    return unicodedata.normalize("NFC", "".join(kept))


def is_various(name: str, musicbrainz_id: str = "") -> bool:
    """Return whether a name stands for several artists.

    >>> is_various("V.A."), is_various("Artistes divers"), is_various("Variety")
    (True, True, False)
    """
    return musicbrainz_id == VARIOUS_ID or _bare(name) in _various()


def is_nobody(name: str, musicbrainz_id: str = "") -> bool:
    """Return whether a name is no artist's.

    >>> is_nobody("[Unknown Artist]"), is_nobody("Various"), is_nobody(""), is_nobody("Unknown T")
    (True, True, True, False)
    """
    if musicbrainz_id in NOBODY_IDS or not name.strip():
        return True
    return _bare(name) in _nobody() or _bare(name) in _various()


def _bare(name: str) -> str:
    key = artist_key(name)
    return key.strip(_MARKS) or key


@cache
def _various() -> frozenset[str]:
    return frozenset(map(_bare, VARIOUS))


@cache
def _nobody() -> frozenset[str]:
    return frozenset(map(_bare, NOBODY))


def tells_of_no_artist(genre_keys: Iterable[str]) -> bool:
    """Return whether one of some genres is such that an artist's name tells little of it.

    Args:
        genre_keys: As ``genre_text.key_of`` gives them.

    >>> tells_of_no_artist([key_of("Opéra")]), tells_of_no_artist([key_of("Rock")])
    (True, False)
    """
    return not _of_no_artist().isdisjoint(map(_unaccented, genre_keys))


@cache
def _of_no_artist() -> frozenset[str]:
    return frozenset(_unaccented(key_of(genre)) for genre in OF_NO_ARTIST)


def artist_of(tags: TagsFound) -> str:
    """Return whose a track is: its album's artist, or its own where the album is by several.

    >>> artist_of(TagsFound(artist="Joni", album_artist="Various Artists"))
    'Joni'
    """
    return tags.album_artist.strip() if _is_by_one(tags) else tags.artist.strip()


def artist_id_of(tags: TagsFound) -> str:
    """Return the MusicBrainz id of whom ``artist_of`` names; "" where the tags have none, or two.

    >>> artist_id_of(TagsFound(artist="Joni", mb_artists=("a",))), artist_id_of(TagsFound())
    ('a', '')
    """
    ids = tags.mb_album_artists if _is_by_one(tags) else tags.mb_artists
    return ids[0] if len(ids) == 1 else ""


def _is_by_one(tags: TagsFound) -> bool:
    """Return whether an album's artist is named, and is not several."""
    together = tags.album_artist.strip()
    return bool(together) and not is_various(together, "".join(tags.mb_album_artists))


def album_of(folder: str, tags: TagsFound) -> Album | None:
    """Return a track's album, all of its discs together; None if no tag names one.

    The tracks of a compilation have an album in common and little else: each artist's are an album
    of their own there, and those that name no artist are of none. Nor are those by nobody with
    a title that programs give where they know none.

    >>> one = album_of("/m/Blue/CD1", TagsFound(album="Blue (Disc 1)", artist="Joni"))
    >>> one, one == album_of("/m/Blue/CD2", TagsFound(album="Blue (Disc 2)", artist="Joni"))
    (Album(folder='/m/Blue', title='blue', artist='joni'), True)
    >>> album_of("/m", TagsFound(album="Hits", artist="Various")) is None
    True
    """
    title = title_of_album(tags.album)
    artist = artist_of(tags)
    if not title or _is_no_album(title, artist, tags):
        return None
    whose = identity(artist_key(artist), artist_id_of(tags))
    return Album(without_disc(folder), title, whose)


def release_of(folder: str, tags: TagsFound) -> Album | None:
    """Return what a track was released on, whoever the others there are by; None if nobody says.

    >>> release_of("/m", TagsFound(album="Hits", artist="Joni", album_artist="Various Artists"))
    Album(folder='/m', title='hits', artist='')
    """
    title = title_of_album(tags.album)
    if not title or _is_no_title(title, artist_of(tags), tags):
        return None
    artist = artist_key(tags.album_artist) if _is_by_one(tags) else ""
    return Album(without_disc(folder), title, artist)


def _is_no_album(title: str, artist: str, tags: TagsFound) -> bool:
    """Return whether tracks of one title are likely to have nothing in common."""
    whose = artist or tags.album_artist.strip()
    ids = artist_id_of(tags) if artist else "".join(tags.mb_album_artists)
    return is_various(whose, ids) or _is_no_title(title, artist, tags)


def _is_no_title(title: str, artist: str, tags: TagsFound) -> bool:
    """Return whether a title is one that programs give where they know none."""
    return is_nobody(artist, artist_id_of(tags)) and title.strip(_MARKS) in _no_albums()


@cache
def _no_albums() -> frozenset[str]:
    return frozenset(map(_plain, NO_ALBUMS))


@lru_cache(maxsize=1 << 12)
def title_of_album(album: str) -> str:
    """Return an album's title as a key, without the number of a disc.

    >>> title_of_album("The Wall [CD 2]"), title_of_album("Disc 1"), title_of_album("CD")
    ('the wall', 'disc 1', 'cd')
    """
    text = _plain(album)
    return _before_disc(text) or text


def _before_disc(text: str) -> str:
    """Return what stands before the number of a disc at the end; without one, all."""
    found = _DISC.search(text, max(0, len(text) - _LONGEST_END))
    return (text[: found.start()] if found else text).strip()


@lru_cache(maxsize=1 << 12)
def without_disc(folder: str) -> str:
    """Return the folder in which the folders of an album's discs lie; else the folder itself.

    >>> without_disc("/m/Blue/Disc 2"), without_disc("/m/Blue (CD 1)"), without_disc("/CD1")
    ('/m/Blue', '/m/Blue', '/CD1')
    """
    parent, name = os.path.split(folder)
    if _DISC_FOLDER.match(name) and os.path.basename(parent):  # noqa: PTH119
        return parent
    bare = _before_disc(name)
    return os.path.join(parent, bare) if bare else folder  # noqa: PTH118


def title_key(title: str) -> str:
    """Return what two recordings of a title have in common: case, width and blanks aside."""
    return _plain(title)
