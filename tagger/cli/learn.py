"""``tagger learn``: a person's own genres, from a person's own tags."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from tagger.catalog import Catalog
from tagger.cli.counting import count_meanwhile
from tagger.cli.learn_report import lines, record
from tagger.cli.options import (
    catalog_option,
    genre_list_option,
    model_option,
    overwrite_file_option,
    verbose_option,
)
from tagger.cli.output import say
from tagger.config import Settings, Sourced, load_settings, models_folder
from tagger.errors import LearnError, printable
from tagger.files.paths import absolute
from tagger.files.scan import ScanOptions
from tagger.genre_list import load_genre_list
from tagger.hearing.pool import default_n_jobs
from tagger.learning.listeners import BEST, require_learning
from tagger.learning.saving import is_learned, keep_before, record_of, save_learned
from tagger.models.card import ModelCard
from tagger.models.choosing import base_of, is_named, named_model
from tagger.models.files import BUNDLED
from tagger.records import Status
from tagger.tagging.decision import Intent, make_policy
from tagger.tagging.request import TagRequest
from tagger.tagging.run import TagRun

# Only on a terminal, only where it takes a while, and gone when it is done.
_BAR: Mapping[str, Any] = {"disable": None, "delay": 1, "leave": False, "dynamic_ncols": True}
_SHIPPED = BUNDLED.resolve()


@click.command("learn")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH…")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The checkpoint to write. [default: models/mine.pt in your data folder]",
)
@overwrite_file_option
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
@genre_list_option
@model_option
@catalog_option
@verbose_option
def command(
    paths: tuple[Path, ...],
    output: Path | None,
    force: bool,
    as_default: bool,
    min_tracks: int,
    dry_run: bool,
    format_: str,
    **options: Any,
) -> int:
    """Learn the genres of PATH from the tags that you set there.

    Listens to what has not been heard yet, cleans up how genres are written, fits a model to them
    and says how good it is, on artists that it did not learn from. Then tagger tag --model FILE
    fills blanks your way. No music file is changed.

    Example: tagger learn --default ~/Music
    """
    require_learning()
    from tagger.learning import teaching

    settings, sources = load_settings(options)
    base_path, base = _base(settings, sources)
    folders = [absolute(path) for path in paths]
    target = (output or models_folder() / "mine.pt").expanduser().absolute()
    _check_target(target, base_path, force=force)
    genre_list = load_genre_list(settings.genre_list)
    n_failed, before = 0, None
    with Catalog.open(settings.catalog, read_only=dry_run) as catalog:
        if not dry_run:
            n_failed = _hear(catalog, folders, settings, base_path, base)
            # Who learns into the file of the catalogue's own model has that one replaced.
            as_default = as_default or _is_own(catalog, target)
        lesson = teaching.gather(
            catalog, base.heard_by, folders, min_tracks=min_tracks, genre_list=genre_list
        )
        with tqdm(total=teaching.n_fits(lesson), desc="learning", unit=" fits", **_BAR) as bar:
            card, _, report = teaching.teach(lesson, base, target.stem, tick=bar.update)
        if not dry_run:
            before = keep_before(target, card)
            _save(catalog, target, base_path, card, as_default=as_default)
    if format_ == "json":
        say(json.dumps(record(lesson, report, card, None if dry_run else target)))
    else:
        for line in lines(lesson, report):
            say(line)
    if not dry_run:
        click.echo(_about(target, card, as_default=as_default), err=True)
        if before is not None:
            click.echo(f"the one before it is kept: {printable(before)}", err=True)
    return 1 if n_failed else 0


def _is_own(catalog: Catalog, target: Path) -> bool:
    own = catalog.remembered_model()
    return own is not None and own.is_own and Path(own.name) == target


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


def _check_target(target: Path, base_path: Path, *, force: bool) -> None:
    """Refuse where nothing can be saved, before hours are spent on listening."""
    if _same_file(target, base_path):
        raise LearnError("this would overwrite the network itself; name another --output")
    if target.is_dir():
        raise LearnError(f"{printable(target)} is a folder; name a file, such as mine.pt")
    if os.path.lexists(target) and not force and not is_learned(target):
        raise LearnError(
            f"{printable(target)} is there already and is no model that was learned; it is left "
            "as it is: name another --output, or say --force"
        )
    if target.parent.resolve() == _SHIPPED:
        raise LearnError("what lies there came with the tagger; name another --output")
    if target.parent != models_folder() and not os.access(target.parent, os.W_OK):
        raise LearnError(
            f"no file can be made in {printable(target.parent)}; name another --output"
        )


def _same_file(target: Path, other: Path) -> bool:
    return target.exists() and other.exists() and target.samefile(other)


def _save(
    catalog: Catalog, target: Path, base_path: Path, card: ModelCard, *, as_default: bool
) -> None:
    save_learned(target, base_path, card)
    if as_default:
        catalog.register_model(record_of(card))
        catalog.set_default_model(card.model_id, target)


def _about(target: Path, card: ModelCard, *, as_default: bool) -> str:
    if as_default:
        told = f"saved: {printable(target)}; tagger tag uses it with this catalogue from now on"
        told = told if card.writable else f"{told}, but it {_WRITES_NOTHING}"
        return f"{told}; tagger tag --model default goes back"
    name = target.stem if target.parent == models_folder() else printable(target)
    if not card.writable:
        return (
            f"saved: {printable(target)}; tagger tag --model {name} --no-write says what it hears; "
            f"without --no-write as well it {_WRITES_NOTHING}"
        )
    return f"saved: {printable(target)}; use it with tagger tag --model {name}"


_WRITES_NOTHING = "writes no genre by sound, since it is sure enough of none"
