"""Playlists that are kept: tables of the settings, and a file of saved ones beside those.

``config.toml`` is a person's and is never written; what ``tagger playlist --save`` keeps stands in
``playlists.toml`` beside it, where a person may edit it too: comments and order stay.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tagger.config import config_path, load_settings
from tagger.errors import ConfigError, os_reason
from tagger.files.atomic import FileKind, replaced
from tagger.owners_text import read_text, read_toml
from tagger.recommending.recipes import Recipe, recipe_of, table_of

_TABLE = "playlist"
_ANY = FileKind(b"", "", ConfigError)  # it was read before, and understood


def saved_path() -> Path:
    """Return the file of saved playlists."""
    return config_path().with_name("playlists.toml")


def kept_recipes() -> dict[str, Recipe]:
    """Return {name: recipe} of the settings and of what was saved.

    Raises:
        ConfigError: a table makes no sense, or two have one name.
    """
    settings, sources = load_settings({})
    source = sources[_TABLE].source
    found = {name: recipe_of(name, one, Path(source)) for name, one in settings.playlist.items()}
    for name, one in _saved_tables().items():
        if name in found:
            raise ConfigError(f"playlist.{name} stands in {source} as well", saved_path())
        found[name] = recipe_of(name, one, saved_path())
    _check_places(found)
    return found


def _check_places(recipes: Mapping[str, Recipe]) -> None:
    """Check that no two playlists have one place: each would replace the other, time and again.

    Raises:
        ConfigError: Two have.
    """
    owners: dict[object, str] = {}
    for name, recipe in recipes.items():
        output = None if recipe.output is None else os.path.realpath(recipe.output)
        for kind, place in (("file", output), ("list on the server", recipe.subsonic or None)):
            owner = owners.setdefault((kind, place), name)
            if place is not None and owner != name:
                raise ConfigError(f"playlist.{owner} and playlist.{name} have the same {kind}")


def check_savable(name: str, recipe: Recipe) -> None:
    """Check that ``save_recipe`` can begin, before the playlist itself is written.

    Raises:
        ConfigError: The name stands in the settings, or another playlist has its place.
    """
    settings, sources = load_settings({})
    if name in settings.playlist:
        raise ConfigError(
            f"playlist.{name} stands there; change it there, or save by another name",
            Path(sources[_TABLE].source),
        )
    _check_places({**kept_recipes(), name: recipe})


def save_recipe(name: str, recipe: Recipe) -> None:
    """Keep a recipe in the file of saved ones, in place of an older one of that name.

    Raises:
        ConfigError: The name stands in the settings, or the file cannot be read or written.
    """
    check_savable(name, recipe)
    before = _saved_tables()
    text = _with_table(_text(), name, table_of(recipe))
    if _tables(text) != {**before, name: table_of(recipe)}:
        raise ConfigError("it has a form that cannot be added to; add the table by hand")
    path = saved_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise ConfigError(f"cannot be made: {os_reason(exc)}", path.parent) from exc
    with replaced(path, _ANY) as draft:
        draft.write_text(text, encoding="utf-8")


def _with_table(text: str, name: str, table: Mapping[str, Any]) -> str:
    """Return a TOML text with a table added or replaced, and all else as it stands."""
    import tomlkit  # only what is saved needs it

    document = tomlkit.parse(text)
    playlists = document.setdefault(_TABLE, tomlkit.table(is_super_table=True))
    playlists[name] = table
    return tomlkit.dumps(document)


def _saved_tables() -> dict[str, Any]:
    return _tables(_text())


def _tables(text: str) -> dict[str, Any]:
    path = saved_path()
    try:
        content = read_toml(text)
    except ConfigError as exc:
        raise ConfigError(exc.reason, path) from exc
    tables = content.pop(_TABLE, {})
    if content or not isinstance(tables, dict):
        raise ConfigError(f"it may hold tables [{_TABLE}.NAME] alone", path)
    wrong = next((name for name, one in tables.items() if not isinstance(one, dict)), None)
    if wrong is not None:
        raise ConfigError(f"{_TABLE}.{wrong} must be a table", path)
    return tables


def _text() -> str:
    return read_text(saved_path()) or ""
