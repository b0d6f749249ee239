"""The training loop: crops, augmentation, a step, averaged weights, validation, early stopping."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from tagger.errors import ConfigError
from tagger.networks import Network, build_network
from training.batches import Batch, Lesson, draw_batches
from training.config import FitConfig
from training.devices import autocast, has_fast_bfloat16, pick_device
from training.progress import Epoch, Progress, restore, save
from training.schedules import make_schedule
from training.scoring import score_tracks

_Tensors = tuple[Tensor, ...] | list[Tensor]


def fit(
    lesson: Lesson,
    config: FitConfig,
    *,
    state_path: Path | None = None,
    on_epoch: Callable[[Epoch], None] = lambda _: None,
) -> tuple[Network, list[Epoch]]:
    """Train a network and return it with the averaged weights of its best epoch, on the CPU.

    Args:
        lesson: What it is fitted on.
        config: The settings.
        state_path: Where the state of the run is kept; if it is there, the run goes on from it,
            to the same result as if it had never stopped.
        on_epoch: Called after each epoch.

    Raises:
        CheckpointError: the state cannot be read or saved, or is of another run.
        ConfigError: the settings name no device or schedule, or one that cannot be had.
    """
    progress = _begin(config, lesson)
    if state_path is not None and state_path.exists():
        restore(progress, state_path)
    chooses = len(lesson.split.validation) > 0
    while len(progress.history) < config.epochs:
        if chooses and progress.epochs_since_best >= config.patience:
            break
        line = _epoch(progress, lesson, config)
        progress.keep(line)
        progress.schedule.after_epoch(line.validation_accuracy)
        if state_path is not None:
            save(progress, state_path)
        on_epoch(line)
    network = build_network(config.architecture, config.network)
    network.load_state_dict(progress.best_state)
    return network.to(memory_format=torch.channels_last).eval(), progress.history  # type: ignore[call-overload]


def _begin(config: FitConfig, lesson: Lesson) -> Progress:
    if config.schedule == "plateau" and not len(lesson.split.validation):
        raise ConfigError("schedule plateau needs held-out tracks, and here all are fitted on")
    torch.manual_seed(config.seed)
    device = pick_device(config.device)
    network = build_network(config.architecture, config.network)
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    averaged = AveragedModel(
        network, multi_avg_fn=_moving_average(config.average_decay), use_buffers=True
    )
    head = None
    if lesson.teacher is not None:
        head = nn.Linear(config.network.embedding_dim, lesson.teacher.embedding.shape[1]).to(device)
    parameters = [*network.parameters(), *(head.parameters() if head else ())]
    optimizer = torch.optim.AdamW(
        parameters, lr=config.learning_rate, weight_decay=config.weight_decay
    )
    n_steps = config.epochs * (len(lesson.split.training) // config.batch_size or 1)
    schedule = make_schedule(config.schedule, optimizer, n_steps, config.learning_rate)
    identity = _identity(config, lesson)
    return Progress(network, averaged, head, optimizer, schedule, device, identity)


def _identity(config: FitConfig, lesson: Lesson) -> str:
    """Return a digest of what a run's result depends on; threads only make it faster."""
    settings = json.dumps(config.to_dict() | {"n_threads": 0}, sort_keys=True)
    digest = hashlib.sha256(settings.encode())
    features, teacher = lesson.features, lesson.teacher
    for rows in (lesson.split.training, lesson.split.validation):
        for values in (features.track_id[rows], features.genre[rows], features.mel[rows]):
            digest.update(values.tobytes() + b"|")
    taught = (teacher.embedding, teacher.soft_labels) if teacher else (None, None)
    for extra in (*taught, lesson.odd_rows):
        digest.update(b"-" if extra is None else extra.tobytes())
    return digest.hexdigest()


def _epoch(progress: Progress, lesson: Lesson, config: FitConfig) -> Epoch:
    started = time.monotonic()
    number = len(progress.history)
    loss = _train_epoch(progress, lesson, config, number)
    held_out = lesson.split.validation
    accuracy = _accuracy(progress, lesson, config) if len(held_out) else None
    rate = float(progress.optimizer.param_groups[0]["lr"])
    return Epoch(number, loss, accuracy, rate, time.monotonic() - started)


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


def _train_epoch(progress: Progress, lesson: Lesson, config: FitConfig, number: int) -> float:
    """Train on one crop of each track and return the mean loss.

    All chance comes from the seed and the epoch's number, so that a resumed run meets the same.
    """
    torch.manual_seed(config.seed * 100_003 + number)
    generator = torch.Generator().manual_seed(config.seed * 100_003 + number)
    progress.network.train()
    losses = []
    for drawn in draw_batches(lesson, config, generator):
        batch = drawn.to(progress.device)
        loss = _loss(progress, batch, config)
        progress.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        # Not the teacher's head with it: a layer that is thrown away afterwards would take a part
        # of the norm, and so of the network's own step.
        nn.utils.clip_grad_norm_(progress.network.parameters(), config.grad_clip)
        progress.optimizer.step()
        progress.schedule.after_step()
        progress.averaged.update_parameters(progress.network)
        losses.append(loss.detach())
    return float(torch.stack(losses).mean())


def _loss(progress: Progress, batch: Batch, config: FitConfig) -> Tensor:
    """Return the cross-entropy of the labels, and of what the teacher and odd sounds ask for."""
    head = progress.teacher_head
    with autocast(progress.device, bfloat16=has_fast_bfloat16(progress.device)):
        output = progress.network(batch.log_mel)
        imitated = head(output.embedding) if head is not None else None
    n = len(batch.log_mel) - batch.n_odd
    logits = output.logits.float()
    loss = nn.functional.cross_entropy(
        logits[:n], batch.targets[0], label_smoothing=config.label_smoothing
    )
    if imitated is not None:
        embedding, soft_labels = batch.targets[1:]
        softly = nn.functional.cross_entropy(logits[:n], soft_labels)
        loss = (1.0 - config.soft_share) * loss + config.soft_share * softly
        error = nn.functional.mse_loss(imitated[:n].float(), embedding)
        loss = loss + config.teacher_weight * error
    if batch.n_odd:
        # To every label alike: the mean over labels of -log p.
        loss = loss - config.odd_weight * torch.log_softmax(logits[n:], dim=1).mean()
    return loss


def _accuracy(progress: Progress, lesson: Lesson, config: FitConfig) -> float:
    rows = lesson.split.validation
    with autocast(progress.device, bfloat16=has_fast_bfloat16(progress.device)):
        logits, _ = score_tracks(progress.judged, lesson.features, rows, config)
    return float((logits.mean(axis=1).argmax(axis=1) == lesson.features.genre[rows]).mean())
