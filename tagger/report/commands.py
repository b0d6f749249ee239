"""Commands to copy: what for, and as a shell takes them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tagger.catalog import shown
from tagger.config import Settings, Sourced
from tagger.errors import plain
from tagger.files.paths import absolute

FOLDER = "FOLDER"
"""Stands for a folder whose name cannot be copied, or for more folders than a line holds."""


@dataclass(frozen=True, slots=True)
class Step:
    """Why something is worth doing, and the command that does it."""

    why: str
    command: str


def catalog_option(catalog: str) -> str:
    """Return how a command names the catalogue, with a blank before it; "" for the usual one."""
    return f" --catalog {to_copy(catalog, 'FILE')}" if catalog else ""


def catalog_to_name(settings: Settings, sources: Mapping[str, Sourced]) -> str:
    """Return the catalogue as commands have to name it, "" where they need not."""
    if sources["catalog"].source != "option":
        return ""
    where = shown(settings.catalog)
    return where if "://" in where else str(absolute(Path(where)))


def quoted(path: Path) -> str:
    """Return a folder as a shell takes it."""
    return to_copy(str(path), FOLDER)


def to_copy(word: str, otherwise: str) -> str:
    r"""Return a word as a shell takes it; what cannot be copied is left to be filled in.

    >>> to_copy("a b", "FOLDER"), to_copy("a\x1b", "FOLDER")
    ("'a b'", 'FOLDER')
    """
    return shlex.quote(word) if plain(word) == word else otherwise
