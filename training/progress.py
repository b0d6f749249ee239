"""Where a run stands: its parts, its log, and the file from which a killed run goes on."""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass, field
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from tagger.errors import CheckpointError, os_reason
from tagger.models.checkpoint import save_atomically
from tagger.networks import Network
from training.schedules import Schedule


@dataclass
class Epoch:
    """A line of the log; the accuracy is None where nothing was held out to choose an epoch."""

    epoch: int
    loss: float
    validation_accuracy: float | None
    learning_rate: float
    seconds: float


@dataclass
class Progress:
    """Where a run stands; saved after each epoch, so that a killed run goes on from there.

    ``identity`` is a digest of all that its result depends on.
    """

    network: Network
    averaged: AveragedModel
    teacher_head: nn.Linear | None
    optimizer: torch.optim.Optimizer
    schedule: Schedule
    device: torch.device
    identity: str
    history: list[Epoch] = field(default_factory=list)
    best_accuracy: float = -1.0
    best_state: dict[str, Tensor] = field(default_factory=dict)

    @property
    def judged(self) -> Network:
        """The network with the averaged weights."""
        module = self.averaged.module
        assert isinstance(module, Network)
        return module

    @property
    def epochs_since_best(self) -> int:
        """How many epochs have gone by without a better one."""
        accuracies = [line.validation_accuracy or 0.0 for line in self.history]
        return len(accuracies) - 1 - accuracies.index(max(accuracies)) if accuracies else 0

    def keep(self, line: Epoch) -> None:
        """Note an epoch, and its weights if they are the best so far or none can be told best."""
        self.history.append(line)
        accuracy = line.validation_accuracy
        if accuracy is None or accuracy > self.best_accuracy:
            self.best_accuracy = accuracy or 0.0
            self.best_state = _copy(self.judged.state_dict())


def write_history(path: Path, history: list[Epoch]) -> None:
    """Write the epochs as CSV.

    Raises:
        CheckpointError: it cannot be written.
    """
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(Epoch.__dataclass_fields__))
            writer.writeheader()
            writer.writerows(asdict(line) for line in history)
    except OSError as exc:
        raise CheckpointError(f"cannot be saved: {os_reason(exc)}", path) from exc


def _copy(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach().cpu().clone() for name, value in state.items()}


_STATEFUL = ("network", "averaged", "teacher_head", "optimizer", "schedule")


def save(progress: Progress, path: Path) -> None:
    """Keep where a run stands.

    Raises:
        CheckpointError: it cannot be written; what was kept before stays.
    """
    parts = {name: getattr(progress, name) for name in _STATEFUL}
    payload: dict[str, Any] = {
        "identity": progress.identity,
        "history": [asdict(line) for line in progress.history],
        "best_accuracy": progress.best_accuracy,
        "best_state": progress.best_state,
        **{name: part.state_dict() for name, part in parts.items() if part is not None},
    }
    save_atomically(path, payload)


def restore(progress: Progress, path: Path) -> None:
    """Bring a run that has just begun to where it stood.

    Raises:
        CheckpointError: what was kept cannot be read, or is of another run.
    """
    try:
        payload = torch.load(path, map_location="cpu", weights_only=True)
        if str(payload["identity"]) != progress.identity:
            raise CheckpointError(
                "is of a run with other settings or tracks; delete it to start anew", path
            )
        _take_up(progress, payload)
    except _DAMAGE as exc:
        raise CheckpointError(
            "the state of the run is damaged; delete it to start anew", path
        ) from exc


# What torch raises on damaged files, and a state that lacks a part or has another shape.
_DAMAGE = (OSError, RuntimeError, EOFError, KeyError, TypeError, ValueError, UnpicklingError)


def _take_up(progress: Progress, payload: dict[str, Any]) -> None:
    for name in _STATEFUL:
        part = getattr(progress, name)
        if part is not None:
            part.load_state_dict(payload[name])
    progress.history = [Epoch(**line) for line in payload["history"]]
    progress.best_accuracy, progress.best_state = payload["best_accuracy"], payload["best_state"]
