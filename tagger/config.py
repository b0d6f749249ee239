"""Settings: defaults < config file < environment < options, and where each value came from."""

from __future__ import annotations

import difflib
import logging
import os
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import platformdirs

from tagger.errors import ConfigError, os_reason
from tagger.genre_text import why_no_genre

log = logging.getLogger(__name__)

APP = "tagger"
EVIDENCE = ("album", "artist", "sound")
"""What may decide on a genre, and in this order."""

PASSWORD = "TAGGER_REVIEW_PASSWORD"
"""The variable with what other machines say to a review; a secret is no setting."""


def default_catalog() -> str:
    """Return where the catalogue is unless a setting says otherwise."""
    return str(platformdirs.user_data_path(APP) / "catalog.db")


def models_folder() -> Path:
    """Return where models that were learned are kept unless the user says otherwise."""
    return platformdirs.user_data_path(APP) / "models"


def config_path() -> Path:
    """Return where the config file is looked for."""
    return platformdirs.user_config_path(APP) / "config.toml"


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be set once and for all; each but the last three is an option of the same name.

    Args:
        catalog: A file or URL; "" is the default place.
        model: A bundled model's name or a checkpoint file.
        jobs: Worker processes; 0 is as many as cores and memory allow.
        min_confidence: Replaces the model's own thresholds, in [0, 1].
        genres: Labels that may be written; "all"; () is the model's choice.
        max_genres: How many a track.
        by: "track" or "album": what votes together.
        evidence: What may decide on a genre: "album", "artist", "sound".
        exclude: Glob patterns of files and folders left out.
        overwrite: Replace genres that somebody else set.
        preserve_mtime: Keep a file's time of change when its tag is written.
        allow_copies: Write through a copy also where hard links, owner or attributes are lost.
        provenance: Write the field that says a genre is ours.
        follow_symlinks: Go into linked folders.
        scheduler: Address of a Dask scheduler whose workers analyse; "" is processes here.
        timeout: Seconds after which a track counts as hung.
        hard_links: "write" or "leave": what becomes of files that have several names.
        treat_as_blank: Genres that count as none, such as "Other".
        genre_map: {label: the genre to write for it; "" is never}.
    """

    catalog: str = ""
    model: str = "default"
    jobs: int = 0
    min_confidence: float | None = None
    genres: tuple[str, ...] = ()
    max_genres: int = 1
    by: str = "album"
    evidence: tuple[str, ...] = EVIDENCE
    exclude: tuple[str, ...] = ()
    overwrite: bool = False
    preserve_mtime: bool = False
    allow_copies: bool = False
    provenance: bool = True
    follow_symlinks: bool = False
    scheduler: str = ""
    timeout: float = 60.0
    hard_links: str = "write"
    treat_as_blank: tuple[str, ...] = ()
    genre_map: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sourced:
    """A value and where it came from: "default", the config file's path, a variable, "option"."""

    value: Any
    source: str


def load_settings(
    options: Mapping[str, Any],
    *,
    environment: Mapping[str, str] | None = None,
    file: Path | None = None,
) -> tuple[Settings, dict[str, Sourced]]:
    """Return the settings in force, and the source of each.

    Args:
        options: What the command line gave; None or () where it was silent.
        environment: In place of ``os.environ``.
        file: In place of the default config file, which need not exist.

    Raises:
        ConfigError: a key is unknown or a value makes no sense.
    """
    environment = os.environ if environment is None else environment
    file = config_path() if file is None else file
    defaults = Settings()
    found = {f.name: Sourced(getattr(defaults, f.name), "default") for f in fields(Settings)}
    for name, value in _read_file(file).items():
        if name not in found:
            raise ConfigError(f"unknown setting {name!r}{_nearest(name, found)}", file)
        found[name] = Sourced(_checked(name, value, str(file)), str(file))
    _tell_unknown(environment, found)
    for name in found:
        variable = f"{APP.upper()}_{name.upper()}"
        if environment.get(variable):
            value = _from_text(name, environment[variable], variable)
            found[name] = Sourced(_checked(name, value, variable), variable)
    for name, value in options.items():
        if name in found and value is not None and value != ():
            option = f"--{name.replace('_', '-')}"
            found[name] = Sourced(_checked(name, value, option), "option")
    place = found["catalog"].value
    if not place:
        found["catalog"] = Sourced(default_catalog(), "default")
    elif place.startswith("~/"):  # no shell has seen what stands in a config file
        found["catalog"] = replace(found["catalog"], value=str(Path(place).expanduser()))
    return Settings(**{name: sourced.value for name, sourced in found.items()}), found


def _tell_unknown(environment: Mapping[str, str], settings: Iterable[str]) -> None:
    """Warn of variables that are called like a setting and are none."""
    known = {f"{APP.upper()}_{name.upper()}" for name in settings}
    for variable in environment:
        if variable.startswith(f"{APP.upper()}_") and variable not in {*known, PASSWORD}:
            log.warning("%s is no setting%s", variable, _nearest(variable, known))


def _nearest(name: str, known: Iterable[str]) -> str:
    """Return which name was meant, it may be, or which there are."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean {near[0]}?" if near else f"; known: {', '.join(sorted(names))}"


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as exc:
        raise ConfigError(os_reason(exc), path) from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ConfigError(f"not TOML: {exc}", path) from exc


_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}


def _from_text(name: str, text: str, source: str) -> Any:
    try:
        return _PARSERS[name](text)
    except (ValueError, KeyError) as exc:
        raise ConfigError(f"{source}: {text!r} is not a value of {name}") from exc


def _boolean(text: str) -> bool:
    word = text.strip().casefold()
    if word not in _TRUE | _FALSE:
        raise ValueError(text)
    return word in _TRUE


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _map(text: str) -> dict[str, str]:
    """Return what a variable says of labels: "Hip-Hop=Rap,Pop=" writes Rap, and Pop never."""
    pairs = [part.partition("=") for part in _list(text)]
    if not all(equals for _, equals, _ in pairs):
        raise ValueError(text)
    return {label.strip(): genre.strip() for label, _, genre in pairs}


_PARSERS: dict[str, Callable[[str], Any]] = {
    "catalog": str,
    "model": str,
    "jobs": int,
    "min_confidence": float,
    "genres": _list,
    "max_genres": int,
    "by": str,
    "evidence": _list,
    "exclude": _list,
    "overwrite": _boolean,
    "preserve_mtime": _boolean,
    "allow_copies": _boolean,
    "provenance": _boolean,
    "follow_symlinks": _boolean,
    "scheduler": str,
    "timeout": float,
    "hard_links": str,
    "treat_as_blank": _list,
    "genre_map": _map,
}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_DAY_S = 24 * 3600
_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "catalog": (lambda v: isinstance(v, str), "a path or URL"),
    "model": (lambda v: isinstance(v, str) and bool(v), "a name or a path"),
    "jobs": (lambda v: _is_count(v) and 0 <= v <= 1024, "a whole number from 1 to 1024"),
    "min_confidence": (lambda v: _is_number(v) and 0 <= v <= 1, "a number from 0 to 1"),
    "max_genres": (lambda v: _is_count(v) and v >= 1, "a whole number from 1"),
    "by": (lambda v: v in ("track", "album"), "track or album"),
    "hard_links": (lambda v: v in ("write", "leave"), "write or leave"),
    "scheduler": (lambda v: isinstance(v, str), "an address such as tcp://host:8786"),
    "timeout": (lambda v: _is_number(v) and 0 < v <= _DAY_S, "seconds, more than 0, a day at most"),
}


def _checked(name: str, value: Any, source: str) -> Any:
    if name == "genre_map":
        return _checked_map(value, source)
    if name in ("genres", "evidence", "exclude", "treat_as_blank"):
        value = _list(value) if isinstance(value, str) else value
        if not isinstance(value, (list, tuple)) or not all(isinstance(v, str) for v in value):
            raise ConfigError(f"{source}: {name} must be a list of names")
        if name == "evidence" and not (value and set(value) <= set(EVIDENCE)):
            raise ConfigError(f"{source}: evidence must be some of {', '.join(EVIDENCE)}")
        return tuple(value)
    valid, wanted = _RULES.get(name, (lambda v: isinstance(v, bool), "true or false"))
    if not valid(value):
        raise ConfigError(f"{source}: {name} must be {wanted}, not {value!r}")
    return value


def _checked_map(value: Any, source: str) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
        raise ConfigError(f"{source}: genre_map must be a table of labels and genres")
    for genre in filter(None, value.values()):
        if why := why_no_genre(genre):
            raise ConfigError(f"{source}: genre_map: {why}")
        if ";" in genre:
            raise ConfigError(f"{source}: genre_map: {genre!r} would read as two genres in MP3s")
    return dict(value)
