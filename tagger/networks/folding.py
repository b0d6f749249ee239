"""Batch norms folded away: a network that is no longer trained says the same with less work."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_weights


def fold_batch_norms(network: nn.Module) -> None:
    """Multiply each batch norm that follows a convolution into that one's weights, in place.

    What the network gives stays the same but for rounding. It cannot be trained any more.

    Args:
        network: In evaluation mode.
    """
    assert not network.training
    for layers in [module for module in network.modules() if isinstance(module, nn.Sequential)]:
        for i, (before, norm) in enumerate(pairwise(list(layers))):
            conv = _last(before)
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                _fold(conv, norm)
                layers[i + 1] = nn.Identity()


def _last(layer: nn.Module) -> nn.Module:
    """Return the layer, or of several in a row the last one."""
    return _last(layer[-1]) if isinstance(layer, nn.Sequential) else layer


def _fold(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
    mean, variance = norm.running_mean, norm.running_var
    assert mean is not None
    assert variance is not None
    conv.weight, conv.bias = fuse_conv_bn_weights(
        conv.weight, conv.bias, mean, variance, norm.eps, norm.weight, norm.bias
    )
    conv.weight.data = conv.weight.data.contiguous(memory_format=torch.channels_last)
