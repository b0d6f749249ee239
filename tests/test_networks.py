"""What every architecture must do, and what the recurrent ones claim to."""

import pytest
import torch

from tagger.networks import ARCHITECTURES, NetworkConfig, build_network
from tagger.networks.cnn_gru_attention import CNNGRUAttention
from tagger.networks.convolutions import ConvStack

N_FRAMES = 32
ALL = [(name, separable) for name in ARCHITECTURES for separable in (False, True)]


def log_mels(n: int = 3, seed: int = 0) -> torch.Tensor:
    return -80.0 * torch.rand(n, 128, N_FRAMES, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("architecture", "separable"), ALL)
def test_gives_logits_and_an_embedding(architecture: str, separable: bool) -> None:
    config = NetworkConfig(n_labels=5, embedding_dim=17, separable=separable)
    output = build_network(architecture, config).eval()(log_mels())
    assert output.logits.shape == (3, 5)
    assert output.embedding.shape == (3, 17)


@pytest.mark.parametrize("architecture", list(ARCHITECTURES))
def test_docstring_tells_the_number_of_parameters(architecture: str) -> None:
    network = build_network(architecture, NetworkConfig())
    assert f"{network.n_parameters:,} parameters" in str(type(network).__doc__)


def test_the_default_has_under_a_million_parameters() -> None:
    assert build_network("cnn-gru-attention", NetworkConfig()).n_parameters < 1_000_000


@pytest.mark.parametrize("architecture", ["gru", "cnn-gru", "cnn-gru-attention"])
def test_the_recurrent_layer_sees_the_order_of_time(architecture: str) -> None:
    torch.manual_seed(0)
    network = build_network(architecture, NetworkConfig()).eval()
    segment = log_mels(1)
    order = torch.randperm(N_FRAMES, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        change = (network(segment).logits - network(segment[:, :, order]).logits).abs().max()
    assert float(change) > 1e-4


def test_the_convolutions_keep_the_time_axis() -> None:
    sequence = ConvStack(NetworkConfig())(log_mels())
    assert sequence.shape == (3, N_FRAMES // 2, NetworkConfig().channels[-1])


def test_attention_is_a_weight_for_each_step() -> None:
    network = CNNGRUAttention(NetworkConfig()).eval()
    weights = network.attention(log_mels(2))
    assert weights.shape == (2, N_FRAMES // 2)
    assert torch.allclose(weights.sum(dim=1), torch.ones(2))


def test_separable_convolutions_are_smaller() -> None:
    plain = build_network("cnn", NetworkConfig()).n_parameters
    assert build_network("cnn", NetworkConfig(separable=True)).n_parameters < plain / 2


def test_segments_of_a_batch_do_not_touch_each_other() -> None:
    network = build_network("cnn-gru-attention", NetworkConfig()).eval()
    segments = log_mels(3)
    with torch.inference_mode():
        together, alone = network(segments).logits, network(segments[1:2]).logits
    assert torch.allclose(together[1:2], alone, atol=1e-4)
