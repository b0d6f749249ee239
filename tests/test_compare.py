"""Networks compared: on the same honest split, never run twice, the table out of the results."""

import json
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

import training.__main__
from tagger.errors import ConfigError, DatasetError
from tests.synthetic import write_features
from tests.test_training import TINY
from training.compare import compare
from training.comparison import write_comparison
from training.crossfit import Material
from training.dataset import FeatureFile, load_features
from training.plan import VARIANTS, Plan
from training.protocols import folds_by, n_shared_artists, split_by
from training.results import Result, load_results, save_result

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
CONFIG = replace(TINY, epochs=4)
ONE = Plan(variants=("cnn",), n_seeds=1)


@pytest.fixture
def features(tmp_path: Path) -> FeatureFile:
    return load_features(write_features(tmp_path / "features.npz"))


def compared(features: FeatureFile, plan: Plan, folder: Path) -> list[Result]:
    return compare(Material(features), CONFIG, plan, folder, features_name="features.npz")


def test_every_network_is_fitted_and_judged_once_a_seed(
    features: FeatureFile, tmp_path: Path
) -> None:
    plan, folder = Plan(n_seeds=1), tmp_path / "r"
    results = compare(Material(features), replace(TINY, epochs=10), plan, folder, features_name="f")
    assert [result.variant for result in results] == list(VARIANTS)
    assert len({result.n_parameters for result in results}) == len(VARIANTS)
    for result in results:
        assert result.accuracy > 0.8 and result.validation_accuracy is not None
        assert result.n_training + result.n_validation + result.n_test == len(features)
        assert result.n_shared_artists == 0
    separable = results[-1].settings["network"]["separable"]
    assert separable and not results[-2].settings["network"]["separable"]
    kept = {path.suffix for path in (tmp_path / "r").iterdir()}
    assert kept == {".json", ".csv"}


def test_what_is_there_is_not_run_again(
    features: FeatureFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = compared(features, ONE, tmp_path)
    ticks: list[None] = []
    with monkeypatch.context() as patched:
        patched.setattr("training.compare.fit", None)  # would fail if it were called
        again = compare(
            Material(features),
            replace(CONFIG, n_threads=2),
            ONE,
            tmp_path,
            features_name="features.npz",
            on_fit=lambda: ticks.append(None),
        )
    assert again == first
    assert len(ticks) == 1


def test_a_result_of_other_settings_or_tracks_is_refused(
    features: FeatureFile, tmp_path: Path
) -> None:
    compared(features, ONE, tmp_path)
    with pytest.raises(ConfigError, match="other settings"):
        compare(Material(features), TINY, ONE, tmp_path, features_name="f")
    fewer = features.take(np.arange(4, len(features)))
    with pytest.raises(ConfigError, match="or tracks"):
        compared(fewer, ONE, tmp_path)


KILLED = """
import os, signal, sys
from pathlib import Path
import training.compare
from tests.test_compare import CONFIG, ONE, Material, compare, load_features
fit = training.compare.fit

def killed(lesson, config, *, state_path):
    def kill(line):
        if line.epoch == 1:
            os.kill(os.getpid(), signal.SIGKILL)
    return fit(lesson, config, state_path=state_path, on_epoch=kill)

training.compare.fit = killed
features, folder = Path(sys.argv[1]), Path(sys.argv[2])
compare(Material(load_features(features)), CONFIG, ONE, folder, features_name="features.npz")
"""


def test_a_killed_comparison_goes_on_to_the_same_result(
    features: FeatureFile, tmp_path: Path
) -> None:
    arguments = [str(tmp_path / "features.npz"), str(tmp_path / "killed")]
    done = subprocess.run([sys.executable, "-c", KILLED, *arguments], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    (state,) = (tmp_path / "killed").iterdir()
    assert state.suffix == ".state"
    (whole,) = compared(features, ONE, tmp_path / "whole")
    (resumed,) = compared(features, ONE, tmp_path / "killed")
    assert replace(resumed, seconds=whole.seconds) == whole


@pytest.mark.parametrize("protocol", ["artist", "random"])
def test_in_folds_every_track_is_judged_once(
    protocol: str, features: FeatureFile, tmp_path: Path
) -> None:
    (result,) = compared(features, replace(ONE, protocol=protocol, n_folds=2), tmp_path)
    assert result.n_test == len(features) and result.n_validation == 0
    assert len(result.test_accuracies) == 2 and result.epochs == [CONFIG.epochs] * 2
    assert np.mean(result.test_accuracies) == pytest.approx(result.accuracy)
    assert (result.n_shared_artists > 0) == (protocol == "random")
    low, high = result.accuracy_ci95
    assert low <= result.accuracy <= high


def test_only_the_random_protocol_shares_artists(features: FeatureFile) -> None:
    for protocol, shares in (("artist", False), ("random", True)):
        split = split_by(protocol, features)
        parts = (split.training, split.validation, split.test)
        assert sorted(np.concatenate(parts).tolist()) == list(range(len(features)))
        assert (n_shared_artists(split, features.artist_id) > 0) == shares
        for fold in folds_by(protocol, features, 3):
            assert (n_shared_artists(fold, features.artist_id) > 0) == shares


def test_the_official_split_is_the_one_in_the_file(tmp_path: Path) -> None:
    names = np.array(["training"] * 200 + ["validation"] * 20 + ["test"] * 20)
    split = split_by("official", load_features(write_features(tmp_path / "f.npz", split=names)))
    assert split.training.tolist() == list(range(200))
    assert split.validation.tolist() == list(range(200, 220))
    assert split.test.tolist() == list(range(220, 240))


def test_what_lacks_the_official_split_is_told_where_to_get_it(tmp_path: Path) -> None:
    without = load_features(write_features(tmp_path / "a.npz"))
    with pytest.raises(DatasetError, match=r"no training or validation or test .*prepare --fma"):
        split_by("official", without)
    names = np.array(["training"] * 200 + ["validation"] * 40)
    lacks_test = load_features(write_features(tmp_path / "b.npz", split=names))
    with pytest.raises(DatasetError, match="no test tracks"):
        split_by("official", lacks_test)
    with pytest.raises(DatasetError, match="split must be"):
        load_features(write_features(tmp_path / "c.npz", split=np.arange(240)))


def test_protocols_and_networks_that_there_are_not_are_refused(
    features: FeatureFile, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="no protocol 'monthly'"):
        compared(features, replace(ONE, protocol="monthly"), tmp_path)
    with pytest.raises(ConfigError, match="folds go with"):
        compared(features, replace(ONE, protocol="official", n_folds=2), tmp_path)
    with pytest.raises(ConfigError, match="'rnn' to compare"):
        compared(features, replace(ONE, variants=("rnn",)), tmp_path)


def result_of(**changed: object) -> Result:
    made = Result(
        *("artist", "cnn", 1, 0, 285_224, 5700, 698, 698, 0, [20], 200.0, 0.51, [0.5], 0.5),
        *([0.45, 0.55], 0.48, {"epochs": 20}, "abc", "training.npz", {"torch": "2.13.0"}),
    )
    return replace(made, **changed)  # type: ignore[arg-type]


def saved(folder: Path, *results: Result) -> Path:
    folder.mkdir(exist_ok=True)
    for i, result in enumerate(results):
        save_result(result, folder / f"{i}.json")
    return folder


def rows_of(path: Path) -> list[list[str]]:
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line[:1] == "|"]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_table_is_the_mean_of_the_seeds_and_their_range(tmp_path: Path) -> None:
    folder = saved(
        tmp_path / "r",
        result_of(),
        result_of(seed=2, accuracy=0.53, seconds=400.0, validation_accuracy=0.53),
        result_of(protocol="random", variant="gru", n_shared_artists=190, accuracy=0.61),
        result_of(n_folds=5, test_accuracies=[0.5, 0.6, 0.55, 0.5, 0.6], accuracy=0.551),
    )
    text, picture = write_comparison(folder, tmp_path / "table.md")
    rows = rows_of(text)
    cnn = ["artists apart", "CNN", "285,224", "15.0", "52.0 % (51.0 to 53.0)"]
    assert rows[2] == [*cnn, "51.5 % (50.0 to 53.0)", "0.480"]
    assert rows[3][:2] == ["random, no duplicates", "GRU"] and rows[3][5] == "61.0 %"
    published = [row for row in rows if row[0].startswith("published")]
    assert [row[4:6] for row in published][-1] == ["61.06 %", "61.71 %"]
    assert rows[-1][2:5] == ["5", "55.0 % (50.0 to 60.0)", "45.0 to 55.0 %"]
    assert "698 test tracks, 190 of their artists trained on as well" in text.read_text()
    assert "![Test accuracy of each network and protocol](r/comparison.png)" in text.read_text()
    assert min(imread(picture).shape[:2]) > 300


def test_a_table_takes_the_place_of_the_one_before_and_of_nothing_else(tmp_path: Path) -> None:
    folder, page = saved(tmp_path / "r", result_of()), tmp_path / "README.md"
    write_comparison(folder, page)
    page.write_text(f"# Ours\n{page.read_text()}The end.\n")
    before = page.read_text()
    saved(folder, result_of(accuracy=0.7))
    write_comparison(folder, page)
    after = page.read_text()
    assert after != before and after.replace("70.0 %", "50.0 %") == before
    page.write_text("# Without a place\n")
    with pytest.raises(DatasetError, match="has no place"):
        write_comparison(folder, page)
    assert page.read_text() == "# Without a place\n"


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"protocol": "artist"}'])
def test_what_is_no_result_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(DatasetError, match="no results"):
        load_results(tmp_path)
    (tmp_path / "r.json").write_text(content)
    with pytest.raises(DatasetError, match=r"not JSON|not a result"):
        load_results(tmp_path)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["training", *map(str, arguments)])
    with pytest.raises(SystemExit) as exited:
        training.__main__.main()
    return int(exited.value.code or 0)


def test_the_commands_compare_and_tabulate(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path, folder = write_features(tmp_path / "f.npz"), tmp_path / "r"
    (tmp_path / "c.toml").write_text(
        "batch_size = 32\nmax_segments = 2\n[network]\nchannels = [4, 8, 8, 8]\ngru_size = 8\n"
        "[front_end]\nn_frames = 16\n[augment]\ntime_mask = 2\n"
    )
    asked = ["--features", path, "-o", folder, "--config", tmp_path / "c.toml", "--jobs", "1"]
    asked += ["--epochs", "1", "--seeds", "2"]
    assert run(monkeypatch, "compare", *asked, "--architectures", "cnn,gru") == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [
        *("cnn", "cnn", "gru", "gru")
    ]
    settings = json.loads((folder / "artist-gru-seed2.json").read_text())["settings"]
    assert (settings["seed"], settings["epochs"], settings["batch_size"]) == (2, 1, 32)
    assert run(monkeypatch, "table", "--results", folder, "-o", tmp_path / "t.md") == 0
    assert len(rows_of(tmp_path / "t.md")) == 2 + 2 + 4
    assert run(monkeypatch, "compare", *asked, "--protocol", "official") == 2
    assert "prepare --fma" in capsys.readouterr().err


def test_the_table_in_the_docs_is_made_from_the_results(tmp_path: Path) -> None:
    docs = Path(__file__).parent.parent / "docs"
    results = tmp_path / "comparison"
    shutil.copytree(docs / "comparison", results)
    page = tmp_path / "training.md"
    page.write_bytes((docs / "training.md").read_bytes())
    write_comparison(results, page)
    assert page.read_bytes() == (docs / "training.md").read_bytes()
