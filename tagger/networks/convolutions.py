"""The convolution stack: 128 mel bands down to one, the time axis kept (halved once)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tagger.networks.base import NetworkConfig


class ConvStack(nn.Module):
    """Four blocks of convolution, batch norm, ReLU and pooling.

    Pooling is over frequency, by 4, 2, 4 and what is left, and over time only once, by 2: what
    comes out is still a sequence, one step each 0.47 s, for a recurrent layer to run over. (A
    published network of this kind pooled time away before its GRU, which then saw one step.)

    The bands that are left are joined by a learned map, not by their mean: which of them sounds
    says more of a genre than that one does.

    Args:
        config: The network's shape.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        first, second, third, fourth = config.channels
        conv = separable_conv if config.separable else plain_conv
        self.blocks = nn.Sequential(
            # A stride of 2 over frequency instead of pooling: half of the first block's work.
            *_block(nn.Conv2d(1, first, (7, 3), (2, 1), (3, 1), bias=False), first, (2, 1)),
            *_block(conv(first, second), second, (2, 1)),
            *_block(conv(second, third), third, (4, 2)),
            *_block(conv(third, fourth), fourth, (1, 1)),
        )
        n_bands = config.n_mels // 32
        self.join_bands = nn.Sequential(nn.Linear(n_bands * fourth, fourth), nn.ReLU())

    def forward(self, features: Tensor) -> Tensor:
        """Return (n, n_frames // 2, channels[-1]) of (n, n_mels, n_frames)."""
        image = features.unsqueeze(1).contiguous(memory_format=torch.channels_last)
        maps: Tensor = self.blocks(image)  # (n, channels[-1], n_bands, n_frames // 2)
        bands = maps.permute(0, 3, 2, 1).flatten(2)  # (n, n_frames // 2, n_bands * channels[-1])
        joined: Tensor = self.join_bands(bands)
        return joined


def _block(conv: nn.Module, channels: int, pool: tuple[int, int]) -> list[nn.Module]:
    layers = [conv, nn.BatchNorm2d(channels), nn.ReLU()]
    return layers if pool == (1, 1) else [*layers, nn.MaxPool2d(pool)]


def plain_conv(n_in: int, n_out: int) -> nn.Module:
    """Return a 3 x 3 convolution that keeps the size."""
    return nn.Conv2d(n_in, n_out, 3, padding=1, bias=False)


def separable_conv(n_in: int, n_out: int) -> nn.Module:
    """Return a 3 x 3 convolution a channel and a 1 x 1 across them: an eighth of the work."""
    return nn.Sequential(
        nn.Conv2d(n_in, n_in, 3, padding=1, groups=n_in, bias=False),
        nn.BatchNorm2d(n_in),
        nn.ReLU(),
        nn.Conv2d(n_in, n_out, 1, bias=False),
    )


def pool_time(sequence: Tensor) -> Tensor:
    """Return mean and maximum over time, (n, 2 * size), of (n, n_steps, size)."""
    return torch.cat([sequence.mean(dim=1), sequence.amax(dim=1)], dim=1)
