"""Changes made to training segments so that the network does not learn them by heart."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torchaudio.transforms import FrequencyMasking, TimeMasking

from tagger.networks.frontend import rereference


@dataclass(frozen=True, slots=True)
class AugmentConfig:
    """How much is changed.

    Args:
        freq_mask: Widest band masked, mel bands. SpecAugment: Park et al., arXiv 1904.08779.
        time_mask: Longest stretch masked, frames.
        n_masks: Masks of each kind a segment.
        mixup_alpha: Beta(alpha, alpha) of mixup's weights; 0 is none. Zhang et al.,
            arXiv 1710.09412.
        loss_share: Share of the segments that lose high sounds as in a thrifty encoding: quieter
            from a band on, and silent from another one on.
        style_share: Share of the batches in which segments swap a part of their mean and spread
            in each mel band, what rooms, microphones and mastering leave there. Freq-MixStyle:
            Kim et al., arXiv 2206.13708; Schmid et al., arXiv 2305.07499.
    """

    freq_mask: int = 20
    time_mask: int = 6
    n_masks: int = 2
    mixup_alpha: float = 0.3
    loss_share: float = 0.0
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


# Of the mel bands, 0 Hz to half of 44.1 kHz: 3.2 kHz, and 7 kHz, below which no music is cut off.
_LOWEST_KNEE, _LOWEST_CUT = 0.54, 0.72
_MOST_LOST_DB = 20.0  # at the cut; an MP3 of 64 kbit/s was seen to lose 15 there


def lose_highs(log_mel: Tensor, share: float, top_db: float, generator: torch.Generator) -> Tensor:
    """Take from some segments the high sounds that a thrifty encoding would.

    Args:
        log_mel: (n, n_mels, n_frames) in [-top_db, 0] dB.
        share: Of the segments; the others are given back as they are.
        top_db: What silence is below the maximum.
        generator: The source of chance.
    """
    if share <= 0:
        return log_mel
    n, n_mels, _ = log_mel.shape
    chance = torch.rand(4, n, 1, generator=generator)
    cut = (_LOWEST_CUT + (1.0 - _LOWEST_CUT) * chance[0]) * n_mels  # (n, 1)
    knee = _LOWEST_KNEE * n_mels + (cut - _LOWEST_KNEE * n_mels) * chance[1]
    band = torch.arange(n_mels)[None]
    sloping = ((band - knee) / (cut - knee).clamp_min(1.0)).clamp(0.0, 1.0)
    lost = _MOST_LOST_DB * chance[2] * sloping + top_db * (band >= cut)  # (n, n_mels)
    lost = lost * (chance[3] < share)
    return rereference(log_mel - lost[:, :, None], top_db)
