"""What runs that tag are asked for: the options they share, and the request that these make."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from tagger.cli.options import (
    Command,
    allow_copies_option,
    catalog_option,
    color_option,
    format_option,
    genre_list_option,
    model_option,
    preserve_mtime_option,
    quiet_option,
    verbose_option,
)
from tagger.config import load_settings
from tagger.errors import ConfigError
from tagger.files.paths import absolute
from tagger.tagging.request import Wish

_OPTIONS = (
    catalog_option,
    model_option,
    click.option(
        "--jobs", type=click.IntRange(1), metavar="N", help="Processes. [default: the cores]"
    ),
    click.option("--no-write", is_flag=True, help="Analyse and record, but write no tag."),
    click.option(
        "--overwrite", is_flag=True, default=None, help="Replace genres that somebody else set."
    ),
    click.option(
        "--min-confidence",
        type=click.FloatRange(0, 1),
        metavar="P",
        help="Write from this confidence on, but nothing of what is unlike all music that the "
        "model knows. [default: the model's own for each genre]",
    ),
    click.option(
        "--genres",
        metavar="all|NAME,…",
        help="What may be written: labels, and genres of your own. [default: the model's choice]",
    ),
    click.option("--max-genres", type=click.IntRange(1), metavar="N", help="A track. [default: 1]"),
    genre_list_option,
    click.option(
        "--with-parents",
        is_flag=True,
        default=None,
        help="Write what a genre is a kind of as well, by your list of genres: Bebop; Jazz.",
    ),
    click.option(
        "--by",
        type=click.Choice(["track", "album"]),
        help="Whether an album's tracks vote together. [default: album]",
    ),
    click.option(
        "--evidence",
        metavar="album,artist,sound",
        help="What may decide: your own tags of the album, of the artist, or the sound. "
        "[default: all]",
    ),
    click.option("--exclude", multiple=True, metavar="GLOB", help="Leave out; may be repeated."),
    click.option(
        "--refresh",
        is_flag=True,
        help="Analyse what only another model has heard. [default: if a model is named]",
    ),
    preserve_mtime_option,
    allow_copies_option,
    click.option(
        "--no-provenance",
        "provenance",
        flag_value=False,
        default=None,
        help="Do not note in the file that the genre is ours.",
    ),
    click.option("--follow-symlinks", is_flag=True, default=None, help="Go into linked folders."),
    click.option(
        "--scheduler",
        metavar="ADDRESS",
        help="Analyse by the workers of a Dask cluster, tcp://HOST:PORT. [default: processes here]",
    ),
    click.option(
        "--timeout",
        type=click.FloatRange(0, min_open=True),
        metavar="S",
        help="Give a track up after so many seconds. [default: 60]",
    ),
    format_option,
    color_option,
    quiet_option,
    verbose_option,
)


def tagging_options(command: Command) -> Command:
    """Give a command the options that say how to tag."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def make_wish(
    paths: tuple[Path, ...],
    options: Mapping[str, Any],
    *,
    no_write: bool,
    refresh: bool,
    dry_run: bool = False,
    force: bool = False,
    remembers: bool = False,
) -> Wish:
    """Return what a command's arguments ask for.

    Args:
        paths: Folders and files.
        options: The settings among the options, as click gives them.
        no_write: Write no tag.
        refresh: Analyse what only another model has heard.
        dry_run: Touch nothing.
        force: Analyse again what is known.
        remembers: The model that is named is the one to use from then on.

    Raises:
        ConfigError: a setting makes no sense.
    """
    found = dict(options)
    if found["genres"] is not None:
        found["genres"] = tuple(g.strip() for g in found["genres"].split(",") if g.strip())
        if not found["genres"]:
            raise ConfigError("--genres must name at least one label, or be all")
    settings, sources = load_settings(found)
    return Wish(
        tuple(absolute(path) for path in paths),
        settings,
        sources,
        write=not no_write,
        refresh=refresh,
        dry_run=dry_run,
        force=force,
        remembers=remembers,
    )
