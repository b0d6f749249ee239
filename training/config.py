"""Settings of a training run: each hyper-parameter beside its reason or source."""

from __future__ import annotations

import json
import tomllib
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from tagger.errors import ConfigError, os_reason
from tagger.networks import NetworkConfig
from tagger.networks.frontend import FrontEndConfig
from training.augment import AugmentConfig


@dataclass(frozen=True, slots=True)
class FitConfig:
    """How a network is trained.

    Args:
        architecture: A key of ``tagger.networks.ARCHITECTURES``.
        seed: Of the split, the weights, the crops and the augmentation.
        folds: Confidence and thresholds come from so many fits, each on all but one fold, and the
            network is then fitted on all tracks for all epochs; 0: one fit on eight tenths, the
            epoch chosen and confidence fitted on the ninth, judged on the tenth.
        epochs: One crop of each track an epoch.
        batch_size: 64: smaller generalises no better here and is slower; powers of two are no law
            (Raschka, "No, we don't have to choose batch sizes as powers of 2", 2022).
        schedule: How the rate moves; a name of ``training.schedules.SCHEDULES``.
        learning_rate: The highest.
        weight_decay: Decoupled, AdamW (Loshchilov and Hutter, arXiv 1711.05101).
        label_smoothing: Genres overlap, and labels err (Szegedy et al., arXiv 1512.00567).
        grad_clip: Largest norm of the gradient; recurrent layers (Pascanu et al., arXiv 1211.5063).
        average_decay: A step's share in keeping the averaged weights that are judged and saved;
            1/(1 - decay) is about three epochs (Morales-Brotons et al., arXiv 2411.18704).
        patience: Epochs without a better validation accuracy after which training ends.
        teacher_weight: Weight of the squared error to the teacher's embedding (FitNets, Romero et
            al., arXiv 1412.6550), where a teacher is given.
        soft_share: Share of the teacher's soft labels in what the labels ask for (Hinton et al.,
            arXiv 1503.02531), where a teacher is given.
        n_odd: Sounds that are no music added to each batch, at which every label should be equally
            likely (outlier exposure, Hendrycks et al., arXiv 1812.04606).
        odd_weight: Weight of that.
        odd_of_each_kind: How many of each kind are made to draw from.
        max_segments: Segments of a track that vote, when judged and when tagging.
        n_threads: torch threads; 0 leaves torch's choice. With folds each fit has one.
        device: A name of ``training.devices.DEVICES``.
        network: The network's shape.
        front_end: What the features are.
        augment: How much the crops are changed.
    """

    architecture: str = "cnn-gru-attention"
    seed: int = 1
    folds: int = 0
    epochs: int = 40
    batch_size: int = 64
    schedule: str = "one-cycle"
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    label_smoothing: float = 0.1
    grad_clip: float = 2.0
    average_decay: float = 0.997
    patience: int = 12
    teacher_weight: float = 1.0
    soft_share: float = 0.5
    n_odd: int = 0
    odd_weight: float = 0.5
    odd_of_each_kind: int = 40
    max_segments: int = 4
    n_threads: int = 0
    device: str = "auto"
    network: NetworkConfig = field(default_factory=NetworkConfig)
    front_end: FrontEndConfig = field(default_factory=FrontEndConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain values."""
        return asdict(self)


_SECTIONS: dict[str, type] = {
    "network": NetworkConfig,
    "front_end": FrontEndConfig,
    "augment": AugmentConfig,
}


def read_config(path: Path) -> dict[str, Any]:
    """Read settings from a TOML file.

    Raises:
        ConfigError: it cannot be read or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise ConfigError(os_reason(exc), path) from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ConfigError(f"not TOML: {exc}", path) from exc


def make_config(values: dict[str, Any], path: Path | None = None) -> FitConfig:
    """Return the settings that plain values describe.

    Raises:
        ConfigError: a key is unknown, a section is not one, or a number is out of its range.

    >>> make_config({"epochs": 3, "network": {"gru_size": 8}}).network.gru_size
    8
    """
    arguments = dict(values)
    for section, kind in _SECTIONS.items():
        if section in arguments:
            arguments[section] = _section(section, kind, arguments[section], path)
    _refuse_unknown(FitConfig, arguments, "", path)
    config = FitConfig(**arguments)
    for name in ("epochs", "batch_size", "max_segments", "odd_of_each_kind"):
        if getattr(config, name) < 1:
            raise ConfigError(f"{name} must be at least 1", path)
    if config.folds == 1 or config.folds < 0:
        raise ConfigError("folds must be 0, or at least 2", path)
    if config.front_end.compression != "relative-db":
        raise ConfigError("compression must be relative-db, as the features are", path)
    return config


def to_toml(config: FitConfig) -> str:
    """Return settings as the TOML that ``read_config`` reads.

    >>> make_config(tomllib.loads(to_toml(FitConfig(epochs=3)))) == FitConfig(epochs=3)
    True
    """
    values = config.to_dict()
    lines = [f"{name} = {_toml(value)}" for name, value in values.items() if name not in _SECTIONS]
    for section in _SECTIONS:
        lines += ["", f"[{section}]"]
        lines += [f"{name} = {_toml(value)}" for name, value in values[section].items()]
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    """Return a number, truth value, name or sequence of numbers; JSON writes these as TOML does."""
    return json.dumps(value)


def _section(name: str, kind: type, values: object, path: Path | None) -> Any:
    if not isinstance(values, dict):
        raise ConfigError(f"[{name}] must be a table", path)
    _refuse_unknown(kind, values, f"{name}.", path)
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})


def _refuse_unknown(kind: Any, values: dict[str, Any], prefix: str, path: Path | None) -> None:
    known = {f.name for f in fields(kind)}
    for key in values:
        if key not in known:
            raise ConfigError(
                f"unknown setting {prefix}{key}; known: {', '.join(sorted(known))}", path
            )
