"""What a network is fitted on, and the batches that are drawn from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training.augment import SpecAugment, lose_highs, mix_frequency_styles, mixup
from training.config import FitConfig
from training.dataset import FeatureFile, IntArray, Split
from training.features import ROW_FRAMES, crop
from training.teacher import Teacher


@dataclass(frozen=True)
class Lesson:
    """What a network is fitted on.

    Args:
        features: All tracks.
        split: Which of them are fitted on, and on which the best epoch is chosen; without the
            latter the last epoch's weights are taken.
        teacher: What each track should give besides its label.
        odd_rows: (n_odd, n_mels, 128) uint8 features of sounds that are no music, at which every
            label should be equally likely.
    """

    features: FeatureFile
    split: Split
    teacher: Teacher | None = None
    odd_rows: NDArray[np.uint8] | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """Segments and what they should give; the last ``n_odd`` of them are no music.

    ``log_mel`` is (n + n_odd, n_mels, n_frames), ``targets`` are (n, n_labels) and, with a
    teacher, its embedding (n, dim) and soft labels (n, n_labels).
    """

    log_mel: Tensor
    targets: list[Tensor]
    n_odd: int

    def to(self, device: torch.device) -> Batch:
        """Return the same on a device."""
        return Batch(self.log_mel.to(device), [t.to(device) for t in self.targets], self.n_odd)


def draw_batches(lesson: Lesson, config: FitConfig, generator: torch.Generator) -> Iterator[Batch]:
    """Give one crop of each track fitted on, changed as the settings say, in batches.

    Tracks that do not fill a last batch are left out, since a short one would make batch norm jump.
    """
    rows = lesson.split.training
    order = rows[torch.randperm(len(rows), generator=generator).numpy()]
    size = config.batch_size
    for i in range(len(rows) // size or 1):
        yield _batch(lesson, order[i * size : (i + 1) * size], config, generator)


def _batch(lesson: Lesson, rows: IntArray, config: FitConfig, generator: torch.Generator) -> Batch:
    features, teacher = lesson.features, lesson.teacher
    one_hot = nn.functional.one_hot(
        torch.from_numpy(features.genre[rows]), len(features.labels)
    ).float()
    targets = [one_hot]
    if teacher is not None:
        targets += [torch.from_numpy(x[rows]) for x in (teacher.embedding, teacher.soft_labels)]
    changes = config.augment
    log_mel = _crops(features.mel[rows], config, generator)
    log_mel = lose_highs(log_mel, changes.loss_share, config.front_end.top_db, generator)
    log_mel = mix_frequency_styles(log_mel, changes.style_share, generator)
    log_mel, targets = mixup(SpecAugment(changes)(log_mel), targets, changes.mixup_alpha, generator)
    if lesson.odd_rows is None or not config.n_odd:
        return Batch(log_mel, targets, 0)
    drawn = torch.randint(len(lesson.odd_rows), (config.n_odd,), generator=generator)
    odd = _crops(lesson.odd_rows[drawn.numpy()], config, generator)
    return Batch(torch.cat([log_mel, odd]), targets, config.n_odd)


def _crops(rows: NDArray[np.uint8], config: FitConfig, generator: torch.Generator) -> Tensor:
    last = ROW_FRAMES - config.front_end.n_frames
    starts = torch.randint(0, last + 1, (len(rows),), generator=generator)
    return crop(torch.from_numpy(rows), starts, config.front_end)
