"""The networks, one file an architecture, built by name.

Each takes log-mels (n, n_mels, n_frames) in dB, at most 0, and gives a NetworkOutput. What they
were trained on, and what their outputs are called, is for ``tagger.checkpoint``.
"""

from __future__ import annotations

from collections.abc import Callable

from tagger.networks.base import Network, NetworkConfig, NetworkOutput
from tagger.networks.cnn import CNN
from tagger.networks.cnn_gru import CNNGRU
from tagger.networks.cnn_gru_attention import CNNGRUAttention
from tagger.networks.gru import GRU

ARCHITECTURES: dict[str, Callable[[NetworkConfig], Network]] = {
    "cnn": CNN,
    "gru": GRU,
    "cnn-gru": CNNGRU,
    "cnn-gru-attention": CNNGRUAttention,
}

__all__ = ["ARCHITECTURES", "Network", "NetworkConfig", "NetworkOutput", "build_network"]


def build_network(architecture: str, config: NetworkConfig) -> Network:
    """Return a network with random weights.

    Raises:
        KeyError: no architecture has that name.

    >>> network = build_network("cnn-gru-attention", NetworkConfig())
    >>> network.n_parameters < 1_000_000
    True
    """
    return ARCHITECTURES[architecture](config)
