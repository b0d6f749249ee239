"""The training side's command line: ``python -m training prepare``, ``fit``, ``compare`` …"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tagger.errors import TaggerError, printable

if TYPE_CHECKING:
    from training.config import FitConfig

_FILE = click.Path(path_type=Path)
_MAX_LISTED = 20  # clips left out that are named on the terminal

# Options that several commands have.
_features = click.option(
    "--features", "features_path", type=_FILE, required=True, help="A feature file (.npz)."
)
_config = click.option("--config", "config_path", type=_FILE, help="Settings, TOML.")
_teacher = click.option(
    "--teacher", "teacher_path", type=_FILE, help="Embeddings to imitate (.npz)."
)
_epochs = click.option("--epochs", type=click.IntRange(1), help="At most so many.")
_jobs = click.option(
    "--jobs", "n_jobs", type=click.IntRange(1), help="Fits at a time, a core each; default: all."
)


@click.group()
def cli() -> None:
    """Fit and judge the networks that the tagger uses."""


@cli.command()
@click.option("--fma", type=_FILE, help="The folder of fma_small.zip and fma_metadata.zip.")
@click.option("--download", is_flag=True, help="Fetch what is missing there (7.5 GB).")
@click.option("--folders", type=_FILE, help="A folder of folders named by genre.")
@click.option("-o", "--output", type=_FILE, required=True, help="The feature file to write (.npz).")
@click.option("--jobs", "n_jobs", type=click.IntRange(1), help="Worker processes.")
def prepare(
    fma: Path | None, download: bool, folders: Path | None, output: Path, n_jobs: int | None
) -> None:
    """Make a feature file out of FMA Small, or of your own folders named by genre.

    Cut off, it goes on where it was when it is run again. What is left out is listed beside OUTPUT;
    exit code 1 says that some files could not be decoded.
    """
    from training.prepare import prepare_fma, prepare_folders

    if (fma is None) == (folders is None):
        raise click.UsageError("give one of --fma and --folders")
    if download and fma is None:
        raise click.UsageError("--download goes with --fma")
    if fma is not None:
        summary = prepare_fma(fma, output, download=download, n_jobs=n_jobs)
    else:
        assert folders is not None
        summary = prepare_folders(folders, output, n_jobs=n_jobs)
    for one in summary.left_out[:_MAX_LISTED]:
        click.echo(f"left out: {printable(Path(one.name))}: {one.why}: {one.detail}", err=True)
    n_more = len(summary.left_out) - _MAX_LISTED
    if n_more > 0:
        click.echo(f"left out: {n_more} more, listed beside the output", err=True)
    click.echo(f"{output}: {summary.n_tracks} tracks, {len(summary.left_out)} left out")
    if summary.n_damaged:
        click.get_current_context().exit(1)


@cli.command()
@_features
@click.option("-o", "--output", type=_FILE, required=True, help="The checkpoint to write.")
@_config
@click.option("--architecture", help="A name of a network in tagger/networks, such as cnn-gru.")
@_teacher
@_epochs
@click.option("--seed", type=int, help="Of split, weights and chance.")
@click.option("--resume", is_flag=True, help="Go on with a run that was cut off.")
@click.option("--log-dir", type=_FILE, help="The log for TensorBoard; default: beside OUTPUT.")
def fit(
    features_path: Path,
    output: Path,
    config_path: Path | None,
    teacher_path: Path | None,
    resume: bool,
    log_dir: Path | None,
    **overrides: Any,
) -> None:
    """Train one network and write a checkpoint."""
    from training.recipe import make_checkpoint

    logging.basicConfig(format="%(message)s", level=logging.INFO)
    config = _settings(config_path, overrides)
    card = make_checkpoint(
        features_path,
        output,
        config,
        teacher_path=teacher_path,
        resume=resume,
        log_dir=log_dir,
    )
    click.echo(f"{output}: {card.model_id}")


@cli.command()
@click.option("--checkpoint", "checkpoint_path", type=_FILE, required=True)
@_features
@click.option(
    "--split",
    type=click.Choice(["all", "validation", "test"]),
    default="all",
    show_default=True,
    help="Judge on all tracks of the file, or on those that fit set aside.",
)
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text")
def evaluate(checkpoint_path: Path, features_path: Path, split: str, format_: str) -> None:
    """Judge a checkpoint on a feature file."""
    from training.evaluation import as_text, evaluate_checkpoint

    report = evaluate_checkpoint(checkpoint_path, features_path, split=split)
    click.echo(json.dumps(report) if format_ == "json" else as_text(report))


@cli.command()
@_features
@click.option("-o", "--output", type=_FILE, required=True, help="The folder for the results.")
@click.option(
    "--protocol",
    type=click.Choice(["artist", "random", "official"]),
    default="artist",
    show_default=True,
    help="How tracks are set aside for the test.",
)
@click.option("--architectures", help="Which, with commas between; default: all.")
@click.option("--seeds", "n_seeds", type=click.IntRange(1), default=3, show_default=True)
@click.option("--folds", "n_folds", type=click.IntRange(2), help="Cross-validate in so many.")
@_epochs
@_config
@_teacher
@_jobs
def compare(
    features_path: Path,
    output: Path,
    architectures: str | None,
    n_folds: int | None,
    epochs: int | None,
    config_path: Path | None,
    teacher_path: Path | None,
    n_jobs: int | None,
    **chosen: Any,
) -> None:
    """Fit networks on the same split and keep each one's result in a folder.

    Cut off, it goes on where it was when it is run again; what is there is not run again.
    """
    from training.compare import compare_on_file
    from training.plan import VARIANTS, Plan

    config = _settings(config_path, {"epochs": epochs})
    variants = tuple(architectures.split(",") if architectures else VARIANTS)
    plan = Plan(variants, n_folds=n_folds or 0, **chosen)
    results = compare_on_file(
        features_path, config, plan, output, teacher_path=teacher_path, n_jobs=n_jobs
    )
    for result in results:
        low, high = result.accuracy_ci95
        click.echo(
            f"{result.variant:28s} seed {result.seed}  test {result.accuracy:.1%} "
            f"(95 % by artist: {low:.1%} to {high:.1%})"
        )


@cli.command()
@click.option("--results", type=_FILE, required=True, help="The folder that compare filled.")
@click.option("-o", "--output", type=_FILE, required=True, help="The Markdown file.")
def table(results: Path, output: Path) -> None:
    """Make the table of the networks compared, and its picture beside the results.

    In a file that is there already only what stands between the marks of a comparison is replaced.
    """
    from training.comparison import write_comparison

    for path in write_comparison(results, output):
        click.echo(path)


@cli.command()
@_features
@click.option("-o", "--output", type=_FILE, required=True, help="The folder for the study.")
@click.option("--trials", "n_trials", type=click.IntRange(1), required=True, help="In all.")
@_epochs
@_config
@_teacher
@_jobs
def tune(
    features_path: Path,
    output: Path,
    epochs: int | None,
    config_path: Path | None,
    **options: Any,
) -> None:
    """Search for better settings; the best are written as TOML for fit.

    Cut off, it goes on where it was when it is run again. The test tracks are never looked at.
    """
    from training.tune import tune_on_file

    config = _settings(config_path, {"epochs": epochs})
    best = tune_on_file(features_path, config, output, **options)
    click.echo(f"{best.path}: trial {best.number} of {best.n_trials}, {best.accuracy:.1%}")


@cli.command()
@click.option("--report", "report_path", type=_FILE, help="What evaluate --format json printed.")
@click.option("--history", "history_path", type=_FILE, help="The CSV that fit wrote.")
@click.option("--checkpoint", type=_FILE, help="Its attention over a track is drawn.")
@click.option("--audio", type=_FILE, help="That track: a sound file.")
@click.option("--features", "features_path", type=_FILE, help="Or the feature file it is in.")
@click.option("--track", "track_id", type=int, help="Its track_id there.")
@click.option("-o", "--output", type=_FILE, required=True, help="The folder for the pictures.")
def plots(
    report_path: Path | None, history_path: Path | None, output: Path, **attention: Any
) -> None:
    """Draw how a network was trained and judged and what it attends to, as PNG files."""
    from training.plots import plot_history, plot_report

    if not (report_path or history_path or attention["checkpoint"]):
        raise click.UsageError("give --report, --history or --checkpoint")
    written = plot_report(report_path, output) if report_path else []
    written += plot_history(history_path, output) if history_path else []
    if attention["checkpoint"]:
        written.append(_plot_attention(output=output, **attention))
    for path in written:
        click.echo(path)


@cli.command()
@click.argument("folder", metavar="DIR", type=_FILE)
@click.option("--checkpoint", "model", default="fast", show_default=True, help="Name or file.")
@click.option("-n", "n_tracks", type=click.IntRange(1), default=50, show_default=True)
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text")
def robustness(folder: Path, model: str, n_tracks: int, format_: str) -> None:
    """Hear tracks of DIR as they are and encoded in other ways; say how alike.

    A track is confident whose confidence reaches the least threshold of the model. Exit code 1
    says that in some variant fewer than 95 % of the confident tracks kept their likeliest genre,
    or that a probability changed by 0.05 or more on average.
    """
    from tqdm import tqdm

    from tagger.models.files import find_model
    from training.robustness import as_json, as_text, measure_robustness

    with tqdm(unit="track", disable=None) as bar:
        report = measure_robustness(folder, find_model(model), n_tracks, lambda _path: bar.update())
    click.echo(json.dumps(as_json(report)) if format_ == "json" else as_text(report))
    click.get_current_context().exit(0 if report.holds else 1)


@cli.command()
@click.option("--checkpoint", "model", default="fast", show_default=True, help="Name or file.")
@click.option("-n", "n_each", type=click.IntRange(1), default=20, show_default=True, help="A kind.")
@click.option("--seed", default=0, show_default=True)
@click.option("--folder", type=_FILE, help="Recordings of what is no music, to be heard as well.")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text")
def oddities(model: str, n_each: int, seed: int, folder: Path | None, format_: str) -> None:
    """Hear sounds that are no music: noise, tones, clicks, hum, whales, speech and others.

    Exit code 1 says that some of them would be given a genre.
    """
    from tqdm import tqdm

    from tagger.models.files import find_model
    from training.oddities import as_json, as_text, measure_oddities

    with tqdm(unit="kind", disable=None) as bar:
        report = measure_oddities(
            find_model(model), n_each, seed=seed, folder=folder, on_kind=lambda _kind: bar.update()
        )
    click.echo(json.dumps(as_json(report)) if format_ == "json" else as_text(report))
    click.get_current_context().exit(1 if report.n_written else 0)


def _plot_attention(
    *,
    checkpoint: Path,
    audio: Path | None,
    features_path: Path | None,
    track_id: int | None,
    output: Path,
) -> Path:
    from training.attention import plot_attention_in_audio, plot_attention_in_features

    if audio is not None:
        return plot_attention_in_audio(checkpoint, audio, output)
    if features_path is None or track_id is None:
        raise click.UsageError("--checkpoint goes with --audio, or with --features and --track")
    return plot_attention_in_features(checkpoint, features_path, track_id, output)


def _settings(config_path: Path | None, overrides: Mapping[str, Any]) -> FitConfig:
    """Return the settings of a file, if there is one, with what was given as an option."""
    from training.config import make_config, read_config

    values = read_config(config_path) if config_path else {}
    values |= {name: value for name, value in overrides.items() if value is not None}
    return make_config(values, config_path)


def main() -> None:
    """Run a command; a TaggerError becomes one line and exit code 2."""
    try:
        sys.exit(cli(standalone_mode=False) or 0)  # what click's Exit carried, or None
    except click.Abort:
        sys.exit(130)
    except click.ClickException as exc:
        exc.show()
        sys.exit(exc.exit_code)
    except TaggerError as exc:
        click.echo(f"error: {exc}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
