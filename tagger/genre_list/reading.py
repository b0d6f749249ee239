"""Reading the owner's list of genres from its file."""

from __future__ import annotations

from pathlib import Path

from tagger.config import config_path
from tagger.errors import ConfigError
from tagger.genre_list.genres import GenreList
from tagger.genre_list.toml_form import read_toml
from tagger.owners_text import read_text

_TREES = (".yaml", ".yml")


def default_place() -> Path:
    """Return where the list is looked for unless a setting names a file."""
    return config_path().with_name("genres.toml")


def load_genre_list(setting: str = "") -> GenreList:
    """Return the owner's list.

    Args:
        setting: Its file; "" is genres.toml beside the config file, which need not exist.

    Raises:
        ConfigError: the file is not there, cannot be read, or makes no sense.
    """
    path = Path(setting).expanduser() if setting else default_place()
    text = read_text(path)
    if text is None:
        if setting:
            raise ConfigError("No such file or directory", path)
        return GenreList()
    try:
        if path.suffix.lower() not in _TREES:
            return read_toml(text)
        from tagger.genre_list.tree_form import read_tree  # it brings yaml, which few need

        return read_tree(text)
    except ConfigError as exc:
        raise ConfigError(exc.reason, path) from exc
