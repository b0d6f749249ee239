"""What odd sounds are put together from: noise, tones, events, moving filters, reverberation.

Plain NumPy on whole waveforms. Knows no kind of sound; every random choice comes from a Generator
that is passed in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tagger.records import FloatArray

DoubleArray = NDArray[np.float64]
Numbers = NDArray[np.floating]  # of either precision
Gains = Callable[[Numbers], Numbers]

_FFT_UNIT = 1 << 14  # lengths that are multiples of it transform fast
_SLICE = (
    1024  # samples a slice of a moving filter: 23 ms at 44.1 kHz, about what speech holds still
)
_HOP = _SLICE // 2


@dataclass(frozen=True)
class Canvas:
    """What a sound is made on: chance, and how many samples at which rate."""

    rng: np.random.Generator
    sample_rate: int
    n_samples: int

    @property
    def duration_s(self) -> float:
        """Length, seconds."""
        return self.n_samples / self.sample_rate

    def between(self, low: float, high: float) -> float:
        """Return a number between two, all alike likely."""
        return float(self.rng.uniform(low, high))

    def scale(self, low: float, high: float) -> float:
        """Return a number between two, each octave alike likely."""
        return float(np.exp(self.rng.uniform(np.log(low), np.log(high))))

    def chance(self, share: float) -> bool:
        """Return True so often."""
        return bool(self.rng.random() < share)

    def white(self, n_samples: int | None = None) -> FloatArray:
        """Return Gaussian white noise of variance 1."""
        return self.rng.standard_normal(n_samples or self.n_samples, dtype=np.float32)

    def times_s(self) -> DoubleArray:
        """Return when each sample falls, seconds."""
        return np.arange(self.n_samples) / self.sample_rate

    def wander(self, rate_hz: float) -> FloatArray:
        """Return a smooth random curve (n_samples,) about 0 of variance near 1.

        Args:
            rate_hz: How often it makes up its mind.
        """
        n_knots = max(2, int(self.duration_s * rate_hz) + 2)
        knots = self.rng.standard_normal(n_knots)
        return self.through(np.linspace(0, self.duration_s, n_knots), knots)

    def through(self, times_s: Numbers, values: Numbers) -> FloatArray:
        """Return straight lines through points, (n_samples,)."""
        return np.interp(self.times_s(), times_s, values).astype(np.float32)

    def poisson_s(self, rate_hz: float) -> DoubleArray:
        """Return the times of independent events, seconds, sorted; at least one."""
        n_events = max(1, int(self.rng.poisson(rate_hz * self.duration_s)))
        return np.sort(self.rng.uniform(0, self.duration_s, n_events))

    def stretches(
        self, lengths_s: tuple[float, float], pauses_s: tuple[float, float]
    ) -> tuple[DoubleArray, DoubleArray]:
        """Return where stretches of sound begin and how long they are, with pauses between.

        Args:
            lengths_s: Least and greatest length, each octave alike likely, seconds.
            pauses_s: The same of the pauses, the first of which comes before all sound.
        """
        n_most = int(self.duration_s / (lengths_s[0] + pauses_s[0])) + 1
        pauses, lengths = (
            np.exp(self.rng.uniform(np.log(low), np.log(high), n_most))
            for low, high in (pauses_s, lengths_s)
        )
        ends = np.cumsum(pauses + lengths)
        n_used = max(1, int(np.searchsorted(ends, self.duration_s)))
        return (ends - lengths)[:n_used], lengths[:n_used]


def filtered(waveform: FloatArray, sample_rate: int, gains: Gains) -> FloatArray:
    """Return a waveform whose spectrum was multiplied by ``gains`` of the frequencies, Hz."""
    n_fft = _fast_length(len(waveform))
    spectrum = np.fft.rfft(waveform, n_fft)
    spectrum *= gains(np.fft.rfftfreq(n_fft, 1 / sample_rate)).astype(np.float32)
    return _floats(np.fft.irfft(spectrum, n_fft)[: len(waveform)])


def power_law(exponent: float) -> Gains:
    """Return gains that fall as frequency to ``-exponent / 2``: 1 pink, 2 brown; flat below 20 Hz.

    >>> power_law(2.0)(np.array([100.0, 200.0])).tolist()
    [0.01, 0.005]
    """

    def gains(hz: Numbers) -> Numbers:
        fallen: Numbers = np.maximum(hz, 20.0) ** (-exponent / 2)
        return fallen

    return gains


def band(low_hz: float, high_hz: float, order: float = 4.0) -> Gains:
    """Return the gains of a band-pass filter, half the power at both edges."""

    def gains(hz: Numbers) -> Numbers:
        below = (low_hz / np.maximum(hz, 1e-3)) ** (2 * order)
        above = (hz / high_hz) ** (2 * order)
        passed: Numbers = 1.0 / np.sqrt(1.0 + below + above)
        return passed

    return gains


def resonance(hz: Numbers, centre_hz: Numbers | float, width_hz: float) -> Numbers:
    """Return the gain of a resonance, 1 at its centre and half the power ``width_hz / 2`` away."""
    passed: Numbers = 1.0 / np.sqrt(1.0 + ((hz - centre_hz) / (width_hz / 2)) ** 2)
    return passed


def moving_filter(
    waveform: FloatArray, sample_rate: int, gains: Callable[[Numbers, Numbers], FloatArray]
) -> FloatArray:
    """Return a waveform through a filter that changes with time.

    Args:
        waveform: (n_samples,).
        sample_rate: Samples a second.
        gains: Of frequencies (n_bins,) in Hz and times (n_slices,) in seconds, the gain
            (n_slices, n_bins).
    """
    n_slices = -(-len(waveform) // _HOP) + 1
    padded = np.zeros((n_slices + 1) * _HOP, np.float32)
    padded[_HOP : _HOP + len(waveform)] = waveform
    slices = np.lib.stride_tricks.sliding_window_view(padded, _SLICE)[::_HOP]
    window = np.sqrt(np.hanning(_SLICE + 1)[:-1]).astype(np.float32)
    spectra = np.fft.rfft(slices * window, axis=1)
    hz = np.fft.rfftfreq(_SLICE, 1 / sample_rate)
    spectra *= gains(hz, np.arange(n_slices) * _HOP / sample_rate)
    pieces = np.fft.irfft(spectra, axis=1) * window
    halves = pieces.reshape(n_slices, 2, _HOP)  # each half meets the other half of a neighbour
    joined = np.zeros((n_slices + 1, _HOP), np.float32)
    joined[:-1] += halves[:, 0]
    joined[1:] += halves[:, 1]
    return joined.ravel()[_HOP : _HOP + len(waveform)]


def oscillator(
    sample_rate: int, frequency_hz: Numbers, amplitudes: Sequence[float] = (1.0,)
) -> FloatArray:
    """Return a tone (n_samples,) of a changing frequency, with harmonics.

    Args:
        sample_rate: Samples a second.
        frequency_hz: (n_samples,) of the fundamental.
        amplitudes: Of the fundamental and its harmonics in turn; what would lie beyond half the
            sample rate is left out.
    """
    phase = np.cumsum(frequency_hz, dtype=np.float64) * (2 * np.pi / sample_rate)
    n_fitting = int(sample_rate / 2 / max(float(np.max(frequency_hz)), 1.0))
    return _harmonics(np.mod(phase, 2 * np.pi), list(amplitudes)[:n_fitting])


def _harmonics(phase: DoubleArray, amplitudes: Sequence[float]) -> FloatArray:
    """Sum sin(k * phase): each from the two before, where a sine of its own would cost far more."""
    fundamental = np.sin(phase).astype(np.float32)
    double_cosine = (2 * np.cos(phase)).astype(np.float32)
    total = np.zeros(len(phase), np.float32)
    before, now = np.zeros_like(fundamental), fundamental
    for amplitude in amplitudes:
        total += np.float32(amplitude) * now
        before, now = now, double_cosine * now - before
    return total


def pulses(sample_rate: int, frequency_hz: Numbers, jitter: FloatArray) -> FloatArray:
    """Return unit impulses (n_samples,), as many a second as ``frequency_hz`` says.

    Args:
        sample_rate: Samples a second.
        frequency_hz: (n_samples,).
        jitter: (n_samples,) relative changes of the frequency.
    """
    phase = np.cumsum(frequency_hz * (1 + jitter), dtype=np.float64) / sample_rate
    return _floats(np.diff(np.floor(phase), prepend=0.0) > 0)


def events(canvas: Canvas, times_s: DoubleArray, gains: DoubleArray, one: FloatArray) -> FloatArray:
    """Return a sound (n_samples,) in which ``one`` (n_one,) begins at each time, so loud."""
    places = np.minimum((times_s * canvas.sample_rate).astype(int), canvas.n_samples - 1)
    impulses = np.bincount(places, gains, minlength=canvas.n_samples).astype(np.float32)
    return convolved(impulses, one)


def convolved(waveform: FloatArray, response: FloatArray) -> FloatArray:
    """Return a waveform through an impulse response, cut to its own length."""
    n_fft = _fast_length(len(waveform) + len(response))
    spectrum = np.fft.rfft(waveform, n_fft) * np.fft.rfft(response, n_fft)
    return _floats(np.fft.irfft(spectrum, n_fft)[: len(waveform)])


def reverberated(canvas: Canvas, waveform: FloatArray, decay_s: float, share: float) -> FloatArray:
    """Return a waveform with the tail of a room or a sea added.

    Args:
        canvas: Of the waveform.
        waveform: (n_samples,).
        decay_s: Time in which the tail falls by 60 dB.
        share: Its loudness beside the waveform's.
    """
    n_tail = int(decay_s * canvas.sample_rate)
    tail = canvas.white(n_tail) * decay(n_tail, decay_s, canvas.sample_rate)
    tail /= np.sqrt(np.square(tail).sum())
    return waveform + np.float32(share) * convolved(waveform, tail)


def decay(n_samples: int, decay_s: float, sample_rate: int) -> FloatArray:
    """Return an envelope that falls by 60 dB in ``decay_s``.

    >>> decay(3, 1.0, 1).round(6).tolist()
    [1.0, 0.0010000000474974513, 9.999999974752427e-07]
    """
    return _floats(10.0 ** (-3.0 * np.arange(n_samples) / (decay_s * sample_rate)))


def gate(
    canvas: Canvas, starts_s: DoubleArray, lengths_s: DoubleArray, ramp_s: float
) -> FloatArray:
    """Return an envelope (n_samples,): 1 during each stretch, 0 between, with sloping edges.

    Stretches may not overlap by more than they touch.
    """
    ends_s = starts_s + np.maximum(lengths_s, 2.1 * ramp_s)
    corners = np.stack([starts_s, starts_s + ramp_s, ends_s - ramp_s, ends_s], axis=1)
    heights = np.tile([0.0, 1.0, 1.0, 0.0], len(starts_s))
    return canvas.through(np.maximum.accumulate(corners.ravel()), heights)


def loud(waveform: Numbers, rms: float = 1.0) -> FloatArray:
    """Return a waveform of a given root mean square; silence stays silence."""
    own = float(np.sqrt(np.square(waveform, dtype=np.float64).mean()))
    return _floats(waveform * (rms / own if own else 0.0))


def _fast_length(n_samples: int) -> int:
    return -(-n_samples // _FFT_UNIT) * _FFT_UNIT


def _floats(values: NDArray[np.generic]) -> FloatArray:
    return values.astype(np.float32, copy=False)
