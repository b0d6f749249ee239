"""Networks compared on the same split: fitted, judged, each result kept so that none is run twice.

A run is a network, a seed and a protocol. Its result is a JSON file in a folder, its log a CSV file
beside that; while it runs its state is there too, and a run that was cut off goes on from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import islice
from pathlib import Path

import joblib
import numpy as np
import torch
from tqdm import tqdm

from tagger.errors import ConfigError, DatasetError, os_reason
from tagger.networks import Network
from training.config import FitConfig
from training.crossfit import Material
from training.dataset import FeatureFile, IntArray, Split
from training.loop import fit
from training.metrics import bootstrap_interval, confusion, macro_f1, per_genre
from training.plan import Plan, Run, make_runs, make_splits
from training.progress import write_history
from training.protocols import n_shared_artists
from training.recipe import make_material
from training.results import Result, load_result, save_result
from training.scoring import score_tracks


@dataclass(frozen=True, slots=True)
class _Judged:
    """What one fit came to: what it said (n_test,) of the tracks that it is judged on."""

    said: IntArray
    validation_accuracy: float | None
    n_parameters: int
    n_epochs: int
    seconds: float


def compare(
    material: Material,
    config: FitConfig,
    plan: Plan,
    folder: Path,
    *,
    features_name: str,
    n_jobs: int = 1,
    on_fit: Callable[[], None] = lambda: None,
) -> list[Result]:
    """Fit and judge what a plan names, and return all its results, those found there included.

    Args:
        material: What is fitted on.
        config: The settings that all share.
        plan: What is compared.
        folder: Where results are kept, made where missing.
        features_name: What the results call the feature file.
        n_jobs: Fits at a time, a core each.
        on_fit: Called after each fit, or what stands for one.

    Raises:
        ConfigError: the plan names what there is not, or a result found is of other settings.
        DatasetError: the tracks cannot be split so, or a result cannot be read or saved.
        CheckpointError: the state of a fit cannot, or is of another run.
    """
    splits = make_splits(plan, material.features)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise DatasetError(os_reason(exc), folder) from exc
    runs = make_runs(plan, config, material, splits, folder)
    todo = [run for run in runs if not _is_done(run)]
    for _ in range(len(splits) * (len(runs) - len(todo))):
        on_fit()
    judged = _judged(todo, material, splits, n_jobs, on_fit)
    for run in todo:
        parts = list(islice(judged, len(splits)))
        result = _result(run, parts, splits, material.features, features_name)
        save_result(result, run.result_path)
        for part in range(len(splits)):
            run.part_path(part, "state").unlink(missing_ok=True)
    return [load_result(run.result_path) for run in runs]


def compare_on_file(
    features_path: Path,
    config: FitConfig,
    plan: Plan,
    folder: Path,
    *,
    teacher_path: Path | None = None,
    n_jobs: int | None = None,
) -> list[Result]:
    """Read a feature file and compare networks on it, a bar on the terminal; see ``compare``.

    Raises:
        DatasetError, ConfigError, CheckpointError: see ``compare``.
    """
    material = make_material(features_path, config, teacher_path)
    n_fits = len(plan.variants) * plan.n_seeds * max(1, plan.n_folds)
    with tqdm(total=n_fits, unit="fit", disable=None) as bar:

        def advance() -> None:
            bar.update()

        return compare(
            material,
            config,
            plan,
            folder,
            features_name=features_path.name,
            n_jobs=n_jobs or joblib.cpu_count(),
            on_fit=advance,
        )


def _is_done(run: Run) -> bool:
    if not run.result_path.exists():
        return False
    if load_result(run.result_path).identity != run.identity:
        raise ConfigError(
            "is the result of other settings or tracks; delete it or name another folder",
            run.result_path,
        )
    return True


def _judged(
    runs: Sequence[Run],
    material: Material,
    splits: Sequence[Split],
    n_jobs: int,
    on_fit: Callable[[], None],
) -> Iterator[_Judged]:
    """Yield what each fit of each run came to, in order; they run side by side."""
    calls = (
        joblib.delayed(_fit)(material, split, run.config, run.part_path(i, "state"))
        for run in runs
        for i, split in enumerate(splits)
    )
    for judged in joblib.Parallel(n_jobs=n_jobs, return_as="generator")(calls):
        on_fit()
        yield judged


def _fit(material: Material, split: Split, config: FitConfig, state_path: Path) -> _Judged:
    torch.set_num_threads(1)
    network, history = fit(material.lesson(split), config, state_path=state_path)
    write_history(state_path.with_suffix(".csv"), history)
    features, held_out = material.features, split.validation
    accuracy = None
    if len(held_out):
        said = _labels_said(network, features, held_out, config)
        accuracy = float((said == features.genre[held_out]).mean())
    return _Judged(
        _labels_said(network, features, split.test, config),
        accuracy,
        network.n_parameters,
        len(history),
        sum(line.seconds for line in history),
    )


def _labels_said(
    network: Network, features: FeatureFile, rows: IntArray, config: FitConfig
) -> IntArray:
    logits, _ = score_tracks(network, features, rows, config)
    said: IntArray = logits.mean(axis=1).argmax(axis=1)
    return said


def _result(
    run: Run,
    parts: Sequence[_Judged],
    splits: Sequence[Split],
    features: FeatureFile,
    features_name: str,
) -> Result:
    rows = np.concatenate([split.test for split in splits])
    said = np.concatenate([part.said for part in parts])
    truth = features.genre[rows]
    right = said == truth
    shared = [n_shared_artists(split, features.artist_id) for split in splits]
    ends = np.cumsum([len(split.test) for split in splits])[:-1]
    genres = per_genre(confusion(truth, said, len(features.labels)), features.labels)
    return Result(
        protocol=run.plan.protocol,
        variant=run.variant,
        seed=run.config.seed,
        n_folds=run.plan.n_folds,
        n_parameters=parts[0].n_parameters,
        n_training=round(np.mean([len(split.training) for split in splits])),
        n_validation=len(splits[0].validation),
        n_test=len(rows),
        n_shared_artists=round(np.mean(shared)),
        epochs=[part.n_epochs for part in parts],
        seconds=sum(part.seconds for part in parts),
        validation_accuracy=parts[0].validation_accuracy,
        test_accuracies=[float(part.mean()) for part in np.split(right, ends)],
        accuracy=float(right.mean()),
        accuracy_ci95=list(bootstrap_interval(right.astype(float), features.artist_id[rows])),
        macro_f1=macro_f1(genres),
        settings=run.config.to_dict(),
        identity=run.identity,
        features=features_name,
        versions={name: version(name) for name in ("torch", "torchaudio", "numpy")},
    )
