"""``tagger tag``: the main job."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from tagger.catalog import Catalog
from tagger.cli.after import after_change
from tagger.cli.following import follow, report, tell_next, tell_of_memory
from tagger.cli.output import OutputClosedError
from tagger.cli.tagging import make_wish, tagging_options
from tagger.cli.telling import make_teller
from tagger.files.scan import check_any_there
from tagger.records import Status, TrackResult
from tagger.report.commands import catalog_to_name
from tagger.report.outlook import Outlook
from tagger.tagging.request import make_request
from tagger.tagging.run import TagRun


@click.command("tag")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH…")
@click.option(
    "--dry-run", "--pretend", "dry_run", is_flag=True, help="Say what would be done; touch nothing."
)
@click.option(
    "--force",
    is_flag=True,
    help="Analyse again what is known, and write again what was undone.",
)
@click.option(
    "--yes",
    is_flag=True,
    help="Do not ask before more than 100 genres that the tagger wrote are changed, because your "
    "own tags say something else now.",
)
@click.option(
    "--all-failures",
    is_flag=True,
    help="With --quiet: tell and count failures that were told before as well.",
)
@tagging_options
def command(
    paths: tuple[Path, ...],
    dry_run: bool,
    no_write: bool,
    force: bool,
    refresh: bool,
    yes: bool,
    all_failures: bool,
    format_: str,
    quiet: bool,
    **options: Any,
) -> int:
    """Fill blank genres in folders of music, and record what was heard in the catalogue.

    Only files without any genre are written: as your own tags call the album or the artist, or by
    ear where that is sure enough. What the tagger wrote follows when you correct your tags. A
    second run looks at new and changed files alone.

    Example: tagger tag --dry-run ~/Music
    """
    wish = make_wish(
        paths,
        options,
        no_write=no_write,
        refresh=refresh,
        dry_run=dry_run,
        force=force,
        remembers=True,
    )
    check_any_there(wish.paths)  # before there is a catalogue of nothing
    teller, outlook = make_teller(format_, quiet=quiet), Outlook()
    news = _News(are_all=all_failures or not quiet or format_ != "text")
    with Catalog.open(wish.settings.catalog, read_only=dry_run) as catalog:
        request, model = make_request(wish, catalog)
        if not quiet:
            tell_of_memory(model)
        run = TagRun(request, catalog, may_follow=_asker(yes=yes, asks=not dry_run))
        try:
            whole = follow(run, teller, outlook, quiet=quiet, is_told=news.see)
        except (KeyboardInterrupt, OutputClosedError):
            report(replace(run.summary, interrupted=True), quiet=quiet)
            return 130
        if not quiet:
            tell_next(outlook, wish.paths, catalog_to_name(wish.settings, wish.sources))
    code = 0 if whole and not news.n_failed else 1
    has_written = run.summary.by_status.get(Status.WRITTEN, 0) > 0
    return after_change(wish.settings, code) if has_written else code


def _asker(*, yes: bool, asks: bool) -> Callable[[int], bool]:
    """Return what says whether many genres of the tagger's may change: a person, on a terminal."""

    def ask(n: int) -> bool:
        if yes or not (asks and sys.stdin.isatty() and sys.stderr.isatty()):
            return yes
        return click.confirm(
            f"your tags say something else now of up to {n} genres that the tagger wrote; change "
            "these as well",
            err=True,
        )

    return ask


@dataclass
class _News:
    """Which results are told: not a failure that was told before, where news alone are wanted.

    Args:
        are_all: All results are news.
        n_failed: The failures among those told.
    """

    are_all: bool
    n_failed: int = 0

    def see(self, result: TrackResult) -> bool:
        is_told = self.are_all or not result.is_old_failure
        self.n_failed += is_told and result.status is Status.FAILED
        return is_told
