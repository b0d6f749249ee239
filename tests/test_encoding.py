"""Sound into files and out again: what went in comes out, as each format can."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tagger.errors import AudioDecodeError
from tests.sounds import chirp, pitch_hz, tone
from training.encoding import SAMPLE_RATE, Encoding, encode, load_stereo

FLOAT_WAV = Encoding("pcm_f32le", "flt", "wav")


def test_float_wav_keeps_every_sample(tmp_path: Path) -> None:
    sound = np.stack([chirp(2.5), tone(2.5)])
    encode(sound, FLOAT_WAV, tmp_path / "a.wav")
    assert np.array_equal(load_stereo(tmp_path / "a.wav"), sound)


def test_what_overshoots_full_scale_is_clipped(tmp_path: Path) -> None:
    encode(3 * np.stack([chirp(1.0)] * 2), FLOAT_WAV, tmp_path / "a.wav")
    assert np.abs(load_stereo(tmp_path / "a.wav")).max() == 1.0


def test_mono_comes_back_in_both_channels(tmp_path: Path) -> None:
    encode(tone(1.0)[None], FLOAT_WAV, tmp_path / "a.wav")
    left, right = load_stereo(tmp_path / "a.wav")
    assert np.array_equal(left, right)
    assert len(left) == SAMPLE_RATE


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("a.mp3", Encoding("libmp3lame", "fltp", "mp3", bit_rate=64_000)),
        ("a.m4a", Encoding("aac", "fltp", "ipod", bit_rate=96_000)),
        ("a.opus", Encoding("libopus", "flt", "opus", 48_000, 48_000)),
        ("a.wav", Encoding("pcm_s16le", "s16", "wav", 22_050)),
    ],
)
def test_pitch_length_and_bit_rate_survive(tmp_path: Path, name: str, encoding: Encoding) -> None:
    path = tmp_path / name
    encode(np.stack([tone(4.0, frequency_hz=1000.0)] * 2), encoding, path)
    left = load_stereo(path)[0]
    assert pitch_hz(left, SAMPLE_RATE) == pytest.approx(1000, abs=2)
    assert len(left) == pytest.approx(4 * SAMPLE_RATE, abs=0.1 * SAMPLE_RATE)
    if encoding.bit_rate is not None:
        # Opus spends more on a pure tone than on average.
        assert path.stat().st_size < 2 * encoding.bit_rate / 8 * 4


def test_what_is_no_sound_is_a_decode_error(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_text("Dear diary")
    with pytest.raises(AudioDecodeError, match="as a whole"):
        load_stereo(tmp_path / "a.mp3")
    with pytest.raises(AudioDecodeError):
        load_stereo(tmp_path / "none.mp3")
