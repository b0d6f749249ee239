"""What is heard in a file: segments, a vote, silence, and what a bad file comes to."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from tagger.analysis import listen_to, predict, score, segment_plan
from tagger.checkpoint import LoadedModel, load_checkpoint
from tagger.records import Segments, TrackFailure, TrackPrediction
from tagger.voting import vote
from tests.library import LABELS, make_track
from tests.sounds import make_chirp, noise, silence, write_sound


@pytest.fixture(scope="module")
def loaded(model: Path) -> LoadedModel:
    return load_checkpoint(model)


def heard(path: Path, model: Path) -> TrackPrediction:
    outcome = listen_to(path, model)
    assert isinstance(outcome, TrackPrediction), outcome
    return outcome


def failed(path: Path, model: Path) -> TrackFailure:
    outcome = listen_to(path, model)
    assert isinstance(outcome, TrackFailure), outcome
    return outcome


def test_a_tracks_probabilities_are_the_vote_of_its_segments(
    tmp_path: Path, model: Path, loaded: LoadedModel
) -> None:
    from tagger.audio import load_segments

    path = make_chirp(tmp_path / "a.flac", 5.0)
    prediction = heard(path, model)
    card = loaded.card
    plan = segment_plan(card)
    scores = score(loaded, load_segments(path, plan).waveforms)
    expected = vote(scores.logits, card.temperature)
    assert list(prediction.probabilities.values()) == pytest.approx(expected.tolist())
    assert list(prediction.probabilities) == list(LABELS)
    assert prediction.confidence == pytest.approx(float(expected.max()))
    assert prediction.n_segments == 4
    assert prediction.embedding is not None
    assert np.allclose(prediction.embedding, scores.embeddings.mean(axis=0))
    assert prediction.duration_s == pytest.approx(5.0, abs=0.01)
    assert prediction.model_id == card.model_id


def test_silence_is_not_judged(tmp_path: Path, model: Path) -> None:
    prediction = heard(write_sound(tmp_path / "a.flac", silence(4.0)), model)
    assert (prediction.unheard, prediction.n_segments) == ("silent", 0)
    assert prediction.confidence == 0
    assert prediction.embedding is None


def test_hum_below_hearing_counts_as_silence(tmp_path: Path, model: Path) -> None:
    prediction = heard(write_sound(tmp_path / "a.flac", noise(4.0, gain=0.0004)), model)
    assert prediction.unheard == "silent"


def test_silent_segments_do_not_vote(loaded: LoadedModel) -> None:
    card = loaded.card
    loud = noise(2.0, card.sample_rate)[: card.n_samples]
    still = np.zeros_like(loud)

    def verdict(*waveforms: np.ndarray[tuple[int], np.dtype[np.float32]]) -> TrackPrediction:
        segments = Segments(np.stack(waveforms), (0.0,) * len(waveforms), card.sample_rate, 9.0)
        return predict(loaded, Path("/a"), segments)

    both = verdict(still, loud, still)
    assert both.n_segments == 1
    assert both.probabilities == verdict(loud).probabilities


def test_too_short_a_sound_says_what_is_needed(tmp_path: Path, model: Path) -> None:
    prediction = heard(make_track(tmp_path / "a.wav", 0.5), model)
    assert prediction.unheard == "too short: 0.5 s, at least 0.8 s needed"


def test_a_sound_just_long_enough_is_heard(tmp_path: Path, model: Path) -> None:
    assert heard(make_track(tmp_path / "a.wav", 0.8), model).n_segments == 1


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_sound_that_is_no_number_gives_no_probability_that_is_none(
    tmp_path: Path, model: Path, value: float
) -> None:
    import soundfile

    waveform = noise(3.0)
    waveform[::1000] = value
    path = tmp_path / "a.wav"
    soundfile.write(path, waveform, 44_100, subtype="FLOAT")
    outcome = listen_to(path, model)
    if isinstance(outcome, TrackPrediction):
        assert all(0 <= p <= 1 for p in outcome.probabilities.values())
        assert outcome.embedding is None or np.isfinite(outcome.embedding).all()


def test_what_does_not_decode_failed_at_that(tmp_path: Path, model: Path) -> None:
    path = tmp_path / "a.mp3"
    path.write_text("Dear diary,\n" * 100)
    assert failed(path, model).stage == "decode"


def test_what_the_system_refuses_was_not_read(tmp_path: Path, model: Path) -> None:
    failure = failed(tmp_path / "gone.mp3", model)
    assert (failure.stage, failure.path) == ("read", tmp_path / "gone.mp3")
    loop = tmp_path / "loop.mp3"
    loop.symlink_to(loop)
    assert failed(loop, model).stage == "read"


def test_a_fifo_does_not_hang_it(tmp_path: Path, model: Path) -> None:
    os.mkfifo(tmp_path / "a.mp3")
    assert failed(tmp_path / "a.mp3", model).stage == "decode"


def test_want_of_memory_costs_one_track(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def starve(*_arguments: object) -> object:
        raise MemoryError

    monkeypatch.setattr("tagger.audio.load_segments", starve)
    failure = failed(make_track(tmp_path / "a.flac"), model)
    assert failure.stage == "analyse"
    assert "--jobs 1" in failure.reason
