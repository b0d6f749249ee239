"""``tagger report``: one HTML page about the library."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from tagger.catalog import Catalog, Reader
from tagger.cli.options import (
    catalog_option,
    model_option,
    overwrite_file_option,
    under_option,
    verbose_option,
)
from tagger.cli.output import say
from tagger.config import Settings, Sourced, load_settings
from tagger.errors import CheckpointError, TaggerError, printable
from tagger.files.atomic import FileKind, check_replaceable, replaced
from tagger.files.paths import absolute
from tagger.genre_list import load_genre_list
from tagger.learning.listeners import doubts_in
from tagger.models.choosing import cards_at_hand, name_in_force, name_of
from tagger.models.files import BUNDLED
from tagger.recommending.ears import chosen_ear
from tagger.recommending.seeds import comparing_all
from tagger.report.commands import catalog_to_name
from tagger.report.facts import Report, Suspects
from tagger.report.owning import OwnersRules
from tagger.report.page import START, page
from tagger.report.reporting import MOST_JUDGED, ModelsAtHand, ReportRequest, gather, suspects_of
from tagger.tagging.request import kinds_asked
from tagger.wording import counted

_STDOUT = Path("-")
_REPORT = FileKind(
    START.encode(),
    "a file that is no report is there, and is left as it is; name another with -o, or say --force",
)


@click.command("report")
@click.option(
    "-o",
    "--output",
    "output",
    required=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The page to write, over an older report or nothing; - is standard output.",
)
@overwrite_file_option
@under_option
@catalog_option
@model_option
@verbose_option
def command(output: Path, force: bool, under: Path | None, **options: Any) -> int:
    """Write one HTML page about the library: genres, blanks and why, all tracks, a map.

    It is told from the catalogue alone: no music file is opened, nothing is changed, and the page
    loads nothing from anywhere.

    tagger report -o library.html

    Example: tagger report -o library.html
    """
    settings, sources = load_settings(options)
    if output == _STDOUT:
        say(page(_report(under, settings, sources)).encode("utf-8").removesuffix(b"\n"))
        return 0
    if output.is_dir():
        raise TaggerError("this is a folder; name a file in it with -o", output)
    target = absolute(output)
    kind = _REPORT.unless(force)
    check_replaceable(target, kind)  # what is refused is refused at once
    report = _report(under, settings, sources)
    text = page(report).encode("utf-8")
    with replaced(target, kind) as draft:
        draft.write_bytes(text)
    click.echo(f"{counted(report.figures.n_tracks, 'track')} in {printable(output)}", err=True)
    if not report.figures.n_tracks:
        click.echo("the page is empty: tagger tag FOLDER puts tracks in the catalogue", err=True)
    return 0


def _report(under: Path | None, settings: Settings, sources: Mapping[str, Sourced]) -> Report:
    with Catalog.open(settings.catalog, create=False, read_only=True) as catalog:
        model_id = _compared_by(catalog, settings, sources)
        suspects = _suspects(catalog, under, settings, sources)
        where = catalog_to_name(settings, sources)
        rules = OwnersRules(
            tuple(settings.treat_as_blank),
            kinds_asked(settings),
            load_genre_list(settings.genre_list),
        )
        request = ReportRequest(under, model_id, where, _at_hand(catalog), rules)
        return gather(catalog, request, suspects)


def _compared_by(
    catalog: Catalog, settings: Settings, sources: Mapping[str, Sourced]
) -> str | None:
    """Return the model that the map is made by: the one named, or that which suits the tracks."""
    if not catalog.models():
        return None
    with Reader.open(settings.catalog) as reader:
        ear = chosen_ear(reader, settings, sources)
        return ear.model_id if ear else comparing_all(reader)


def _suspects(
    catalog: Catalog, under: Path | None, settings: Settings, sources: Mapping[str, Sourced]
) -> Suspects:
    folders = [under] if under else []
    try:
        doubts = doubts_in(catalog, folders, settings, sources, most_learned=MOST_JUDGED)
    except CheckpointError as exc:  # the page has more to tell than this
        return Suspects(why_none=str(exc))
    return suspects_of(doubts)


def _at_hand(catalog: Catalog) -> ModelsAtHand:
    settings, sources = load_settings({})  # as a command finds them that names no model
    found = list(cards_at_hand((".pt", ".toml"), catalog.model_files()))
    return ModelsAtHand(
        names={card.model_id: name_of(path) for path, card in found},
        unnamed=name_in_force(catalog, settings, sources),
        # The default model is a head as well, and nobody here taught it.
        has_learned=any(card.head is not None and path.parent != BUNDLED for path, card in found),
    )
