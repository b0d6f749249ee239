"""What all networks share: their settings, their output, and the head behind the pooling."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class NetworkEnds:
    """What any network's surroundings must know of its shape.

    Args:
        n_labels: Outputs.
        n_mels: Mel bands of the input.
        embedding_dim: Length of the embedding.
    """

    n_labels: int
    n_mels: int
    embedding_dim: int

    @classmethod
    def from_card(cls, values: Mapping[str, Any]) -> Self:
        """Return the shape that a checkpoint's card describes, where tuples are lists.

        Raises:
            TypeError: something is missing, or there is something else.
        """
        plain: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in values.items()
        }
        return cls(**plain)


@dataclass(frozen=True, slots=True)
class NetworkConfig(NetworkEnds):
    """The shape of a network that is trained here.

    Args:
        n_labels: Outputs.
        n_mels: Mel bands of the input; a multiple of 32.
        embedding_dim: Length of the embedding.
        channels: Channels of the four convolution blocks.
        gru_size: Units a direction of the recurrent layer.
        dropout: Probability of dropping a unit before the last layer, while training.
        separable: Depthwise-separable convolutions (Howard et al., MobileNets, arXiv 1704.04861)
            in all blocks but the first.
    """

    n_labels: int = 8
    n_mels: int = 128
    embedding_dim: int = 128
    channels: tuple[int, int, int, int] = (32, 64, 96, 128)
    gru_size: int = 96
    dropout: float = 0.3
    separable: bool = False


class NetworkOutput(NamedTuple):
    """What a network gives for n segments."""

    logits: Tensor  # (n, n_labels), before softmax
    embedding: Tensor  # (n, embedding_dim)


class Network(nn.Module, ABC):
    """A network: log-mels of segments in, logits and embedding out."""

    config: NetworkEnds

    @abstractmethod
    def forward(self, log_mel: Tensor) -> NetworkOutput:
        """Return logits and embedding of log-mels (n, n_mels, n_frames)."""

    @property
    def n_parameters(self) -> int:
        """How many numbers training fits."""
        return sum(p.numel() for p in self.parameters() if p.requires_grad)


class PooledNetwork(Network):
    """A network trained here: features over time, pooled into one vector, and a head.

    Args:
        config: Its shape.
        pooled_size: Length of what ``pool`` gives.
    """

    def __init__(self, config: NetworkConfig, pooled_size: int) -> None:
        super().__init__()
        self.config = config
        self.normalise = InputNorm(config.n_mels)
        self.project = nn.Sequential(
            nn.Dropout(config.dropout), nn.Linear(pooled_size, config.embedding_dim)
        )
        self.classify = nn.Sequential(
            nn.ReLU(), nn.Dropout(config.dropout), nn.Linear(config.embedding_dim, config.n_labels)
        )

    def forward(self, log_mel: Tensor) -> NetworkOutput:
        """Return logits and embedding of log-mels (n, n_mels, n_frames) in dB, at most 0."""
        embedding = self.project(self.pool(self.normalise(log_mel)))
        return NetworkOutput(self.classify(embedding), embedding)

    @abstractmethod
    def pool(self, features: Tensor) -> Tensor:
        """Return (n, pooled_size) of normalised log-mels (n, n_mels, n_frames)."""


class InputNorm(nn.Module):
    """Give each mel band zero mean and unit variance, as seen over the training data."""

    def __init__(self, n_mels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(n_mels, affine=False)

    def forward(self, log_mel: Tensor) -> Tensor:
        """Return (n, n_mels, n_frames), normalised, of the same shape in dB."""
        normalised: Tensor = self.norm(log_mel / 40.0 + 1.0)  # about [-1, 1]: kinder to float16
        return normalised
