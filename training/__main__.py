"""The training side's command line: ``python -m training fit`` and ``evaluate``."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any

import click

from tagger.errors import TaggerError

_FILE = click.Path(path_type=Path)


@click.group()
def cli() -> None:
    """Fit and judge the networks that the tagger uses."""


@cli.command()
@click.option(
    "--features", "features_path", type=_FILE, required=True, help="A feature file (.npz)."
)
@click.option("-o", "--output", type=_FILE, required=True, help="The checkpoint to write.")
@click.option("--config", "config_path", type=_FILE, help="Settings, TOML.")
@click.option("--architecture", help="cnn, gru, cnn-gru or cnn-gru-attention.")
@click.option("--teacher", "teacher_path", type=_FILE, help="Embeddings to imitate (.npz).")
@click.option("--epochs", type=click.IntRange(1), help="At most so many.")
@click.option("--seed", type=int, help="Of split, weights and chance.")
@click.option("--resume", is_flag=True, help="Go on with a run that was cut off.")
def fit(
    features_path: Path,
    output: Path,
    config_path: Path | None,
    teacher_path: Path | None,
    resume: bool,
    **overrides: Any,
) -> None:
    """Train one network and write a checkpoint."""
    from training.config import make_config, read_config
    from training.recipe import make_checkpoint

    logging.basicConfig(format="%(message)s", level=logging.INFO)
    values = read_config(config_path) if config_path else {}
    values |= {name: value for name, value in overrides.items() if value is not None}
    config = make_config(values, config_path)
    card = make_checkpoint(features_path, output, config, teacher_path=teacher_path, resume=resume)
    click.echo(f"{output}: {card.model_id}")


@cli.command()
@click.option("--checkpoint", "checkpoint_path", type=_FILE, required=True)
@click.option(
    "--features", "features_path", type=_FILE, required=True, help="A feature file (.npz)."
)
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


def main() -> None:
    """Run a command; a TaggerError becomes one line and exit code 2."""
    try:
        cli(standalone_mode=False)
    except click.exceptions.Exit as exc:
        sys.exit(exc.exit_code)
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
