"""Smart playlists of Navidrome: rules instead of tracks, which the server follows by itself.

Source: navidrome.org, "Smart Playlists": a JSON object in a file that ends in .nsp.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from tagger.catalog import Reader, Years
from tagger.errors import CatalogError, PlaylistError
from tagger.recommending.keeping import SEAL
from tagger.recommending.recipes import Recipe, key_of

# What a rule can say; the path map, and which model compares, mean nothing where nothing is listed.
_RULED = {"genres", "years", "n", "output", "absolute", "path_map", "model", "subsonic"}


def is_smart(output: Path | None) -> bool:
    """Return whether a playlist is to be one of rules, by its name.

    >>> is_smart(Path("rock.nsp")), is_smart(Path("rock.m3u8"))
    (True, False)
    """
    return output is not None and output.suffix.lower() == ".nsp"


def smart_playlist(reader: Reader, recipe: Recipe, output: Path) -> str:
    """Return a smart playlist of genres and years, in the spellings that the library has.

    Args:
        reader: The catalogue.
        recipe: With genres; nothing else but years and a number has a rule.
        output: Its file; it is called by its name.

    Raises:
        PlaylistError: It asks for what no rule says.
        CatalogError: No track has one of the genres.
    """
    unruled = [
        key_of(one)
        for one in fields(recipe)
        if one.name not in _RULED and getattr(recipe, one.name) != one.default
    ]
    if unruled or not recipe.genres:
        what = f"not {', '.join(unruled)}" if unruled else "and it needs a genre"
        raise PlaylistError(f"a .nsp has rules for genre, year and n, {what}", output)
    rules: list[Any] = [{"any": _genre_rules(reader, recipe.genres)}]
    if recipe.years is not None:
        rules += _year_rules(recipe.years)
    content = {
        "name": output.stem.encode("utf-8", "replace").decode("utf-8"),
        "comment": SEAL,
        "all": rules,
        "sort": "random",
        "limit": recipe.n,
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _genre_rules(reader: Reader, genres: Sequence[str]) -> list[Any]:
    spelt = []
    for genre in genres:
        found = reader.spellings(genre)
        if not found:
            raise CatalogError(reader.unknown_genre(genre))
        spelt += found
    return [{"is": {"genre": one}} for one in dict.fromkeys(spelt)]


def _year_rules(years: Years) -> list[Any]:
    """Return the rules for some years.

    >>> _year_rules(Years(1990, None)), _year_rules(Years(1990, 1999))
    ([{'gt': {'year': 1989}}], [{'gt': {'year': 1989}}, {'lt': {'year': 2000}}])
    """
    first = [] if years.first is None else [{"gt": {"year": years.first - 1}}]
    last = [] if years.last is None else [{"lt": {"year": years.last + 1}}]
    return [*first, *last]
