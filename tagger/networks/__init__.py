"""The networks, one file an architecture, built by name.

Each takes the log-mels (n, n_mels, n_frames) of its own front end and gives a NetworkOutput. What
they were trained on, and what their outputs are called, is for ``tagger.models.checkpoint``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tagger.networks.base import Network, NetworkConfig, NetworkOutput, PooledNetwork
from tagger.networks.cnn import CNN
from tagger.networks.cnn_gru import CNNGRU
from tagger.networks.cnn_gru_attention import CNNGRUAttention
from tagger.networks.gru import GRU
from tagger.networks.musicnn import MusicNN, MusicNNConfig

ARCHITECTURES: dict[str, Callable[[NetworkConfig], PooledNetwork]] = {
    "cnn": CNN,
    "gru": GRU,
    "cnn-gru": CNNGRU,
    "cnn-gru-attention": CNNGRUAttention,
}
"""Those that are trained here."""

__all__ = [
    "ARCHITECTURES",
    "MusicNN",
    "MusicNNConfig",
    "Network",
    "NetworkConfig",
    "NetworkOutput",
    "PooledNetwork",
    "build_network",
    "network_of_card",
]


def build_network(architecture: str, config: NetworkConfig) -> PooledNetwork:
    """Return a network with random weights, to be trained.

    Raises:
        KeyError: no architecture has that name.

    >>> network = build_network("cnn-gru-attention", NetworkConfig())
    >>> network.n_parameters < 1_000_000
    True
    """
    return ARCHITECTURES[architecture](config)


def network_of_card(architecture: str, shape: Mapping[str, Any]) -> Network:
    """Return the network that a checkpoint's card describes, with random weights.

    Raises:
        ValueError: no architecture has that name.
        TypeError: the shape is not that architecture's.
    """
    if architecture == "musicnn":  # the one that comes with its weights from elsewhere
        return MusicNN(MusicNNConfig.from_card(shape))
    if architecture not in ARCHITECTURES:
        raise ValueError(f"there is no architecture {architecture!r}")
    return build_network(architecture, NetworkConfig.from_card(shape))
