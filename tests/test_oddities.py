"""What a model makes of sounds that are no music, as `python -m training oddities` tells it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tagger.hearing.analysis import analyse_file
from tagger.models.checkpoint import load_checkpoint
from tagger.reasons import Reason, ReasonCode
from tagger.records import TrackPrediction
from tagger.tagging.decision import make_policy
from tests.library import LABELS, make_model, make_track
from tests.sounds import chirp, silence, write_sound
from training.__main__ import cli
from training.odd_sounds import HELD_OUT_KINDS, TRAINED_KINDS
from training.oddities import (
    HELD_OUT,
    RECORDED,
    TRAINED,
    Oddities,
    as_text,
    hear,
    measure_oddities,
    verdicts,
)

POLICY = make_policy(LABELS, ("Folk", "Rock"), dict.fromkeys(LABELS, 0.75))


def prediction(label: str, confidence: float, unheard: Reason | None = None) -> TrackPrediction:
    rest = (1 - confidence) / (len(LABELS) - 1)
    probabilities = dict.fromkeys(LABELS, rest) | {label: confidence}
    return TrackPrediction(
        Path(), probabilities, 0.0 if unheard else confidence, None, 4, "m", 30.0, unheard
    )


def test_only_what_would_be_written_counts_as_written() -> None:
    heard = [
        prediction("Rock", 0.8),
        prediction("Rock", 0.7),
        prediction("Experimental", 0.9),  # not writable
        prediction("Folk", 0.9, unheard=Reason(ReasonCode.SILENT)),
    ]
    found = verdicts(HELD_OUT, "hum", heard, POLICY)
    assert (found.n_sounds, found.n_unheard, found.n_written) == (4, 1, 1)
    assert found.genres == {"Rock": 1}
    assert found.heard_as == {"Rock": 2, "Experimental": 1}
    assert found.median == pytest.approx(0.75)
    assert found.p95 == pytest.approx(np.quantile([0.8, 0.7, 0.9, 0.0], 0.95))


def test_a_sound_is_heard_as_its_file_would_be(tmp_path: Path, model: Path) -> None:
    loaded = load_checkpoint(model)
    rate = loaded.card.sample_rate
    path = write_sound(tmp_path / "a.flac", chirp(10.0, rate), rate)
    from tagger.audio import load_waveform

    own = hear(loaded, load_waveform(path)[0])
    file = analyse_file(path, model)
    assert isinstance(file, TrackPrediction)
    assert own.n_segments == file.n_segments
    assert own.probabilities == pytest.approx(dict(file.probabilities), abs=1e-6)
    assert hear(loaded, silence(10.0, rate)).unheard == Reason(ReasonCode.SILENT)


@pytest.fixture(scope="module")
def report(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Oddities:
    """Of a model that hears Rock in all that is audible, sure enough to write it."""
    folder = tmp_path_factory.mktemp("recordings")
    make_track(folder / "dogs" / "a.flac", 3.0)
    make_track(folder / "dogs" / "b.flac", 3.0)
    (folder / "dogs" / "c.mp3").write_text("Dear diary,\n" * 100)
    return measure_oddities(model, 1, folder=folder)


def test_every_kind_is_heard_in_its_group(report: Oddities) -> None:
    kinds = {
        group: [k.kind for k in report.kinds if k.group == group]
        for group in (TRAINED, HELD_OUT, RECORDED)
    }
    assert kinds[TRAINED] == list(TRAINED_KINDS)
    assert kinds[HELD_OUT] == [*HELD_OUT_KINDS, "silence"]
    assert kinds[RECORDED] == ["humpback whale", "dogs"]
    assert [Path(path).name for path in report.left_out] == ["c.mp3"]


def test_what_is_audible_is_heard_and_what_is_not_is_not(report: Oddities) -> None:
    by_kind = {kind.kind: kind for kind in report.kinds}
    for quiet in ("silence", "near_silence"):
        assert (by_kind[quiet].n_unheard, by_kind[quiet].n_written) == (1, 0)
        assert by_kind[quiet].median == 0
    for loud in ("white_noise", "hum", "speech", "humpback whale"):
        assert by_kind[loud].genres == {"Rock": 1}
        assert by_kind[loud].median == pytest.approx(0.6, abs=0.05)
    assert by_kind["dogs"].n_sounds == 2
    text = as_text(report)
    assert "dogs" in text and "2/2" in text and "recorded: 3 of 3 would be given a genre" in text


def test_the_command_ends_with_1_if_anything_would_be_written(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.oddities.TRAINED_KINDS", ("white_noise",))
    monkeypatch.setattr("training.oddities.HELD_OUT_KINDS", ("hum",))
    careful = make_model(tmp_path / "careful.pt", thresholds=dict.fromkeys(LABELS, 0.9))
    for checkpoint, code, n_written in ((careful, 0, 0), (model, 1, 5)):
        words = ["oddities", "-n", "2", "--format", "json", "--checkpoint", str(checkpoint)]
        done = CliRunner().invoke(cli, words)
        found = json.loads(done.stdout)
        assert (done.exit_code, found["n_written"]) == (code, n_written)
        assert found["kinds"][0]["kind"] == "white_noise"
