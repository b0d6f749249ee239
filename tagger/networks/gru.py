"""GRU: a recurrent layer over the mel bands themselves, frame by frame."""

from __future__ import annotations

from torch import Tensor, nn

from tagger.networks.base import NetworkConfig, PooledNetwork
from tagger.networks.convolutions import pool_time


class GRU(PooledNetwork):
    """Two bidirectional recurrent layers alone; 347,528 parameters as configured by default.

    Source: Cho et al., arXiv 1406.1078.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config, pooled_size=4 * config.gru_size)
        self.gru = nn.GRU(
            config.n_mels,
            config.gru_size,
            num_layers=2,
            dropout=config.dropout,
            batch_first=True,
            bidirectional=True,
        )

    def pool(self, features: Tensor) -> Tensor:
        """Return (n, 4 * gru_size) of normalised log-mels (n, n_mels, n_frames)."""
        states, _ = self.gru(features.transpose(1, 2))  # (n, n_frames, 2 * gru_size)
        return pool_time(states)
