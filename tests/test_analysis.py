"""What is heard in a file: segments, a vote, silence, and what a bad file comes to."""

from __future__ import annotations

import os
import resource
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tagger.audio import SegmentPlan, planned_starts, segment_starts
from tagger.errors import AudioDecodeError
from tagger.hearing import memory
from tagger.hearing.analysis import (
    analyse_file,
    predict_track,
    score_segments,
    score_track,
    segment_plan,
)
from tagger.hearing.memory import bounded
from tagger.models.checkpoint import LoadedModel, load_checkpoint
from tagger.models.voting import vote
from tagger.networks import Network, NetworkOutput
from tagger.reasons import Reason, ReasonCode
from tagger.records import Segments, SegmentScores, TrackFailure, TrackPrediction
from tests.bombs import comments
from tests.library import LABELS, NETWORK, make_track
from tests.sounds import make_chirp, noise, silence, write_sound


@pytest.fixture(scope="module")
def loaded(model: Path) -> LoadedModel:
    return load_checkpoint(model)


def heard(path: Path, model: Path) -> TrackPrediction:
    outcome = analyse_file(path, model)
    assert isinstance(outcome, TrackPrediction), outcome
    return outcome


def failed(path: Path, model: Path) -> TrackFailure:
    outcome = analyse_file(path, model)
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
    scores = score_segments(loaded, load_segments(path, plan).waveforms)
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
    assert (prediction.unheard, prediction.n_segments) == (Reason(ReasonCode.SILENT), 0)
    assert prediction.confidence == 0
    assert prediction.embedding is None


def test_hum_below_hearing_counts_as_silence(tmp_path: Path, model: Path) -> None:
    prediction = heard(write_sound(tmp_path / "a.flac", noise(4.0, gain=0.0004)), model)
    assert prediction.unheard == Reason(ReasonCode.SILENT)


def test_silent_segments_do_not_vote(loaded: LoadedModel) -> None:
    card = loaded.card
    loud = noise(2.0, card.sample_rate)[: card.n_samples]
    still = np.zeros_like(loud)

    def verdict(*waveforms: np.ndarray[tuple[int], np.dtype[np.float32]]) -> TrackPrediction:
        segments = Segments(np.stack(waveforms), (0.0,) * len(waveforms), card.sample_rate, 9.0)
        return predict_track(loaded, Path("/a"), lambda *_: segments)

    both = verdict(still, loud, still)
    assert both.n_segments == 1
    assert both.probabilities == verdict(loud).probabilities


class Ear(Network):
    """A network that hears each label in turn, or the first one always."""

    config = NETWORK

    def __init__(self, *, is_sure: bool) -> None:
        super().__init__()
        self.is_sure = is_sure

    def forward(self, log_mel: torch.Tensor) -> NetworkOutput:
        n = len(log_mel)
        heard = torch.zeros(n, dtype=torch.long) if self.is_sure else torch.arange(n) % len(LABELS)
        return NetworkOutput(torch.eye(len(LABELS))[heard], torch.zeros(n, 8))


def planned_loads(
    loaded: LoadedModel, duration_s: float, *, is_sure: bool, gain: float = 0.1, n_lost: int = 0
) -> tuple[SegmentScores, list[tuple[float, ...]]]:
    """Return what is heard of a noise by a model that may hear twice, and where each time.

    The first ``n_lost`` segments cannot be decoded at first.
    """
    card = replace(loaded.card, first_segments=3, max_segments=9)
    model = LoadedModel(card, loaded.front_end, Ear(is_sure=is_sure), None)
    loads = []

    def load(plan: SegmentPlan, heard_s: Sequence[float]) -> Segments:
        starts_s = planned_starts(duration_s, plan, heard_s)
        starts_s = starts_s if heard_s else starts_s[n_lost:]
        loads.append(starts_s)
        sound = noise(plan.segment_s, plan.sample_rate, gain)[: plan.n_samples]
        waveforms = np.zeros((len(starts_s), plan.n_samples), np.float32) + sound
        return Segments(waveforms, starts_s, plan.sample_rate, duration_s)

    return score_track(model, load)[0], loads


def test_what_few_segments_make_clear_is_not_heard_on(loaded: LoadedModel) -> None:
    scores, loads = planned_loads(loaded, 90.0, is_sure=True)
    assert [len(starts_s) for starts_s in loads] == [3]
    assert len(scores) == 3


def test_what_few_segments_leave_open_is_decided_by_all(loaded: LoadedModel) -> None:
    scores, loads = planned_loads(loaded, 90.0, is_sure=False)
    assert len(scores) == 9
    evenly = segment_starts(90.0, loaded.card.segment_s, 9)
    assert sorted(at for starts_s in loads for at in starts_s) == pytest.approx(evenly)


@pytest.mark.parametrize("n_fitting", [1, 2, 3, 4])
def test_a_track_of_no_more_segments_is_not_heard_again(
    loaded: LoadedModel, n_fitting: int
) -> None:
    _, loads = planned_loads(loaded, (n_fitting + 0.2) * loaded.card.segment_s, is_sure=False)
    assert [len(starts_s) for starts_s in loads] == [min(n_fitting, 3)]


def test_where_one_of_the_few_is_lost_the_rest_is_heard(loaded: LoadedModel) -> None:
    scores, loads = planned_loads(loaded, 90.0, is_sure=True, n_lost=1)
    assert [len(starts_s) for starts_s in loads] == [2, 7]
    assert len(scores) == 9


def test_where_the_first_segments_are_silent_the_rest_is_heard(loaded: LoadedModel) -> None:
    scores, loads = planned_loads(loaded, 90.0, is_sure=True, gain=0.0)
    assert [len(starts_s) for starts_s in loads] == [3, 6]
    assert len(scores) == 0


def test_too_short_a_sound_says_what_is_needed(tmp_path: Path, model: Path) -> None:
    prediction = heard(make_track(tmp_path / "a.wav", 0.5), model)
    assert str(prediction.unheard) == "too short: 0.5 s, at least 0.8 s needed"


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
    outcome = analyse_file(path, model)
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

    monkeypatch.setattr("tagger.hearing.analysis.score_segments", starve)
    failure = failed(make_track(tmp_path / "a.flac"), model)
    assert failure.stage == "analyse"
    assert "--jobs 1" in str(failure.reason)


def test_decoding_may_take_no_more_memory_than_a_sane_file_needs(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with (
        pytest.raises(AudioDecodeError, match="takes more than 1024 MB of memory"),
        bounded(tmp_path),
    ):
        np.empty(2 * memory.MOST_MB << 20, np.uint8)
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
    np.empty(2 * memory.MOST_MB << 20, np.uint8)


def test_a_machine_that_has_less_memory_than_a_file_may_take_is_not_the_files_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "_is_there", lambda _n_bytes: False)
    with pytest.raises(MemoryError), bounded(tmp_path):
        raise MemoryError


def test_where_nobody_says_what_is_mapped_there_is_no_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "_STATM", tmp_path / "statm")
    with bounded(tmp_path):
        np.empty(2 * memory.MOST_MB << 20, np.uint8)


def test_an_absurd_tag_is_refused_before_a_decoder_opens_the_file(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("tagger.audio.load_segments")
    path = tmp_path / "a.flac"
    path.write_bytes(comments(5000))
    failure = failed(path, model)
    assert failure.stage == "read"
    assert "more than 4,096 parts" in str(failure.reason)
