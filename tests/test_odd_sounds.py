"""Sounds that are no music: that each is what its name says, by physics, and always the same."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tagger.networks.frontend import FrontEndConfig
from tagger.records import FloatArray
from training.features import ROW_FRAMES
from training.odd_sounds import FAMILIES, HELD_OUT_KINDS, TRAINED_KINDS, nth_sound, odd_rows
from training.odd_sounds.synthesis import (
    Canvas,
    convolved,
    decay,
    filtered,
    moving_filter,
    oscillator,
    pulses,
)

RATE = 22_050
KINDS = TRAINED_KINDS + HELD_OUT_KINDS


def sounds(kind: str, duration_s: float = 6.0, n: int = 6) -> list[FloatArray]:
    return [nth_sound(kind, i, 0, RATE, round(duration_s * RATE)) for i in range(n)]


def power(waveform: FloatArray) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Frequencies and power."""
    spectrum = np.abs(np.fft.rfft(waveform * np.hanning(len(waveform)))) ** 2
    return np.fft.rfftfreq(len(waveform), 1 / RATE), spectrum


def centroid_hz(waveform: FloatArray) -> float:
    hz, spectrum = power(waveform)
    return float((hz * spectrum).sum() / spectrum.sum())


def flatness(waveform: FloatArray) -> float:
    """Geometric by arithmetic mean of the power: near 0 for lines, 0.56 for white noise."""
    _, spectrum = power(waveform)
    return float(np.exp(np.log(spectrum + 1e-20).mean()) / spectrum.mean())


def crest(waveform: FloatArray) -> float:
    return float(np.abs(waveform).max() / np.sqrt(np.square(waveform).mean()))


def levels(waveform: FloatArray, step_s: float = 0.02) -> NDArray[np.floating]:
    """Loudness of short stretches, in turn."""
    n_step = round(step_s * RATE)
    parts = waveform[: len(waveform) // n_step * n_step].reshape(-1, n_step)
    level: NDArray[np.floating] = np.sqrt(np.square(parts, dtype=np.float64).mean(axis=1))
    return level


def pitches_hz(waveform: FloatArray, step_s: float = 0.1) -> NDArray[np.floating]:
    """The loudest frequency of each short stretch that is not a pause."""
    n_step = round(step_s * RATE)
    parts = waveform[: len(waveform) // n_step * n_step].reshape(-1, n_step)
    loud = parts[levels(waveform, step_s) > 0.3 * levels(waveform, step_s).max()]
    spectra = np.abs(np.fft.rfft(loud * np.hanning(n_step), 4 * n_step))
    loudest: NDArray[np.floating] = spectra.argmax(axis=1) * (RATE / (4 * n_step))
    return loudest


def slope_db(waveform: FloatArray) -> float:
    """By how much the power changes from one octave to the next but one, each hertz alike."""
    hz, spectrum = power(waveform)
    low, high = ((hz > f) & (hz < 2 * f) for f in (500, 2000))
    return float(10 * np.log10(spectrum[high].mean() / spectrum[low].mean()))


@pytest.mark.parametrize("kind", KINDS)
def test_every_sound_is_a_waveform(kind: str) -> None:
    first, second, *_ = sounds(kind)
    assert first.dtype == np.float32
    assert first.shape == (6 * RATE,)
    assert np.isfinite(first).all()
    assert 0 < np.abs(first).max() <= 1
    assert not np.array_equal(first, second)
    assert np.array_equal(first, sounds(kind)[0])


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "near_silence"])
def test_every_sound_but_the_faint_is_loud_enough_to_be_judged(kind: str) -> None:
    audible = [np.sqrt(np.square(sound).mean()) > 1e-3 for sound in sounds(kind)]
    assert np.mean(audible) > 0.6


def test_no_family_of_sounds_is_in_both_groups() -> None:
    trained, held_out = ({FAMILIES[k] for k in ks} for ks in (TRAINED_KINDS, HELD_OUT_KINDS))
    assert not trained & held_out
    assert not set(TRAINED_KINDS) & set(HELD_OUT_KINDS)
    assert {"whale_song", "speech", "clicks", "hum"} <= set(HELD_OUT_KINDS)
    assert len(KINDS) == len(set(KINDS)) >= 16


def test_noise_has_its_colour() -> None:
    # Two octaves higher: 0, 6 and 12 dB less, give or take the width of the random exponent.
    assert np.median([slope_db(s) for s in sounds("white_noise")]) == pytest.approx(0, abs=1)
    assert np.median([slope_db(s) for s in sounds("pink_noise")]) == pytest.approx(-6, abs=2)
    assert np.median([slope_db(s) for s in sounds("brown_noise")]) == pytest.approx(-12.6, abs=2.5)


def test_noise_is_flat_and_tones_are_lines() -> None:
    assert min(flatness(s) for s in sounds("white_noise")) > 0.4
    assert max(flatness(s) for s in sounds("tones")) < 0.05


def test_band_noise_keeps_to_its_band() -> None:
    for sound in sounds("band_noise"):
        hz, spectrum = power(sound)
        order = np.argsort(spectrum)[::-1]
        loudest_hz = hz[order[: len(order) // 100]]
        assert np.ptp(np.log2(np.maximum(loudest_hz, 20))) < 4.5


@pytest.mark.parametrize("kind", ["surf", "static_bursts", "machine_rhythm", "speech"])
def test_what_swells_or_breaks_off_is_less_even_than_noise(kind: str) -> None:
    steady = np.median([levels(s).std() / levels(s).mean() for s in sounds("white_noise")])
    uneven = np.median([levels(s).std() / levels(s).mean() for s in sounds(kind)])
    assert uneven > 5 * steady


def test_a_machine_repeats_itself() -> None:
    def best_echo(sound: FloatArray) -> float:
        level = levels(sound, 0.01) - levels(sound, 0.01).mean()
        echoes = np.correlate(level, level, "full")[len(level) - 1 :]
        return float(echoes[200:600].max() / echoes[0])  # 2 to 6 s later

    assert np.median([best_echo(s) for s in sounds("machine_rhythm", 10.0)]) > 0.4
    assert np.median([best_echo(s) for s in sounds("static_bursts", 10.0)]) < 0.25


def test_near_silence_is_quieter_than_anyone_hears_and_in_steps_of_16_bits() -> None:
    for sound in sounds("near_silence"):
        assert np.sqrt(np.square(sound).mean()) < 1e-3
        assert np.array_equal(sound * 2**15, np.round(sound * 2**15))


def test_clicks_are_short_and_steep() -> None:
    assert min(crest(s) for s in sounds("clicks")) > 8
    assert max(crest(s) for s in sounds("white_noise")) < 8


def test_a_clock_ticks_evenly() -> None:
    for sound in sounds("ticking"):
        level = levels(sound, 0.001)
        struck = np.flatnonzero(level > 0.5 * level.max())
        gaps = np.diff(struck[np.diff(struck, prepend=-1000) > 50])
        steps = gaps / gaps.min()
        assert np.abs(steps - np.round(steps)).max() < 0.1


def test_hum_stands_on_harmonics_of_the_mains() -> None:
    for sound in sounds("hum", 10.0):
        hz, spectrum = power(sound)
        spectrum[hz < 30] = 0
        loudest = np.argsort(spectrum)[::-1][:3]
        off = [
            min(abs(hz[i] - base * max(1, round(hz[i] / base))) for base in (50, 60))
            for i in loudest
        ]
        assert max(off) < 1.5


def test_engines_and_machines_are_low() -> None:
    for kind in ("engine", "machine"):
        assert np.median([centroid_hz(s) for s in sounds(kind)]) < 1500


def test_steady_tones_hold_their_pitch_and_glides_do_not() -> None:
    def spread(kind: str) -> float:
        """Median share of all neighbouring stretches whose pitches differ a little, not much."""
        shares = []
        for sound in sounds(kind):
            steps = np.abs(np.diff(np.log2(np.maximum(pitches_hz(sound), 20))))
            shares.append(((steps > 0.02) & (steps < 0.5)).mean())
        return float(np.median(shares))

    assert spread("tones") < 0.05
    assert spread("whale_song") > 0.25
    assert spread("sweep") > 0.25


def test_a_whale_pauses_in_a_sea_that_echoes() -> None:
    for sound in sounds("whale_song", 12.0):
        level = levels(sound, 0.1)
        assert level.min() < 0.4 * level.max()
        # An echo falls slower than the gate, which closes within 0.15 s.
        falls = level[1:] / np.maximum(level[:-1], 1e-9)
        assert np.median(falls[falls < 0.9]) > 0.3


def test_birds_sing_high() -> None:
    assert min(centroid_hz(s) for s in sounds("bird_song")) > 1000


def test_speech_has_a_voice_formants_and_syllables() -> None:
    for sound in sounds("speech", 10.0):
        hz, spectrum = power(sound)
        voice = spectrum[(hz > 200) & (hz < 1200)].sum()
        assert voice > spectrum[(hz > 5000)].sum()
        level = levels(sound, 0.02)
        beats_hz = np.fft.rfftfreq(len(level), 0.02)
        beats = np.abs(np.fft.rfft(level - level.mean())) ** 2
        rhythm = beats[(beats_hz > 1) & (beats_hz < 8)].sum()
        assert rhythm > 2 * beats[(beats_hz > 12)].sum()


def test_a_crowd_is_evener_than_one_who_speaks() -> None:
    def unevenness(kind: str) -> float:
        return float(np.median([levels(s).std() / levels(s).mean() for s in sounds(kind)]))

    assert unevenness("babble") < 0.7 * unevenness("speech")


def test_rows_are_the_same_each_time_and_longer_ones_begin_with_shorter() -> None:
    config = FrontEndConfig(n_mels=32)
    rows, names = odd_rows(("hum", "pink_noise"), 2, 5, config)
    assert rows.shape == (4, 32, ROW_FRAMES)
    assert rows.dtype == np.uint8
    assert names == ("hum", "hum", "pink_noise", "pink_noise")
    assert rows[0].max() > 200
    alone, _ = odd_rows(("pink_noise",), 1, 5, config)
    assert np.array_equal(alone[0], rows[2])
    assert not np.array_equal(odd_rows(("pink_noise",), 1, 6, config)[0][0], alone[0])


def test_an_unknown_kind_is_an_error() -> None:
    with pytest.raises(KeyError):
        nth_sound("trombone", 0, 0, RATE, RATE)


@pytest.fixture
def canvas() -> Canvas:
    return Canvas(np.random.default_rng(0), RATE, 2 * RATE)


def test_a_filter_that_does_not_move_is_a_filter(canvas: Canvas) -> None:
    noise = canvas.white()
    moved = moving_filter(
        noise, RATE, lambda hz, times_s: np.full((len(times_s), len(hz)), 0.5, np.float32)
    )
    assert np.allclose(moved, 0.5 * noise, atol=1e-5)
    assert np.allclose(filtered(noise, RATE, lambda hz: 0.5 + 0 * hz), 0.5 * noise, atol=1e-5)


def test_an_oscillator_leaves_out_what_cannot_be_sampled() -> None:
    tone = oscillator(RATE, np.full(RATE, 4000.0), [1.0, 0.5, 0.25])
    hz, spectrum = power(tone)
    peaks = hz[spectrum > spectrum.max() / 100]
    assert set(np.round(peaks / 4000)) == {1.0, 2.0}


def test_pulses_come_as_often_as_asked(canvas: Canvas) -> None:
    train = pulses(RATE, np.full(canvas.n_samples, 100.0), np.zeros(canvas.n_samples, np.float32))
    assert train.sum() == pytest.approx(200, abs=1)


def test_convolution_puts_the_response_where_the_impulse_is() -> None:
    impulse = np.zeros(1000, np.float32)
    impulse[990] = 2.0
    response = decay(100, 1.0, RATE)
    assert np.allclose(convolved(impulse, response)[990:], 2 * response[:10], atol=1e-5)
