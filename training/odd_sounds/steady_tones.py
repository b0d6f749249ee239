"""Tones that hold their pitch: test tones, beeps, alarms, modems, bells."""

from __future__ import annotations

import numpy as np

from tagger.records import FloatArray
from training.odd_sounds.synthesis import (
    Canvas,
    decay,
    events,
    gate,
    oscillator,
)

# The partials of a church bell, by its prime: hum, prime, tierce, quint, nominal, upper ones.
# Source: Fletcher and Rossing, The Physics of Musical Instruments, 1998, chapter 21.
_BELL_PARTIALS = np.array([0.5, 1.0, 1.2, 1.5, 2.0, 2.5, 2.66, 3.0, 4.0])


def tones(canvas: Canvas) -> FloatArray:
    """Return one to five sines that have nothing to do with each other, unchanged throughout."""
    total = np.zeros(canvas.n_samples, np.float32)
    for _ in range(int(canvas.rng.integers(1, 6))):
        phase = 2 * np.pi * canvas.scale(120, 10_000) * canvas.times_s()
        total += np.float32(canvas.scale(0.1, 1.0)) * np.sin(phase).astype(np.float32)
    return total


def beeps(canvas: Canvas) -> FloatArray:
    """Return one pitch switched on and off, evenly or as in Morse code."""
    length_s, pause_s = canvas.scale(0.05, 0.8), canvas.scale(0.05, 1.5)
    spread = canvas.scale(1.0, 4.0) if canvas.chance(0.5) else 1.0
    starts_s, lengths_s = canvas.stretches(
        (length_s, length_s * spread), (pause_s, pause_s * spread)
    )
    pitch_hz = np.full(canvas.n_samples, canvas.scale(250, 4000))
    tone = oscillator(canvas.sample_rate, pitch_hz, _odd_harmonics(canvas))
    return tone * gate(canvas, starts_s, lengths_s, 0.004)


def alarm(canvas: Canvas) -> FloatArray:
    """Return two or three pitches in turn, hard-edged, without end."""
    n_pitches = int(canvas.rng.integers(2, 4))
    pitches_hz = canvas.scale(300, 2000) * 2 ** canvas.rng.uniform(0.1, 1.2, n_pitches)
    n_held = max(1, int(canvas.scale(0.08, 1.0) * canvas.sample_rate))
    frequency_hz = np.resize(np.repeat(pitches_hz, n_held), canvas.n_samples)
    return oscillator(canvas.sample_rate, frequency_hz, _odd_harmonics(canvas))


def modem(canvas: Canvas) -> FloatArray:
    """Return data as sound: a carrier that hops between pitches many times a second."""
    n_pitches = int(canvas.rng.integers(2, 17))
    low_hz = canvas.scale(300, 1500)
    pitches_hz = np.linspace(low_hz, low_hz * canvas.between(1.3, 4.0), n_pitches)
    n_held = max(1, int(canvas.scale(0.002, 0.05) * canvas.sample_rate))
    symbols = canvas.rng.integers(n_pitches, size=canvas.n_samples // n_held + 1)
    frequency_hz = np.repeat(pitches_hz[symbols], n_held)[: canvas.n_samples]
    return oscillator(canvas.sample_rate, frequency_hz)


def bells(canvas: Canvas) -> FloatArray:
    """Return one to four bells, struck evenly or at random."""
    total = np.zeros(canvas.n_samples, np.float32)
    for _ in range(int(canvas.rng.integers(1, 5))):
        period_s = canvas.scale(0.3, 5.0)
        even_s = np.arange(canvas.between(0, period_s), canvas.duration_s, period_s)
        times_s = even_s if canvas.chance(0.5) else canvas.poisson_s(1 / period_s)
        gains = canvas.rng.uniform(0.3, 1.0, len(times_s))
        total += events(canvas, times_s, gains, _bell(canvas))
    return total


def _bell(canvas: Canvas) -> FloatArray:
    """Return one stroke; higher partials die sooner."""
    prime_hz, lasting_s = canvas.scale(150, 2500), canvas.scale(0.4, 6.0)
    n_samples = int(lasting_s * canvas.sample_rate)
    times_s = np.arange(n_samples) / canvas.sample_rate
    stroke = np.zeros(n_samples, np.float32)
    for partial in _BELL_PARTIALS * canvas.rng.uniform(0.97, 1.03, len(_BELL_PARTIALS)):
        sine = np.sin(2 * np.pi * min(prime_hz * partial, 15_000) * times_s).astype(np.float32)
        envelope = decay(n_samples, lasting_s / (0.5 + partial), canvas.sample_rate)
        stroke += np.float32(canvas.between(0.1, 1.0) / partial**0.5) * sine * envelope
    return stroke


def _odd_harmonics(canvas: Canvas) -> list[float]:
    """Return the amplitudes of anything between a sine and a square wave."""
    fall = canvas.scale(1.0, 20.0)
    return [k**-fall if k % 2 else 0.0 for k in range(1, 14)]


KINDS = {make.__name__: make for make in (tones, beeps, alarm, modem, bells)}
