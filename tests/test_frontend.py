"""The front end against librosa, and against physics."""

from dataclasses import replace

import librosa
import numpy as np
import pytest
import torch

from tagger.networks.frontend import FrontEndConfig, LogMel, mel_filters, rereference

CONFIG = FrontEndConfig(n_frames=8)


def noise(n_samples: int, seed: int = 0) -> np.ndarray:
    """White noise under an envelope, so that frames differ in level."""
    rng = np.random.default_rng(seed)
    envelope = np.linspace(0.05, 0.8, n_samples)
    return (rng.standard_normal(n_samples) * 0.2 * envelope).astype(np.float32)


def librosa_log_mel(waveform: np.ndarray, config: FrontEndConfig) -> np.ndarray:
    power = librosa.feature.melspectrogram(
        y=waveform,
        sr=config.sample_rate,
        n_fft=config.n_fft,
        hop_length=config.hop_length,
        n_mels=config.n_mels,
        center=False,
    )
    log_mel: np.ndarray = librosa.power_to_db(power, ref=np.max, top_db=config.top_db)
    return log_mel


def test_mel_filters_equal_librosa() -> None:
    for sample_rate, n_fft, n_mels in ((44_100, 2048, 128), (22_050, 1024, 64)):
        expected = librosa.filters.mel(sr=sample_rate, n_fft=n_fft, n_mels=n_mels)
        assert np.abs(mel_filters(sample_rate, n_fft, n_mels) - expected).max() < 1e-7


def test_log_mel_equals_librosa_to_a_ten_thousandth_of_a_decibel() -> None:
    for hop in (512, CONFIG.hop_length):
        config = replace(CONFIG, hop_length=hop)
        waveforms = np.stack([noise(config.n_samples, seed) for seed in range(3)])
        ours = LogMel(config)(torch.from_numpy(waveforms)).numpy()
        for waveform, log_mel in zip(waveforms, ours, strict=True):
            assert np.abs(log_mel - librosa_log_mel(waveform, config)).max() < 1e-4


def test_a_segment_gives_the_configured_number_of_frames() -> None:
    log_mel = LogMel(CONFIG)(torch.zeros(2, CONFIG.n_samples))
    assert log_mel.shape == (2, CONFIG.n_mels, CONFIG.n_frames)


def test_loudness_changes_nothing() -> None:
    waveform = torch.from_numpy(noise(CONFIG.n_samples)).unsqueeze(0)
    front_end = LogMel(CONFIG)
    difference = front_end(waveform) - front_end(waveform * 0.25)
    assert float(difference.abs().max()) < 1e-3


def test_a_tone_is_loudest_in_the_band_that_holds_it() -> None:
    t = np.arange(CONFIG.n_samples) / CONFIG.sample_rate
    tone = torch.from_numpy(np.sin(2 * np.pi * 1000.0 * t).astype(np.float32))
    log_mel = LogMel(CONFIG)(tone.unsqueeze(0))[0]
    centres = librosa.mel_frequencies(n_mels=CONFIG.n_mels + 2, fmax=CONFIG.sample_rate / 2)[1:-1]
    loudest = centres[int(log_mel.mean(dim=1).argmax())]
    assert abs(loudest - 1000.0) < 50.0


def test_each_segment_is_referenced_to_its_own_maximum() -> None:
    db = torch.tensor([[[-30.0, -200.0]], [[-5.0, -6.0]]])
    assert rereference(db, 80.0).tolist() == [[[0.0, -80.0]], [[0.0, -1.0]]]


def test_silence_is_finite() -> None:
    assert torch.isfinite(LogMel(CONFIG)(torch.zeros(1, CONFIG.n_samples))).all()


def test_log_gain_equals_librosa_and_keeps_loudness() -> None:
    config = FrontEndConfig(16_000, 512, 256, 96, n_frames=187, compression="log-gain")
    waveform = noise(config.n_samples)
    power = librosa.feature.melspectrogram(
        y=waveform, sr=16_000, n_fft=512, hop_length=256, n_mels=96, center=False
    )
    front_end = LogMel(config)
    ours = front_end(torch.from_numpy(waveform)[None])[0]
    assert ours.shape == (96, 187)
    assert np.abs(ours.numpy() - np.log10(1 + 10_000 * power)).max() < 1e-5
    assert float(front_end(torch.from_numpy(waveform * 0.25)[None]).mean() - ours.mean()) < -0.5
    assert float(front_end(torch.zeros(1, config.n_samples)).abs().max()) == 0.0


def test_a_compression_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="no compression 'cube'"):
        LogMel(replace(CONFIG, compression="cube"))
