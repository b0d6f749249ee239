"""Low tones with harmonics that never end: mains hum, machines, engines."""

from __future__ import annotations

import numpy as np

from tagger.records import FloatArray
from training.odd_sounds.synthesis import (
    Canvas,
    band,
    filtered,
    loud,
    oscillator,
    power_law,
    pulses,
    resonance,
)


def hum(canvas: Canvas) -> FloatArray:
    """Return the mains, at 50 or 60 Hz with harmonics, pure or under noise."""
    mains_hz = (50.0 if canvas.chance(0.5) else 60.0) + canvas.between(-0.05, 0.05)
    fall = canvas.between(0.3, 2.0)
    amplitudes = [canvas.scale(0.1, 1.0) * k**-fall for k in range(1, canvas.rng.integers(3, 40))]
    steady = np.full(canvas.n_samples, mains_hz)
    humming = loud(oscillator(canvas.sample_rate, steady, amplitudes))
    if canvas.chance(0.4):
        return humming
    hiss = filtered(canvas.white(), canvas.sample_rate, power_law(canvas.between(0.0, 2.0)))
    return humming + np.float32(canvas.scale(0.003, 1.0)) * loud(hiss)


def machine(canvas: Canvas) -> FloatArray:
    """Return fans and compressors: low tones with harmonics that beat, and moved air."""
    total = np.zeros(canvas.n_samples, np.float32)
    root_hz = canvas.scale(30, 300)
    for _ in range(int(canvas.rng.integers(2, 5))):
        pitch_hz = root_hz * canvas.rng.choice([1.0, 1.0, 1.5, 2.0]) * canvas.between(0.99, 1.01)
        amplitudes = [canvas.scale(0.1, 1.0) / k for k in range(1, 13)]
        slip = 1 + np.float32(canvas.scale(1e-4, 5e-3)) * canvas.wander(0.5)
        total += oscillator(canvas.sample_rate, pitch_hz * slip, amplitudes)
    air = filtered(canvas.white(), canvas.sample_rate, band(60, canvas.scale(500, 5000), 1.0))
    return loud(total) + np.float32(canvas.scale(0.02, 1.5)) * loud(air)


def engine(canvas: Canvas) -> FloatArray:
    """Return explosions in cylinders, faster and slower, through an exhaust's resonances."""
    revving = canvas.wander(canvas.scale(0.05, 0.8))
    firing_hz = canvas.scale(15, 120) * np.exp2(canvas.between(0.02, 0.7) * revving)
    jitter = np.float32(0.05) * canvas.white()
    bangs = pulses(canvas.sample_rate, firing_hz, jitter)
    pipes = [(canvas.scale(60, 1500), canvas.scale(30, 300)) for _ in range(4)]
    blown = filtered(
        bangs,
        canvas.sample_rate,
        lambda hz: np.sum([resonance(hz, *pipe) for pipe in pipes], axis=0),
    )
    rush = filtered(canvas.white(), canvas.sample_rate, power_law(1.0))
    return loud(blown) + np.float32(canvas.scale(0.02, 0.7)) * loud(rush)


KINDS = {make.__name__: make for make in (hum, machine, engine)}
