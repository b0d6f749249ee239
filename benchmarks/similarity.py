"""What finds music of the same genre best: `python -m benchmarks.similarity tracks` and `clips`.

`tracks` takes a feature file and networks fitted without the tracks that they are judged on: the
bundled one was fitted on all of them, and would only remember. What is compared was chosen on some
folds and is reported on the others; query and answers are never by one artist. `clips` takes a
folder of folders named by genre, and lets the bundled network and bliss-audio hear them.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks.retrieval import Array, Retrieval, cosine, interval, nearness, retrieve
from tagger.audio import load_segments
from tagger.hearing.analysis import score_track, segment_plan
from tagger.models.checkpoint import LoadedModel, load_checkpoint
from tagger.models.files import find_model
from training.config import make_config, read_config
from training.crossfit import fit_on
from training.dataset import FeatureFile, IntArray, folds_by_artist
from training.recipe import fitted_to, make_material
from training.scoring import score_tracks

OURS = "embedding (as `similar` compares)"
MELS = "mel statistics"
_FILE = click.Path(path_type=Path)


@click.group()
def main() -> None:
    """Measure how well similarity finds music of the same genre."""


@main.command()
@click.option("--features", type=_FILE, required=True, help="A feature file (.npz) with artists.")
@click.option("--teacher", type=_FILE, help="What the networks were taught with, if anything.")
@click.option("--config", type=_FILE, default=Path("training/default.toml"), show_default=True)
@click.option(
    "--states",
    type=_FILE,
    required=True,
    help="A folder of the networks' states (fold0.state …); those not there are fitted: hours.",
)
@click.option("--fold", "chosen", type=int, multiple=True, default=(0, 1, 2), show_default=True)
def tracks(
    features: Path, teacher: Path | None, config: Path, states: Path, chosen: tuple[int, ...]
) -> None:
    """Let each track of some folds look for its genre among the others of its fold."""
    settings = make_config(read_config(config), config)
    material = make_material(features, settings, teacher)
    settings = fitted_to(settings, material.features)
    folds = folds_by_artist(material.features, settings.folds, seed=settings.seed)
    found: dict[str, Retrieval] = {}
    for i in chosen:
        network = fit_on(material, folds[i], settings, states / f"fold{i}.state")
        logits, segments = score_tracks(network, material.features, folds[i], settings)
        ways = {
            **_ways(segments.mean(axis=1), logits.mean(axis=1)),
            MELS: cosine(standard(_statistics(material.features.mel), folds[i])),
        }
        _add(found, ways, material.features, folds[i])
    click.echo(table(found, "artists"))


@main.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--model", default="default", show_default=True, help="A model, or its file.")
@click.option("--bliss/--no-bliss", default=True, help="Compare with bliss-audio (pip install it).")
def clips(folder: Path, model: str, bliss: bool) -> None:
    """Let each clip look for others of its folder; whose they are is not looked at."""
    song = _bliss_song() if bliss else None  # said before all is heard, if it is not there
    paths = sorted(path for path in folder.glob("*/*") if path.is_file())
    loaded = load_checkpoint(find_model(model))
    heard = [hear(loaded, path) for path in paths]
    logits, embeddings, mels = (np.stack(part) for part in zip(*heard, strict=True))
    rows = np.arange(len(paths))
    ways = {**_ways(embeddings, logits), MELS: cosine(standard(mels, rows))}
    if song is not None:
        analyses = np.array([song(str(path)).analysis for path in paths])
        ways["bliss-audio, its own distance"] = nearness(analyses)
        ways["bliss-audio, standardised"] = nearness(standard(analyses, rows))
    genre = np.unique([path.parent.name for path in paths], return_inverse=True)[1]
    click.echo(table({name: retrieve(way, genre, rows) for name, way in ways.items()}, "clips"))


def _bliss_song() -> Any:
    """Return the class of bliss-audio that hears a file."""
    try:
        return importlib.import_module("bliss_audio").Song
    except ModuleNotFoundError as exc:
        raise click.ClickException("pip install bliss-audio, or say --no-bliss") from exc


def _ways(embeddings: Array, logits: Array) -> Mapping[str, Array]:
    """Return {how: (n, n) similarities} of tracks by what a network says of them."""
    even = logits - logits.mean(axis=1, keepdims=True)
    return {
        OURS: cosine(embeddings),
        "embedding, its positive part": cosine(np.maximum(embeddings, 0)),
        "embedding, whitened (32 axes)": cosine(_whitened(embeddings, 32)),
        "embedding, its distance": nearness(embeddings),
        "logits": cosine(even),
        "embedding and logits": cosine(embeddings) + cosine(even) / 2,
    }


def _whitened(vectors: Array, n_axes: int) -> Array:
    centred = vectors - vectors.mean(axis=0)
    values, axes = np.linalg.eigh(np.cov(centred.T))
    largest = np.argsort(-values)[:n_axes]
    white: Array = centred @ (
        axes[:, largest] / np.sqrt(np.maximum(values[largest], 1e-6) + 1e-3 * values.mean())
    )
    return white


def _statistics(mel: Array) -> Array:
    """Return mean, deviation and mean change of each band: (n, 3 * n_mels) of (n, n_mels, time)."""
    sound = mel.astype(np.float32)
    change = np.abs(np.diff(sound, axis=2)).mean(axis=2)
    return np.concatenate([sound.mean(axis=2), sound.std(axis=2), change], axis=1)


def standard(values: Array, rows: Array) -> Array:
    """Return some rows, each column with the mean and deviation of all rows taken out."""
    standard: Array = (values[rows] - values.mean(axis=0)) / (values.std(axis=0) + 1e-6)
    return standard


def hear(model: LoadedModel, path: Path) -> Sequence[Array]:
    """Return a file's logits, embedding and mel statistics, these from all segments."""
    import torch

    scores, _ = score_track(model, partial(load_segments, path))
    waveforms = load_segments(path, segment_plan(model.card)).waveforms
    with torch.inference_mode():
        mels = model.front_end(torch.from_numpy(waveforms)).numpy()
    statistics = _statistics(np.concatenate(list(mels), axis=1)[None])[0]
    return scores.logits.mean(axis=0), scores.embeddings.mean(axis=0), statistics


def _add(
    found: dict[str, Retrieval], ways: Mapping[str, Array], features: FeatureFile, rows: IntArray
) -> None:
    for name, way in ways.items():
        one = retrieve(way, features.genre[rows], features.artist_id[rows])
        found[name] = found[name].joined(one) if name in found else one


def table(found: Mapping[str, Retrieval], groups: str) -> str:
    """Return the figures as a table, in percent, and what ours has more than each other way.

    Args:
        found: By the name of the way.
        groups: What the intervals are over.
    """
    lines = [
        "| compared | precision at 10 | mean average precision | ours is better by (precision) |",
        "|---|--:|--:|--:|",
    ]
    ours = found[OURS]
    for name, one in found.items():
        gain = "" if name == OURS else _percent(ours.precision - one.precision, one.group)
        figures = [_percent(one.precision, one.group), _percent(one.average_precision, one.group)]
        lines.append(f"| {name} | {' | '.join(figures)} | {gain} |")
    n_queries = int(np.isfinite(ours.precision).sum())
    n_groups = len(np.unique(ours.group))
    said = f"{n_queries} queries, {n_groups} {groups}; in brackets the 95 % interval over {groups}."
    return "\n".join([*lines, "", said])


def _percent(values: Array, group: Array) -> str:
    mean, low, high = (100 * value for value in interval(values, group))
    return f"{mean:.1f} ({low:.1f} to {high:.1f})"


if __name__ == "__main__":
    main()
