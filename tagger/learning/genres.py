"""Genres as people write them, made one for each kind: spellings, aliases, rare ones.

Everything that is changed or left out is told, so that a person can see and object.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace

from tagger.genre_list import GenreList
from tagger.genre_text import ALIASES, FILLER_KEYS, key_of, spelling

_LONG = 6  # letters, from which on one that differs is a slip rather than another word
_SEPARATORS = re.compile(r"\s*[/,|;\\\x00-\x1f]\s*")


@dataclass(frozen=True, slots=True)
class GenreChange:
    """A genre that is not taken as it was written.

    Args:
        written: As it stands in tags.
        taken: The genres that it is taken as; () if it is left out.
        n_tracks: How many tracks bear it.
        why: In words for a person.
    """

    written: str
    taken: tuple[str, ...]
    n_tracks: int
    why: str


@dataclass(frozen=True, slots=True)
class CleanGenres:
    """What tracks' genres come to.

    Args:
        names: The genres that are left, the commonest first.
        tracks: For each track those that it has; () if none is left.
        changes: What was not taken as it was written, what concerns most tracks first.
    """

    names: tuple[str, ...]
    tracks: tuple[tuple[str, ...], ...]
    changes: tuple[GenreChange, ...]


def clean(
    genres: Sequence[Sequence[str]],
    groups: Sequence[str],
    *,
    min_tracks: int = 10,
    min_groups: int = 3,
    genre_list: GenreList | None = None,
) -> CleanGenres:
    """Return tracks' genres with one spelling each, the rare ones merged or left out.

    Args:
        genres: Each track's, as they are written.
        groups: (n_tracks,) each track's artist, say: a genre of two artists is not to be learned.
        min_tracks: A genre needs at least so many.
        min_groups: And so many groups.
        genre_list: The owner's: what it names otherwise is taken as that, what it does not allow
            is left out.
    """
    if genre_list:
        listed = [genre_list.written(track) for track in genres]
        found = clean(listed, groups, min_tracks=min_tracks, min_groups=min_groups)
        return replace(found, changes=(*_by_list(genres, genre_list), *found.changes))
    written = Counter(genre for track in genres for genre in dict.fromkeys(track))
    names = _commonest_spellings(written)
    frequent = {key for key, n in _n_by_key(written).items() if n >= min_tracks}
    taken = {genre: _parts(genre, names, frequent) for genre in written}
    common = _common(genres, groups, taken, min_tracks, min_groups)
    broader = {key: _taken_as(key, names, common) for keys in taken.values() for key in keys}
    final = {
        genre: tuple(dict.fromkeys(broader[key] for key in keys if broader.get(key)))
        for genre, keys in taken.items()
    }
    tracks = tuple(
        tuple(dict.fromkeys(names[key] for genre in track for key in final[genre]))
        for track in genres
    )
    left = Counter(name for track in tracks for name in track)
    changes = [
        GenreChange(
            genre,
            tuple(names[k] for k in final[genre]),
            n,
            _why(genre, taken[genre], broader, names),
        )
        for genre, n in written.most_common()
        if tuple(names[key] for key in final[genre]) != (unicodedata.normalize("NFC", genre),)
    ]
    ranked = sorted(left, key=lambda name: (-left[name], name))
    return CleanGenres(tuple(ranked), tracks, tuple(changes))


def _by_list(genres: Sequence[Sequence[str]], genre_list: GenreList) -> list[GenreChange]:
    """Return what the owner's list names otherwise or does not allow."""
    borne = Counter(genre for track in genres for genre in dict.fromkeys(track))
    return [
        GenreChange(genre, genre_list.written([genre]), n, "your list of genres says so")
        for genre, n in borne.most_common()
        if genre_list.named(genre) != unicodedata.normalize("NFC", genre)
    ]


def _n_by_key(written: Counter[str]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for genre, n in written.items():
        counts[key_of(genre)] += n
    return counts


def _commonest_spellings(written: Counter[str]) -> Mapping[str, str]:
    """Return {key: the spelling that most tracks bear}."""
    by_key: dict[str, Counter[str]] = defaultdict(Counter)
    for genre, n in written.items():
        by_key[key_of(genre)][spelling(genre)] += n
    return {
        key: min(spellings, key=lambda genre: (-spellings[genre], genre))
        for key, spellings in by_key.items()
    }


def _parts(genre: str, names: Mapping[str, str], frequent: Set[str]) -> tuple[str, ...]:
    """Return the keys of a genre: several where it joins others that stand alone elsewhere.

    Of a rare one so joined, those that stand nowhere alone are left out.
    """
    own = key_of(genre)
    parts = [key_of(part) for part in _SEPARATORS.split(genre) if part.strip()]
    known = [part for part in parts if part in names]
    is_joined = len(parts) > 1 and own not in ALIASES.values()
    if is_joined and known and (known == parts or own not in frequent):
        return tuple(dict.fromkeys(known))
    return (own,)


def _common(
    genres: Sequence[Sequence[str]],
    groups: Sequence[str],
    taken: Mapping[str, tuple[str, ...]],
    min_tracks: int,
    min_groups: int,
) -> frozenset[str]:
    """Return the keys of genres that enough tracks of enough groups have."""
    tracks_of: Counter[str] = Counter()
    groups_of: dict[str, set[str]] = defaultdict(set)
    for track, group in zip(genres, groups, strict=True):
        for key in {key for genre in track for key in taken[genre]}:
            tracks_of[key] += 1
            groups_of[key].add(group)
    return frozenset(
        key
        for key, n in tracks_of.items()
        if n >= min_tracks and len(groups_of[key]) >= min_groups and key and key not in FILLER_KEYS
    )


def _taken_as(key: str, names: Mapping[str, str], common: frozenset[str]) -> str:
    """Return the common genre that one is taken as; "" where it is left out.

    A rare one becomes the common one that its last words name: Deep House is a House. Else it is
    taken for a misspelling of the one common genre that differs by a letter.
    """
    if key in common or key in FILLER_KEYS:
        return key if key in common else ""
    words = names[key].split()
    endings = (key_of(" ".join(words[n:])) for n in range(1, len(words)))
    ending = next((ending for ending in endings if ending in common), "")
    return ending or _misspelt(key, common)


def _misspelt(key: str, common: frozenset[str]) -> str:
    """Return the common genre that a long word is a slip of the hand away from, or ""."""
    if len(key) < _LONG or any(letter.isdigit() for letter in key):
        return ""
    near = [one for one in common if is_one_slip_away(key, one)]
    return near[0] if len(near) == 1 else ""


def is_one_slip_away(text: str, other: str) -> bool:
    """Return whether one letter is missing, too many or another, or two are swapped.

    >>> [is_one_slip_away("classical", slip) for slip in ("clasical", "classicla", "clssicla")]
    [True, True, False]
    """
    if abs(len(text) - len(other)) > 1:
        return False
    pairs = enumerate(zip(text, other, strict=False))
    n_alike = next((n for n, (x, y) in pairs if x != y), min(len(text), len(other)))
    a, b = text[n_alike:], other[n_alike:]
    is_swapped = a[:2] == b[1::-1] and a[2:] == b[2:]
    return is_swapped or a[1:] == b[1:] or a[1:] == b or a == b[1:]


def _why(
    genre: str, keys: tuple[str, ...], broader: Mapping[str, str], names: Mapping[str, str]
) -> str:
    if keys != (key_of(genre),):
        return "several in one"
    (key,) = keys
    if key in FILLER_KEYS or not key:
        return "says nothing of the music"
    into = broader[key]
    if not into:
        return "too few tracks or artists to be learned"
    if into == key:
        return "another spelling"
    return f"rare; a kind of {names[into]}" if key.endswith(into) else "rare; looks misspelt"
