"""``tagger watch``: tag new files as they arrive, until it is told to end."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn

import click

from tagger.catalog import Catalog
from tagger.cli.after import after_change
from tagger.cli.following import follow, report, tell_next, tell_of_memory
from tagger.cli.options import NumberRange
from tagger.cli.output import OutputClosedError
from tagger.cli.refreshing import Freshness
from tagger.cli.tagging import make_wish, tagging_options
from tagger.cli.telling import Teller, make_teller
from tagger.errors import CatalogError, TaggerError
from tagger.files.scan import ScanOptions, is_folder
from tagger.reasons import Reason
from tagger.records import Stage, Status, TrackResult
from tagger.report.commands import catalog_to_name
from tagger.report.outlook import Outlook
from tagger.tagging.interrupt import Interrupts
from tagger.tagging.news import news_for
from tagger.tagging.request import Wish, make_request
from tagger.tagging.run import TagRun
from tagger.watch import Batch, Tried, Watcher, WatchPlan, watching

log = logging.getLogger(__name__)

# A file at such a stage may fare better later: its disk may be full, or its rights be mended.
_MAY_PASS = (Stage.READ, Stage.WRITE)


@click.command("watch")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH…")
@tagging_options
@click.option(
    "--settle",
    "settle_s",
    type=NumberRange(0.1),
    default=5,
    show_default=True,
    metavar="SECONDS",
    help="How long a folder's files must have stood still before they are listened to.",
)
@click.option(
    "--poll",
    "poll_s",
    type=NumberRange(0.1),
    metavar="SECONDS",
    help="Look through the folders so often, for disks that raise no events. [default: every 60 "
    "seconds on network disks, else not at all]",
)
@click.option(
    "--rescan",
    "rescan_min",
    type=NumberRange(0, min_open=True),
    default=60,
    show_default=True,
    metavar="MINUTES",
    help="Look through the folders so often for what no event told of.",
)
def command(
    paths: tuple[Path, ...],
    no_write: bool,
    refresh: bool,
    format_: str,
    quiet: bool,
    settle_s: float,
    poll_s: float | None,
    rescan_min: float,
    **options: Any,
) -> int:
    """Tag what is there, as tagger tag does, and then new files as they arrive.

    It waits until a folder's files have come to rest, and goes on until it is ended: by Ctrl-C, or
    by SIGTERM.

    Example: tagger watch ~/Music
    """
    wish = make_wish(paths, options, no_write=no_write, refresh=refresh)
    seen = ScanOptions(wish.settings.exclude, wish.settings.follow_symlinks)
    plan = WatchPlan(wish.paths, seen, settle_s, poll_s, rescan_min * 60)
    teller = make_teller(format_, quiet=quiet)
    session = _Session(wish, teller, settle_s, quiet=quiet)
    with Interrupts():
        try:
            with watching(plan, _tell) as watcher:
                _serve(watcher, session)
        except KeyboardInterrupt:
            return 0  # it was waiting: nothing is left undone
        except _BrokenOffError:
            return 130


class _BrokenOffError(Exception):
    """It was told to end in the middle of a run."""


def _tell(text: str) -> None:
    click.echo(text, err=True)


def _serve(watcher: Watcher, session: _Session) -> NoReturn:
    batch = watcher.start()
    while True:
        pause_s = watcher.tried(batch, session.tag(batch))
        if pause_s:
            _tell(f"trying again in {pause_s:.0f} s")
        elif session.is_first and not session.quiet:
            _tell("waiting for new files")
        session.is_first = False
        batch = watcher.next()


@dataclass
class _Session:
    """Tags batch after batch, and shows what is new in each.

    Args:
        wish: What the user asked for.
        teller: Of results.
        settle_s: Files that changed less than so many seconds ago are left for later.
        quiet: Print errors only.
        is_first: All is shown, as by ``tagger tag``, and what keeps a run from beginning is fatal.
    """

    wish: Wish
    teller: Teller
    settle_s: float
    quiet: bool
    is_first: bool = True
    _refused: set[str] = field(default_factory=set)
    _has_changed: bool = False  # the library, since playlists were last made anew
    _has_written: bool = False  # tags, since the owner's command was last run
    _freshness: Freshness = field(default_factory=Freshness)
    _told: dict[Path, Reason] = field(default_factory=dict)

    def tag(self, batch: Batch) -> Tried:
        """Run a batch, if anything in it is new, and all that follows from a change."""
        tried = self._tried(batch)
        if tried.is_done:
            self._follow_up()
        return tried

    def _follow_up(self) -> None:
        """Make playlists anew if the library has changed; run the owner's command if files have."""
        if self.is_first or self._has_changed:
            settings = self.wish.settings
            self._has_written |= self._freshness.restore(settings, quiet=self.quiet)
        if self._has_written:
            after_change(self.wish.settings)
        self._has_changed = self._has_written = False

    def _tried(self, batch: Batch) -> Tried:
        try:
            # Later on none is made: that it is gone may be its disk that is.
            with Catalog.open(self.wish.settings.catalog, create=self.is_first) as catalog:
                try:
                    return self._tag(batch, catalog)
                except CatalogError as exc:  # locked or full, since it could be opened
                    return _put_off(exc, batch)
        except TaggerError as exc:
            if self.is_first:
                raise
            return _put_off(exc, batch)

    def _tag(self, batch: Batch, catalog: Catalog) -> Tried:
        request, model = make_request(self.wish, catalog)
        if self.is_first and not self.quiet:
            tell_of_memory(model)
        part = replace(request.scan, folders=batch.folders, settle_s=self.settle_s)
        request = replace(request, paths=batch.paths, scan=part, command="watch")
        unsettled: frozenset[str] = frozenset()
        if not batch.is_due:
            news = news_for(request, catalog)
            if not (news.folders or news.has_gone):
                return Tried(is_done=True, unsettled=news.unsettled)
            if not news.has_gone:  # what is gone is marked by a run over all alone
                request = replace(request, scan=replace(part, folders=news.folders))
            unsettled = news.unsettled
        self._refused.clear()
        run, outlook = TagRun(request, catalog), Outlook()
        try:
            whole = follow(run, self.teller, outlook, quiet=self.quiet, is_told=self._is_told)
        except (KeyboardInterrupt, OutputClosedError) as exc:
            report(run.summary, quiet=self.quiet)
            raise _BrokenOffError from exc
        summary = run.summary
        is_news = set(summary.by_status) - {Status.UNCHANGED}
        self._has_changed |= bool(is_news) or summary.n_vanished > 0
        self._has_written |= Status.WRITTEN in is_news
        if self.is_first and not self.quiet:
            settings, sources = self.wish.settings, self.wish.sources
            tell_next(outlook, self.wish.paths, catalog_to_name(settings, sources))
        return Tried(
            whole,
            served=request.scan.folders,
            unsettled=run.unsettled | unsettled,
            refused=frozenset(self._refused),
        )

    def _is_told(self, result: TrackResult) -> bool:
        """Return whether a result is shown: not what stands as it stood, nor a failure again."""
        failure = result.failure
        if failure is None:
            self._told.pop(result.path, None)
            return self.is_first or result.status is not Status.UNCHANGED
        if failure.stage in _MAY_PASS:
            self._refused.add(os.path.dirname(result.path))  # noqa: PTH120
        is_known = self._told.get(result.path) == failure.reason
        self._told[result.path] = failure.reason
        return not is_known


def _put_off(error: TaggerError, batch: Batch) -> Tried:
    log.info("the batch ends early", exc_info=True)
    if all(map(is_folder, batch.paths)):  # else the watcher says which has gone
        _tell(f"error: {error}")
    return Tried(is_done=False)
