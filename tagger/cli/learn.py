"""``tagger learn``: a person's own genres, from a person's own tags."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from tqdm import tqdm

from tagger.card import BUNDLED, ModelCard
from tagger.catalog import Catalog, ModelRecord
from tagger.cli.models import base_of, is_named, named_model
from tagger.cli.options import absolute, catalog_option, model_option, verbose_option
from tagger.cli.output import column, percent, plain, say
from tagger.cli.progress import count_meanwhile
from tagger.config import Settings, Sourced, load_settings, models_folder
from tagger.decision import Intent, make_policy
from tagger.errors import LearnError, printable
from tagger.pipeline import TagRun
from tagger.pool import default_n_jobs
from tagger.records import Status
from tagger.scan import ScanOptions
from tagger.settling import TagRequest

if TYPE_CHECKING:
    from tagger.learning.judging import GenreReport, Report
    from tagger.teaching import Lesson

BEST = "musicnn"  # whose embeddings learn best (docs/learning.md), where its file is there
_MOST_TOLD = 12


@click.command("learn")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH…")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The checkpoint to write. [default: mine.pt in your data folder]",
)
@click.option("--default", "as_default", is_flag=True, help="Use it from now on in this catalogue.")
@click.option(
    "--min-tracks",
    type=click.IntRange(2),
    default=10,
    show_default=True,
    metavar="N",
    help="Of a genre; rarer ones are merged into broader ones or left out.",
)
@click.option("--dry-run", "--pretend", "dry_run", is_flag=True, help="Report only; touch nothing.")
@click.option("--jobs", type=click.IntRange(1), metavar="N", help="Processes. [default: the cores]")
@click.option(
    "--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@model_option
@catalog_option
@verbose_option
def command(
    paths: tuple[Path, ...],
    output: Path | None,
    as_default: bool,
    min_tracks: int,
    dry_run: bool,
    format_: str,
    **options: Any,
) -> int:
    """Learn the genres of PATH from the tags that you set there.

    Listens to what has not been heard yet, cleans up how genres are written, fits a model to them
    and says how good it is, on artists that it did not learn from. tagger tag --model FILE then
    fills blanks your way. No file is changed.
    """
    teaching = load_teaching()
    settings, sources = load_settings(options)
    base_path, base = _base(settings, sources)
    folders = [absolute(path) for path in paths]
    target = (output or models_folder() / "mine.pt").expanduser().absolute()
    _check_target(target, base_path)
    n_failed = 0
    with Catalog.open(settings.catalog, read_only=dry_run) as catalog:
        if not dry_run:
            n_failed = _hear(catalog, folders, settings, base_path, base)
            # Who learns into the file of the catalogue's own model has that one replaced.
            as_default = as_default or catalog.default_model() == target
        lesson = teaching.gather(catalog, base.model_id, folders, min_tracks=min_tracks)
        card, _, report = teaching.teach(lesson, base, target.stem)
        if not dry_run:
            _save(catalog, target, base_path, card, as_default=as_default)
    if format_ == "json":
        say(json.dumps(_record(lesson, report, card, None if dry_run else target)))
    else:
        for line in _lines(lesson, report):
            say(line)
    if not dry_run:
        click.echo(_about(target, as_default=as_default), err=True)
    return 1 if n_failed else 0


def load_teaching() -> Any:
    """Return what learning needs scikit-learn for, or say how to get it."""
    try:
        from tagger import teaching
    except ModuleNotFoundError as exc:
        if exc.name not in ("sklearn", "scipy", "threadpoolctl"):
            raise
        raise LearnError(
            "this needs scikit-learn, which tagging does not: python -m pip install "
            "'genre-tagger[learn]', or in a clone .venv/bin/python -m pip install scikit-learn"
        ) from exc
    return teaching


def _base(settings: Settings, sources: Mapping[str, Sourced]) -> tuple[Path, ModelCard]:
    best = BUNDLED / f"{BEST}.pt"
    return base_of(best if best.is_file() and not is_named(sources) else named_model(settings))


def _hear(
    catalog: Catalog, folders: Sequence[Path], settings: Settings, path: Path, card: ModelCard
) -> int:
    """Analyse what the model has not heard yet, write no tag, and return how many files failed."""
    request = TagRequest(
        paths=tuple(folders),
        model_path=path,
        card=card,
        policy=make_policy(card.labels, card.writable, card.thresholds),
        intent=Intent(write=False),
        scan=ScanOptions(settings.exclude, settings.follow_symlinks),
        n_jobs=settings.jobs or default_n_jobs(),
        timeout_s=settings.timeout,
        command="learn",
    )
    run = TagRun(request, catalog)
    with (
        tqdm(unit=" tracks", disable=None, dynamic_ncols=True, smoothing=0.05) as bar,
        closing(run.results()) as results,
    ):
        if not bar.disable:
            run.tick = bar.update
            count_meanwhile(run, bar)
        for result in results:
            if result.failure is not None:
                click.echo(f"{printable(result.path)}: {result.failure.reason}", err=True)
    for note in run.summary.notes:
        click.echo(note, err=True)
    return run.summary.by_status.get(Status.FAILED, 0)


def _check_target(target: Path, base_path: Path) -> None:
    """Refuse where nothing can be saved, before hours are spent on listening."""
    if target == base_path:
        raise LearnError("this would overwrite the network itself; name another --output")
    if target.is_dir():
        raise LearnError(f"{printable(target)} is a folder; name a file, such as mine.pt")
    if target.parent != models_folder() and not os.access(target.parent, os.W_OK):
        raise LearnError(
            f"no file can be made in {printable(target.parent)}; name another --output"
        )


def _save(
    catalog: Catalog, target: Path, base_path: Path, card: ModelCard, *, as_default: bool
) -> None:
    from tagger.checkpoint import save_with_head

    if target.parent == models_folder():
        target.parent.mkdir(parents=True, exist_ok=True)
    save_with_head(target, base_path, card)
    if as_default:
        dim = int(card.network["embedding_dim"])
        catalog.register_model(ModelRecord(card.model_id, card.architecture, card.labels, dim))
        catalog.set_default_model(card.model_id, target)


def _about(target: Path, *, as_default: bool) -> str:
    if as_default:
        return f"saved: {printable(target)}; tagger tag uses it with this catalogue from now on"
    name = target.stem if target.parent == models_folder() else printable(target)
    return f"saved: {printable(target)}; use it with tagger tag --model {name}"


def _record(lesson: Lesson, report: Report, card: ModelCard, target: Path | None) -> dict[str, Any]:
    return {
        "model": card.model_id,
        "file": None if target is None else str(target),
        "learned_on": card.provenance["learned_on"],
        "exclusive": card.exclusive,
        "writable": list(card.writable),
        "n_ours": lesson.n_ours,
        "n_copies": lesson.n_copies,
        "changes": [asdict(change) for change in lesson.genres.changes],
        **asdict(report),
    }


def _lines(lesson: Lesson, report: Report) -> Iterator[str]:
    """Yield the report as a person reads it."""
    yield f"learned from {report.n_tracks} tracks by {report.n_artists} artists"
    aside = [f"{lesson.n_ours} with a genre of ours"] * bool(lesson.n_ours)
    aside += [f"{lesson.n_copies} copies"] * bool(lesson.n_copies)
    if aside:
        yield f"left aside: {', '.join(aside)}"
    changes = lesson.genres.changes
    for change in changes[:_MOST_TOLD]:
        taken = ", ".join(change.taken) or "left out"
        yield f"  {plain(change.written)} ({change.n_tracks}) → {plain(taken)}: {plain(change.why)}"
    if len(changes) > _MOST_TOLD:
        yield f"  and {len(changes) - _MOST_TOLD} more; --format json has all"
    yield ""
    yield f"{column('genre', 24)} tracks artists  right  found  written from"
    for one in report.genres:
        least = percent(one.threshold).strip() if one.threshold <= 1 else "never"
        yield (
            f"{column(plain(one.genre), 24)} {one.n_tracks:6d} {one.n_artists:7d}  "
            f"{percent(one.precision)}  {percent(one.recall)}  {least}"
        )
    if any(one.threshold > 1 for one in report.genres):
        yield (
            "never: it is not right three times of four even where it is surest, or too few tracks "
            "show that it is; tagger tag --genres all --min-confidence 0.8 writes it all the same"
        )
    yield ""
    yield (
        "of tracks by artists that were not learned from, "
        f"{_share(report.accuracy)} are called what you call them (with half of the artists to "
        f"learn from {_share(report.with_half)}; all called by your commonest genre "
        f"{_share(report.by_chance)})"
    )
    for precision, coverage in report.coverage.items():
        surest = f"the surest {_share(coverage)}" if coverage >= 0.005 else "none, however sure,"
        yield f"{surest} are right {_share(precision)} of the time"
    if report.confusions:
        told = [f"{a} for {b} ({n})" for a, b, n in report.confusions[:5]]
        yield f"taken for another most often: {plain(', '.join(told))}"
    yield from _outlook_lines(report)


def _outlook_lines(report: Report) -> Iterator[str]:
    """Yield what more tracks would bring."""
    by_verdict: dict[str, list[GenreReport]] = {"helps": [], "hardly": [], "unknown": []}
    for one in report.genres:
        by_verdict[one.outlook.verdict].append(one)
    helped = sorted(by_verdict["helps"], key=lambda one: one.outlook.f1 - one.outlook.f1_then)
    for one in helped[:_MOST_TOLD]:
        look = one.outlook
        yield (
            f"{look.n_more} more {plain(one.genre)} tracks by other artists would help: known to "
            f"{_share(look.f1)} now, about {_share(look.f1_then)} then (F1)"
        )
    if len(helped) > _MOST_TOLD:
        yield f"more would help {len(helped) - _MOST_TOLD} other genres; --format json has all"
    for verdict, what in (
        ("hardly", "more tracks would hardly help"),
        ("unknown", "whether more tracks would help cannot be said"),
    ):
        names = [plain(one.genre) for one in by_verdict[verdict]]
        more = f" and {len(names) - _MOST_TOLD} more" * (len(names) > _MOST_TOLD)
        if names:
            yield f"{what}: {', '.join(names[:_MOST_TOLD])}{more}"


def _share(p: float) -> str:
    return f"{100 * p:.0f} %"
