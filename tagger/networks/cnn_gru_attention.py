"""CNN–GRU–Attention: convolutions, a recurrent layer, and a learned weight for each moment."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tagger.networks.base import NetworkConfig, PooledNetwork
from tagger.networks.convolutions import ConvStack


class CNNGRUAttention(PooledNetwork):
    """Convolutions, a bidirectional GRU and attention over time: the default.

    442,217 parameters as configured by default.

    Source: Yang et al., Hierarchical attention networks, NAACL 2016 (the additive attention);
    the recurrent part as in CNNGRU.
    """

    def __init__(self, config: NetworkConfig) -> None:
        state_size = 2 * config.gru_size
        super().__init__(config, pooled_size=state_size + config.channels[-1])
        self.convolutions = ConvStack(config)
        self.gru = nn.GRU(
            config.channels[-1], config.gru_size, batch_first=True, bidirectional=True
        )
        self.score = nn.Sequential(
            nn.Linear(state_size, config.gru_size), nn.Tanh(), nn.Linear(config.gru_size, 1)
        )

    def pool(self, features: Tensor) -> Tensor:
        """Return the attended states and the mean of what the convolutions gave.

        The mean is a short cut past the recurrent layer, which learns faster with it.

        Returns:
            (n, 2 * gru_size + channels[-1]).
        """
        steps = self.convolutions(features)  # (n, n_steps, channels[-1])
        states, _ = self.gru(steps)  # (n, n_steps, 2 * gru_size)
        weights = self.weigh(states)  # (n, n_steps, 1)
        return torch.cat([(weights * states).sum(dim=1), steps.mean(dim=1)], dim=1)

    def weigh(self, states: Tensor) -> Tensor:
        """Return the attention (n, n_steps, 1), each item's summing to 1, of GRU states."""
        return torch.softmax(self.score(states), dim=1)

    def attention(self, log_mel: Tensor) -> Tensor:
        """Return the weight of each time step, (n, n_steps), of log-mels (n, n_mels, n_frames)."""
        states, _ = self.gru(self.convolutions(self.normalise(log_mel)))
        return self.weigh(states).squeeze(-1)
