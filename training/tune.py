"""Search for better settings: many short runs, the hopeless ones ended early, none counted twice.

What a trial is judged by is its best accuracy on the validation tenth. The test tenth is taken away
before anything else, so that nothing here can look at it. The noise of one validation tenth is
about three points: whether the best trial is better than the settings it began from is for
``compare --folds`` to say.
"""

from __future__ import annotations

import csv
import fcntl
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import joblib
import numpy as np
import optuna
import torch
from optuna.trial import TrialState
from tqdm import tqdm

from tagger.errors import ConfigError, DatasetError, os_reason
from training.config import FitConfig, to_toml
from training.crossfit import Material
from training.dataset import IntArray, Split, split_by_artist
from training.loop import fit
from training.progress import Epoch
from training.recipe import fitted_to, make_material
from training.search_space import Dimension, drawn_as, space_of, suggested

_STUDY = "tune"
_STARTUP_TRIALS = 5  # before which none is pruned: a median of fewer says little
_DONE = (TrialState.COMPLETE, TrialState.PRUNED)


@dataclass(frozen=True, slots=True)
class Best:
    """The best trial: its number, its validation accuracy, and the settings, written as TOML."""

    number: int
    accuracy: float
    n_trials: int
    path: Path


@dataclass(frozen=True)
class _Task:
    """What all trials share."""

    material: Material
    split: Split
    config: FitConfig
    folder: Path

    @property
    def identity(self) -> str:
        """A digest of settings and tracks, by which a study is known again."""
        features = self.material.features
        settings = self.config.to_dict() | {"n_threads": 0}
        digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
        digest.update(features.track_id.tobytes() + features.genre.tobytes())
        if self.material.embedding is not None:
            digest.update(self.material.embedding.tobytes())
        return digest.hexdigest()


def tune_on_file(
    features_path: Path,
    config: FitConfig,
    folder: Path,
    *,
    n_trials: int,
    teacher_path: Path | None = None,
    n_jobs: int | None = None,
) -> Best:
    """Read a feature file and search, a bar on the terminal; see ``tune``.

    Raises:
        DatasetError, ConfigError, CheckpointError: see ``tune``.
    """
    material = make_material(features_path, config, teacher_path)
    with tqdm(total=n_trials, unit="trial", disable=None) as bar:

        def show(n_done: int) -> None:
            bar.update(n_done - bar.n)

        n_jobs = n_jobs or joblib.cpu_count()
        return tune(material, config, folder, n_trials=n_trials, n_jobs=n_jobs, on_trial=show)


def tune(
    material: Material,
    config: FitConfig,
    folder: Path,
    *,
    n_trials: int,
    n_jobs: int = 1,
    on_trial: Callable[[int], None] = lambda _: None,
) -> Best:
    """Try settings until so many trials are done, and write the best ones as ``best.toml``.

    The study is a SQLite file in the folder; a search that was cut off goes on there, the trials it
    was at included. Beside it ``trials.csv`` lists all of them.

    Args:
        material: What is fitted on; its test tenth is left out.
        config: The settings to begin from, which are the first trial.
        folder: Where the study is, made where missing.
        n_trials: How many in all, those found in the study included.
        n_jobs: Trials at a time, a core each.
        on_trial: Told after each trial how many are done.

    Raises:
        ConfigError: the study is of other settings or tracks, or searched by another process.
        DatasetError: the tracks cannot be split, or a file cannot be written.
        CheckpointError: the state of a trial cannot be read or saved.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    task = _without_test(material, config, folder)
    with _only_one_search(folder):
        study = _open_study(task)
        _begin_again(study)
        n_done = len(study.get_trials(states=_DONE))
        on_trial(n_done)
        n_begun = sum(trial.state != TrialState.WAITING for trial in study.trials)
        calls = (joblib.delayed(_try)(task, n_begun + i) for i in range(n_trials - n_done))
        for _ in joblib.Parallel(n_jobs, return_as="generator_unordered")(calls):
            n_done += 1
            on_trial(n_done)
        return _write_best(study, task)


def _without_test(material: Material, config: FitConfig, folder: Path) -> _Task:
    """Return the task without the tracks on which ``fit`` would report."""
    features = material.features
    config = fitted_to(config, features)
    split = split_by_artist(features, config.seed)
    rows = np.setdiff1d(np.arange(len(features)), split.test)
    nothing: IntArray = np.zeros(0, dtype=np.int64)
    return _Task(
        replace(
            material,
            features=features.take(rows),
            embedding=None if material.embedding is None else material.embedding[rows],
        ),
        Split(
            np.searchsorted(rows, split.training),
            np.searchsorted(rows, split.validation),
            nothing,
        ),
        config,
        folder,
    )


@contextmanager
def _only_one_search(folder: Path) -> Iterator[None]:
    """Hold the folder, so that what seems to run there was cut off."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "search.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as exc:
                raise ConfigError("another process searches here; wait for it", folder) from exc
            yield
    except OSError as exc:
        raise DatasetError(os_reason(exc), folder) from exc


def _storage(folder: Path) -> optuna.storages.RDBStorage:
    # Writers wait for one another; a trial writes a few rows an epoch.
    arguments = {"connect_args": {"timeout": 60}}
    return optuna.storages.RDBStorage(f"sqlite:///{folder / 'study.db'}", engine_kwargs=arguments)


def _open_study(task: _Task) -> optuna.Study:
    study = optuna.create_study(
        study_name=_STUDY,
        storage=_storage(task.folder),
        direction="maximize",
        load_if_exists=True,
    )
    known = study.user_attrs.get("identity")
    if known is None:
        study.set_user_attr("identity", task.identity)
        study.enqueue_trial(drawn_as(task.config, _space(task)))
    elif known != task.identity:
        raise ConfigError(
            "holds a study of other settings or tracks; name another folder", task.folder
        )
    return study


def _begin_again(study: optuna.Study) -> None:
    """Queue the trials that were cut off: they find their state by their settings and go on."""
    for trial in study.get_trials(states=[TrialState.RUNNING]):
        study.tell(trial.number, state=TrialState.FAIL)
        study.enqueue_trial(trial.params)


def _space(task: _Task) -> dict[str, Dimension]:
    return space_of(has_teacher=task.material.embedding is not None)


def _try(task: _Task, number: int) -> None:
    """Run one trial, in a process of its own."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    torch.set_num_threads(1)
    study = optuna.load_study(
        study_name=_STUDY,
        storage=_storage(task.folder),
        sampler=optuna.samplers.TPESampler(seed=task.config.seed * 100_003 + number),
        pruner=optuna.pruners.MedianPruner(
            n_startup_trials=_STARTUP_TRIALS, n_warmup_steps=task.config.epochs // 4
        ),
    )
    # One after the other: on SQLite two that ask at the same moment may be given the same trial.
    with (task.folder / "ask.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        trial = study.ask()
    try:
        study.tell(trial, _accuracy_of(trial, task))
    except optuna.TrialPruned:
        study.tell(trial, state=TrialState.PRUNED)


def _accuracy_of(trial: optuna.Trial, task: _Task) -> float:
    """Return the best validation accuracy of a trial's settings.

    Raises:
        TrialPruned: it lags behind the others.
    """
    config = suggested(trial, task.config, _space(task))
    name = hashlib.sha256(json.dumps(trial.params, sort_keys=True).encode()).hexdigest()[:16]
    state_path = task.folder / f"{name}.state"

    def report(line: Epoch) -> None:
        accuracy = line.validation_accuracy
        assert accuracy is not None
        trial.report(accuracy, line.epoch)
        if trial.should_prune():
            state_path.unlink(missing_ok=True)
            raise optuna.TrialPruned

    lesson = task.material.lesson(task.split)
    _, history = fit(lesson, config, state_path=state_path, on_epoch=report)
    state_path.unlink(missing_ok=True)
    return max(line.validation_accuracy or 0.0 for line in history)


def _write_best(study: optuna.Study, task: _Task) -> Best:
    trials = study.get_trials(states=_DONE)
    best = study.best_trial
    settings = suggested(optuna.trial.FixedTrial(best.params), task.config, _space(task))
    path = task.folder / "best.toml"
    heading = (
        f"# Trial {best.number} of {len(trials)}: {best.value:.1%} right on the validation tenth "
        "(its noise: three points).\n"
    )
    columns = ["number", "state", "value", *_space(task)]
    try:
        path.write_text(heading + to_toml(settings), encoding="utf-8")
        with (task.folder / "trials.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            for trial in trials:
                about = {"number": trial.number, "state": trial.state.name, "value": trial.value}
                writer.writerow(about | trial.params)
    except OSError as exc:
        raise DatasetError(os_reason(exc), path) from exc
    return Best(best.number, float(best.value or 0.0), len(trials), path)
