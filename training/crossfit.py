"""Networks fitted on all but one fold each, so that every track is heard by one that never met it.

What they say is what confidence and thresholds are fitted on, and what the model card reports. The
fits run side by side, a core each (faster than one after the other on all cores), and each keeps
its state and its result in a folder, so that a run that was cut off goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np
import torch
from numpy.typing import NDArray

from tagger.learning.novelty import fit_novelty, limited
from tagger.models.checkpoint import with_rounded_weights
from tagger.models.novelty import Novelty
from tagger.networks import Network
from tagger.records import FloatArray
from training.batches import Lesson
from training.calibration import Heard
from training.config import FitConfig
from training.dataset import FeatureFile, IntArray, Split
from training.events import EventLog
from training.loop import fit
from training.progress import write_history
from training.scoring import score_tracks
from training.teacher import make_teacher

NO_ROWS: IntArray = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class Material:
    """What all fits of a run share.

    Args:
        features: All tracks.
        embedding: (n, dim) of the teacher, or None.
        odd_rows: Features of sounds that are no music, or None.
    """

    features: FeatureFile
    embedding: FloatArray | None = None
    odd_rows: NDArray[np.uint8] | None = None

    def lesson(self, split: Split) -> Lesson:
        """Return what is fitted on in a split; the teacher knows nothing but that part."""
        teacher = None
        if self.embedding is not None:
            teacher = make_teacher(self.embedding, self.features, split.training)
        return Lesson(self.features, split, teacher, self.odd_rows)


@dataclass(frozen=True, slots=True)
class Fold:
    """What one fold's network says of the tracks that it was not fitted on.

    Args:
        rows: (n,) which tracks.
        heard: What it says of them.
        stretch: How much farther from their labels they lie than the tracks fitted on: the ratio
            of the distances' 99th percentiles.
    """

    rows: IntArray
    heard: Heard
    stretch: float


def cross_fit(
    material: Material,
    folds: Sequence[IntArray],
    config: FitConfig,
    folder: Path,
    *,
    n_jobs: int,
    log_dir: Path | None = None,
    on_fit: Callable[[], None] = lambda: None,
) -> tuple[Network, list[Fold]]:
    """Fit a network on all tracks, and one on all but each fold, which then judges its fold.

    Args:
        material: What is fitted on.
        folds: Rows; together all of them, each once.
        config: The settings; all epochs are run, since a fold must not choose its own.
        folder: Where the states of the fits are kept; those found there go on, or are done.
        n_jobs: Fits at a time, a thread each.
        log_dir: Where each fit's log for TensorBoard goes, if anywhere.
        on_fit: Called after each fit.

    Returns:
        The network fitted on all tracks, and the folds.

    Raises:
        CheckpointError: a state cannot be read or saved, or is of another run.
    """
    calls = [
        joblib.delayed(_fit_fold)(material, rows, config, folder / f"fold{i}.state", log_dir)
        for i, rows in enumerate(folds)
    ]
    calls.append(joblib.delayed(fit_on)(material, NO_ROWS, config, folder / "all.state", log_dir))
    results = []
    for result in joblib.Parallel(n_jobs=n_jobs, return_as="generator")(calls):
        results.append(result)
        on_fit()
    return results[-1], results[:-1]


def _fit_fold(
    material: Material, rows: IntArray, config: FitConfig, state_path: Path, log_dir: Path | None
) -> Fold:
    network = fit_on(material, rows, config, state_path, log_dir)
    return judged_fold(network, material.features, rows, config)


def fit_on(
    material: Material,
    left_out: IntArray,
    config: FitConfig,
    state_path: Path,
    log_dir: Path | None = None,
) -> Network:
    """Return a network fitted on all tracks but some, its weights rounded as a file has them.

    It goes on from the state that is there, or is done; see ``cross_fit``.
    """
    torch.set_num_threads(1)
    lesson = material.lesson(Split(_others(material.features, left_out), NO_ROWS, left_out))
    with EventLog(log_dir and log_dir / state_path.stem) as log:
        network, history = fit(lesson, config, state_path=state_path, on_epoch=log.add)
    write_history(state_path.with_suffix(".csv"), history)
    return with_rounded_weights(network)


def _others(features: FeatureFile, rows: IntArray) -> IntArray:
    return np.setdiff1d(np.arange(len(features)), rows)


def judged_fold(network: Network, features: FeatureFile, rows: IntArray, config: FitConfig) -> Fold:
    """Return what a network says of the tracks that it was not fitted on."""
    novelty = novelty_of(network, features, _others(features, rows), config)
    logits, segments = score_tracks(network, features, rows, config)
    embeddings = segments.mean(axis=1)
    own = limited(novelty, embeddings)
    return Fold(rows, Heard(logits, own.is_novel(embeddings)), own.limit / novelty.limit)


def novelty_of(
    network: Network, features: FeatureFile, rows: IntArray, config: FitConfig
) -> Novelty:
    """Return the Gaussian of the tracks that a network was fitted on."""
    _, segments = score_tracks(network, features, rows, config)
    return fit_novelty(segments.mean(axis=1), features.genre[rows], len(features.labels))


def gathered(folds: Sequence[Fold]) -> Heard:
    """Return what was said of all tracks, each by the network that did not know it."""
    rows = np.concatenate([fold.rows for fold in folds])
    order = np.argsort(rows)
    return Heard(
        np.concatenate([fold.heard.logits for fold in folds])[order],
        np.concatenate([fold.heard.is_novel for fold in folds])[order],
    )
