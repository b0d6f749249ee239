"""Clicks: the crackle of a record, a clock's ticking, drops of rain."""

from __future__ import annotations

import numpy as np

from tagger.records import FloatArray
from training.odd_sounds.synthesis import Canvas, decay, events, filtered, loud, power_law


def clicks(canvas: Canvas) -> FloatArray:
    """Return the crackle of a worn record: clicks independent of each other, most of them faint."""
    times_s = canvas.poisson_s(canvas.scale(2, 150))
    gains = canvas.rng.lognormal(0.0, canvas.between(0.3, 0.9), len(times_s))
    signs = canvas.rng.choice([-1.0, 1.0], len(times_s))
    return events(canvas, times_s, signs * gains, _click(canvas, 0.0003, 0.004))


def ticking(canvas: Canvas) -> FloatArray:
    """Return two clicks in turn, as even as a clock's."""
    period_s = canvas.scale(0.1, 1.2)
    times_s = np.arange(canvas.between(0, period_s), canvas.duration_s, period_s)
    times_s = times_s + canvas.rng.normal(0, 0.001, len(times_s)).clip(-0.003, 0.003) + 0.003
    every = np.ones(len(times_s))
    every[1::2] = canvas.between(0.0, 1.0)
    tick, tock = _click(canvas, 0.002, 0.03), _click(canvas, 0.002, 0.03)
    return events(canvas, times_s, every, tick) + events(canvas, times_s, every[::-1], tock)


def rain(canvas: Canvas) -> FloatArray:
    """Return so many drops that few are heard singly, over the hiss of those far away."""
    total = np.zeros(canvas.n_samples, np.float32)
    for _ in range(2):
        times_s = canvas.poisson_s(canvas.scale(40, 1200))
        gains = canvas.rng.lognormal(0.0, 1.0, len(times_s))
        total += events(canvas, times_s, gains, _click(canvas, 0.001, 0.015))
    hiss = filtered(canvas.white(), canvas.sample_rate, power_law(canvas.between(0.0, 1.0)))
    return loud(total) + np.float32(canvas.scale(0.03, 1.0)) * loud(hiss)


def _click(canvas: Canvas, shortest_s: float, longest_s: float) -> FloatArray:
    """Return one click: a resonance struck, damped within a few thousandths of a second."""
    lasting_s = canvas.scale(shortest_s, longest_s)
    n_samples = max(4, int(lasting_s * canvas.sample_rate))
    phase = 2 * np.pi * canvas.scale(600, 9000) * np.arange(n_samples) / canvas.sample_rate
    return np.cos(phase).astype(np.float32) * decay(n_samples, lasting_s, canvas.sample_rate)


KINDS = {make.__name__: make for make in (clicks, ticking, rain)}
