"""What a network attends to, drawn: the right track, the right moments, or a refusal."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

import training.__main__
from tagger.errors import CheckpointError, DatasetError
from tests.library import make_track
from tests.synthetic import write_features
from tests.test_training import TINY
from training.attention import plot_attention_in_audio, plot_attention_in_features
from training.recipe import make_checkpoint


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A feature file and two networks fitted on it, one without attention."""
    made = tmp_path_factory.mktemp("attention")
    features = write_features(made / "f.npz")
    config = replace(TINY, epochs=2)
    make_checkpoint(features, made / "model.pt", config)
    make_checkpoint(features, made / "gru.pt", replace(config, architecture="gru"))
    return made


def test_a_track_of_a_feature_file_becomes_a_picture(folder: Path, tmp_path: Path) -> None:
    pictures = []
    for track in (1000, 1001):
        made = plot_attention_in_features(
            folder / "model.pt", folder / "f.npz", track, tmp_path / str(track)
        )
        assert made == tmp_path / str(track) / "attention.png"
        pictures.append(imread(made))
    assert min(pictures[0].shape[:2]) > 300
    assert not np.array_equal(pictures[0], pictures[1])


def test_a_sound_file_becomes_a_picture(folder: Path, tmp_path: Path) -> None:
    sound = make_track(tmp_path / "song.mp3", duration_s=9.0)
    picture = imread(plot_attention_in_audio(folder / "model.pt", sound, tmp_path))
    assert len(np.unique(picture[..., :3])) > 20


def test_what_cannot_be_drawn_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="a gru has no attention"):
        plot_attention_in_features(folder / "gru.pt", folder / "f.npz", 1000, tmp_path)
    with pytest.raises(DatasetError, match="no track 7"):
        plot_attention_in_features(folder / "model.pt", folder / "f.npz", 7, tmp_path)
    short = make_track(tmp_path / "short.mp3", duration_s=1.0)
    with pytest.raises(DatasetError, match="too short"):
        plot_attention_in_audio(folder / "model.pt", short, tmp_path)


@pytest.mark.parametrize(
    ("asked", "code"),
    [(["--features", "f.npz", "--track", "1000"], 0), (["--features", "f.npz"], 2), ([], 2)],
)
def test_the_command_needs_a_track(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    asked: list[str],
    code: int,
) -> None:
    monkeypatch.chdir(folder)
    arguments = ["plots", "--checkpoint", "model.pt", "-o", str(tmp_path), *asked]
    monkeypatch.setattr(sys, "argv", ["training", *arguments])
    with pytest.raises(SystemExit) as exited:
        training.__main__.main()
    assert exited.value.code == code
    said = capsys.readouterr()
    assert (said.out == f"{tmp_path / 'attention.png'}\n") == (code == 0)
    assert ("goes with --audio" in said.err) == (code == 2)
