"""From a feature file to a checkpoint: split, fit, calibrate, judge once, save with its card."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import torch
from tqdm import tqdm

from tagger.errors import CheckpointError, ConfigError, DatasetError, os_reason
from tagger.learning.novelty import limited
from tagger.learning.thresholds import NEVER
from tagger.models.card import ModelCard
from tagger.models.checkpoint import describe, save_checkpoint, with_rounded_weights
from tagger.models.novelty import Novelty
from tagger.models.voting import vote, vote_probabilities
from tagger.networks import ARCHITECTURES, Network
from tagger.records import FloatArray
from training.calibration import Calibration, Heard, calibrate
from training.cardtext import card_text
from training.config import FitConfig
from training.crossfit import Material, cross_fit, gathered, novelty_of
from training.dataset import (
    FeatureFile,
    IntArray,
    clean,
    folds_by_artist,
    load_features,
    split_by_artist,
)
from training.evaluation import report_on
from training.events import EventLog
from training.fma import WRITABLE
from training.loop import fit
from training.odd_sounds import TRAINED_KINDS, odd_rows
from training.progress import Epoch, write_history
from training.scoring import score_tracks
from training.teacher import load_embedding
from training.verdicts import cross_calibrated, verdicts

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Fitted:
    """A network with all that the card says of it.

    Args:
        network: Its weights as the file will have them.
        novelty: Of the tracks it was fitted on.
        calibration: From tracks by artists it was not fitted on.
        scores: {on what: the figures of ``evaluate``}.
        about: How it was judged, for the card's provenance.
    """

    network: Network
    novelty: Novelty
    calibration: Calibration
    scores: Mapping[str, Any]
    about: Mapping[str, Any]


def make_checkpoint(
    features_path: Path,
    output: Path,
    config: FitConfig,
    *,
    teacher_path: Path | None = None,
    resume: bool = False,
    log_dir: Path | None = None,
) -> ModelCard:
    """Train a network on a feature file and save it.

    Beside OUTPUT stand then its model card (.md) and the log of its epochs (.csv); while it runs,
    a folder of the same name (.run) keeps where it stands. A log for TensorBoard goes to LOG_DIR,
    or without it to a folder beside OUTPUT (.tensorboard).

    Raises:
        DatasetError, ConfigError, CheckpointError: see ``load_features``, ``fit``.
    """
    if config.architecture not in ARCHITECTURES:
        raise ConfigError(f"no architecture {config.architecture!r}: {', '.join(ARCHITECTURES)}")
    material = make_material(features_path, config, teacher_path)
    config = fitted_to(config, material.features)
    folder = _run_folder(output, resume=resume)
    log_dir = log_dir or output.with_suffix(".tensorboard")
    fitted = (_cross_fitted if config.folds else _on_tenths)(material, config, folder, log_dir)
    card = _card(fitted, material.features, config)
    origin = {"features": features_path.name, "teacher": teacher_path and teacher_path.name}
    card = replace(card, provenance={**card.provenance, **origin})
    save_checkpoint(output, fitted.network, card, fitted.novelty)
    try:
        output.with_suffix(".md").write_text(card_text(card), encoding="utf-8")
        (folder / "all.csv").replace(output.with_suffix(".csv"))
        shutil.rmtree(folder)
    except OSError as exc:
        reason = f"the checkpoint is saved, but not all that belongs beside it: {os_reason(exc)}"
        raise CheckpointError(reason, output) from exc
    return card


def make_material(features_path: Path, config: FitConfig, teacher_path: Path | None) -> Material:
    """Read what the fits of a run share, cleaned by rule.

    Raises:
        DatasetError: a file cannot be read or does not fit the settings.
    """
    features = clean(load_features(features_path))
    embedding = load_embedding(teacher_path, features.track_id) if teacher_path else None
    odd = None
    if config.n_odd:
        n_each = config.odd_of_each_kind
        odd, _ = odd_rows(TRAINED_KINDS, n_each, config.seed, config.front_end)
    return Material(features, embedding, odd)


def fitted_to(config: FitConfig, features: FeatureFile) -> FitConfig:
    """Return the settings with the network's ends as the features need them.

    Raises:
        DatasetError: the features have another number of mels than the settings.
    """
    n_mels = features.mel.shape[1]
    if n_mels != config.front_end.n_mels:
        raise DatasetError(
            f"the features have {n_mels} mels, the settings {config.front_end.n_mels}"
        )
    network = replace(config.network, n_labels=len(features.labels), n_mels=n_mels)
    return replace(config, network=network)


def _run_folder(output: Path, *, resume: bool) -> Path:
    folder = output.with_name(f"{output.name}.run")
    try:
        if folder.exists() and not resume:
            shutil.rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise CheckpointError(f"the run's folder cannot be made: {os_reason(exc)}", folder) from exc
    return folder


def _cross_fitted(material: Material, config: FitConfig, folder: Path, log_dir: Path) -> _Fitted:
    """Fit on all tracks; judge by networks fitted on all but a fold each."""
    features = material.features
    rows = folds_by_artist(features, config.folds, seed=config.seed)
    with tqdm(total=len(rows) + 1, unit="fit", disable=None) as bar:
        network, folds = cross_fit(
            material,
            rows,
            config,
            folder,
            n_jobs=joblib.cpu_count(),
            log_dir=log_dir,
            on_fit=lambda: _advance(bar),
        )
    heard = gathered(folds)
    labels, writable = features.labels, _writable(features)
    truth, artists = features.genre, features.artist_id
    said = cross_calibrated(heard, truth, artists, rows, labels, writable)
    novelty = novelty_of(network, features, np.arange(len(features)), config)
    stretch = float(np.mean([fold.stretch for fold in folds]))
    name = f"{config.folds} folds"
    return _Fitted(
        network,
        replace(novelty, limit=novelty.limit * stretch),
        calibrate(heard, truth, artists, labels),
        {name: report_on(heard, said, features)},
        {
            "split": f"{name} by {'artist' if features.has_artists else 'track, artists unknown'}, "
            "each heard by a network that was fitted on the others",
            "votes": _compared_votes(heard.logits, truth),
            "training_artists": np.unique(artists).tolist(),
        },
    )


def _on_tenths(material: Material, config: FitConfig, folder: Path, log_dir: Path) -> _Fitted:
    """Fit on eight tenths; calibrate on the ninth, which chose the epoch; judge on the tenth."""
    features = material.features
    split = split_by_artist(features, config.seed)
    if config.n_threads:
        torch.set_num_threads(config.n_threads)
    with (
        tqdm(total=config.epochs, unit="epoch", disable=None) as bar,
        EventLog(log_dir / "all") as events,
    ):

        def on_epoch(line: Epoch) -> None:
            events.add(line)
            _show(line, bar)

        network, history = fit(
            material.lesson(split), config, state_path=folder / "all.state", on_epoch=on_epoch
        )
    write_history(folder / "all.csv", history)
    network = with_rounded_weights(network)
    labels, writable = features.labels, _writable(features)
    parts = {"validation": split.validation, "test": split.test}
    scored = {name: score_tracks(network, features, rows, config) for name, rows in parts.items()}
    novelty = limited(
        novelty_of(network, features, split.training, config), scored["validation"][1].mean(axis=1)
    )
    heard = {
        name: Heard(logits, novelty.is_novel(embeddings.mean(axis=1)))
        for name, (logits, embeddings) in scored.items()
    }
    chosen_on = features.take(split.validation)
    calibration = calibrate(heard["validation"], chosen_on.genre, chosen_on.artist_id, labels)
    scores = {}
    for name, rows in parts.items():
        part = features.take(rows)
        said = verdicts(heard[name], part.artist_id, calibration, labels, writable)
        scores[name] = report_on(heard[name], said, part)
    return _Fitted(
        network,
        novelty,
        calibration,
        scores,
        {
            "split": "artist-disjoint tenths: 8 training, 1 validation, 1 test"
            if features.has_artists
            else "tenths by track: artists unknown",
            "votes": _compared_votes(heard["validation"].logits, chosen_on.genre),
            "validation_tracks": features.track_id[split.validation].tolist(),
            "test_tracks": features.track_id[split.test].tolist(),
            "training_artists": np.unique(features.artist_id[split.training]).tolist(),
        },
    )


def _writable(features: FeatureFile) -> tuple[str, ...]:
    """Return the labels that mean outside their collection what they mean in it."""
    chosen = tuple(x for x in features.labels if not features.is_fma or x in WRITABLE)
    return chosen or features.labels


def _card(fitted: _Fitted, features: FeatureFile, config: FitConfig) -> ModelCard:
    labels, thresholds = features.labels, fitted.calibration.thresholds
    return describe(
        fitted.network,
        config.architecture,
        config.front_end,
        fitted.novelty,
        max_segments=config.max_segments,
        labels=labels,
        writable=tuple(x for x in _writable(features) if thresholds[x] < NEVER),
        thresholds=thresholds,
        temperature=fitted.calibration.temperature,
        album_temperature=fitted.calibration.album_temperature,
        provenance={
            "settings": config.to_dict(),
            "is_fma": features.is_fma,
            "seed": config.seed,
            "scores": fitted.scores,
            "versions": {name: version(name) for name in ("torch", "torchaudio", "numpy")},
            **fitted.about,
        },
    )


def _advance(bar: Any) -> None:
    bar.update()


def _show(line: Epoch, bar: Any) -> None:
    bar.update(line.epoch + 1 - bar.n)
    bar.set_postfix(loss=f"{line.loss:.3f}", validation=f"{line.validation_accuracy:.3f}")
    log.info(
        "epoch %d: loss %.3f, validation accuracy %.3f, %.0f s",
        *(line.epoch, line.loss, line.validation_accuracy, line.seconds),
    )


def _compared_votes(segments: FloatArray, truth: IntArray) -> dict[str, float]:
    """Return the accuracy of both ways in which (n, n_segments, n_labels) logits can vote."""
    by_logits = np.stack([vote(track) for track in segments])
    by_probabilities = np.stack([vote_probabilities(track) for track in segments])
    return {
        "mean of logits": float((by_logits.argmax(axis=1) == truth).mean()),
        "mean of probabilities": float((by_probabilities.argmax(axis=1) == truth).mean()),
    }
