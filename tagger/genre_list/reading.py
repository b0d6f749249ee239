"""Reading the owner's list of genres from its file."""

from __future__ import annotations

from pathlib import Path

from tagger.config import config_path
from tagger.errors import ConfigError, os_reason
from tagger.genre_list.genres import GenreList
from tagger.genre_list.toml_form import read_toml

_LONGEST = 1 << 20  # bytes; the largest trees of genres have some dozens of thousands
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
    if not setting and not path.exists():
        return GenreList()
    text = _text(path)
    try:
        if path.suffix.lower() not in _TREES:
            return read_toml(text)
        from tagger.genre_list.tree_form import read_tree  # it brings yaml, which few need

        return read_tree(text)
    except ConfigError as exc:
        raise ConfigError(exc.reason, path) from exc


def _text(path: Path) -> str:
    try:
        if path.exists() and not path.is_file():
            raise ConfigError("not a file", path)
        with path.open("rb") as file:
            data = file.read(_LONGEST + 1)
    except OSError as exc:
        raise ConfigError(os_reason(exc), path) from exc
    if len(data) > _LONGEST:
        raise ConfigError("longer than 1 MB, which no list of genres is", path)
    try:
        return data.decode("utf-8-sig")  # editors on Windows begin a file with a mark
    except UnicodeDecodeError as exc:
        raise ConfigError("not UTF-8: save it in that encoding", path) from exc
