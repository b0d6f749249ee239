"""From a feature file to a checkpoint: split, fit, calibrate, judge once, save with its card."""

from __future__ import annotations

import logging
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from tagger.card import ModelCard
from tagger.checkpoint import describe, save_checkpoint, with_rounded_weights
from tagger.decision import make_policy
from tagger.errors import ConfigError, DatasetError
from tagger.networks import ARCHITECTURES, Network
from tagger.records import FloatArray
from tagger.voting import vote, vote_probabilities
from training.calibration import fit_temperature, fit_thresholds
from training.cardtext import card_text
from training.config import FitConfig
from training.dataset import (
    FeatureFile,
    IntArray,
    Split,
    clean,
    load_features,
    load_teacher,
    split_by_artist,
)
from training.evaluation import Judgement
from training.fma import WRITABLE
from training.loop import Epoch, fit, score_tracks, write_history

log = logging.getLogger(__name__)


def make_checkpoint(
    features_path: Path,
    output: Path,
    config: FitConfig,
    *,
    teacher_path: Path | None = None,
    resume: bool = False,
) -> ModelCard:
    """Train a network on a feature file and save it.

    Beside OUTPUT stand then its model card (.md) and the log of its epochs (.csv).

    A tenth of the tracks chooses the epoch and fits temperature and thresholds; another tenth is
    looked at once, for the scores in the card. No artist stands in two of the three parts.

    Raises:
        DatasetError, ConfigError, CheckpointError: see ``load_features``, ``fit``.
    """
    if config.architecture not in ARCHITECTURES:
        raise ConfigError(f"no architecture {config.architecture!r}: {', '.join(ARCHITECTURES)}")
    features = clean(load_features(features_path))
    config = _fitted_to(config, features)
    split = split_by_artist(features, config.seed)
    teacher = load_teacher(teacher_path, features.track_id) if teacher_path else None
    if config.n_threads:
        torch.set_num_threads(config.n_threads)
    state_path = output.with_name(f"{output.name}.state")
    if not resume:
        state_path.unlink(missing_ok=True)
    with tqdm(total=config.epochs, unit="epoch", disable=None) as bar:
        network, history = fit(
            features,
            split,
            config,
            teacher=teacher,
            state_path=state_path,
            on_epoch=lambda line: _show(line, bar),
        )
    write_history(output.with_suffix(".csv"), history)
    card = _judged_card(with_rounded_weights(network), features, split, config)
    card = replace(card, provenance={**card.provenance, **_origin(features_path, teacher_path)})
    save_checkpoint(output, network, card)
    output.with_suffix(".md").write_text(card_text(card), encoding="utf-8")
    state_path.unlink(missing_ok=True)
    return card


def _fitted_to(config: FitConfig, features: FeatureFile) -> FitConfig:
    n_mels = features.mel.shape[1]
    if n_mels != config.front_end.n_mels:
        raise DatasetError(
            f"the features have {n_mels} mels, the settings {config.front_end.n_mels}"
        )
    network = replace(config.network, n_labels=len(features.labels), n_mels=n_mels)
    return replace(config, network=network)


def _show(line: Epoch, bar: Any) -> None:
    bar.update(line.epoch + 1 - bar.n)
    bar.set_postfix(loss=f"{line.loss:.3f}", validation=f"{line.validation_accuracy:.3f}")
    log.info(
        "epoch %d: loss %.3f, validation accuracy %.3f, %.0f s",
        *(line.epoch, line.loss, line.validation_accuracy, line.seconds),
    )


def _judged_card(
    network: Network, features: FeatureFile, split: Split, config: FitConfig
) -> ModelCard:
    segments, _ = score_tracks(network, features, split.validation, config)
    truth, artists = features.genre[split.validation], features.artist_id[split.validation]
    temperature = fit_temperature(segments.mean(axis=1), truth)
    probabilities = np.stack([vote(track, temperature) for track in segments])
    labels = features.labels
    writable = tuple(label for label in labels if label in WRITABLE) or labels
    thresholds = fit_thresholds(probabilities, truth, labels)
    album_temperature = _album_temperature(probabilities, truth, artists)
    judgement = Judgement(
        labels, make_policy(labels, writable, thresholds), temperature, album_temperature
    )
    scores = {
        part: judgement.of(network, features.take(rows), config)
        for part, rows in (("validation", split.validation), ("test", split.test))
    }
    return describe(
        network,
        config.architecture,
        config.front_end,
        max_segments=config.max_segments,
        labels=labels,
        writable=writable,
        thresholds=thresholds,
        temperature=temperature,
        album_temperature=album_temperature,
        provenance={
            "settings": config.to_dict(),
            "split": "artist-disjoint tenths: 8 training, 1 validation, 1 test"
            if features.has_artists
            else "tenths by track: artists unknown",
            "seed": config.seed,
            "scores": scores,
            "votes": _compared_votes(segments, truth),
            "validation_tracks": features.track_id[split.validation].tolist(),
            "test_tracks": features.track_id[split.test].tolist(),
            "training_artists": np.unique(features.artist_id[split.training]).tolist(),
            "versions": {name: version(name) for name in ("torch", "torchaudio", "numpy")},
        },
    )


def _compared_votes(segments: FloatArray, truth: IntArray) -> dict[str, float]:
    """Return the accuracy of both ways in which (n, n_segments, n_labels) logits can vote."""
    by_logits = np.stack([vote(track) for track in segments])
    by_probabilities = np.stack([vote_probabilities(track) for track in segments])
    return {
        "mean of logits": float((by_logits.argmax(axis=1) == truth).mean()),
        "mean of probabilities": float((by_probabilities.argmax(axis=1) == truth).mean()),
    }


def _album_temperature(probabilities: FloatArray, truth: IntArray, groups: IntArray) -> float:
    """Return the temperature for tracks voting together, fitted on those of one artist and genre.

    Each group counts once, with its commonest genre: an album's tracks are right together.
    """
    means, truths = [], []
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        if len(rows) > 1:
            means.append(np.log(np.maximum(probabilities[rows], 1e-9)).mean(axis=0))
            truths.append(int(np.bincount(truth[rows]).argmax()))
    if not means:
        return 1.0
    return fit_temperature(np.array(means, dtype=np.float32), np.array(truths, dtype=np.int64))


def _origin(features_path: Path, teacher_path: Path | None) -> dict[str, Any]:
    return {
        "features": features_path.name,
        "teacher": teacher_path.name if teacher_path else None,
    }
