"""Folding: the same verdicts from fewer layers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from tagger.models.checkpoint import load_checkpoint
from tagger.models.files import find_model
from tagger.networks import ARCHITECTURES, NetworkConfig, build_network
from tagger.networks.folding import fold_batch_norms


def n_norms(network: nn.Module) -> int:
    return sum(isinstance(module, nn.BatchNorm2d) for module in network.modules())


def log_mels() -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    return -80.0 * torch.rand(4, 128, 32, generator=generator)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("separable", [False, True])
def test_a_folded_network_says_the_same(architecture: str, separable: bool) -> None:
    torch.manual_seed(1)
    network = build_network(architecture, NetworkConfig(separable=separable))
    with torch.inference_mode():
        network.train()(log_mels())  # so that the norms' means and spreads are not 0 and 1
        before = network.eval()(log_mels())
        fold_batch_norms(network)
        after = network(log_mels())
    assert n_norms(network) == 0
    torch.testing.assert_close(after.logits, before.logits, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(after.embedding, before.embedding, atol=1e-4, rtol=1e-4)


def test_the_bundled_network_is_told_apart_from_itself_by_rounding_alone() -> None:
    path: Path = find_model("fast")
    plain, folded = load_checkpoint(path).network, load_checkpoint(path).network
    fold_batch_norms(folded)
    with torch.inference_mode():
        before, after = plain(log_mels()).logits, folded(log_mels()).logits
    assert n_norms(folded) == 0 < n_norms(plain)
    assert float((torch.softmax(before, 1) - torch.softmax(after, 1)).abs().max()) < 1e-4


def test_a_network_in_training_is_not_folded() -> None:
    with pytest.raises(AssertionError):
        fold_batch_norms(build_network("cnn", NetworkConfig()))
