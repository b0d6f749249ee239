"""Pictures of a report and of a run: drawn from the figures, refused where there are none."""

import copy
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imread

import training.__main__
from tagger.errors import DatasetError
from tagger.models.voting import softmax
from training.metrics import judge
from training.plots import plot_history, plot_report

LABELS = ("Folk", "Hip-Hop", "Rock")
HISTORY = "epoch,loss,validation_accuracy,learning_rate\n0,2.5,0.3,0.1\n1,2.0,0.5,0.1\n"


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(300, 3)).astype(np.float32) * 2
    truth = (logits + rng.gumbel(size=(300, 3))).argmax(axis=1)
    probabilities = softmax(logits)
    written = probabilities.max(axis=1) >= 0.75
    return judge(probabilities, written, truth, np.arange(300) // 4, LABELS)


def is_a_picture(path: Path) -> bool:
    pixels = imread(path)
    return min(pixels.shape[:2]) > 300 and len(np.unique(pixels[..., :3])) > 20


def written(folder: Path, content: object, name: str = "report.json") -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_a_report_becomes_pictures(report: dict[str, Any], tmp_path: Path) -> None:
    paths = plot_report(written(tmp_path, report), tmp_path / "new" / "folder")
    assert [path.name for path in paths] == [
        *("reliability.png", "coverage.png", "confusion.png", "genres.png")
    ]
    assert all(is_a_picture(path) for path in paths)


def test_pictures_follow_the_figures(report: dict[str, Any], tmp_path: Path) -> None:
    changed = copy.deepcopy(report)
    changed["confusion"][0] = changed["confusion"][0][::-1]
    changed["reliability"][0][1] = 0.9
    before = plot_report(written(tmp_path, report), tmp_path / "before")
    after = plot_report(written(tmp_path, changed), tmp_path / "after")
    differing = {
        path.stem
        for path, other in zip(before, after, strict=True)
        if not np.array_equal(imread(path), imread(other))
    }
    assert differing == {"confusion", "reliability"}


def test_a_report_in_which_nothing_is_written_is_drawn(
    report: dict[str, Any], tmp_path: Path
) -> None:
    silent = report | {"coverage": 0.0, "selective_accuracy": None, "mixes": {}}
    assert len(plot_report(written(tmp_path, silent), tmp_path)) == 4


def test_a_runs_log_becomes_learning_curves(tmp_path: Path) -> None:
    (path,) = plot_history(written(tmp_path, HISTORY, "run.csv"), tmp_path)
    assert path.name == "learning.png" and is_a_picture(path)


def test_a_run_without_validation_is_drawn_as_far_as_it_goes(tmp_path: Path) -> None:
    without = HISTORY.replace(",0.3,", ",,").replace(",0.5,", ",,")
    paths = [
        plot_history(written(tmp_path, text, "run.csv"), tmp_path / name)[0]
        for name, text in (("with", HISTORY), ("without", without))
    ]
    assert all(is_a_picture(path) for path in paths)
    assert not np.array_equal(imread(paths[0]), imread(paths[1]))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "not JSON"),
        ("[]", "lacks reliability"),
        ('{"confusion": [[1]]}', "lacks reliability, coverage_curve"),
    ],
)
def test_what_is_no_report_is_refused(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(DatasetError, match=said):
        plot_report(written(tmp_path, content), tmp_path)


def test_a_report_of_odd_shape_is_refused(report: dict[str, Any], tmp_path: Path) -> None:
    for field, value in (("reliability", []), ("confusion", "none"), ("mixes", 3)):
        with pytest.raises(DatasetError, match="not what evaluate"):
            plot_report(written(tmp_path, report | {field: value}), tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("epoch,loss,validation_accuracy\n", "no epochs"),
        ("epoch,loss\n1,2\n", "not the CSV of a run"),
        ("epoch,loss,validation_accuracy\n1,x,2\n", "not the CSV of a run"),
        ("epoch,loss,validation_accuracy\n1\n", "not the CSV of a run"),
    ],
)
def test_what_is_no_log_is_refused(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(DatasetError, match=said):
        plot_history(written(tmp_path, content, "run.csv"), tmp_path)


def test_files_that_are_not_there_and_folders_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="No such file"):
        plot_report(tmp_path / "none.json", tmp_path)
    with pytest.raises(DatasetError, match="No such file"):
        plot_history(tmp_path / "none.csv", tmp_path)
    log = written(tmp_path, HISTORY, "run.csv")
    with pytest.raises(DatasetError, match=r"Not a directory|File exists"):
        plot_history(log, log)


def test_the_command_names_what_it_drew(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    log = written(tmp_path, HISTORY, "run.csv")
    for arguments, code in ((["--history", str(log)], 0), ([], 2)):
        monkeypatch.setattr(sys, "argv", ["training", "plots", *arguments, "-o", str(tmp_path)])
        with pytest.raises(SystemExit) as exited:
            training.__main__.main()
        assert exited.value.code == code
    assert capsys.readouterr().out == f"{tmp_path / 'learning.png'}\n"
