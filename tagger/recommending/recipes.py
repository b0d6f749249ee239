"""What a playlist is made of: as options say it, or a table ``[playlist.NAME]`` of the settings.

A key of the table has the name of the option. ``saved`` keeps tables, ``refreshing`` makes
playlists of them.
"""

from __future__ import annotations

import difflib
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from tagger.catalog import Years
from tagger.errors import ConfigError
from tagger.files.paths import absolute
from tagger.recommending.path_map import PathMap
from tagger.recommending.playlist import uri_of
from tagger.recommending.recommend import MAX_PER_ARTIST, SimilarQuery

LENGTH = 25
"""How many tracks a playlist has unless one says otherwise."""


def _key(
    wanted: str, read: Callable[[Any], Any], meaning: str, *, name: str = ""
) -> Mapping[str, Any]:
    """Return what is known of a key.

    Args:
        wanted: What it may be, in words.
        read: Returns the value that a table's one stands for; ValueError if that is nothing.
        meaning: What it is for.
        name: What it is called, if it cannot be called as its field.
    """
    return {"wanted": wanted, "read": read, "meaning": meaning, "name": name}


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError
    return value


def _path(value: Any) -> Path:
    """Return a path from the root; a name that is not UTF-8 stands as a file:// URI."""
    text = _text(value)
    if text.startswith("file://"):
        path = Path(os.fsdecode(unquote_to_bytes(urlsplit(text).path)))
    else:
        path = Path(text).expanduser()
    if not path.is_absolute():
        raise ValueError("a path from the root or from ~ (whose folder is meant?)")
    return absolute(path)


def _several(read: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, ...]]:
    def read_all(value: Any) -> tuple[Any, ...]:
        listed = value if isinstance(value, list) else [value]
        return tuple(map(read, listed))

    return read_all


def _count_from(least: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise ValueError
        return value

    return read


def _seconds(value: Any) -> float:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or value < 0:
        raise ValueError
    return float(value)


def _years(value: Any) -> Years:
    is_year = isinstance(value, int) and not isinstance(value, bool)
    return Years.of_text(str(value) if is_year else _text(value))


def _switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


def _folders(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        raise ValueError
    for folder in value:
        _path(folder)
    return dict(value)


_PATHS = ("a path or a list of paths", _several(_path))
_PATH = ("a path", _path)
_NAME = ("a name", _text)
_SECONDS = ("seconds", _seconds)


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a playlist is made of. A table's keys, docs/players.md and the options go by this."""

    like: tuple[Path, ...] = field(default=(), metadata=_key(*_PATHS, "Tracks to be like."))
    genres: tuple[str, ...] = field(
        default=(),
        metadata=_key(
            "a genre or a list of genres",
            _several(_text),
            "Of these genres; with `like`, only of these.",
            name="genre",
        ),
    )
    first: Path | None = field(
        default=None, metadata=_key(*_PATH, "Step by step from this track …", name="from")
    )
    last: Path | None = field(default=None, metadata=_key(*_PATH, "… to this one.", name="to"))
    n: int = field(
        default=LENGTH, metadata=_key("a whole number from 2", _count_from(2), "How many tracks.")
    )
    max_per_artist: int = field(
        default=MAX_PER_ARTIST,
        metadata=_key(
            "a whole number from 0", _count_from(0), "At most so many by one artist; 0: any number."
        ),
    )
    under: Path | None = field(default=None, metadata=_key(*_PATH, "Only tracks in this folder."))
    years: Years | None = field(
        default=None,
        metadata=_key(
            '1990, "1990-", "-1999" or "1990-1999"', _years, "Only of these years.", name="year"
        ),
    )
    min_duration: float | None = field(
        default=None, metadata=_key(*_SECONDS, "Only tracks as long.")
    )
    max_duration: float | None = field(
        default=None, metadata=_key(*_SECONDS, "Only tracks as short.")
    )
    albums: bool = field(
        default=False,
        metadata=_key(
            "true or false",
            _switch,
            "Whole albums, each in its order, until there are `n` tracks; `max_per_artist` counts "
            "albums.",
        ),
    )
    seed: int | None = field(
        default=None,
        metadata=_key(
            "a whole number from 0",
            _count_from(0),
            "Another draw for each number, out of four times as many that are near.",
        ),
    )
    extend: Path | None = field(
        default=None,
        metadata=_key(*_PATH, "A playlist that comes first, and that the rest is to go with."),
    )
    exclude_playlist: tuple[Path, ...] = field(
        default=(), metadata=_key(*_PATHS, "Playlists whose tracks are left out.")
    )
    model: str = field(default="", metadata=_key(*_NAME, "By which model tracks are compared."))
    output: Path | None = field(default=None, metadata=_key(*_PATH, "The file."))
    subsonic: str = field(
        default="",
        metadata=_key(*_NAME, "What it is called on the Subsonic server, if it is to be there."),
    )
    absolute: bool = field(
        default=False,
        metadata=_key("true or false", _switch, "Paths from the root, not from the file's folder."),
    )
    path_map: Mapping[str, str] | None = field(
        default=None,
        metadata=_key(
            "a table of folders",
            _folders,
            "What folders are called where the playlist is read, as the setting `path_map`.",
        ),
    )

    @property
    def mapped(self) -> PathMap | None:
        """What files are called where the playlist is read; None if as here."""
        return PathMap(self.path_map) if self.path_map else None

    @property
    def query(self) -> SimilarQuery:
        """Which tracks may be named."""
        return SimilarQuery(
            n=self.n,
            genres=self.genres,
            max_per_artist=self.max_per_artist or None,
            under=self.under,
            min_duration_s=self.min_duration,
            max_duration_s=self.max_duration,
            years=self.years,
        )


def key_of(one: Field[Any]) -> str:
    """Return what a field of ``Recipe`` is called in a table."""
    return one.metadata["name"] or one.name


KEYS = {key_of(one): one for one in fields(Recipe)}
"""The keys of a table, and what stands behind each."""


def why_not(recipe: Recipe) -> str:
    """Return why no playlist can be made of a recipe, by the names of options; "" if one can."""
    if (recipe.first is None) != (recipe.last is None):
        return "--from and --to go together"
    if recipe.first is not None and recipe.first == recipe.last:
        return "--from and --to name the same track"
    is_seeded = recipe.genres or recipe.like or recipe.extend
    if not (is_seeded or recipe.first) or (recipe.like and recipe.first):
        return "give one of --genre, --like and --from … --to"
    if recipe.first and (recipe.albums or recipe.extend):
        return "--albums and --extend do not go with --from … --to"
    return ""


def why_not_kept(recipe: Recipe) -> str:
    """Return why a recipe cannot be kept, by the names of options; "" if it can."""
    if recipe.output is None and not recipe.subsonic:
        return "it has no --output, the file to write, and no --subsonic, a server's list"
    if recipe.extend is not None and recipe.output == recipe.extend:
        return "--extend is the --output itself, and would grow each time"
    return why_not(recipe)


def recipe_of(name: str, table: Mapping[str, Any], file: Path) -> Recipe:
    """Return the recipe that a table says.

    Args:
        name: The playlist's.
        table: Of the settings, or of a file of saved ones.
        file: Where it stands.

    Raises:
        ConfigError: a key is unknown, a value or the whole makes no sense.
    """
    where = f"playlist.{name}"
    for key in table:
        if key not in KEYS:
            near = difflib.get_close_matches(key, KEYS, n=1) or sorted(KEYS)
            raise ConfigError(f"{where}: unknown key {key!r}; known: {', '.join(near)}", file)
    recipe = Recipe(
        **{KEYS[key].name: _value(where, key, value, file) for key, value in table.items()}
    )
    if why := why_not_kept(recipe).replace("--", ""):
        raise ConfigError(f"{where}: {why}", file)
    return recipe


def _value(where: str, key: str, value: Any, file: Path) -> Any:
    about = KEYS[key].metadata
    try:
        return about["read"](value)
    except ValueError as exc:
        wanted = str(exc) or about["wanted"]
        raise ConfigError(f"{where}: {key} must be {wanted}, not {value!r}", file) from exc


def table_of(recipe: Recipe) -> dict[str, Any]:
    """Return the table that says a recipe; what is as by default is left out.

    >>> table_of(Recipe(genres=("Rock",), years=Years(1990, None), output=Path("/a.m3u8")))
    {'genre': ['Rock'], 'year': '1990-', 'output': '/a.m3u8'}
    """
    values = {key: getattr(recipe, one.name) for key, one in KEYS.items()}
    return {key: _plain(value) for key, value in values.items() if value != KEYS[key].default}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Path):
        text = str(value)
        return text if text.isprintable() else uri_of(value)
    return str(value) if isinstance(value, Years) else value
