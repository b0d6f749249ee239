"""The front ends of networks trained on AudioSet, and none at all: the waveform itself."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tagger.networks.frontend import FrontEnd

_SAMPLE_RATE = 16_000
_WINDOW, _HOP, _N_FFT = 400, 160, 512  # 25 ms, 10 ms, and the next power of two
_N_MELS, _LEAST_HZ, _MOST_HZ = 64, 125.0, 7500.0


class AudioSetLogMel(FrontEnd):
    """log(mel + offset) of segments at 16 kHz, by magnitude and not by power.

    Source: YAMNet's features.py (offset 0.001) and VGGish's mel_features.py (0.01), in the
    repository tensorflow/models under research/audioset.

    Args:
        log_offset: Added before the logarithm.
    """

    window: Tensor
    filters: Tensor

    def __init__(self, log_offset: float) -> None:
        super().__init__()
        self.log_offset = log_offset
        self.register_buffer("window", torch.hann_window(_WINDOW), persistent=False)
        self.register_buffer("filters", torch.from_numpy(htk_filters()), persistent=False)

    def forward(self, waveforms: Tensor) -> Tensor:
        """Return (n, n_mels, n_frames) of (n, n_samples) in [-1, 1]."""
        spectra = torch.fft.rfft(self.frames(waveforms) * self.window, n=_N_FFT)
        mel = spectra.abs() @ self.filters  # (n, n_frames, n_mels)
        return torch.log(mel + self.log_offset).transpose(-1, -2)

    def frames(self, waveforms: Tensor) -> Tensor:
        """Return all that is looked at, (n, n_frames, window), of (n, n_samples)."""
        return waveforms.unfold(-1, _WINDOW, _HOP)


class Waveform(FrontEnd):
    """The samples as they are."""

    def forward(self, waveforms: Tensor) -> Tensor:
        """Return (n, n_samples) unchanged."""
        return waveforms

    def frames(self, waveforms: Tensor) -> Tensor:
        """Return the whole as one frame, (n, 1, n_samples)."""
        return waveforms[:, None, :]


class Standardised(FrontEnd):
    """Another front end, from which a mean is taken, over twice a deviation.

    Source: MAESTFeatureExtractor, with the mean and the deviation of Discogs20.

    Args:
        front_end: The other one.
        mean: What is subtracted.
        deviation: Half of what it is divided by.
    """

    def __init__(self, front_end: FrontEnd, mean: float, deviation: float) -> None:
        super().__init__()
        self.front_end = front_end
        self.mean = mean
        self.deviation = deviation

    def forward(self, waveforms: Tensor) -> Tensor:
        """Return (n, n_mels, n_frames) of (n, n_samples) in [-1, 1]."""
        features: Tensor = (self.front_end(waveforms) - self.mean) / (2 * self.deviation)
        return features

    def frames(self, waveforms: Tensor) -> Tensor:
        """Return all that the other one looks at."""
        return self.front_end.frames(waveforms)


def htk_filters() -> NDArray[np.float32]:
    """Return filters (n_fft // 2 + 1, n_mels), triangular over mels and 1 high, without 0 Hz.

    Source: S. Young et al., The HTK Book, 2006: mel = 1127 ln(1 + hz / 700).
    """
    mels = 1127.0 * np.log1p(np.fft.rfftfreq(_N_FFT, 1 / _SAMPLE_RATE) / 700.0)[:, None]
    least, most = 1127.0 * np.log1p(np.array([_LEAST_HZ, _MOST_HZ]) / 700.0)
    edges = np.linspace(float(least), float(most), _N_MELS + 2)
    rising = (mels - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - mels) / (edges[2:] - edges[1:-1])
    filters = np.maximum(0.0, np.minimum(rising, falling))
    filters[0] = 0.0
    as_float32: NDArray[np.float32] = filters.astype(np.float32)
    return as_float32
