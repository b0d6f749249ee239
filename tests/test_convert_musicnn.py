"""Converting the original's weights: each variable finds its place, in its own layout."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tagger.networks import MusicNN, MusicNNConfig
from tagger.records import FloatArray
from tools import convert_musicnn
from tools.convert_musicnn import state_of
from tools.musicnn_pruning import without_idle_filters

CONFIG = MusicNNConfig(
    n_labels=3,
    n_mels=20,
    embedding_dim=5,
    timbre_channels=(4, 3),
    rhythm_channels=(2, 2, 2),
    channels=6,
)
BANKS = ["timbre.0", "timbre.1", "rhythm.0", "rhythm.1", "rhythm.2"]
LAYERS = [*BANKS, "layers.0", "layers.1", "layers.2"]
NORMS = ["normalise", *(f"{name}.norm" for name in LAYERS), "project.0", "project.3"]


def numbered(kind: str, i: int) -> str:
    return f"{kind}_{i}" if i else kind


def variables_of(network: MusicNN) -> dict[str, FloatArray]:
    """The network as TensorFlow would name and lay out its variables."""
    state = {name: value.numpy() for name, value in network.state_dict().items()}
    found = {}
    for i, name in enumerate(LAYERS):
        weight = state[f"{name}.conv.weight"]  # (n_out, n_in, n_frames[, n_mels])
        two = weight.ndim == 4
        kernel = weight.transpose(2, 3, 1, 0) if two else weight.transpose(2, 1, 0)[:, :, None]
        found[numbered("conv2d", i) + "/kernel"] = kernel
        found[numbered("conv2d", i) + "/bias"] = state[f"{name}.conv.bias"]
    for i, name in enumerate(NORMS):
        layer = numbered("batch_normalization", i)
        for theirs, ours in (("gamma", "weight"), ("beta", "bias")):
            found[f"{layer}/{theirs}"] = state[f"{name}.{ours}"]
        found[f"{layer}/moving_mean"] = state[f"{name}.running_mean"]
        found[f"{layer}/moving_variance"] = state[f"{name}.running_var"]
    for i, name in enumerate(["project.1", "classify"]):
        found[numbered("dense", i) + "/kernel"] = state[f"{name}.weight"].T
        found[numbered("dense", i) + "/bias"] = state[f"{name}.bias"]
    return found


@pytest.fixture
def original() -> MusicNN:
    """A small one, of whose numbers none is what a new one has."""
    torch.manual_seed(0)
    network = MusicNN(CONFIG).eval()
    with torch.no_grad():
        for value in network.state_dict().values():
            if value.is_floating_point():
                value.copy_(torch.rand(value.shape))
        network.mix.copy_(torch.eye(CONFIG.n_labels))
        network.shift.fill_(0.0)
    return network


def test_every_variable_finds_its_place(original: MusicNN) -> None:
    copy = MusicNN(CONFIG).eval()
    state = state_of(variables_of(original))
    assert not copy.load_state_dict(state, strict=False).unexpected_keys
    mels = torch.rand(2, 20, 140)
    with torch.inference_mode():
        assert torch.equal(copy(mels).logits, original(mels).logits)
        assert np.ptp(original(mels).logits.numpy()) > 0


def test_what_is_heard_stays_the_same_without_filters_that_have_no_weight(
    original: MusicNN,
) -> None:
    idle = {"timbre.0": [0, 3], "timbre.1": [2], "rhythm.1": [1]}
    state = original.state_dict()
    for bank, filters in idle.items():
        state[f"{bank}.conv.weight"][filters] *= 1e-9
        state[f"{bank}.norm.running_mean"][filters] = state[f"{bank}.conv.bias"][filters]
        state[f"{bank}.norm.bias"][filters] = 0.0
    fewer = MusicNN(replace(CONFIG, timbre_channels=(2, 2), rhythm_channels=(2, 1, 2))).eval()
    fewer.load_state_dict(without_idle_filters(state))
    mels = torch.rand(2, 20, 140)
    with torch.inference_mode():
        assert torch.allclose(fewer(mels).logits, original(mels).logits, rtol=1e-5)
        assert torch.allclose(fewer(mels).embedding, original(mels).embedding, rtol=1e-5)


def test_a_network_all_of_whose_filters_hear_stays_as_it_is(original: MusicNN) -> None:
    state = original.state_dict()
    pruned = without_idle_filters(state)
    assert state.keys() == pruned.keys()
    assert all(torch.equal(state[name], pruned[name]) for name in state)


def test_a_folder_without_the_weights_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "musicnn.pt"
    monkeypatch.setattr("sys.argv", ["convert", str(tmp_path), str(tmp_path), "-o", str(output)])
    assert convert_musicnn.main() == 2
    assert "are not the weights of MSD_musicnn" in capsys.readouterr().err
    assert not output.exists()
