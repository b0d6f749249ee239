"""Voices without words: pulses of a glottis through the formants of a mouth that moves.

The source-filter model: Fant, Acoustic Theory of Speech Production, 1960.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tagger.records import FloatArray
from training.odd_sounds.synthesis import (
    Canvas,
    DoubleArray,
    Numbers,
    band,
    filtered,
    gate,
    loud,
    moving_filter,
    pulses,
    resonance,
)

# The first three formants of men's vowels, Hz: heed, hid, head, had, hod, hawed, hood, who'd, hud.
# Source: Peterson and Barney, Journal of the Acoustical Society of America 24 (2), 1952.
_VOWELS_HZ = np.array(
    [
        (270, 2290, 3010),
        (390, 1990, 2550),
        (530, 1840, 2480),
        (660, 1720, 2410),
        (730, 1090, 2440),
        (570, 840, 2410),
        (440, 1020, 2240),
        (300, 870, 2240),
        (640, 1190, 2390),
    ],
    dtype=np.float64,
)
_WIDTHS_HZ = (80.0, 110.0, 170.0)
_LOUDNESS = (1.0, 0.5, 0.25)
_N_SPEAKERS, _N_ECHOES = 3, 4  # of a crowd: each speaker is heard from so many places


@dataclass(frozen=True)
class _Syllables:
    """Where syllables begin, how long they are, and each one's vowel (n, 3) in Hz."""

    starts_s: DoubleArray
    lengths_s: DoubleArray
    formants_hz: DoubleArray


def speech(canvas: Canvas) -> FloatArray:
    """Return somebody talking, in phrases with pauses between."""
    phrases = gate(canvas, *canvas.stretches((0.6, 5.0), (0.15, 1.5)), 0.03)
    syllables = _syllables(canvas)
    voiced = _voiced(canvas, syllables, canvas.scale(80, 280))
    hissed = _hissed(canvas, syllables)
    return (loud(voiced) + np.float32(canvas.scale(0.1, 0.5)) * loud(hissed)) * phrases


def babble(canvas: Canvas) -> FloatArray:
    """Return a crowd: many talk at once, none to be understood."""
    total = np.zeros(canvas.n_samples, np.float32)
    for _ in range(_N_SPEAKERS):
        talk = loud(speech(canvas))
        for _ in range(_N_ECHOES):
            shift = int(canvas.rng.integers(canvas.n_samples))
            total += np.float32(canvas.scale(0.2, 1.0)) * np.roll(talk, shift)
    return total


def _syllables(canvas: Canvas) -> _Syllables:
    rate_hz = canvas.between(3.0, 6.5)
    starts_s, lengths_s = canvas.stretches((0.5 / rate_hz, 1.2 / rate_hz), (0.02, 0.1))
    vowels_hz = _VOWELS_HZ[canvas.rng.integers(len(_VOWELS_HZ), size=len(starts_s))]
    mouth = canvas.between(0.9, 1.25)  # women's and children's are shorter, and sound higher
    return _Syllables(starts_s, lengths_s, mouth * vowels_hz)


def _voiced(canvas: Canvas, syllables: _Syllables, pitch_hz: float) -> FloatArray:
    """Return the vowels, each of which is reached in the middle of its syllable."""
    intonation = 2 ** (canvas.between(0.1, 0.3) * canvas.wander(1.5))
    jitter = np.float32(canvas.between(0.005, 0.03)) * canvas.wander(60.0)
    source = pulses(canvas.sample_rate, pitch_hz * intonation, jitter)
    middles_s = syllables.starts_s + syllables.lengths_s / 2

    def gains(hz: Numbers, times_s: Numbers) -> FloatArray:
        total = np.zeros((len(times_s), len(hz)), np.float32)
        for i, (width_hz, loudness) in enumerate(zip(_WIDTHS_HZ, _LOUDNESS, strict=True)):
            formant_hz = np.interp(times_s, middles_s, syllables.formants_hz[:, i])
            centres_hz = formant_hz.astype(np.float32)[:, None]
            total += np.float32(loudness) * resonance(
                hz.astype(np.float32), centres_hz, width_hz
            ).astype(np.float32)
        tilt: FloatArray = np.maximum(hz / 500.0, 1.0).astype(np.float32)  # 6 dB an octave
        return total / tilt

    vowels = moving_filter(source, canvas.sample_rate, gains)
    return vowels * gate(canvas, syllables.starts_s, syllables.lengths_s, 0.025)


def _hissed(canvas: Canvas, syllables: _Syllables) -> FloatArray:
    """Return the s, f and sh with which some syllables begin."""
    begins = canvas.rng.random(len(syllables.starts_s)) < 0.4
    begins[0] = True
    starts_s = syllables.starts_s[begins] - 0.02
    hiss = gate(canvas, starts_s, 0.35 * syllables.lengths_s[begins], 0.01)
    gains = band(canvas.scale(1800, 4000), canvas.scale(6000, 11_000), 2)
    return filtered(canvas.white(), canvas.sample_rate, gains) * hiss


KINDS = {make.__name__: make for make in (speech, babble)}
