"""docs/reference/settings.md: every setting, its default and its variable."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from tagger.config import Settings, kind_of, variable_of
from tagger.recommending.recipes import KEYS

_TABLE = "| setting | default | may be | what it does | variable |\n|---|---|---|---|---|"


_PLAYLISTS = """
## Playlists

Each is a table `[playlist.NAME]`; what it is good for: [players](../players.md).

| key | default | may be | what it does |
|---|---|---|---|"""


def body() -> str:
    """Return the page: a row a setting, and a row a key of a playlist's table."""
    defaults = Settings()
    rows = [
        f"| `{one.name}` | {_shown(getattr(defaults, one.name))} | {kind_of(one.name).wanted} "
        f"| {one.metadata['meaning']} | {_variable(one.name)} |"
        for one in fields(Settings)
    ]
    return "\n".join([_TABLE, *rows, _PLAYLISTS, *_playlist_rows()])


def _variable(setting: str) -> str:
    return f"`{variable_of(setting)}`" if kind_of(setting).of_text else ""


def _playlist_rows() -> list[str]:
    return [
        f"| `{key}` | {_shown(one.default)} | {one.metadata['wanted']} "
        f"| {one.metadata['meaning']} |"
        for key, one in KEYS.items()
    ]


def _shown(value: Any) -> str:
    """Return a default as it would stand in the file.

    >>> _shown(False), _shown(("album",)), _shown(""), _shown(None)
    ('`false`', '`["album"]`', '`""`', '')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, str):
        return f'`"{value}"`'
    if isinstance(value, tuple):
        names = ", ".join(f'"{name}"' for name in value)
        return f"`[{names}]`"
    return f"`{value}`"
