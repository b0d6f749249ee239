"""Make the bundled musicnn: `python -m tools.convert_musicnn WEIGHTS CLIPS… -o musicnn.pt`.

WEIGHTS is the folder MSD_musicnn of the Python package musicnn 0.1.0, unpacked (`pip download
--no-deps musicnn==0.1.0`); TensorFlow is not needed. Each CLIPS is a collection of labelled clips;
see `tools.labelled_clips`, `tools.musicnn_calibration`, and for those used docs/models.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tagger.errors import DatasetError, TaggerError
from tagger.models.card import ModelCard
from tagger.models.checkpoint import LoadedModel, describe, save_checkpoint, with_rounded_weights
from tagger.models.novelty import Novelty
from tagger.networks import MusicNN, MusicNNConfig
from tagger.networks.frontend import FrontEndConfig, LogMel
from tagger.records import FloatArray
from tools.musicnn_calibration import (
    NEVER,
    Clips,
    calibrate,
    cross_fitted,
    is_borne_out,
    listen,
    parts_by_artist,
)
from tools.musicnn_pruning import without_idle_filters
from tools.musicnn_strangeness import fit_plane, odd_embeddings
from tools.musicnn_vocabulary import BROADER, GENRES, LABELS
from tools.tensor_bundle import read_bundle

FRONT_END = FrontEndConfig(
    sample_rate=16_000,
    n_fft=512,
    hop_length=256,
    n_mels=96,
    n_frames=187,
    compression="log-gain",
)
FIRST_SEGMENTS = 4
MAX_SEGMENTS = 12  # an odd multiple: each of the first is one of these

Variables = Mapping[str, FloatArray]


def main() -> int:
    """Convert, calibrate, save, and print what may be written; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("weights", type=Path, metavar="WEIGHTS", help="the folder MSD_musicnn")
    parser.add_argument("clips", type=Path, nargs="+", metavar="CLIPS", help="labelled clips")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the checkpoint")
    arguments = parser.parse_args()
    try:
        model = make_model(arguments.weights, arguments.clips)
        save_checkpoint(arguments.output, model.network, model.card, model.novelty)
    except TaggerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for label, told in model.card.provenance["calibration"]["on_other_artists"].items():
        unasked = "unasked" if label in model.card.writable else "if asked for"
        print(f"{label}, {unasked}: from {model.card.thresholds[label]:.4f} on; others: {told}")
    return 0


def make_model(weights: Path, folders: Sequence[Path]) -> LoadedModel:
    """Return the network, calibrated on collections of clips.

    Raises:
        DatasetError: the weights or the clips are not there.
    """
    network = load_network(weights)
    front_end = LogMel(FRONT_END).eval()
    plain = LoadedModel(card_of_musicnn(network), front_end, network, None)
    clips = listen(plain, folders)
    novelty = fit_plane(
        clips.embeddings, odd_embeddings(plain), parts_by_artist(clips), len(LABELS)
    )
    fit = calibrate(clips, plain.card)
    network.mix.copy_(torch.from_numpy(fit.mix))
    network.shift.copy_(torch.from_numpy(fit.shift))
    card = card_of_musicnn(network, novelty)
    told = cross_fitted(clips, card)
    card = replace(
        card,
        thresholds={label: fit.thresholds[label] for label in GENRES},
        writable=tuple(
            label
            for label, (_, n_above, n_both) in told.items()
            if is_borne_out(n_above, n_both) and fit.thresholds[label] < NEVER
        ),
        provenance={**card.provenance, "calibration": _about(clips, told)},
    )
    return LoadedModel(card, front_end, network, novelty)


def load_network(weights: Path) -> MusicNN:
    """Return the network with those weights of a folder that count, as a checkpoint rounds them.

    Raises:
        DatasetError: they cannot be read or are others.
    """
    try:
        state = without_idle_filters(state_of(read_bundle(f"{weights}/")))
        network = MusicNN(MusicNNConfig()).eval()
        missing = network.load_state_dict(state, strict=False).missing_keys
    except (OSError, ValueError, KeyError, RuntimeError) as exc:
        raise DatasetError(f"are not the weights of MSD_musicnn ({exc})", weights) from exc
    assert all(name in ("mix", "shift") or "tracked" in name for name in missing), missing
    with_rounded_weights(network)
    return network


def state_of(variables: Variables) -> dict[str, Tensor]:
    """Return the network's state of the original's variables, which are numbered as they occur."""
    state = _norm(variables, 0, "normalise")
    filters = ["timbre.0", "timbre.1", "rhythm.0", "rhythm.1", "rhythm.2"]
    for i, name in enumerate([*filters, "layers.0", "layers.1", "layers.2"]):
        kernel, bias = _pair(variables, "conv2d", i)  # (n_frames, n_mels or n_in, 1, n_out)
        order = (3, 2, 0, 1) if name in filters else (3, 1, 0, 2)
        weight = kernel.transpose(order) if name in filters else kernel.transpose(order)[..., 0]
        state |= {f"{name}.conv.weight": _tensor(weight), f"{name}.conv.bias": _tensor(bias)}
        state |= _norm(variables, i + 1, f"{name}.norm")
    state |= _norm(variables, 9, "project.0") | _norm(variables, 10, "project.3")
    for i, name in enumerate(["project.1", "classify"]):
        kernel, bias = _pair(variables, "dense", i)
        state |= {f"{name}.weight": _tensor(kernel.T), f"{name}.bias": _tensor(bias)}
    return state


def _pair(variables: Variables, kind: str, number: int) -> tuple[FloatArray, FloatArray]:
    layer = f"{kind}_{number}" if number else kind
    return variables[f"{layer}/kernel"], variables[f"{layer}/bias"]


def _norm(variables: Variables, number: int, name: str) -> dict[str, Tensor]:
    layer = f"batch_normalization_{number}" if number else "batch_normalization"
    theirs = {"weight": "gamma", "bias": "beta"}
    theirs |= {"running_mean": "moving_mean", "running_var": "moving_variance"}
    return {
        f"{name}.{ours}": _tensor(variables[f"{layer}/{their}"]) for ours, their in theirs.items()
    }


def _tensor(values: FloatArray) -> Tensor:
    return torch.from_numpy(np.array(values))


def card_of_musicnn(network: MusicNN | None = None, novelty: Novelty | None = None) -> ModelCard:
    """Return the card of a musicnn, by default of one without weights, that may write nothing."""
    rest: dict[str, Any] = {
        "max_segments": MAX_SEGMENTS,
        "first_segments": FIRST_SEGMENTS,
        "labels": LABELS,
        "writable": (),
        "thresholds": {},
        "temperature": 1.0,
        "album_temperature": 1.0,
        "exclusive": False,
        "genres": GENRES,
        "broader": BROADER,
        "provenance": {
            "weights": "MSD_musicnn of the Python package musicnn 0.1.0, copyright Music "
            "Technology Group, Universitat Pompeu Fabra 2019, ISC licence; see the model card",
            "data": "Million Song Dataset, tags of Last.fm",
        },
    }
    return describe(network or MusicNN(MusicNNConfig()), "musicnn", FRONT_END, novelty, **rest)


def _about(clips: Clips, told: Mapping[str, tuple[int, int, int]]) -> dict[str, Any]:
    names = ("right_for", "above_threshold", "both")
    return {
        "n_clips": len(clips.genres),
        "n_artists": len(set(clips.artists)),
        "on_other_artists": {
            label: dict(zip(names, counts, strict=True)) for label, counts in told.items()
        },
    }


if __name__ == "__main__":
    sys.exit(main())
