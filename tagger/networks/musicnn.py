"""musicnn: convolutions shaped after timbre and rhythm, whose weights come from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, max_pool2d, pad

from tagger.networks.base import Network, NetworkEnds, NetworkOutput

EPSILON = 1e-3  # of the batch norms the weights were trained with
_TIMBRE_FRAMES = 7
_TIMBRE_SHARES = (0.4, 0.7)  # of the mel bands, a filter's height
_RHYTHM_FRAMES = (128, 64, 32)


@dataclass(frozen=True, slots=True)
class MusicNNConfig(NetworkEnds):
    """The shape of a musicnn; as it stands, that of the one trained on the Million Song Dataset.

    Of that one's 204 filters a height and 51 a length the training left most without weight.

    Args:
        n_labels: Outputs.
        n_mels: Mel bands of the input.
        embedding_dim: Units of the layer before the last.
        timbre_channels: Filters of each of the two heights, the lower first.
        rhythm_channels: Filters of each of the three lengths, the longest first.
        channels: Of each of the three layers over what those give.
    """

    n_labels: int = 50
    n_mels: int = 96
    embedding_dim: int = 200
    timbre_channels: tuple[int, ...] = (23, 14)
    rhythm_channels: tuple[int, ...] = (3, 7, 17)
    channels: int = 64

    @classmethod
    def from_card(cls, values: Mapping[str, Any]) -> Self:
        """Return the shape of a card; a number alone, as cards once had it, is that of each size.

        Raises:
            TypeError: something is missing, or there is something else.
        """
        n_sizes = {"timbre_channels": len(_TIMBRE_SHARES), "rhythm_channels": len(_RHYTHM_FRAMES)}
        spread = {
            name: [value] * n_sizes[name] if name in n_sizes and isinstance(value, int) else value
            for name, value in values.items()
        }
        return super(MusicNNConfig, cls).from_card(spread)  # bare, it means the class without slots


class MusicNN(Network):
    """A musically motivated CNN; 214,920 parameters as configured by default.

    The first layer listens twice: to timbre, with filters a few frames wide and high over the mel
    bands, the loudest place of which counts, wherever it is pitched; and to rhythm, with filters
    one band high and up to two seconds long. Three layers with short cuts follow, and maximum and
    mean over time of all four. The logits are the tags' own, mixed and shifted, so that their
    sigmoid is how often such a tag is right.

    Source: Pons and Serra, musicnn: pre-trained convolutional neural networks for music audio
    tagging, arXiv 1909.06654; Pons et al., End-to-end learning for music audio tagging at scale,
    arXiv 1711.02520.
    """

    mix: Tensor
    shift: Tensor

    def __init__(self, config: MusicNNConfig) -> None:
        super().__init__()
        self.config = config
        self.normalise = nn.BatchNorm2d(1, eps=EPSILON)
        self.timbre = nn.ModuleList(
            Filters(channels, _TIMBRE_FRAMES, int(share * config.n_mels))
            for channels, share in zip(config.timbre_channels, _TIMBRE_SHARES, strict=True)
        )
        self.rhythm = nn.ModuleList(
            Filters(channels, n_frames, 1)
            for channels, n_frames in zip(config.rhythm_channels, _RHYTHM_FRAMES, strict=True)
        )
        first = sum(config.timbre_channels) + sum(config.rhythm_channels)
        sizes = (first, config.channels, config.channels)
        self.layers = nn.ModuleList(Layer(size, config.channels) for size in sizes)
        pooled_size = 2 * (first + 3 * config.channels)
        self.project = nn.Sequential(
            nn.BatchNorm1d(pooled_size, eps=EPSILON),
            nn.Linear(pooled_size, config.embedding_dim),
            nn.ReLU(),
            nn.BatchNorm1d(config.embedding_dim, eps=EPSILON),
        )
        self.classify = nn.Linear(config.embedding_dim, config.n_labels)
        # Calibration ("matrix scaling": Guo et al., arXiv 1706.04599).
        # torch.eye would import sympy, two seconds, where a card is tried without memory.
        self.register_buffer("mix", torch.ones(config.n_labels).diag_embed())
        self.register_buffer("shift", torch.zeros(config.n_labels))

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> Any:
        """Take weights over; a scale for each logit, as checkpoints once had it, mixes no two."""
        weights = dict(state_dict)
        if "scale" in weights:
            weights["mix"] = torch.diag(weights.pop("scale"))
        return super().load_state_dict(weights, strict, assign)

    def forward(self, log_mel: Tensor) -> NetworkOutput:
        """Return logits and embedding of log-mels (n, n_mels, n_frames), "log-gain"."""
        embedding = self._embedding(log_mel)
        return NetworkOutput(self.classify(embedding) @ self.mix.T + self.shift, embedding)

    def tags(self, log_mel: Tensor) -> Tensor:
        """Return each tag's score (n, n_labels) in [0, 1] as it was trained, uncalibrated."""
        return torch.sigmoid(self.classify(self._embedding(log_mel)))

    def _embedding(self, log_mel: Tensor) -> Tensor:
        """Return (n, embedding_dim) of log-mels (n, n_mels, n_frames)."""
        image = self.normalise(log_mel.transpose(1, 2).unsqueeze(1))  # (n, 1, n_frames, n_mels)
        steps = [torch.cat([filters(image) for filters in (*self.timbre, *self.rhythm)], dim=1)]
        for i, layer in enumerate(self.layers):
            deeper = layer(steps[-1])
            steps.append(deeper + steps[-1] if i else deeper)
        everything = torch.cat(steps, dim=1)
        pooled = torch.stack([everything.amax(dim=2), everything.mean(dim=2)], dim=2)
        # Maximum and mean of a channel stand side by side, as the weights have them.
        embedding: Tensor = self.project(pooled.flatten(1))
        return embedding


class Filters(nn.Module):
    """Filters of one size over (n, 1, n_frames, n_mels), the highest answer of all bands.

    Args:
        channels: How many.
        n_frames, n_mels: Their size.
    """

    def __init__(self, channels: int, n_frames: int, n_mels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, channels, (n_frames, n_mels))
        self.norm = nn.BatchNorm1d(channels, eps=EPSILON)
        # As many zeros as keep the number of frames; of an even length the end has one more.
        self._padding = (0, 0, (n_frames - 1) // 2, n_frames // 2)

    def forward(self, image: Tensor) -> Tensor:
        """Return (n, channels, n_frames) of (n, 1, n_frames, n_mels)."""
        # Wanted is the highest after ReLU and norm. ReLU keeps the order, and the norm turns it
        # where its weight is negative: with such filters turned beforehand, both need only see the
        # highest answer a frame. Channels last, that takes half as long.
        assert self.conv.bias is not None  # as it is made above
        turn = torch.where(self.norm.weight > 0, 1.0, -1.0)
        maps = conv2d(
            pad(image, self._padding).to(memory_format=torch.channels_last),
            (self.conv.weight * turn[:, None, None, None]).to(memory_format=torch.channels_last),
            self.conv.bias * turn,
        )
        highest = max_pool2d(maps, (1, maps.shape[3])).squeeze(3) * turn[:, None]
        normed: Tensor = self.norm(torch.relu(highest))
        return normed


class Layer(nn.Module):
    """A convolution over time and all channels, then ReLU and batch norm."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(n_in, n_out, 7, padding=3)
        self.norm = nn.BatchNorm1d(n_out, eps=EPSILON)

    def forward(self, steps: Tensor) -> Tensor:
        """Return (n, n_out, n_frames) of (n, n_in, n_frames)."""
        deeper: Tensor = self.norm(torch.relu(self.conv(steps)))
        return deeper
