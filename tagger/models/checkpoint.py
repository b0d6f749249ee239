"""Checkpoints: saved so that a kill leaves the old one, loaded so that nothing foreign runs."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tagger.errors import CheckpointError, WorkersError, plain
from tagger.files.atomic import FileKind, replaced
from tagger.models.card import FORMAT, VERSION, ModelCard, card_of
from tagger.models.files import find_base, read_card
from tagger.models.novelty import Novelty
from tagger.models.onnx_card import is_onnx
from tagger.networks import Network, network_of_card
from tagger.networks.frontend import FrontEnd, FrontEndConfig, LogMel


@dataclass(frozen=True)
class LoadedModel:
    """A checkpoint ready to be used: its card, front end, network in evaluation mode, novelty."""

    card: ModelCard
    front_end: FrontEnd
    network: Network
    novelty: Novelty | None


def describe(
    network: Network,
    architecture: str,
    front_end: FrontEndConfig,
    novelty: Novelty | None = None,
    **rest: Any,
) -> ModelCard:
    """Return a network's card; ``rest`` are the fields of ModelCard that no network knows.

    The id is a digest of the weights, the temperature and what is novel to the network.
    """
    state = {**_half(network.state_dict()), **_novelty_state(novelty)}
    temperature = torch.tensor(rest["temperature"], dtype=torch.float64)
    digest = _digest({**state, "temperature": temperature})
    return ModelCard(
        model_id=f"{architecture}-{digest[:10]}",
        architecture=architecture,
        network=asdict(network.config),
        front_end=asdict(front_end),
        sample_rate=front_end.sample_rate,
        n_samples=front_end.n_samples,
        n_parameters=network.n_parameters,
        **rest,
    )


def save_checkpoint(
    path: Path, network: Network, card: ModelCard, novelty: Novelty | None = None
) -> None:
    """Write a checkpoint; whatever stood there before stays until it is whole.

    Raises:
        CheckpointError: it cannot be written.
    """
    save_atomically(path, _payload(card, _half(network.state_dict()), novelty))


def save_with_head(path: Path, base_path: Path, card: ModelCard) -> None:
    """Write a checkpoint with the weights of another one and a head of its own, whole or not.

    Of a head on several networks it is the card alone: these are used from where they are bundled,
    as one that a user brought is from where it lies.

    Args:
        path: Where to.
        base_path: The model whose embeddings the head was fitted on.
        card: The new one's, with the head.

    Raises:
        CheckpointError: the base cannot be read, or the new one cannot be written.
    """
    if card.is_joint or is_onnx(base_path):
        save_card(path, card)
    else:
        save_checkpoint(path, load_checkpoint(base_path).network, card)


def save_card(path: Path, card: ModelCard) -> None:
    """Write a head without the networks that it is on: these are used from where they are bundled.

    Raises:
        CheckpointError: it cannot be written.
    """
    save_atomically(path, _payload(card, {}, None))


def _payload(
    card: ModelCard, state: Mapping[str, Tensor], novelty: Novelty | None
) -> Mapping[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "card": card.to_json(),
        "state": dict(state),
        "novelty": _novelty_state(novelty),
    }


def save_atomically(path: Path, payload: Mapping[str, Any]) -> None:
    """Write what torch can save to a file that is either the old one or the whole new one.

    Raises:
        CheckpointError: it cannot be written.
    """
    try:
        with replaced(path, _CHECKPOINT) as draft, draft.open("wb") as file:
            torch.save(dict(payload), file)
    except RuntimeError as exc:  # so torch reports a full disk
        raise CheckpointError(f"cannot be written: {str(exc).splitlines()[0]}", path) from exc


_CHECKPOINT = FileKind(b"", "", CheckpointError)
_SPARE = 2  # times the weights in a file; older ones lacked a few that a network has


def load_checkpoint(path: Path) -> LoadedModel:
    """Read a checkpoint and build its network, in float32 and evaluation mode.

    Raises:
        CheckpointError: the file is missing, damaged, not one of ours, or contradicts itself.
        WorkersError: PyTorch cannot work on this machine.
    """
    _check_torch()
    # Says in plain words what is wrong with a damaged or foreign file.
    if is_onnx(path):
        return _load_onnx(path)
    if read_card(path).is_joint:
        raise CheckpointError("it joins several networks; name one of them here", path)
    try:
        payload = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, pickle.UnpicklingError, EOFError, ValueError) as exc:
        raise CheckpointError("the checkpoint is damaged; get the file anew", path) from exc
    card = card_of(payload, path)
    if not payload.get("state"):
        return _on_bundled(card, path)
    try:
        state = _held(payload["state"], path)
        network, front_end = _build(card, state)
        novelty = _novelty_of(_held(payload["novelty"], path), card)
    except (KeyError, TypeError, RuntimeError, AttributeError, ValueError) as exc:
        said = plain(str(exc).splitlines()[0])
        raise CheckpointError(f"its weights and its card do not fit: {said}", path) from exc
    return LoadedModel(card, front_end, network, novelty)


def _load_onnx(path: Path) -> LoadedModel:
    from tagger.models.onnx_network import load_onnx  # onnxruntime's side is for few

    card, front_end, network = load_onnx(path)
    return LoadedModel(card, front_end, network, None)


def _check_torch() -> None:
    """Make sure that PyTorch can compute, so that no file is blamed where it cannot.

    Raises:
        WorkersError: it cannot: without /proc it knows no processor.
    """
    try:
        torch.zeros(1, dtype=torch.float16).float()
    except RuntimeError as exc:
        said = str(exc).splitlines()[0]
        raise WorkersError(f"PyTorch cannot compute here ({said}); is /proc mounted?") from exc


def _on_bundled(card: ModelCard, path: Path) -> LoadedModel:
    """Return a head that was saved without weights, with those of the network at hand for it.

    Raises:
        CheckpointError: that is no longer at hand, or is damaged.
    """
    base = find_base(card)
    if base is None:
        needed = " and ".join(card.bases) or "weights"
        raise CheckpointError(f"it needs {needed}, which is not at hand; get the file anew", path)
    return replace(load_checkpoint(base), card=card, novelty=None)


def _held(state: Mapping[str, Tensor], path: Path) -> Mapping[str, Tensor]:
    """Return tensors, which are in the file and are numbers.

    Raises:
        CheckpointError: some are not.
    """
    # One number can be said to stand for a thousand million, or for each of many tensors.
    if sum(value.numel() * value.element_size() for value in state.values()) > path.stat().st_size:
        raise CheckpointError("its weights are more than the file holds; get the file anew", path)
    if not all(bool(torch.isfinite(value).all()) for value in state.values()):
        raise CheckpointError("some of its weights are no numbers; get the file anew", path)
    return state


def _build(card: ModelCard, state: Mapping[str, Tensor]) -> tuple[Network, LogMel]:
    with torch.device("meta"):  # nothing is allocated
        shape = network_of_card(card.architecture, card.network).state_dict()
    if _n_numbers(shape) > _SPARE * _n_numbers(state):
        raise ValueError("the network has many more weights")
    network = network_of_card(card.architecture, card.network)
    front_end = FrontEndConfig(**card.front_end)
    head = card.head
    if front_end.n_samples != card.n_samples:
        raise ValueError("another number of samples")
    if head is None and network.config.n_labels != len(card.labels):
        raise ValueError("another number of labels")
    if head is not None and network.config.embedding_dim != head.weight.shape[1]:
        raise ValueError("another size of embedding")
    network.load_state_dict({name: _float(value) for name, value in state.items()})
    network.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network, LogMel(front_end).eval()


def _n_numbers(state: Mapping[str, Tensor]) -> int:
    return sum(value.numel() for value in state.values())


def _novelty_state(novelty: Novelty | None) -> dict[str, Tensor]:
    if novelty is None:
        return {}
    return {
        "means": torch.from_numpy(novelty.means),
        "whitening": torch.from_numpy(novelty.whitening),
        "limit": torch.tensor(novelty.limit, dtype=torch.float64),
    }


def _novelty_of(state: Mapping[str, Tensor], card: ModelCard) -> Novelty | None:
    if not state:
        return None
    means, whitening = state["means"].numpy(), state["whitening"].numpy()
    dim = card.network["embedding_dim"]
    if means.shape != (len(card.labels), dim) or whitening.shape != (dim, dim):
        raise ValueError("another size of embedding")
    return Novelty(means, whitening, float(state["limit"]))


def with_rounded_weights(network: Network) -> Network:
    """Give a network the weights that its checkpoint will hold, and return it.

    Whatever is measured of a network is measured after this, so that it is true of the file.
    """
    network.load_state_dict({k: _float(v) for k, v in _half(network.state_dict()).items()})
    return network


def _half(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return weights in half the room, but for biases and batch norms, which are few and matter.

    Rounding those as well changes the scores of some networks by several thousandths.
    """
    is_matrix = {name: v.is_floating_point() and v.ndim > 1 for name, v in state.items()}
    return {name: v.half() if is_matrix[name] else v for name, v in state.items()}


def _float(value: Tensor) -> Tensor:
    return value.float() if value.is_floating_point() else value


def _digest(state: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name, value in sorted(state.items()):
        digest.update(name.encode())
        digest.update(value.contiguous().numpy().tobytes())
    return digest.hexdigest()
