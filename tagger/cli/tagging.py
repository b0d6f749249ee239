"""What runs that tag are asked for: the options they share, and the request that these make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from tagger.catalog import Catalog
from tagger.cli.options import (
    Command,
    absolute,
    allow_copies_option,
    catalog_option,
    format_option,
    model_option,
    preserve_mtime_option,
    quiet_option,
    verbose_option,
)
from tagger.config import Settings, Sourced, load_settings
from tagger.errors import ConfigError
from tagger.files.scan import ScanOptions
from tagger.hearing.pool import default_n_jobs
from tagger.models.card import ModelCard
from tagger.models.choosing import model_in_force
from tagger.models.files import bundled_genres, read_card
from tagger.tagging.decision import Intent, make_policy
from tagger.tagging.request import TagRequest
from tagger.tags import Ways

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
        help="Write from this confidence on. [default: the model's own for each genre]",
    ),
    click.option(
        "--genres", metavar="all|NAME,…", help="What may be written. [default: the model's choice]"
    ),
    click.option("--max-genres", type=click.IntRange(1), metavar="N", help="A track. [default: 1]"),
    click.option(
        "--by",
        type=click.Choice(["track", "album"]),
        help="Whether an album's tracks vote together. [default: album]",
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
    quiet_option,
    verbose_option,
)


def tagging_options(command: Command) -> Command:
    """Give a command the options that say how to tag."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class Wish:
    """What a user asked for, before the catalogue is opened.

    Args:
        paths: Folders and files.
        settings: In force.
        sources: Where each setting came from.
        write: Write tags, and not only the catalogue.
        refresh: Analyse what only another model has heard, though no model was named.
        dry_run: Touch nothing.
        force: Analyse again what is known.
    """

    paths: tuple[Path, ...]
    settings: Settings
    sources: Mapping[str, Sourced]
    write: bool = True
    refresh: bool = False
    dry_run: bool = False
    force: bool = False


def make_wish(
    paths: tuple[Path, ...],
    options: Mapping[str, Any],
    *,
    no_write: bool,
    refresh: bool,
    dry_run: bool = False,
    force: bool = False,
) -> Wish:
    """Return what a command's arguments ask for.

    Args:
        paths: Folders and files.
        options: The settings among the options, as click gives them.
        no_write: Write no tag.
        refresh: Analyse what only another model has heard.
        dry_run: Touch nothing.
        force: Analyse again what is known.

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
    )


def make_request(wish: Wish, catalog: Catalog) -> tuple[TagRequest, bool]:
    """Return the request that a wish comes to, and whether a person chose its model.

    Raises:
        CheckpointError: the model is not there.
        ConfigError: the model does not have the labels asked for.
    """
    settings = wish.settings
    model_path, is_chosen = model_in_force(catalog, settings, wish.sources)
    card = read_card(model_path)
    policy = make_policy(
        card.genre_labels,
        card.writable,
        card.thresholds,
        genres=settings.genres,
        min_confidence=settings.min_confidence,
        max_genres=settings.max_genres,
        genre_map=_map_for(card, settings.genre_map),
        broader=card.broader,
        further=card.further,
    )
    request = TagRequest(
        paths=wish.paths,
        model_path=model_path,
        card=card,
        policy=policy,
        intent=Intent(
            overwrite=settings.overwrite,
            write=wish.write,
            dry_run=wish.dry_run,
            treat_as_blank=settings.treat_as_blank,
        ),
        scan=ScanOptions(settings.exclude, settings.follow_symlinks),
        n_jobs=settings.jobs or default_n_jobs(),
        by_album=settings.by == "album",
        force=wish.force,
        # A model that came with a new version of the tagger is no request to hear all anew.
        refresh=wish.refresh or is_chosen,
        provenance=settings.provenance,
        preserve_mtime=settings.preserve_mtime,
        ways=Ways(lossy_copies=settings.allow_copies),
        timeout_s=settings.timeout,
        scheduler=settings.scheduler,
    )
    return request, is_chosen


def _map_for(card: ModelCard, genre_map: Mapping[str, str]) -> Mapping[str, str]:
    """Return what a genre map says to a model: not what it says of another's labels alone."""
    own = {label.casefold() for label in card.genre_labels}
    strange = {name for name in genre_map if name.casefold() not in own}
    others = bundled_genres() if strange else frozenset()
    return {
        name: genre
        for name, genre in genre_map.items()
        if name not in strange or name.casefold() not in others
    }
