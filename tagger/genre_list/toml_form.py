"""A list of genres as genres.toml has it: four keys, each of which may be left out."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from tagger import owners_text
from tagger.errors import ConfigError
from tagger.genre_list.circles import find_circle
from tagger.genre_list.genres import GenreList
from tagger.genre_text import letters_of, why_no_genre

_KEYS = ("allowed", "parents", "aliases", "never")


def read_toml(text: str) -> GenreList:
    """Return the list that a text says.

    Raises:
        ConfigError: it is no TOML, or makes no sense.
    """
    said = owners_text.read_toml(text)
    for key in said:
        if key not in _KEYS:
            raise ConfigError(f"unknown key {key!r}{_nearest(key, _KEYS)}")
    found = GenreList(
        allowed=_genres(said, "allowed"),
        parents=_pairs(said, "parents"),
        aliases=_pairs(said, "aliases"),
        never=_genres(said, "never"),
    )
    if not found:
        raise ConfigError("it has no genre in it: write allowed, parents, aliases or never")
    check(found)
    return found


def check(genres: GenreList) -> None:
    """Make sure that a list does not contradict itself.

    Raises:
        ConfigError: it does.
    """
    _check_never(genres)
    _check_aliases(genres)
    _check_allowed(genres)
    _check_circles(genres)


def _genres(said: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = said.get(key)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(genre, str) for genre in value):
        raise ConfigError(f'{key} must be a list of genres, as in {key} = ["Rock", "Jazz"]')
    if not value:
        raise ConfigError(f"{key} is empty: name a genre, or leave it out")
    for genre in value:
        _check_genre(genre, key)
    return tuple(value)


def _pairs(said: Mapping[str, Any], key: str) -> Mapping[str, str]:
    value = said.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ConfigError(f'{key} must be a table, as in [{key}] and then "Bebop" = "Jazz"')
    if not value:
        raise ConfigError(f"{key} is empty: name a genre, or leave it out")
    found: dict[str, str] = {}
    first: dict[str, str] = {}
    for genre, other in value.items():
        if isinstance(other, list):
            raise ConfigError(f"{key}: {genre!r} names {len(other)} genres; it can name one")
        if not isinstance(other, str):
            raise ConfigError(f"{key}: what stands for {genre!r} must be a genre in quotes")
        _check_genre(genre, key)
        _check_genre(other, key)
        before = first.setdefault(letters_of(genre), genre)
        if before != genre and letters_of(found[before]) != letters_of(other):
            raise ConfigError(
                f"{key}: {genre!r} names two genres, {found[before]!r} (as {before!r}) and "
                f"{other!r}"
            )
        found[genre] = other
    return found


def _check_genre(genre: str, key: str) -> None:
    """Raise ConfigError if no tag could hold a genre, or it would be two, or says nothing."""
    if why := why_no_genre(genre):
        raise ConfigError(f"{key}: {why}")
    if ";" in genre:
        raise ConfigError(f"{key}: {genre!r} would read as two genres in MP3s")
    if not letters_of(genre):
        raise ConfigError(f"{key}: {genre!r} has no letter in it")


def _check_never(genres: GenreList) -> None:
    never = {letters_of(genre) for genre in genres.never}
    named = {
        "allowed": genres.allowed,
        "parents": (*genres.parents, *genres.parents.values()),
        "aliases": (*genres.aliases, *genres.aliases.values()),
    }
    for key, some in named.items():
        for genre in some:
            if letters_of(genre) in never:
                raise ConfigError(f"{genre!r} stands in never and in {key}; it can be in one")


def _check_aliases(genres: GenreList) -> None:
    aliases = {letters_of(alias): alias for alias in genres.aliases}
    named = (*genres.allowed, *genres.parents, *genres.parents.values())
    others = {letters_of(genre): genre for genre in named}
    for alias, genre in genres.aliases.items():
        key, target = letters_of(alias), letters_of(genre)
        if key == target:
            continue  # another spelling, written out
        if target in aliases and letters_of(genres.aliases[aliases[target]]) != target:
            raise ConfigError(f"aliases: {alias!r} leads to {genre!r}, which is an alias itself")
        if key in others:
            raise ConfigError(
                f"{others[key]!r} is a genre of the list and an alias of {genre!r}; it can be one"
            )


def _check_allowed(genres: GenreList) -> None:
    """Raise ConfigError where the list allows some genres, and speaks of others."""
    if not genres.allowed:
        return
    allowed = {letters_of(genre) for genre in genres.allowed}
    named = {
        "parents": (*genres.parents, *genres.parents.values()),
        "aliases": tuple(genres.aliases.values()),
    }
    for key, some in named.items():
        for genre in some:
            if letters_of(genre) not in allowed:
                near = _nearest(genre, genres.allowed)
                raise ConfigError(f"{key}: {genre!r} is not among allowed{near}")


def _check_circles(genres: GenreList) -> None:
    names = {letters_of(x): x for pair in genres.parents.items() for x in reversed(pair)}
    above = {letters_of(genre): {letters_of(x)} for genre, x in genres.parents.items()}
    if circle := find_circle(above):
        raise ConfigError(f"parents go in a circle: {' > '.join(names[key] for key in circle)}")


def _nearest(name: str, known: Iterable[str]) -> str:
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(names[:12])}"
