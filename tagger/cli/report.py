"""``tagger report``: one HTML page about the library."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from tagger.catalog import Catalog, shown
from tagger.catalog.reader import Reader
from tagger.cli.doubtful import model_to_judge_by
from tagger.cli.learn import load_teaching
from tagger.cli.options import (
    absolute,
    catalog_option,
    model_option,
    under_option,
    verbose_option,
)
from tagger.cli.output import say
from tagger.cli.seeding import chosen_ear
from tagger.config import Settings, Sourced, load_settings
from tagger.errors import LearnError, TaggerError, printable
from tagger.report.facts import Suspects
from tagger.report.page import START, page
from tagger.reporting import ReportRequest, gather, judged
from tagger.seeds import comparing_all
from tagger.whole_files import FileKind, replaced

_STDOUT = Path("-")
_REPORT = FileKind(
    START.encode(), "a file that is no report is there, and is left as it is; name another with -o"
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
@under_option
@catalog_option
@model_option
@verbose_option
def command(output: Path, under: Path | None, **options: Any) -> int:
    """Write one HTML page about the library: genres, blanks and why, doubts, failures, a map.

    It is told from the catalogue alone: no music file is opened, nothing is changed, and the page
    loads nothing from anywhere.

    tagger report -o library.html
    """
    settings, sources = load_settings(options)
    with Reader.open(settings.catalog) as reader:
        ear = chosen_ear(reader, settings, sources)
        model_id = ear.model_id if ear else comparing_all(reader)
    with Catalog.open(settings.catalog, create=False, read_only=True) as catalog:
        suspects = _suspects(catalog, under, settings, sources)
        request = ReportRequest(under, model_id, _named(settings, sources))
        report = gather(catalog, request, suspects)
    written = page(report).encode("utf-8")
    if output == _STDOUT:
        say(written)
        return 0
    if output.is_dir():
        raise TaggerError("this is a folder; name a file in it with -o", output)
    with replaced(absolute(output), _REPORT) as draft:
        draft.write_bytes(written)
    click.echo(f"{report.figures.n_tracks} tracks in {printable(output)}", err=True)
    return 0


def _suspects(
    catalog: Catalog, under: Path | None, settings: Settings, sources: Mapping[str, Sourced]
) -> Suspects:
    folders = [under] if under else []
    try:
        teaching = load_teaching()
        model_id = model_to_judge_by(catalog, folders, settings, sources)
        return judged(teaching, catalog, model_id, folders)
    except LearnError as exc:
        return Suspects(why_none=str(exc))


def _named(settings: Settings, sources: Mapping[str, Sourced]) -> str:
    """Return the catalogue as commands have to name it, "" where they need not."""
    return shown(settings.catalog) if sources["catalog"].source == "option" else ""
