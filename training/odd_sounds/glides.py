"""Tones whose pitch glides: whales, birds, sweeps."""

from __future__ import annotations

import numpy as np

from tagger.records import FloatArray
from training.odd_sounds.synthesis import Canvas, DoubleArray, gate, oscillator, reverberated


def whale_song(canvas: Canvas) -> FloatArray:
    """Return long moans and cries in a large sea, some of them trembling, with pauses."""
    starts_s, lengths_s = canvas.stretches((0.4, 4.0), (0.3, 4.0))
    low_hz = canvas.scale(60, 400)
    frequency_hz = _glides(canvas, starts_s, lengths_s, low_hz, low_hz * canvas.scale(2, 12))
    fall = canvas.between(0.8, 3.0)
    amplitudes = [canvas.scale(0.2, 1.0) * k**-fall for k in range(1, 13)]
    sung = oscillator(canvas.sample_rate, frequency_hz, amplitudes)
    sung *= gate(canvas, starts_s, lengths_s, canvas.between(0.05, 0.15))
    if canvas.chance(0.4):
        sung *= _tremble(canvas, canvas.scale(4, 30))
    return reverberated(canvas, sung, canvas.scale(0.8, 6.0), canvas.scale(0.1, 0.8))


def bird_song(canvas: Canvas) -> FloatArray:
    """Return short whistled glides, in quick rows with pauses, in a wood."""
    starts_s, lengths_s = canvas.stretches((0.03, 0.4), (0.02, canvas.scale(0.3, 3.0)))
    low_hz = canvas.scale(1200, 4000)
    frequency_hz = _glides(canvas, starts_s, lengths_s, low_hz, low_hz * canvas.between(1.2, 2.5))
    whistled = oscillator(canvas.sample_rate, frequency_hz, [1.0, canvas.between(0, 0.2)])
    whistled *= gate(canvas, starts_s, lengths_s, 0.01)
    return reverberated(canvas, whistled, canvas.scale(0.3, 1.5), canvas.scale(0.05, 0.3))


def sweep(canvas: Canvas) -> FloatArray:
    """Return one glide, up, down or both, over and over."""
    turns = np.mod(canvas.times_s() / canvas.scale(0.3, 30.0), 1.0)
    form = canvas.rng.integers(3)
    place = turns if form == 0 else 1 - turns if form == 1 else 1 - np.abs(2 * turns - 1)
    low_hz = canvas.scale(40, 1500)
    frequency_hz = low_hz * canvas.scale(1.5, 12.0) ** place
    return oscillator(canvas.sample_rate, frequency_hz, [1.0, canvas.between(0.0, 0.5), 0.1])


def _glides(
    canvas: Canvas, starts_s: DoubleArray, lengths_s: DoubleArray, low_hz: float, high_hz: float
) -> FloatArray:
    """Return a pitch (n_samples,) that glides through four random ones in each stretch."""
    corners_s = starts_s[:, None] + lengths_s[:, None] * np.linspace(0, 1, 4)
    octaves = canvas.rng.uniform(np.log2(low_hz), np.log2(high_hz), corners_s.shape)
    pitch: FloatArray = np.exp2(canvas.through(corners_s.ravel(), octaves.ravel()))
    return pitch


def _tremble(canvas: Canvas, rate_hz: float) -> FloatArray:
    depth = canvas.between(0.2, 0.5)
    swing = np.sin(2 * np.pi * rate_hz * canvas.times_s())
    return (1 - depth + depth * swing).astype(np.float32)


KINDS = {make.__name__: make for make in (whale_song, bird_song, sweep)}
