"""CNN: convolutions, then mean and maximum over time."""

from __future__ import annotations

from torch import Tensor

from tagger.networks.base import NetworkConfig, PooledNetwork
from tagger.networks.convolutions import ConvStack, pool_time


class CNN(PooledNetwork):
    """Convolutions alone; 285,224 parameters as configured by default."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config, pooled_size=2 * config.channels[-1])
        self.convolutions = ConvStack(config)

    def pool(self, features: Tensor) -> Tensor:
        """Return (n, 2 * channels[-1]) of normalised log-mels (n, n_mels, n_frames)."""
        return pool_time(self.convolutions(features))
