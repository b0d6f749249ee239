"""Changes made to training segments so that the network does not learn them by heart."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torchaudio.transforms import FrequencyMasking, TimeMasking


@dataclass(frozen=True, slots=True)
class AugmentConfig:
    """How much is changed.

    Args:
        freq_mask: Widest band masked, mel bands. SpecAugment: Park et al., arXiv 1904.08779.
        time_mask: Longest stretch masked, frames.
        n_masks: Masks of each kind a segment.
        mixup_alpha: Beta(alpha, alpha) of mixup's weights; 0 is none. Zhang et al.,
            arXiv 1710.09412.
        style_share: Share of the batches in which segments swap a part of their mean and spread
            in each mel band, what rooms, microphones and mastering leave there. Freq-MixStyle:
            Kim et al., arXiv 2206.13708; Schmid et al., arXiv 2305.07499.
    """

    freq_mask: int = 20
    time_mask: int = 6
    n_masks: int = 2
    mixup_alpha: float = 0.3
    style_share: float = 0.0


class SpecAugment(torch.nn.Module):
    """Mask bands and stretches of log-mels (n, n_mels, n_frames) with the batch's mean.

    The mean, not 0: in dB below the maximum 0 would be the loudest sound of all.
    """

    def __init__(self, config: AugmentConfig) -> None:
        super().__init__()
        self.masks = [
            mask
            for _ in range(config.n_masks)
            for mask in (
                FrequencyMasking(config.freq_mask, iid_masks=True),
                TimeMasking(config.time_mask, iid_masks=True),
            )
        ]

    def forward(self, log_mel: Tensor) -> Tensor:
        """Return the masked segments, of the same shape."""
        mean = float(log_mel.mean())
        for mask in self.masks:
            log_mel = mask(log_mel, mean)
        return log_mel


def mixup(
    log_mel: Tensor, targets: list[Tensor], alpha: float, generator: torch.Generator
) -> tuple[Tensor, list[Tensor]]:
    """Blend each segment, and what it should give, with another of the batch.

    Args:
        log_mel: (n, n_mels, n_frames).
        targets: Tensors (n, ...) blended with the same weights.
        alpha: Beta(alpha, alpha) of the weights; 0 leaves all as it is.
        generator: The source of chance.
    """
    if alpha <= 0:
        return log_mel, targets
    n = len(log_mel)
    pair = torch._sample_dirichlet(torch.full((n, 2), alpha), generator)
    weight = pair.amax(dim=1)  # at least a half, so that each segment stays mostly itself
    other = torch.randperm(n, generator=generator)

    def blend(values: Tensor) -> Tensor:
        shaped = weight.reshape(-1, *[1] * (values.ndim - 1))
        return shaped * values + (1.0 - shaped) * values[other]

    return blend(log_mel), [blend(target) for target in targets]


_STYLE_ALPHA = 0.4  # Beta's parameter of how much is swapped, as in Schmid et al.


def mix_frequency_styles(log_mel: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Blend each mel band's mean and spread with those of another segment of the batch.

    Args:
        log_mel: (n, n_mels, n_frames).
        share: Of the batches; the others are given back as they are.
        generator: The source of chance.
    """
    if share <= 0 or float(torch.rand(1, generator=generator)) >= share:
        return log_mel
    n = len(log_mel)
    mean = log_mel.mean(dim=2, keepdim=True)
    spread = log_mel.std(dim=2, keepdim=True) + 1e-3
    other = torch.randperm(n, generator=generator)
    own = torch._sample_dirichlet(torch.full((n, 2), _STYLE_ALPHA), generator)[:, :1, None]
    mixed_mean = own * mean + (1.0 - own) * mean[other]
    mixed_spread = own * spread + (1.0 - own) * spread[other]
    return (log_mel - mean) / spread * mixed_spread + mixed_mean
