"""``tagger tag``: the main job."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from contextlib import closing, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from tagger.card import ModelCard, bundled_genres, read_card
from tagger.catalog import Catalog
from tagger.cli.models import model_in_force
from tagger.cli.options import (
    absolute,
    allow_copies_option,
    catalog_option,
    format_option,
    model_option,
    preserve_mtime_option,
    quiet_option,
    verbose_option,
)
from tagger.cli.output import OutputClosedError, Printer, column, path_fields, percent, plain
from tagger.cli.progress import count_meanwhile
from tagger.config import Settings, config_path, load_settings
from tagger.decision import FILLERS, Intent, make_policy
from tagger.errors import CatalogError, ClusterError, ConfigError, printable
from tagger.pipeline import TagRun
from tagger.pool import default_n_jobs
from tagger.records import RunSummary, Status, TrackResult
from tagger.scan import ScanOptions
from tagger.settling import TagRequest
from tagger.tags import Ways

log = logging.getLogger(__name__)

_MANY = 10  # tracks, of which a word is worth while
_SURE = (Status.WRITTEN, Status.PLANNED, Status.PREDICTED)

_COLUMNS = (
    "path",
    "status",
    "genres",
    "confidence",
    "before",
    "written",
    "n_segments",
    "model",
    "error",
    "probabilities",
)


@click.command("tag")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH…")
@catalog_option
@model_option
@click.option("--jobs", type=click.IntRange(1), metavar="N", help="Processes. [default: the cores]")
@click.option(
    "--dry-run", "--pretend", "dry_run", is_flag=True, help="Say what would be done; touch nothing."
)
@click.option("--no-write", is_flag=True, help="Analyse and record, but write no tag.")
@click.option(
    "--overwrite", is_flag=True, default=None, help="Replace genres that somebody else set."
)
@click.option(
    "--min-confidence",
    type=click.FloatRange(0, 1),
    metavar="P",
    help="Write from this confidence on. [default: the model's own for each genre]",
)
@click.option(
    "--genres", metavar="all|NAME,…", help="What may be written. [default: the model's choice]"
)
@click.option("--max-genres", type=click.IntRange(1), metavar="N", help="A track. [default: 1]")
@click.option(
    "--by",
    type=click.Choice(["track", "album"]),
    help="Whether an album's tracks vote together. [default: album]",
)
@click.option("--exclude", multiple=True, metavar="GLOB", help="Leave out; may be repeated.")
@click.option(
    "--force",
    is_flag=True,
    help="Analyse again what is known, and write again what was undone.",
)
@click.option(
    "--refresh",
    is_flag=True,
    help="Analyse what only another model has heard. [default: if a model is named]",
)
@preserve_mtime_option
@allow_copies_option
@click.option(
    "--no-provenance",
    "provenance",
    flag_value=False,
    default=None,
    help="Do not note in the file that the genre is ours.",
)
@click.option("--follow-symlinks", is_flag=True, default=None, help="Go into linked folders.")
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="Analyse by the workers of a Dask cluster, tcp://HOST:PORT. [default: processes here]",
)
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    metavar="S",
    help="Give a track up after so many seconds. [default: 60]",
)
@format_option
@quiet_option
@verbose_option
def command(
    paths: tuple[Path, ...],
    dry_run: bool,
    no_write: bool,
    force: bool,
    refresh: bool,
    format_: str,
    quiet: bool,
    **options: Any,
) -> int:
    """Fill blank genres in folders of music, and record what was heard in the catalogue.

    Only files without any genre are written, and only where the network is sure enough. A second
    run looks at new and changed files alone.
    """
    if options["genres"] is not None:
        options["genres"] = tuple(g.strip() for g in options["genres"].split(",") if g.strip())
        if not options["genres"]:
            raise ConfigError("--genres must name at least one label, or be all")
    settings, sources = load_settings(options)
    intent = Intent(
        overwrite=settings.overwrite,
        write=not no_write,
        dry_run=dry_run,
        treat_as_blank=settings.treat_as_blank,
    )
    printer = Printer(format_, _COLUMNS)
    with Catalog.open(settings.catalog, read_only=dry_run) as catalog:
        model_path, is_chosen = model_in_force(catalog, settings, sources)
        request = _request(paths, settings, intent, model_path, force=force)
        # A model that came with a new version of the tagger is no request to hear all anew.
        request = replace(request, refresh=refresh or is_chosen)
        run = TagRun(request, catalog)
        try:
            code = _follow(run, printer, quiet=quiet)
        except (KeyboardInterrupt, OutputClosedError):
            _report(run.summary, quiet=quiet)
            return 130
        if not (is_chosen or quiet):
            _suggest_another(run.summary)
        return code


def _request(
    paths: tuple[Path, ...], settings: Settings, intent: Intent, model_path: Path, *, force: bool
) -> TagRequest:
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
    return TagRequest(
        paths=tuple(absolute(path) for path in paths),
        model_path=model_path,
        card=card,
        policy=policy,
        intent=intent,
        scan=ScanOptions(settings.exclude, settings.follow_symlinks),
        n_jobs=settings.jobs or default_n_jobs(),
        by_album=settings.by == "album",
        force=force,
        provenance=settings.provenance,
        preserve_mtime=settings.preserve_mtime,
        ways=Ways(lossy_copies=settings.allow_copies),
        timeout_s=settings.timeout,
        scheduler=settings.scheduler,
    )


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


def _follow(run: TagRun, printer: Printer, *, quiet: bool) -> int:
    """Print each result as it comes, then the summary; return the exit code."""
    show_bar = sys.stderr.isatty() and not quiet
    with (
        tqdm(unit=" tracks", disable=not show_bar, dynamic_ncols=True, smoothing=0.05) as bar,
        closing(run.results()) as results,
    ):
        if show_bar:
            run.tick = bar.update
            count_meanwhile(run, bar)
        whole = True
        try:
            for result in results:
                with bar.external_write_mode(sys.stdout) if show_bar else nullcontext():
                    _print(result, printer, run, quiet=quiet)
        except (CatalogError, ClusterError) as exc:
            # What was heard is recorded, unless it is the catalogue that fails.
            n_kept = run.n_analysed if isinstance(exc, ClusterError) else 0
            if not run.summary.by_status and not n_kept:
                raise
            log.info("the run ends early", exc_info=True)
            click.echo(f"error: {exc}", err=True)
            whole = False
    _report(run.summary, quiet=quiet)
    return 0 if whole and not run.summary.by_status.get(Status.FAILED) else 1


def _print(result: TrackResult, printer: Printer, run: TagRun, *, quiet: bool) -> None:
    if result.failure is not None:
        click.echo(f"{printable(result.path)}: {result.failure.reason}", err=True)
    silent = quiet or result.failure is not None or result.status is Status.UNCHANGED
    text = "" if silent else _line(result, run.request.paths)
    printer.print(_record(result, run.request.card.model_id), text)


def _line(result: TrackResult, roots: tuple[Path, ...]) -> str:
    said = plain(", ".join(result.genres)) or "–"
    stood_there = result.status in (Status.KEPT, Status.MOVED) and result.genres == result.before
    sure = percent(None if stood_there or not result.genres else result.confidence)
    why = f" — {result.reason}" if result.reason else ""
    where = printable(_short(result.path, roots))
    return f"{result.status:9s} {column(said, 14)} {sure}  {where}{why}"


def _short(path: Path, roots: tuple[Path, ...]) -> Path:
    for root in roots:
        if path != root and path.is_relative_to(root):
            return path.relative_to(root)
    return path


def _record(result: TrackResult, model_id: str) -> Mapping[str, Any]:
    heard, failure = result.prediction, result.failure
    return {
        **path_fields(result.path),
        "status": result.status,
        "genres": list(result.genres),
        "confidence": result.confidence,
        "probabilities": dict(heard.probabilities) if heard else {},
        "n_segments": heard.n_segments if heard else 0,
        "before": list(result.before),
        "written": result.status is Status.WRITTEN,
        "model": model_id,
        "error": {"stage": failure.stage, "reason": failure.reason} if failure else None,
        "reason": result.reason,
    }


def _report(summary: RunSummary, *, quiet: bool) -> None:
    if quiet:
        return
    n_tracks = sum(summary.by_status.values())
    rate = n_tracks / summary.elapsed_s if summary.elapsed_s > 0 else 0.0
    counts = [f"{summary.by_status[s]} {s}" for s in Status if s in summary.by_status]
    skipped = [f"{n} {why}" for why, n in sorted(summary.skipped.items())]
    click.echo(
        f"{n_tracks} {'track' if n_tracks == 1 else 'tracks'} in {summary.elapsed_s:.1f} s "
        f"({rate:.1f} a second): {', '.join(counts) or 'nothing to do'}; "
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
    if summary.n_fillers:
        click.echo(_about_fillers(summary.n_fillers), err=True)
    if summary.interrupted:
        click.echo("interrupted; what was finished stays finished, run again to go on", err=True)


def _suggest_another(summary: RunSummary) -> None:
    """Say what else there is where the model that nobody chose is unsure of most tracks."""
    n_unsure = summary.by_status.get(Status.UNSURE, 0)
    n_sure = sum(summary.by_status.get(s, 0) for s in _SURE)
    if n_unsure >= max(_MANY, n_sure):
        click.echo(
            f"unsure of {n_unsure}: two networks (--model both) are sure of more, and take three "
            "times as long; your own genres it learns from your tags (tagger learn)",
            err=True,
        )


def _about_fillers(n_fillers: int) -> str:
    names = ", ".join(f'"{name}"' for name in FILLERS)
    return (
        f"kept, though it says nothing: {n_fillers} with a genre like {names}; to have those "
        f"filled, set treat_as_blank = [{names}] in {config_path()}"
    )
