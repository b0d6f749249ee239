"""CNN–GRU: convolutions, then a recurrent layer over what they give, then mean and maximum."""

from __future__ import annotations

from torch import Tensor, nn

from tagger.networks.base import NetworkConfig, PooledNetwork
from tagger.networks.convolutions import ConvStack, pool_time


class CNNGRU(PooledNetwork):
    """Convolutions and a bidirectional GRU; 431,784 parameters as configured by default.

    Source: Choi et al., Convolutional recurrent neural networks for music classification,
    arXiv 1609.04243.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config, pooled_size=4 * config.gru_size)
        self.convolutions = ConvStack(config)
        self.gru = nn.GRU(
            config.channels[-1], config.gru_size, batch_first=True, bidirectional=True
        )

    def pool(self, features: Tensor) -> Tensor:
        """Return (n, 4 * gru_size) of normalised log-mels (n, n_mels, n_frames)."""
        states, _ = self.gru(self.convolutions(features))  # (n, n_frames // 2, 2 * gru_size)
        return pool_time(states)
