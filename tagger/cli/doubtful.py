"""``tagger doubtful``: tracks whose genre looks wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tagger.catalog import Catalog
from tagger.cli.options import (
    catalog_option,
    format_option,
    genre_list_option,
    model_option,
    verbose_option,
)
from tagger.cli.output import Printer, path_fields, percent, plain
from tagger.cli.screen import column
from tagger.config import load_settings
from tagger.errors import LearnError, printable
from tagger.evidence.outliers import Lone
from tagger.evidence.trials import Kind
from tagger.files.paths import absolute
from tagger.learning.doubting import Doubtful, Heard
from tagger.learning.listeners import doubts_in
from tagger.report.commands import catalog_option as to_name
from tagger.report.commands import catalog_to_name, quoted
from tagger.wording import counted

COLUMNS = (
    "path",
    "genres",
    "sureness",
    "against",
    "rest",
    "n_agreeing",
    "n_others",
    "rest_confidence",
    "likelihood",
    "suggestion",
    "confidence",
)


@click.command("doubtful")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH…]")
@click.option("-n", "limit", type=click.IntRange(1), default=50, show_default=True, metavar="N")
@click.option(
    "--min-tracks",
    type=click.IntRange(2),
    default=10,
    show_default=True,
    metavar="N",
    help="Of a genre, for its sound to be learned.",
)
@genre_list_option
@model_option
@catalog_option
@format_option
@verbose_option
def command(
    paths: tuple[Path, ...], limit: int, min_tracks: int, format_: str, **options: Any
) -> int:
    """List tracks whose genre, set by you, looks wrong, the surest first.

    A track is listed if the rest of its album has another genre, or the artist's other albums do;
    or if it sounds like another genre. What your genres sound like is learned from your other
    artists' tracks; if there are too few, the model decides. Only tracks of the catalogue are
    looked at, and nothing is changed.

    Example: tagger doubtful -n 20 ~/Music
    """
    settings, sources = load_settings(options)
    printer = Printer(format_, COLUMNS)
    folders = [absolute(path) for path in paths]
    with Catalog.open(settings.catalog, create=False, read_only=True) as catalog:
        doubts = doubts_in(catalog, folders, settings, sources, min_tracks=min_tracks)
    if not doubts.n_judged:
        where = f" in {', '.join(map(printable, folders))}" if folders else ""
        raise LearnError(
            f"no track with a genre of yours is known yet{where}; run tagger tag --no-write on "
            "your music first"
        )
    for doubt in doubts.found[:limit]:
        printer.print(_record(doubt), _line(doubt))
    click.echo(
        f"{counted(doubts.n_judged, 'track')} judged, {doubts.n_lone} stand alone, "
        f"{doubts.n_by_sound} sound like another genre",
        err=True,
    )
    if doubts.found:
        where = "".join(f" {quoted(path)}" for path in paths)
        named = to_name(catalog_to_name(settings, sources))
        command = f"tagger review --doubtful{where}{named}"
        click.echo(f"next:\n  goes through them in your browser: {command}", err=True)
    return 0


def _record(doubt: Doubtful) -> dict[str, Any]:
    rest, heard = doubt.rest, doubt.heard
    return {
        **path_fields(doubt.path),
        "genres": list(doubt.genres),
        "sureness": doubt.sureness,
        "against": rest and rest.kind.value,
        "rest": list(rest.genres) if rest else [],
        "n_agreeing": rest and rest.n_agreeing,
        "n_others": rest and rest.n_recordings,
        "rest_confidence": rest and rest.confidence,
        "likelihood": heard and heard.likelihood,
        "suggestion": heard and heard.suggestion,
        "confidence": heard and heard.confidence,
    }


def _line(doubt: Doubtful) -> str:
    said = column(plain(", ".join(doubt.genres)), 16)
    told = filter(None, (_against(doubt.rest), _sounds(doubt.heard)))
    return f"{said}  {'; '.join(told)}  {printable(doubt.path)}"


def _against(rest: Lone | None) -> str:
    if rest is None:
        return ""
    whose = "its album is" if rest.kind is Kind.ALBUM else "its artist is"
    others = f"{rest.n_agreeing} of {rest.n_recordings} others"
    return f"{whose} {plain(', '.join(rest.genres))} ({others})"


def _sounds(heard: Heard | None) -> str:
    if heard is None:
        return ""
    own = "" if heard.likelihood is None else f", its own {percent(heard.likelihood).strip()}"
    is_own = heard.likelihood == heard.confidence
    return f"sounds like {plain(heard.suggestion)} {percent(heard.confidence).strip()}" + (
        "" if is_own else own
    )
