"""The same track in other files: what is compared, what is demanded, what is left out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from tagger.audio import load_waveform
from tagger.errors import DatasetError
from tagger.models.checkpoint import load_checkpoint, save_checkpoint
from tagger.models.files import read_card
from tagger.networks import PooledNetwork
from tagger.reasons import Reason
from tagger.records import TrackPrediction
from tests.library import make_model, make_track
from tests.sounds import chirp, noise, silence, write_sound
from training.__main__ import cli
from training.robustness import (
    VARIANTS,
    Figures,
    as_json,
    as_text,
    chosen_tracks,
    compare,
    measure_robustness,
)

RATE = 44_100


def prediction(rock: float, unheard: Reason | None = None) -> TrackPrediction:
    labels = {"Folk": 1 - rock, "Rock": rock}
    return TrackPrediction(
        Path("a"), labels, max(labels.values()), np.zeros(2, np.float32), 4, "m", 30.0, unheard
    )


def test_only_confident_tracks_must_agree() -> None:
    sure, unsure = prediction(0.9), prediction(0.55)
    figures = compare([(sure, prediction(0.8)), (unsure, prediction(0.45))], threshold=0.75)
    assert (figures.n_heard, figures.n_confident, figures.agreement) == (2, 1, 1.0)
    assert figures.mean_change == pytest.approx(0.1)
    assert figures.largest_change == pytest.approx(0.1)


def test_a_variant_that_cannot_be_heard_disagrees() -> None:
    figures = compare([(prediction(0.9), None), (prediction(0.9), prediction(0.9))], 0.75)
    assert (figures.n_lost, figures.agreement, figures.mean_change) == (1, 0.5, 0.0)
    assert not figures.holds
    assert not compare([(prediction(0.5), None)], 0.75).holds


def test_what_is_demanded() -> None:
    fine = Figures(20, 0, 20, 0.95, 0.049, 0.5)
    assert fine.holds
    assert replace(fine, agreement=None).holds
    assert not replace(fine, agreement=0.94).holds
    assert not replace(fine, mean_change=0.05).holds


def test_tracks_are_spread_over_the_folder(music: Path) -> None:
    for i in range(6):
        make_track(music / f"{i}.flac", 0.1)
    assert [path.name for path in chosen_tracks(music, 3)] == ["0.flac", "2.flac", "4.flac"]
    assert len(chosen_tracks(music, 50)) == 6


def test_each_variant_is_the_track_written_so(tmp_path: Path) -> None:
    left, right = noise(4.0, gain=0.1), chirp(4.0, gain=0.1)
    sound = np.stack([left, right])
    heard = {}
    for name, variant in VARIANTS.items():
        path = variant.write(sound, tmp_path)
        heard[name] = load_waveform(path, RATE)[0], path.stat().st_size / 4 * 8 / 1000
    whole = np.square((left + right) / 2).mean()
    for name, (waveform, _) in heard.items():
        factor = 1 / 16 if name == "12 dB quieter" else 1.0
        power = float(np.square(waveform).mean())
        assert 0.2 < power / (whole * factor) < 1.2, name
    quiet = load_waveform(VARIANTS["12 dB quieter"].write(sound, tmp_path))[0]
    assert np.allclose(quiet, (left + right) / 2 * 10 ** (-12 / 20), atol=1e-6)
    rates = {name: kbit_s for name, (_, kbit_s) in heard.items()}
    assert rates["MP3 320"] == pytest.approx(320, rel=0.1)
    assert rates["MP3 128"] == pytest.approx(128, rel=0.1)
    assert rates["MP3 64"] == pytest.approx(64, rel=0.15)
    assert rates["AAC 96"] < 120 and rates["Opus 48"] < 75


def test_a_mono_variant_of_half_the_rate_has_nothing_above_it(tmp_path: Path) -> None:
    path = VARIANTS["22.05 kHz mono"].write(np.stack([noise(4.0)] * 2), tmp_path)
    assert load_waveform(path)[1] == 22_050
    waveform = load_waveform(path, RATE)[0]
    spectrum = np.abs(np.fft.rfft(waveform)) ** 2
    hz = np.fft.rfftfreq(len(waveform), 1 / RATE)
    assert spectrum[hz > 11_500].sum() < 1e-4 * spectrum.sum()


@pytest.fixture
def library(music: Path) -> Path:
    write_sound(music / "chirp.flac", np.stack([chirp(4.0), noise(4.0)]))
    make_track(music / "tone.mp3", 4.0)
    write_sound(music / "silent.flac", silence(4.0))
    make_track(music / "short.wav", 0.2)
    (music / "diary.mp3").write_text("Dear diary,\n" * 100)
    return music


def test_a_model_that_hears_the_same_in_everything_is_robust(library: Path, model: Path) -> None:
    report = measure_robustness(library, model, 10)
    assert report.holds
    assert (report.n_tracks, report.n_confident) == (2, 2)
    assert report.overall.n_heard == 2 * len(VARIANTS)
    assert report.overall.agreement == 1.0
    assert set(report.variants) == set(VARIANTS)
    assert report.model_id == read_card(model).model_id
    reasons = {Path(path).name: why for path, why in report.left_out.items()}
    assert set(reasons) == {"silent.flac", "short.wav", "diary.mp3"}
    assert reasons["silent.flac"] == "silent"
    text = as_text(report)
    assert "2 tracks, 2 of them confident" in text and "MP3 64" in text and "TOO MUCH" not in text
    assert json.loads(json.dumps(as_json(report)))["variants"]["AAC 96"]["n_heard"] == 2


@pytest.fixture
def sensitive(tmp_path: Path, model: Path) -> Path:
    """A checkpoint whose verdict changes with the least change of the sound."""
    loaded = load_checkpoint(model)
    assert isinstance(loaded.network, PooledNetwork)
    layer = loaded.network.classify[-1]
    assert isinstance(layer, torch.nn.Linear)
    with torch.no_grad():
        layer.weight.mul_(100_000)
    save_checkpoint(tmp_path / "sensitive.pt", loaded.network, loaded.card)
    return tmp_path / "sensitive.pt"


def test_a_quieter_track_is_heard_the_same(library: Path, sensitive: Path) -> None:
    report = measure_robustness(library, sensitive, 10)
    assert report.variants["12 dB quieter"].largest_change < 1e-3
    assert report.variants["MP3 64"].largest_change > 1e-3


def test_the_command_ends_with_1_when_a_variant_is_heard_otherwise(
    library: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_model(library.parent / "folk.pt", favourite="Folk")

    def run() -> tuple[int, dict[str, object]]:
        words = ["robustness", str(library), "--checkpoint", str(model), "--format", "json"]
        result = CliRunner().invoke(cli, words)
        return result.exit_code, json.loads(result.stdout)

    assert run()[0] == 0
    from training import robustness

    honest = robustness._heard
    # As if the network heard Folk in every other file but the reference.
    monkeypatch.setattr(robustness, "_heard", lambda path, _model: honest(path, other))
    code, report = run()
    assert (code, report["holds"]) == (1, False)
    assert report["overall"]["agreement"] == 0.0  # type: ignore[index]


def test_a_folder_without_music_is_an_error(tmp_path: Path, music: Path, model: Path) -> None:
    with pytest.raises(DatasetError, match="no sound files"):
        measure_robustness(tmp_path, model, 3)
    write_sound(music / "silent.flac", silence(4.0))
    with pytest.raises(DatasetError, match="judged"):
        measure_robustness(music, model, 3)
