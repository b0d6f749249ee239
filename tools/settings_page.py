"""docs/settings.md, made from the settings themselves: `python -m tools.settings_page`."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from tagger.config import Settings, kind_of, variable_of
from tagger.recommending.recipes import KEYS

PAGE = Path(__file__).resolve().parent.parent / "docs" / "settings.md"
_HEAD = (
    "# Settings\n"
    "What you say once is kept in `config.toml` in your config folder (`~/.config/tagger` on "
    "Linux), or in the environment. An option on the command line comes before both, and the "
    "environment before the file. `tagger info --config` shows each value and where it came from. "
    "In a variable names are separated by commas, and a map reads `Hip-Hop=Rap,International=`.\n\n"
    "This page is made from the code by `python -m tools.settings_page`.\n\n"
    "| setting | default | may be | what it does | variable |\n"
    "|---|---|---|---|---|\n"
)


_PLAYLISTS = (
    "\n## Playlists\n"
    "Each is a table `[playlist.NAME]`; what it is good for: [players.md](players.md).\n\n"
    "| key | default | may be | what it does |\n"
    "|---|---|---|---|\n"
)


def page() -> str:
    """Return the page: a row a setting, and a row a key of a playlist's table."""
    defaults = Settings()
    rows = [
        f"| `{one.name}` | {_shown(getattr(defaults, one.name))} | {kind_of(one.name).wanted} "
        f"| {one.metadata['meaning']} | {_variable(one.name)} |"
        for one in fields(Settings)
    ]
    return _HEAD + "\n".join(rows) + "\n" + _PLAYLISTS + "\n".join(_playlist_rows()) + "\n"


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


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
