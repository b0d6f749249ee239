"""The filters of the original musicnn that training has left without weight, taken out.

Weight decay with batch norms behind it does that: 497 of the 561 filters of the first layer have
weights of 1e-6 and less, and since the norm takes away the mean, all that comes of them is 4e-6.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from tagger.networks.musicnn import EPSILON

_BANKS = ("timbre.0", "timbre.1", "rhythm.0", "rhythm.1", "rhythm.2")  # as their channels stand
_LEAST = 1e-4  # norm of a filter's weights; of those that hear anything it is 0.005 to 1.3


def without_idle_filters(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the state of a musicnn without the filters that hear nothing, whatever is played."""
    hears = {bank: state[f"{bank}.conv.weight"].flatten(1).norm(dim=1) > _LEAST for bank in _BANKS}
    pruned = dict(state)
    for name, value in state.items():
        bank = name.rsplit(".", 2)[0]
        if bank in hears and value.ndim:
            pruned[name] = value[hears[bank]]
    first = torch.cat([*hears.values()])
    pruned["layers.0.conv.weight"] = state["layers.0.conv.weight"][:, first]
    n_deeper = len(state["project.0.weight"]) // 2 - len(first)
    channels = torch.cat([first, first.new_ones(n_deeper)])
    return pruned | _projection(state, channels.repeat_interleave(2))  # maximum and mean of each


def _projection(state: Mapping[str, Tensor], kept: Tensor) -> dict[str, Tensor]:
    """Return the norm and the layer behind the pooling, for some of what is pooled.

    The norm makes something else than 0 of the zeros that are taken out, which becomes a bias.
    """
    norm = {
        name: state[f"project.0.{name}"]
        for name in ("weight", "bias", "running_mean", "running_var")
    }
    scale = norm["weight"] / (norm["running_var"] + EPSILON).sqrt()
    of_zero = norm["bias"] - norm["running_mean"] * scale
    weight, bias = state["project.1.weight"], state["project.1.bias"]
    return {
        **{f"project.0.{name}": value[kept] for name, value in norm.items()},
        "project.1.weight": weight[:, kept],
        "project.1.bias": bias + weight[:, ~kept] @ of_zero[~kept],
    }
