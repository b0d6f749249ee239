"""From waveforms to log-mels: the only features that networks are trained on and fed with.

Owns the front end's settings, the mel filters and the torch module. Where in a track the segments
lie, and decoding them, is for ``tagger.audio``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

_AMIN = 1e-10  # power below which log10 is of no use; librosa's default
_GAIN = 1e4  # of "log-gain"; a full-scale tone then comes out near 6


@dataclass(frozen=True, slots=True)
class FrontEndConfig:
    """How a segment becomes a log-mel; each checkpoint brings its own.

    The hop is by default long on purpose: a frame of 46 ms each 0.234 s, 128 frames for the 30 s
    of an FMA clip, as the training data have it. Only those frames are ever transformed.

    Args:
        sample_rate: Samples a second.
        n_fft: Samples a frame, Hann-windowed.
        hop_length: Samples from one frame to the next.
        n_mels: Mel bands from 0 Hz to half the sample rate.
        top_db: Range kept below a segment's maximum, dB; of "relative-db" alone.
        n_frames: Frames a segment.
        compression: How power becomes a log-mel; a key of ``COMPRESSIONS``.

    >>> FrontEndConfig().n_samples
    322464
    >>> round(FrontEndConfig().segment_s, 2)
    7.31
    """

    sample_rate: int = 44_100
    n_fft: int = 2048
    hop_length: int = 10_336
    n_mels: int = 128
    top_db: float = 80.0
    n_frames: int = 32
    compression: str = "relative-db"

    @property
    def n_samples(self) -> int:
        """Samples a segment: from the first frame's beginning to the last frame's end."""
        return (self.n_frames - 1) * self.hop_length + self.n_fft

    @property
    def segment_s(self) -> float:
        """Seconds a segment."""
        return self.n_samples / self.sample_rate


class FrontEnd(nn.Module, ABC):
    """From the waveforms of segments to what a network is fed with."""

    @abstractmethod
    def forward(self, waveforms: Tensor) -> Tensor:
        """Return (n, n_mels, n_frames), or (n, n_samples), of (n, n_samples) in [-1, 1]."""

    @abstractmethod
    def frames(self, waveforms: Tensor) -> Tensor:
        """Return all that is looked at, (n, n_frames, n_fft), of (n, n_samples)."""


class LogMel(FrontEnd):
    """Log-mel spectrogram of segments.

    Frames are not padded or centred: frame i covers samples i * hop_length up to
    i * hop_length + n_fft. As "relative-db" it equals librosa's
    ``power_to_db(melspectrogram(...), ref=max)`` taken at those places to 1e-4 dB.

    Args:
        config: The settings.

    Raises:
        ValueError: there is no such compression.
    """

    window: Tensor
    filters: Tensor

    def __init__(self, config: FrontEndConfig) -> None:
        super().__init__()
        if config.compression not in COMPRESSIONS:
            raise ValueError(f"there is no compression {config.compression!r}")
        self.config = config
        self.register_buffer("window", torch.hann_window(config.n_fft), persistent=False)
        filters = mel_filters(config.sample_rate, config.n_fft, config.n_mels)
        self.register_buffer("filters", torch.from_numpy(filters.T.copy()), persistent=False)

    def forward(self, waveforms: Tensor) -> Tensor:
        """Return (n, n_mels, n_frames), compressed, of (n, n_samples) in [-1, 1]."""
        return COMPRESSIONS[self.config.compression](self.mel_power(waveforms), self.config)

    def frames(self, waveforms: Tensor) -> Tensor:
        """Return all that is looked at, (n, n_frames, n_fft), of (n, any number of samples)."""
        return waveforms.unfold(-1, self.config.n_fft, self.config.hop_length)

    def mel_power(self, waveforms: Tensor) -> Tensor:
        """Return the mel power (n, n_mels, n_frames) of (n, any number of samples)."""
        frames = self.frames(waveforms)
        spectra = torch.fft.rfft(frames * self.window)  # (n, n_frames, n_fft // 2 + 1)
        power = spectra.real.square() + spectra.imag.square()
        mel: Tensor = (power @ self.filters).transpose(-1, -2)
        return mel


def relative_db(power: Tensor, top_db: float) -> Tensor:
    """Return power (n, n_mels, n_frames) in dB below each item's maximum, at least -top_db."""
    db = 10.0 * torch.log10(power.clamp_min(_AMIN))
    return rereference(db, top_db)


def rereference(db: Tensor, top_db: float) -> Tensor:
    """Shift each log-mel (n, n_mels, n_frames) so that its maximum is 0 dB, floored at -top_db."""
    return (db - db.amax(dim=(-2, -1), keepdim=True)).clamp_min(-top_db)


def log_gain(power: Tensor) -> Tensor:
    """Return log10(1 + 10,000 power) of power (n, n_mels, n_frames): loudness counts, 0 is silence.

    Source: Dieleman and Schrauwen, End-to-end learning for music audio, ICASSP 2014.
    """
    return torch.log10(1.0 + _GAIN * power)


COMPRESSIONS: Mapping[str, Callable[[Tensor, FrontEndConfig], Tensor]] = {
    "relative-db": lambda power, config: relative_db(power, config.top_db),
    "log-gain": lambda power, _config: log_gain(power),
}


def mel_filters(sample_rate: int, n_fft: int, n_mels: int) -> NDArray[np.float32]:
    """Return triangular filters (n_mels, n_fft // 2 + 1), each of unit area, 0 Hz to Nyquist.

    Source: M. Slaney, Auditory Toolbox, Interval Research technical report 1998-010, 1998.
    """
    edges_hz = _mel_to_hz(np.linspace(0.0, _hz_to_mel(sample_rate / 2), n_mels + 2))
    bins_hz = np.fft.rfftfreq(n_fft, 1.0 / sample_rate)
    distance = edges_hz[:, None] - bins_hz[None, :]
    widths = np.diff(edges_hz)[:, None]
    rising, falling = -distance[:-2] / widths[:-1], distance[2:] / widths[1:]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    unit_area = 2.0 / (edges_hz[2:] - edges_hz[:-2])
    return (triangles * unit_area[:, None]).astype(np.float32)


# Slaney's scale: linear up to 1 kHz (15 mels), then 27 mels for each factor of 6.4.
_HZ_PER_MEL = 200.0 / 3.0
_BREAK_HZ = 1000.0
_BREAK_MEL = _BREAK_HZ / _HZ_PER_MEL
_LOG_STEP = np.log(6.4) / 27.0


def _hz_to_mel(hz: float) -> float:
    if hz < _BREAK_HZ:
        return hz / _HZ_PER_MEL
    return float(_BREAK_MEL + np.log(hz / _BREAK_HZ) / _LOG_STEP)


def _mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    above = _BREAK_HZ * np.exp(_LOG_STEP * (mel - _BREAK_MEL))
    return np.where(mel < _BREAK_MEL, mel * _HZ_PER_MEL, above)
