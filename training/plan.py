"""What is compared: networks, seeds, a protocol; and where each run's result is kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tagger.errors import ConfigError
from training.config import FitConfig
from training.crossfit import Material
from training.dataset import FeatureFile, Split
from training.protocols import folds_by, split_by
from training.recipe import fitted_to


@dataclass(frozen=True, slots=True)
class Variant:
    """A network that is compared: an architecture, its convolutions plain or separable."""

    architecture: str
    separable: bool = False


VARIANTS = {
    "cnn": Variant("cnn"),
    "gru": Variant("gru"),
    "cnn-gru": Variant("cnn-gru"),
    "cnn-gru-attention": Variant("cnn-gru-attention"),
    "cnn-gru-attention-separable": Variant("cnn-gru-attention", separable=True),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What is compared.

    Args:
        variants: Names of ``VARIANTS``.
        protocol: A name of ``training.protocols.PROTOCOLS``.
        n_seeds: Runs of each, with the seeds 1, 2, …
        n_folds: 0 for the protocol's one split, else so many folds of it.
    """

    variants: tuple[str, ...] = tuple(VARIANTS)
    protocol: str = "artist"
    n_seeds: int = 3
    n_folds: int = 0


@dataclass(frozen=True)
class Run:
    """One result to be: a network, its settings, and where its files are (no suffix)."""

    plan: Plan
    variant: str
    config: FitConfig
    stem: Path
    identity: str

    @property
    def result_path(self) -> Path:
        """Where its result is, or will be."""
        return self.stem.with_name(f"{self.stem.name}.json")

    def part_path(self, part: int, suffix: str) -> Path:
        """Return where a file of one of its fits is."""
        return self.stem.with_name(f"{self.stem.name}-part{part}.{suffix}")


def make_splits(plan: Plan, features: FeatureFile) -> list[Split]:
    """Return the splits on each of which every run of a plan fits a network.

    Raises:
        ConfigError: the plan names what there is not.
        DatasetError: the tracks cannot be split so.
    """
    unknown = [name for name in plan.variants if name not in VARIANTS]
    if unknown:
        raise ConfigError(f"no architecture {unknown[0]!r} to compare: {', '.join(VARIANTS)}")
    if plan.n_folds:
        return folds_by(plan.protocol, features, plan.n_folds)
    return [split_by(plan.protocol, features)]


def make_runs(
    plan: Plan, config: FitConfig, material: Material, splits: Sequence[Split], folder: Path
) -> list[Run]:
    """Return the runs of a plan, network by network, each with its seeds in order.

    Raises:
        DatasetError: the settings do not fit the features.
    """
    tracks = _digest_of_tracks(material, splits)
    runs = []
    for name in plan.variants:
        variant = VARIANTS[name]
        network = replace(config.network, separable=variant.separable)
        for seed in range(1, plan.n_seeds + 1):
            settings = replace(
                fitted_to(replace(config, network=network), material.features),
                architecture=variant.architecture,
                seed=seed,
                folds=0,
            )
            folds = f"-folds{plan.n_folds}" if plan.n_folds else ""
            stem = folder / f"{plan.protocol}{folds}-{name}-seed{seed}"
            runs.append(Run(plan, name, settings, stem, _identity(settings, tracks)))
    return runs


def _digest_of_tracks(material: Material, splits: Sequence[Split]) -> str:
    """Return a digest of what is fitted on besides the settings."""
    features = material.features
    digest = hashlib.sha256()
    for split in splits:
        for rows in (split.training, split.validation, split.test):
            digest.update(features.track_id[rows].tobytes() + features.genre[rows].tobytes())
    if material.embedding is not None:
        digest.update(material.embedding.tobytes())
    return digest.hexdigest()


def _identity(config: FitConfig, tracks: str) -> str:
    settings = json.dumps(config.to_dict() | {"n_threads": 0}, sort_keys=True)
    return hashlib.sha256(f"{settings} {tracks}".encode()).hexdigest()
