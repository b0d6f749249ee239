"""A run as its user sees it: each track's line as it comes, a bar on a terminal, the summary."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path

import click
from tqdm import tqdm

from tagger.cli.counting import count_meanwhile, show_looking
from tagger.cli.telling import Teller
from tagger.config import config_path
from tagger.errors import CatalogError, WorkersError, printable
from tagger.models.choosing import ChosenBy, InForce, name_of
from tagger.records import RunSummary, Status, TrackResult
from tagger.report.outlook import Outlook
from tagger.tagging.run import TagRun

log = logging.getLogger(__name__)


def _all(_result: TrackResult) -> bool:
    return True


def follow(
    run: TagRun,
    teller: Teller,
    outlook: Outlook,
    *,
    quiet: bool,
    is_told: Callable[[TrackResult], bool] = _all,
) -> bool:
    """Print each result as it comes, then the summary.

    Args:
        run: Not begun yet.
        teller: Of results.
        outlook: Takes them as well, and says at the end what was left blank.
        quiet: Print errors only.
        is_told: Asked of every result whether it is printed.

    Returns:
        Whether the run came to its end; else it said why not.
    """
    show_bar = sys.stderr.isatty() and not quiet
    with (
        tqdm(unit=" tracks", disable=not show_bar, dynamic_ncols=True, smoothing=0.05) as bar,
        closing(run.results()) as results,
    ):
        if show_bar:
            show_looking(run, bar)
            count_meanwhile(run, bar)

        def beside() -> AbstractContextManager[None]:
            return bar.external_write_mode(sys.stdout) if show_bar else nullcontext()

        asked = run.may_follow

        def ask(n: int) -> bool:
            with beside():
                return asked(n)

        run.may_follow = ask
        whole = True
        try:
            try:
                for result in filter(is_told, results):
                    outlook.see(result)
                    with beside():
                        teller.tell(result, run.request)
            finally:
                with beside():
                    teller.tell_rest()
        except (CatalogError, WorkersError) as exc:
            # What was heard is recorded, unless it is the catalogue that fails.
            n_kept = run.n_analysed if isinstance(exc, WorkersError) else 0
            if not run.summary.by_status and not n_kept:
                raise
            log.info("the run ends early", exc_info=True)
            click.echo(f"error: {exc}", err=True)
            whole = False
    report(run.summary, quiet=quiet)
    if not quiet:
        for line in outlook.lines():
            click.echo(line, err=True)
    return whole


def report(summary: RunSummary, *, quiet: bool) -> None:
    """Print what a run came to, and what else a person should know."""
    if quiet:
        return
    n_tracks = sum(summary.by_status.values())
    rate = n_tracks / summary.elapsed_s if summary.elapsed_s > 0 else 0.0
    counts = [f"{summary.by_status[s]} {s}" for s in Status if s in summary.by_status]
    nothing = "nothing finished yet" if summary.interrupted else "nothing to do"
    skipped = [f"{n} {why}" for why, n in sorted(summary.skipped.items())]
    click.echo(
        f"{n_tracks} {'track' if n_tracks == 1 else 'tracks'} in {summary.elapsed_s:.1f} s "
        f"({rate:.1f} a second): {', '.join(counts) or nothing}; "
        f"skipped: {', '.join(skipped) or 'nothing'}",
        err=True,
    )
    if summary.n_vanished:
        click.echo(
            f"no longer there: {summary.n_vanished} (tagger catalog prune forgets them)", err=True
        )
    for note in summary.notes:
        click.echo(note, err=True)
    if summary.by_genre:
        genres = sorted(summary.by_genre.items(), key=lambda item: (-item[1], item[0]))
        click.echo("by genre: " + ", ".join(f"{genre} {n}" for genre, n in genres), err=True)
    if summary.fillers:
        click.echo(_about_fillers(summary.fillers), err=True)
    if summary.interrupted:
        click.echo("interrupted; what was finished stays finished, run again to go on", err=True)


def tell_of_memory(model: InForce) -> None:
    """Say that nobody named the model now, but somebody did before, if it is so."""
    why = {
        ChosenBy.MEMORY: "as tag --model named it last",
        ChosenBy.LEARNING: "which was learned for this catalogue",
    }.get(model.chosen_by)
    if why is not None:
        name = printable(Path(name_of(model.path)))
        click.echo(f"model: {name}, {why}; --model default goes back", err=True)


def tell_next(outlook: Outlook, paths: Sequence[Path], catalog: str) -> None:
    """Say which commands would fill the most of what was left blank.

    Args:
        outlook: Has seen the results of a run.
        paths: What the run was about.
        catalog: As ``--catalog`` takes it; "" for the usual one.
    """
    steps = outlook.next_steps(paths, catalog)
    if steps:
        click.echo("next:", err=True)
    for step in steps:
        click.echo(f"  {step.why}: {step.command}", err=True)


def _about_fillers(fillers: Mapping[str, int]) -> str:
    names = ", ".join(json.dumps(name, ensure_ascii=False) for name in sorted(fillers))
    return (
        f"kept, though it says nothing: {sum(fillers.values())} with a genre like {names}; to have "
        f"those filled, set treat_as_blank = [{names}] in {config_path()}"
    )
