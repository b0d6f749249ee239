"""Noise: of every colour, swelling as surf and wind do, in bursts, in a machine's rhythm, faint."""

from __future__ import annotations

import numpy as np

from tagger.records import FloatArray
from training.odd_sounds.synthesis import (
    Canvas,
    Numbers,
    band,
    convolved,
    decay,
    filtered,
    gate,
    loud,
    moving_filter,
    power_law,
    resonance,
)

_LEAST_BIT = 2.0**-15  # a step of 16-bit sound


def white_noise(canvas: Canvas) -> FloatArray:
    """Return all frequencies alike."""
    return canvas.white()


def pink_noise(canvas: Canvas) -> FloatArray:
    """Return noise that falls by about 3 dB an octave."""
    return filtered(canvas.white(), canvas.sample_rate, power_law(canvas.between(0.7, 1.3)))


def brown_noise(canvas: Canvas) -> FloatArray:
    """Return noise that falls by about 6 dB an octave."""
    return filtered(canvas.white(), canvas.sample_rate, power_law(canvas.between(1.7, 2.5)))


def band_noise(canvas: Canvas) -> FloatArray:
    """Return noise of a tenth of an octave to three octaves around any frequency."""
    centre_hz, half = canvas.scale(80, 10_000), canvas.scale(0.05, 1.5)
    gains = band(centre_hz * 2**-half, centre_hz * 2**half)
    return filtered(canvas.white(), canvas.sample_rate, gains)


def surf(canvas: Canvas) -> FloatArray:
    """Return waves on a beach: noise that swells each few seconds, and is brightest at its top."""
    starts_s, _ = canvas.stretches((1.0, 4.0), (1.0, 6.0))
    rise_s, fall_s = canvas.between(0.5, 2.0), canvas.between(1.5, 5.0)
    at_s = canvas.times_s()[::64]  # what swells so slowly needs no more
    since_s = at_s - starts_s[:, None]
    swells = np.exp(-(np.where(since_s < 0, since_s / rise_s, since_s / fall_s) ** 2)).sum(axis=0)
    swell = canvas.through(at_s, swells)
    low = loud(filtered(canvas.white(), canvas.sample_rate, power_law(2.0)))
    high = loud(filtered(canvas.white(), canvas.sample_rate, band(500, 9000, 1.0)))
    floor = np.float32(canvas.between(0.02, 0.3))
    spray: FloatArray = np.float32(canvas.scale(0.3, 2.0)) * high * swell**2
    return low * (floor + swell) + spray


def wind(canvas: Canvas) -> FloatArray:
    """Return wind that howls: noise through a resonance that wanders, in gusts."""
    centre_hz, width_hz = canvas.scale(150, 1200), canvas.scale(40, 600)
    rate_hz = canvas.scale(0.1, 1.0)
    pitch, gust = canvas.wander(rate_hz), canvas.wander(rate_hz)

    def gains(hz: Numbers, times_s: Numbers) -> FloatArray:
        at = np.minimum((times_s * canvas.sample_rate).astype(int), canvas.n_samples - 1)
        centres_hz = centre_hz * np.exp2(0.4 * pitch[at])[:, None]
        howl = resonance(hz.astype(np.float32), centres_hz, width_hz)
        blown: FloatArray = (np.exp(0.7 * gust[at])[:, None] * howl).astype(np.float32)
        return blown

    howling = loud(moving_filter(canvas.white(), canvas.sample_rate, gains))
    return howling + np.float32(canvas.scale(0.1, 1.0)) * loud(brown_noise(canvas))


def static_bursts(canvas: Canvas) -> FloatArray:
    """Return a badly tuned radio: hiss that breaks in and off."""
    starts_s, lengths_s = canvas.stretches((0.03, 1.5), (0.03, canvas.scale(0.2, 4.0)))
    bursts = gate(canvas, starts_s, lengths_s, 0.002)
    heights = canvas.through(starts_s, canvas.rng.lognormal(0.0, 0.6, len(starts_s)))
    hiss = loud(filtered(canvas.white(), canvas.sample_rate, band(300, canvas.scale(2e3, 1e4), 2)))
    return hiss * (np.float32(canvas.scale(0.003, 0.3)) + bursts * heights)


def machine_rhythm(canvas: Canvas) -> FloatArray:
    """Return a loom or a train: a pattern of thuds of noise, over and over, unchanged."""
    period_s, n_thuds = canvas.scale(0.15, 2.0), int(canvas.rng.integers(1, 6))
    period = np.zeros(max(1, int(period_s * canvas.sample_rate)), np.float32)
    places = canvas.rng.integers(len(period), size=n_thuds)
    period[places] = canvas.rng.uniform(0.2, 1.0, n_thuds)
    impulses = np.resize(period, canvas.n_samples)
    n_thud = int(canvas.between(0.05, 0.4) * canvas.sample_rate)
    thud = canvas.white(n_thud) * decay(n_thud, n_thud / canvas.sample_rate, canvas.sample_rate)
    low_hz = canvas.scale(40, 800)
    thud = filtered(thud, canvas.sample_rate, band(low_hz, low_hz * canvas.scale(2, 20), 2))
    rumble = filtered(canvas.white(), canvas.sample_rate, power_law(1.5))
    return loud(convolved(impulses, thud)) + np.float32(canvas.scale(0.02, 1.0)) * loud(rumble)


def near_silence(canvas: Canvas) -> FloatArray:
    """Return what 16 bits leave of next to nothing: a noise or a tone of a step or two."""
    n_steps = canvas.scale(0.3, 6.0)
    tone = np.sin(2 * np.pi * canvas.scale(50, 5000) * canvas.times_s())
    faint = canvas.white() if canvas.chance(0.5) else tone.astype(np.float32)
    dither = canvas.white() * np.float32(0.5 * canvas.chance(0.5))
    return np.round(n_steps * faint + dither) * np.float32(_LEAST_BIT)


KINDS = {
    make.__name__: make
    for make in (
        white_noise,
        pink_noise,
        brown_noise,
        band_noise,
        surf,
        wind,
        static_bursts,
        machine_rhythm,
        near_silence,
    )
}
