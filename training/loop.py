"""The training loop: crops, augmentation, a step, averaged weights, validation, early stopping."""

from __future__ import annotations

import csv
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from tagger.checkpoint import save_atomically
from tagger.errors import CheckpointError
from tagger.networks import Network, build_network
from tagger.records import FloatArray
from training.augment import SpecAugment, mixup
from training.config import FitConfig
from training.dataset import FeatureFile, IntArray, Split
from training.features import ROW_FRAMES, crop, even_starts

log = logging.getLogger(__name__)

_Tensors = tuple[Tensor, ...] | list[Tensor]


@dataclass
class Epoch:
    """A line of the log."""

    epoch: int
    loss: float
    validation_accuracy: float
    learning_rate: float
    seconds: float


@dataclass
class Progress:
    """Where a run stands; saved after each epoch, so that a killed run goes on from there."""

    network: Network
    averaged: AveragedModel
    teacher_head: nn.Linear | None
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
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
        accuracies = [line.validation_accuracy for line in self.history]
        return len(accuracies) - 1 - accuracies.index(max(accuracies)) if accuracies else 0


def fit(
    features: FeatureFile,
    split: Split,
    config: FitConfig,
    *,
    teacher: FloatArray | None = None,
    state_path: Path | None = None,
    on_epoch: Callable[[Epoch], None] = lambda _: None,
) -> tuple[Network, list[Epoch]]:
    """Train a network and return it with the averaged weights of its best epoch.

    Args:
        features: All tracks.
        split: Which are fitted on, and on which the best epoch is chosen.
        config: The settings.
        teacher: (n, dim) embeddings of all tracks that the network's own should predict.
        state_path: Where the state of the run is kept; if it is there, the run goes on from it,
            to the same result as if it had never stopped.
        on_epoch: Called after each epoch.

    Raises:
        CheckpointError: the state cannot be read or saved, or is of another run.
    """
    progress = _begin(config, len(split.training), teacher)
    if state_path is not None and state_path.exists():
        _restore(progress, config, state_path)
    while len(progress.history) < config.epochs and progress.epochs_since_best < config.patience:
        started = time.monotonic()
        number = len(progress.history)
        loss = _train_epoch(progress, features, split.training, config, teacher, number)
        accuracy = _accuracy(progress.judged, features, split.validation, config)
        rate = float(progress.schedule.get_last_lr()[0])
        line = Epoch(number, loss, accuracy, rate, time.monotonic() - started)
        progress.history.append(line)
        if accuracy > progress.best_accuracy:
            progress.best_accuracy = accuracy
            progress.best_state = _copy(progress.judged.state_dict())
        if state_path is not None:
            _save(progress, config, state_path)
        on_epoch(line)
    progress.network.load_state_dict(progress.best_state)
    return progress.network.eval(), progress.history


def _begin(config: FitConfig, n_tracks: int, teacher: FloatArray | None) -> Progress:
    torch.manual_seed(config.seed)
    network = build_network(config.architecture, config.network)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    averaged = AveragedModel(
        network, multi_avg_fn=_moving_average(config.average_decay), use_buffers=True
    )
    head = None if teacher is None else nn.Linear(config.network.embedding_dim, teacher.shape[1])
    parameters = [*network.parameters(), *(head.parameters() if head else ())]
    optimizer = torch.optim.AdamW(
        parameters, lr=config.learning_rate, weight_decay=config.weight_decay
    )
    steps = config.epochs * (n_tracks // config.batch_size or 1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=config.learning_rate, total_steps=steps, pct_start=0.25
    )
    return Progress(network, averaged, head, optimizer, schedule)


def _moving_average(decay: float) -> Callable[[_Tensors, _Tensors, Tensor | int], None]:
    """Return the rule of the averaged weights: an exponential average that starts short.

    A long average from the first step on would hold the random weights for epochs.
    """

    def update(averaged: _Tensors, current: _Tensors, n_averaged: Tensor | int) -> None:
        n = int(n_averaged)
        weight = 1.0 - min(decay, (1 + n) / (10 + n))
        if averaged[0].is_floating_point():
            torch._foreach_lerp_(averaged, current, weight)
        else:
            torch._foreach_copy_(averaged, current)  # batch norm's counters

    return update


def _train_epoch(
    progress: Progress,
    features: FeatureFile,
    rows: IntArray,
    config: FitConfig,
    teacher: FloatArray | None,
    number: int,
) -> float:
    """Train on one crop of each track and return the mean loss.

    All chance comes from the seed and the epoch's number, so that a resumed run meets the same.
    """
    torch.manual_seed(config.seed * 100_003 + number)
    generator = torch.Generator().manual_seed(config.seed * 100_003 + number)
    augment = SpecAugment(config.augment)
    progress.network.train()
    losses = []
    for batch in _batches(rows, config.batch_size, generator):
        log_mel, targets = _batch(features, batch, config, teacher, generator)
        log_mel, targets = mixup(augment(log_mel), targets, config.augment.mixup_alpha, generator)
        loss = _loss(progress, log_mel, targets, config)
        progress.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(progress.network.parameters(), config.grad_clip)
        progress.optimizer.step()
        progress.schedule.step()
        progress.averaged.update_parameters(progress.network)
        losses.append(float(loss.detach()))
    return float(np.mean(losses))


def _batches(rows: IntArray, size: int, generator: torch.Generator) -> Iterator[IntArray]:
    order = rows[torch.randperm(len(rows), generator=generator).numpy()]
    n_batches = len(rows) // size or 1  # a last, short batch would make batch norm jump
    for i in range(n_batches):
        yield order[i * size : (i + 1) * size]


def _batch(
    features: FeatureFile,
    batch: IntArray,
    config: FitConfig,
    teacher: FloatArray | None,
    generator: torch.Generator,
) -> tuple[Tensor, list[Tensor]]:
    rows = torch.from_numpy(features.mel[batch])
    last = ROW_FRAMES - config.front_end.n_frames
    starts = torch.randint(0, last + 1, (len(batch),), generator=generator)
    one_hot = nn.functional.one_hot(
        torch.from_numpy(features.genre[batch]), len(features.labels)
    ).float()
    targets = [one_hot] if teacher is None else [one_hot, torch.from_numpy(teacher[batch])]
    return crop(rows, starts, config.front_end), targets


def _loss(progress: Progress, log_mel: Tensor, targets: list[Tensor], config: FitConfig) -> Tensor:
    output = progress.network(log_mel)
    loss = nn.functional.cross_entropy(
        output.logits, targets[0], label_smoothing=config.label_smoothing
    )
    if progress.teacher_head is None:
        return loss
    imitated = progress.teacher_head(output.embedding)
    return loss + config.teacher_weight * nn.functional.mse_loss(imitated, targets[1])


def score_tracks(
    network: Network, features: FeatureFile, rows: IntArray, config: FitConfig
) -> tuple[FloatArray, FloatArray]:
    """Return the logits and embeddings of each track's segments, placed as the tagger places them.

    Returns:
        (n, n_segments, n_labels) and (n, n_segments, embedding_dim).
    """
    starts = even_starts(config.front_end, config.max_segments)
    logits, embeddings = [], []
    network.eval()
    with torch.inference_mode():
        for batch in np.array_split(rows, len(rows) // config.batch_size + 1):
            mel = torch.from_numpy(features.mel[batch])
            outputs = [
                network(crop(mel, torch.full((len(batch),), start), config.front_end))
                for start in starts
            ]
            logits.append(torch.stack([output.logits for output in outputs], 1).numpy())
            embeddings.append(torch.stack([output.embedding for output in outputs], 1).numpy())
    return np.concatenate(logits), np.concatenate(embeddings)


def _accuracy(network: Network, features: FeatureFile, rows: IntArray, config: FitConfig) -> float:
    logits, _ = score_tracks(network, features, rows, config)
    return float((logits.mean(axis=1).argmax(axis=1) == features.genre[rows]).mean())


def write_history(path: Path, history: list[Epoch]) -> None:
    """Write the epochs as CSV."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(Epoch.__dataclass_fields__))
        writer.writeheader()
        writer.writerows(asdict(line) for line in history)


def _copy(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in state.items()}


_STATEFUL = ("network", "averaged", "teacher_head", "optimizer", "schedule")


def _save(progress: Progress, config: FitConfig, path: Path) -> None:
    parts = {name: getattr(progress, name) for name in _STATEFUL}
    payload: dict[str, Any] = {
        "config": config.to_dict(),
        "history": [asdict(line) for line in progress.history],
        "best_accuracy": progress.best_accuracy,
        "best_state": progress.best_state,
        **{name: part.state_dict() for name, part in parts.items() if part is not None},
    }
    save_atomically(path, payload)


def _restore(progress: Progress, config: FitConfig, path: Path) -> None:
    try:
        payload = torch.load(path, map_location="cpu", weights_only=True)
        saved = dict(payload["config"])
    except (OSError, RuntimeError, EOFError, KeyError, TypeError, ValueError) as exc:
        raise CheckpointError(
            "the state of the run is damaged; delete it to start anew", path
        ) from exc
    if saved | {"n_threads": 0} != config.to_dict() | {"n_threads": 0}:
        raise CheckpointError("is of a run with other settings; delete it to start anew", path)
    for name in _STATEFUL:
        part = getattr(progress, name)
        if part is not None:
            part.load_state_dict(payload[name])
    progress.history = [Epoch(**line) for line in payload["history"]]
    progress.best_accuracy, progress.best_state = payload["best_accuracy"], payload["best_state"]
