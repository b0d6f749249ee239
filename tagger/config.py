"""Settings: defaults < config file < environment < options, and where each value came from."""

from __future__ import annotations

import json
import logging
import os
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import platformdirs

from tagger.errors import ConfigError
from tagger.genre_text import why_no_genre
from tagger.owners_text import read_text, read_toml

log = logging.getLogger(__name__)

APP = "tagger"
EVIDENCE = ("album", "artist", "sound")
"""What may decide on a genre, and in this order."""

PASSWORD = "TAGGER_REVIEW_PASSWORD"
"""The variable with what other machines say to a review; a secret is no setting."""
SUBSONIC_PASSWORD = "TAGGER_SUBSONIC_PASSWORD"
"""The variable with the password of a Subsonic server; a secret is no setting."""


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
class Kind:
    """What a setting may be.

    Args:
        wanted: In words.
        of_text: Returns what a variable's text says; ValueError if that is nothing. None where no
            variable can say it.
        checked: Returns a value as it is kept; ValueError if it makes no sense.
    """

    wanted: str
    of_text: Callable[[str], Any] | None
    checked: Callable[[Any], Any]


def _that(is_valid: Callable[[Any], bool]) -> Callable[[Any], Any]:
    """Return what gives a value back if it is valid."""

    def checked(value: Any) -> Any:
        if not is_valid(value):
            raise ValueError(f"not {value!r}")
        return value

    return checked


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}


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


def _checked_names(value: Any) -> tuple[str, ...]:
    names = _list(value) if isinstance(value, str) else value
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"not {value!r}")
    return tuple(names)


def _checked_evidence(value: Any) -> tuple[str, ...]:
    names = _checked_names(value)
    if not names or not set(names) <= set(EVIDENCE):
        raise ValueError(f"not {value!r}")
    return names


def _checked_map(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
        raise ValueError(f"not {value!r}")
    for genre in filter(None, value.values()):
        if why := why_no_genre(genre):
            raise ValueError(why)
        if ";" in genre:
            raise ValueError(f"{genre!r} would read as two genres in MP3s")
    return dict(value)


def _checked_folders(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
        raise ValueError(f"not {value!r}")
    for folder in value:
        if not folder.startswith(("/", "~/")):
            raise ValueError(f"{folder!r} is no folder from the root or from ~")
    return dict(value)


def _checked_after(value: Any) -> dict[str, Any]:
    """Return what is to be run after a change: its words, as a shell would part them."""
    if not isinstance(value, dict) or not set(value) <= {"command", "timeout"}:
        raise ValueError(f"not {value!r}")
    command, timeout = value.get("command", ""), value.get("timeout", 60.0)
    words = shlex.split(command) if isinstance(command, str) else command
    if not isinstance(words, (list, tuple)) or not all(isinstance(one, str) for one in words):
        raise ValueError(f"not {command!r}")
    if any("\0" in word for word in words):
        raise ValueError("without a NUL")
    return {"command": tuple(words), "timeout": float(_SECONDS.checked(timeout))} if words else {}


def _checked_server(value: Any) -> dict[str, str]:
    """Return a server and who we are there; never with a password."""
    keys = {"url", "user", "password_file"}
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        raise ValueError("texts")
    if "password" in value:
        raise ValueError(f"without a password: put it into password_file or {SUBSONIC_PASSWORD}")
    if value and (not set(value) <= keys or not {"url", "user"} <= set(value)):
        raise ValueError(f"with {', '.join(sorted(set(value)))}")
    if value and not value["url"].startswith(("http://", "https://")):
        raise ValueError(f"{value['url']!r} is no http:// or https:// address")
    if "@" in urlsplit(value.get("url", "")).netloc:
        raise ValueError("without a user in the address, which is shown")
    return dict(value)


def _checked_tables(value: Any) -> dict[str, dict[str, Any]]:
    if not isinstance(value, dict) or not all(isinstance(v, dict) for v in value.values()):
        raise ValueError(f"not {value!r}")
    try:
        json.dumps(value)  # as `info --config` shows it
    except TypeError as exc:
        raise ValueError("without dates and times") from exc
    return dict(value)


def _one_of(*words: str) -> Kind:
    return Kind(" or ".join(words), str, _that(lambda value: value in words))


_DAY_S = 24 * 3600
_TEXT = _that(lambda value: isinstance(value, str))
_PLACE = Kind("a path or URL", str, _TEXT)
_MODEL = Kind("a name or a path", str, _that(lambda v: isinstance(v, str) and bool(v)))
_ADDRESS = Kind("an address such as tcp://host:8786", str, _TEXT)
_JOBS = Kind("a whole number from 1 to 1024", int, _that(lambda v: _is_count(v) and 0 <= v <= 1024))
_COUNT = Kind("a whole number from 1", int, _that(lambda v: _is_count(v) and v >= 1))
_SHARE = Kind("a number from 0 to 1", float, _that(lambda v: _is_number(v) and 0 <= v <= 1))
_SECONDS = Kind(
    "seconds, more than 0, a day at most", float, _that(lambda v: _is_number(v) and 0 < v <= _DAY_S)
)
_SWITCH = Kind("true or false", _boolean, _that(lambda value: isinstance(value, bool)))
_NAMES = Kind("a list of names", _list, _checked_names)
_EVIDENCE = Kind(f"some of {', '.join(EVIDENCE)}", _list, _checked_evidence)
_GENRE_MAP = Kind("a table of labels and genres", _map, _checked_map)
_PATH_MAP = Kind("a table of folders", _map, _checked_folders)
_AFTER = Kind("a table with command, and timeout in seconds", None, _checked_after)
_SERVER = Kind("a table with url, user and password_file", None, _checked_server)
_TABLES = Kind("tables by name", None, _checked_tables)


def _setting(default: Any, kind: Kind, meaning: str) -> Any:
    """Return a field of ``Settings``: its default, what it may be, and what it is for."""
    about = {"kind": kind, "meaning": meaning}
    if isinstance(default, dict):
        return field(default_factory=lambda: dict(default), metadata=about)
    return field(default=default, metadata=about)


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be set once and for all; each but the last eight is an option of the same name.

    All that is known of a setting stands here: its name, type, default, what it may be, and what
    it is for. The config file, the environment and docs/reference/settings.md follow.
    """

    catalog: str = _setting("", _PLACE, 'The catalogue, a file or URL; "" is the default place.')
    model: str = _setting("default", _MODEL, "A bundled or learned model's name, or a file.")
    jobs: int = _setting(0, _JOBS, "Worker processes; 0 is as many as cores and memory allow.")
    min_confidence: float | None = _setting(
        None, _SHARE, "Write from this confidence on, in place of the model's own for each genre."
    )
    genres: tuple[str, ...] = _setting(
        (), _NAMES, 'What may be written, or "all"; without it the model\'s choice.'
    )
    max_genres: int = _setting(1, _COUNT, "How many genres a track gets by ear.")
    by: str = _setting("album", _one_of("track", "album"), "What votes together.")
    evidence: tuple[str, ...] = _setting(
        EVIDENCE, _EVIDENCE, "What may decide: your tags of the album, of the artist, the sound."
    )
    exclude: tuple[str, ...] = _setting(
        (), _NAMES, "Glob patterns of files and folders that are left out."
    )
    overwrite: bool = _setting(False, _SWITCH, "Replace genres that somebody else set.")
    preserve_mtime: bool = _setting(
        False, _SWITCH, "Keep a file's time of change when its tag is written."
    )
    allow_copies: bool = _setting(
        False,
        _SWITCH,
        "Write a file anew also where that loses its hard links, owner or attributes.",
    )
    provenance: bool = _setting(True, _SWITCH, "Write the field that says a genre is ours.")
    follow_symlinks: bool = _setting(False, _SWITCH, "Go into linked folders.")
    scheduler: str = _setting(
        "", _ADDRESS, 'A Dask scheduler whose workers analyse; "" is processes here.'
    )
    timeout: float = _setting(60.0, _SECONDS, "Seconds after which a track counts as hung.")
    hard_links: str = _setting(
        "write", _one_of("write", "leave"), "What becomes of files that have several names."
    )
    treat_as_blank: tuple[str, ...] = _setting(
        (), _NAMES, 'Genres that count as none, such as "Other".'
    )
    genre_map: Mapping[str, str] = _setting(
        {}, _GENRE_MAP, 'What to write for a label of the model; "" is never.'
    )
    genre_list: str = _setting(
        "",
        _PLACE,
        'Your list of genres, TOML or a YAML tree (docs/genres.md); "" is genres.toml beside '
        "config.toml, if it is there.",
    )
    with_parents: bool = _setting(
        False, _SWITCH, "Write what a genre is a kind of as well, by your list of genres."
    )
    mpd_music: str = _setting(
        "",
        _PLACE,
        "MPD's music_directory as this machine calls it, where that cannot be found out.",
    )
    path_map: Mapping[str, str] = _setting(
        {},
        _PATH_MAP,
        "Folders here, and what the program that reads playlists calls them; without it playlists "
        "name files from their own folder on.",
    )
    subsonic: Mapping[str, str] = _setting(
        {}, _SERVER, "The Subsonic server for playlists with `subsonic`, and who you are there."
    )
    after: Mapping[str, Any] = _setting(
        {}, _AFTER, "What to run when a run, an undo or a refresh has changed files."
    )
    playlist: Mapping[str, Mapping[str, Any]] = _setting(
        {}, _TABLES, "Playlists that are kept fresh, one `[playlist.NAME]` each."
    )


def refuse_unknown(names: Iterable[str]) -> None:
    """Refuse names that are no setting's.

    Raises:
        ConfigError: one is none; it says which was meant, it may be.
    """
    known = [one.name for one in fields(Settings)]
    for name in names:
        if name not in known:
            raise ConfigError(f"unknown setting {name!r}{_nearest(name, known)}")


def variable_of(setting: str) -> str:
    """Return the environment variable of a setting.

    >>> variable_of("max_genres")
    'TAGGER_MAX_GENRES'
    """
    return f"{APP.upper()}_{setting.upper()}"


def kind_of(setting: str) -> Kind:
    """Return what a setting may be."""
    kind: Kind = next(f for f in fields(Settings) if f.name == setting).metadata["kind"]
    return kind


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
        variable = variable_of(name)
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
    known = {variable_of(name) for name in settings}
    secrets = {PASSWORD, SUBSONIC_PASSWORD}
    for variable in environment:
        if variable.startswith(f"{APP.upper()}_") and variable not in known | secrets:
            log.warning("%s is no setting%s", variable, _nearest(variable, known))


def _nearest(name: str, known: Iterable[str]) -> str:
    """Return which name was meant, it may be, or which there are."""
    import difflib  # of use to few

    names = list(known)
    near = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean {near[0]}?" if near else f"; known: {', '.join(sorted(names))}"


def _read_file(path: Path) -> dict[str, Any]:
    text = read_text(path)
    try:
        return read_toml(text or "")
    except ConfigError as exc:
        raise ConfigError(exc.reason, path) from exc


def _from_text(name: str, text: str, source: str) -> Any:
    of_text = kind_of(name).of_text
    if of_text is None:
        raise ConfigError(f"{source}: {name} can be set in {config_path()} alone")
    try:
        return of_text(text)
    except ValueError as exc:
        raise ConfigError(f"{source}: {text!r} is not a value of {name}") from exc


def _checked(name: str, value: Any, source: str) -> Any:
    kind = kind_of(name)
    try:
        return kind.checked(value)
    except ValueError as exc:
        raise ConfigError(f"{source}: {name} must be {kind.wanted}, {exc}") from exc
