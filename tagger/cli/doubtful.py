"""``tagger doubtful``: tracks whose genre looks wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tagger.catalog import Catalog
from tagger.cli.learn import BEST, require_learning
from tagger.cli.options import catalog_option, format_option, model_option, verbose_option
from tagger.cli.output import Printer, path_fields, percent, plain
from tagger.cli.screen import column
from tagger.config import Settings, Sourced, load_settings
from tagger.errors import LearnError, printable
from tagger.files.paths import absolute
from tagger.models.choosing import is_named, named_model
from tagger.models.files import read_card

if TYPE_CHECKING:  # it brings scikit-learn, which not everybody has
    from tagger.learning.teaching import Doubt

COLUMNS = ("path", "genres", "likelihood", "suggestion", "confidence")


@click.command("doubtful")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH…]")
@click.option("-n", "limit", type=click.IntRange(1), default=50, show_default=True, metavar="N")
@click.option("--min-tracks", type=click.IntRange(2), default=10, show_default=True, metavar="N")
@model_option
@catalog_option
@format_option
@verbose_option
def command(
    paths: tuple[Path, ...], limit: int, min_tracks: int, format_: str, **options: Any
) -> int:
    """List tracks that sound like another genre than the one you gave them, worst first.

    Each is judged by what the tags of your other artists say. Only what is in the catalogue is
    looked at, and nothing is changed.
    """
    require_learning()
    from tagger.learning import teaching

    settings, sources = load_settings(options)
    printer = Printer(format_, COLUMNS)
    folders = [absolute(path) for path in paths]
    with Catalog.open(settings.catalog, create=False, read_only=True) as catalog:
        networks = judging_networks(catalog, folders, settings, sources)
        lesson = teaching.gather(catalog, networks, folders, min_tracks=min_tracks)
        kept = catalog.kept_genres()
    found = teaching.doubts(lesson, kept)
    for doubt in found[:limit]:
        printer.print(_record(doubt), _line(doubt))
    n_judged = len(lesson.tracks)
    click.echo(f"{n_judged} tracks judged, {len(found)} sound like another genre", err=True)
    return 0


def judging_networks(
    catalog: Catalog,
    folders: Sequence[Path],
    settings: Settings,
    sources: Mapping[str, Sourced],
) -> tuple[str, ...]:
    """Return the networks of the model named, or that which has heard most of the tagged tracks.

    Raises:
        LearnError: none has heard any of them.
        CheckpointError: the model named cannot be read.
    """
    if is_named(sources):
        return read_card(named_model(settings)).heard_by
    heard = {
        model.model_id: sum(
            catalog.n_tagged(model.model_id, folder) for folder in folders or (None,)
        )
        for model in catalog.models()
    }
    if not any(heard.values()):
        where = f" in {', '.join(map(printable, folders))}" if folders else ""
        raise LearnError(
            f"no track with a genre of yours has been heard yet{where}; run tagger learn or "
            "tagger tag --no-write on your music first"
        )
    # Of those that have heard all, the one that learns best.
    return (max(heard, key=lambda model_id: (heard[model_id], model_id.startswith(BEST))),)


def _record(doubt: Doubt) -> dict[str, Any]:
    return {
        **path_fields(doubt.path),
        "genres": list(doubt.genres),
        "likelihood": doubt.likelihood,
        "suggestion": doubt.suggestion,
        "confidence": doubt.confidence,
    }


def _line(doubt: Doubt) -> str:
    said = column(plain(", ".join(doubt.genres)), 16)
    other = column(plain(doubt.suggestion), 16)
    return (
        f"{said} {percent(doubt.likelihood)}  sounds like {other} {percent(doubt.confidence)}  "
        f"{printable(doubt.path)}"
    )
