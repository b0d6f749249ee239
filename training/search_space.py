"""The settings that ``tune`` varies, how far, and how a draw of them becomes a run's settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from optuna.trial import BaseTrial

from training.config import FitConfig, make_config


@dataclass(frozen=True, slots=True)
class Range:
    """A setting between two numbers; by ratio rather than difference where ``log``."""

    low: float
    high: float
    log: bool = False

    def suggest(self, trial: BaseTrial, name: str) -> float:
        """Draw a value for a trial."""
        return trial.suggest_float(name, self.low, self.high, log=self.log)


@dataclass(frozen=True, slots=True)
class WholeRange:
    """A setting that is a whole number between two."""

    low: int
    high: int

    def suggest(self, trial: BaseTrial, name: str) -> int:
        """Draw a value for a trial."""
        return trial.suggest_int(name, self.low, self.high)


@dataclass(frozen=True, slots=True)
class Choice:
    """A setting that is one of a few numbers."""

    options: tuple[int, ...]

    def suggest(self, trial: BaseTrial, name: str) -> int:
        """Draw a value for a trial."""
        return int(trial.suggest_categorical(name, self.options))


Dimension = Range | WholeRange | Choice

# A dot leads into a section of FitConfig. Each range holds FitConfig's default, and about as much
# below as above it.
SPACE: Mapping[str, Dimension] = {
    "learning_rate": Range(3e-4, 1e-2, log=True),
    "weight_decay": Range(1e-3, 0.2, log=True),
    "batch_size": Choice((32, 64, 128)),
    "label_smoothing": Range(0.0, 0.2),
    "network.dropout": Range(0.0, 0.5),
    "network.gru_size": Choice((64, 96, 128)),
    "augment.mixup_alpha": Range(0.0, 0.6),
    "augment.freq_mask": WholeRange(0, 40),
    "augment.style_share": Range(0.0, 0.8),
}
WITH_TEACHER: Mapping[str, Dimension] = {
    "teacher_weight": Range(0.25, 4.0, log=True),
    "soft_share": Range(0.0, 0.9),
}


def space_of(*, has_teacher: bool) -> dict[str, Dimension]:
    """Return what is varied."""
    return dict(SPACE) | (dict(WITH_TEACHER) if has_teacher else {})


def suggested(trial: BaseTrial, config: FitConfig, space: Mapping[str, Dimension]) -> FitConfig:
    """Return settings with a trial's draw of those that are varied."""
    values = config.to_dict()
    for name, dimension in space.items():
        _table(values, name)[name.rpartition(".")[2]] = dimension.suggest(trial, name)
    return make_config(values)


def drawn_as(config: FitConfig, space: Mapping[str, Dimension]) -> dict[str, Any]:
    """Return the draw that would give these settings; what lies outside the space is left out."""
    values = config.to_dict()
    draw = {name: _table(values, name)[name.rpartition(".")[2]] for name in space}
    return {name: value for name, value in draw.items() if _contains(space[name], value)}


def _table(values: dict[str, Any], name: str) -> dict[str, Any]:
    section = name.rpartition(".")[0]
    return values[section] if section else values


def _contains(dimension: Dimension, value: float) -> bool:
    if isinstance(dimension, Choice):
        return value in dimension.options
    return dimension.low <= value <= dimension.high
