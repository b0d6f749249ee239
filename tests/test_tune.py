"""The search for settings: resumable, pruned, parallel, and blind to the test tracks."""

import csv
import fcntl
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest

import training.__main__
from tagger.errors import ConfigError
from tests.synthetic import write_features
from tests.test_training import TINY
from training.batches import Lesson
from training.config import FitConfig, make_config, read_config
from training.crossfit import Material
from training.dataset import FeatureFile, load_features, split_by_artist
from training.progress import Epoch
from training.recipe import make_checkpoint
from training.search_space import SPACE, WITH_TEACHER, drawn_as, space_of
from training.tune import Best, tune

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
CONFIG = replace(TINY, epochs=4)


@pytest.fixture
def features(tmp_path: Path) -> FeatureFile:
    return load_features(write_features(tmp_path / "features.npz"))


def tuned(features: FeatureFile, folder: Path, n_trials: int, **options: Any) -> Best:
    return tune(Material(features), CONFIG, folder, n_trials=n_trials, **options)


def trials_in(folder: Path) -> list[optuna.trial.FrozenTrial]:
    storage = f"sqlite:///{folder / 'study.db'}"
    return optuna.load_study(study_name="tune", storage=storage).trials


Lessons = list[tuple[Lesson, FitConfig]]


def pretend(
    monkeypatch: pytest.MonkeyPatch, accuracy: Callable[[FitConfig, int], float]
) -> Lessons:
    """Replace fitting by a made-up validation accuracy; return what it is asked for."""
    asked: Lessons = []

    def fit(
        lesson: Lesson, config: FitConfig, *, state_path: Path, on_epoch: Callable[[Epoch], None]
    ) -> tuple[None, list[Epoch]]:
        asked.append((lesson, config))
        history = []
        for epoch in range(config.epochs):
            history.append(Epoch(epoch, 1.0, accuracy(config, epoch), 0.1, 1.0))
            on_epoch(history[-1])
        return None, history

    monkeypatch.setattr("training.tune.fit", fit)
    return asked


def test_the_best_settings_feed_fit(
    features: FeatureFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = pretend(monkeypatch, lambda config, _: 1.0 - abs(config.learning_rate - 0.003))
    best = tuned(features, tmp_path / "s", 6)
    settings = make_config(read_config(best.path))
    rates = [config.learning_rate for _, config in asked]
    assert settings.learning_rate == min(rates, key=lambda rate: abs(rate - 0.003))
    assert settings == asked[best.number][1]
    assert best.accuracy == pytest.approx(1.0 - abs(settings.learning_rate - 0.003))
    monkeypatch.undo()
    path = tmp_path / "features.npz"
    card = make_checkpoint(path, tmp_path / "m.pt", replace(settings, epochs=1))
    assert card.provenance["settings"]["learning_rate"] == settings.learning_rate


def test_the_first_trial_is_what_it_began_from(
    features: FeatureFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = pretend(monkeypatch, lambda *_: 0.5)
    config = replace(CONFIG, network=replace(CONFIG.network, gru_size=64))
    tune(Material(features), config, tmp_path, n_trials=2)
    fitted = replace(config, network=replace(config.network, n_labels=3))
    assert asked[0][1] == fitted != asked[1][1]


def test_no_test_track_is_ever_at_hand(
    features: FeatureFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = pretend(monkeypatch, lambda *_: 0.5)
    tuned(features, tmp_path, 1)
    lesson = asked[0][0]
    split = split_by_artist(features, CONFIG.seed)
    at_hand = set(lesson.features.track_id.tolist())
    assert not at_hand & set(features.track_id[split.test].tolist())
    assert len(at_hand) == len(features) - len(split.test)
    for part in ("training", "validation"):
        used = lesson.features.track_id[getattr(lesson.split, part)]
        assert used.tolist() == features.track_id[getattr(split, part)].tolist()


def test_hopeless_trials_are_pruned(
    features: FeatureFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = pretend(monkeypatch, lambda config, _: 0.1 if len(asked) > 6 else 0.5)
    tuned(features, tmp_path, 8)
    states = [trial.state for trial in trials_in(tmp_path)]
    assert states == [optuna.trial.TrialState.COMPLETE] * 6 + [optuna.trial.TrialState.PRUNED] * 2
    assert len(trials_in(tmp_path)[-1].intermediate_values) < CONFIG.epochs
    with (tmp_path / "trials.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["state"] for row in rows] == ["COMPLETE"] * 6 + ["PRUNED"] * 2
    assert rows[0].keys() == {"number", "state", "value", *SPACE}


def test_a_search_goes_on_where_it_was(
    features: FeatureFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = pretend(monkeypatch, lambda *_: 0.5)
    done: list[int] = []
    tuned(features, tmp_path, 2)
    tuned(features, tmp_path, 5, on_trial=done.append)
    tuned(features, tmp_path, 5)
    assert len(asked) == len(trials_in(tmp_path)) == 5
    assert done == [2, 3, 4, 5]
    assert len({config.learning_rate for _, config in asked}) == 5


KILLED = """
import os, signal, sys
from pathlib import Path
import training.tune
from tests.test_tune import load_features, tuned
fit = training.tune.fit

def killed(lesson, config, *, state_path, on_epoch):
    def kill(line):
        on_epoch(line)
        if line.epoch == 1:
            os.kill(os.getpid(), signal.SIGKILL)
    return fit(lesson, config, state_path=state_path, on_epoch=kill)

training.tune.fit = killed
tuned(load_features(Path(sys.argv[1])), Path(sys.argv[2]), 1)
"""


def test_a_killed_trial_is_gone_on_with(features: FeatureFile, tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    command = [sys.executable, "-c", KILLED, str(tmp_path / "features.npz"), str(folder)]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == -signal.SIGKILL
    assert len(list(folder.glob("*.state"))) == 1
    resumed, whole = tuned(features, folder, 1), tuned(features, tmp_path / "whole", 1)
    assert resumed.accuracy == whole.accuracy
    cut_off, gone_on_with = trials_in(folder)
    assert cut_off.state == optuna.trial.TrialState.FAIL
    assert cut_off.params == gone_on_with.params
    assert list(gone_on_with.intermediate_values) == [2, 3]
    assert not list(folder.glob("*.state"))


def test_processes_share_a_study(features: FeatureFile, tmp_path: Path) -> None:
    config = replace(CONFIG, epochs=1)
    best = tune(Material(features), config, tmp_path, n_trials=3, n_jobs=2)
    assert best.n_trials == len(trials_in(tmp_path)) == 3
    assert len({str(trial.params) for trial in trials_in(tmp_path)}) == 3


def test_a_study_of_other_settings_or_at_work_is_refused(
    features: FeatureFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch, lambda *_: 0.5)
    tuned(features, tmp_path, 1)
    with pytest.raises(ConfigError, match="other settings"):
        tune(Material(features), replace(CONFIG, epochs=5), tmp_path, n_trials=1)
    with (tmp_path / "search.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(ConfigError, match="another process"):
            tuned(features, tmp_path, 2)


def test_the_space_holds_the_defaults_and_their_names() -> None:
    space = space_of(has_teacher=True)
    assert space.keys() == {*SPACE, *WITH_TEACHER}
    assert drawn_as(FitConfig(), space).keys() == space.keys()
    outside = replace(FitConfig(), batch_size=48, learning_rate=1.0)
    assert space.keys() - drawn_as(outside, space).keys() == {"batch_size", "learning_rate"}


def test_the_command_says_where_the_best_settings_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    asked = pretend(monkeypatch, lambda *_: 0.5)
    path, folder = write_features(tmp_path / "f.npz"), tmp_path / "s"
    arguments = ["--features", path, "-o", folder, "--trials", 1, "--epochs", 2, "--jobs", 1]
    monkeypatch.setattr(sys, "argv", ["training", "tune", *map(str, arguments)])
    with pytest.raises(SystemExit) as exited:
        training.__main__.main()
    assert exited.value.code == 0
    assert capsys.readouterr().out == f"{folder / 'best.toml'}: trial 0 of 1, 50.0%\n"
    assert asked[0][1].epochs == 2
