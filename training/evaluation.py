"""Judging a checkpoint on a feature file, and saying so in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tagger.errors import DatasetError
from tagger.models.card import ModelCard
from tagger.models.checkpoint import load_checkpoint
from tagger.models.novelty import Novelty
from tagger.networks import NetworkConfig
from tagger.networks.frontend import FrontEndConfig
from tagger.records import FloatArray
from training.calibration import BoolArray, Calibration, Heard
from training.config import FitConfig
from training.dataset import FeatureFile, clean, load_features
from training.metrics import accuracy_per_artist, judge, selective
from training.scoring import score_tracks
from training.verdicts import Verdicts, verdicts


def evaluate_checkpoint(
    checkpoint: Path, features_path: Path, *, split: str = "all"
) -> dict[str, Any]:
    """Return the figures of ``evaluate --format json`` of a checkpoint on a feature file.

    Labels are matched by name, never by position.

    Args:
        checkpoint: The checkpoint.
        features_path: The feature file.
        split: ``all`` of its tracks, or those that ``fit`` set aside for ``validation`` or
            ``test``.

    Raises:
        CheckpointError: the checkpoint cannot be used.
        DatasetError: the feature file cannot, has labels that the checkpoint lacks, or holds none
            of the tracks asked for.
    """
    model = load_checkpoint(checkpoint)
    card = model.card
    features = _chosen(_relabelled(clean(load_features(features_path)), card), card, split)
    _refuse_other_mels(features, card, features_path)
    logits, embeddings = score_tracks(
        model.network, features, np.arange(len(features)), _config_of(card)
    )
    heard = Heard(logits, _is_novel(model.novelty, embeddings.mean(axis=1)))
    calibration = Calibration(card.temperature, card.album_temperature, card.thresholds)
    said = verdicts(heard, features.artist_id, calibration, card.labels, card.writable)
    report = report_on(heard, said, features)
    report["thresholds"] = dict(card.thresholds)
    report["n_tracks_of_trained_artists"] = (
        int(np.isin(features.artist_id, card.provenance.get("training_artists", [])).sum())
        if features.has_artists
        else 0
    )
    report["has_test_tracks"] = "test_tracks" in card.provenance
    return report


def _refuse_other_mels(features: FeatureFile, card: ModelCard, path: Path) -> None:
    n_mels = features.mel.shape[1]
    if n_mels != card.network["n_mels"]:
        raise DatasetError(
            f"has {n_mels} mels, the checkpoint hears {card.network['n_mels']}", path
        )
    if not len(features):
        raise DatasetError("holds no tracks but bad clips and duplicates", path)


def report_on(heard: Heard, said: Verdicts, features: FeatureFile) -> dict[str, Any]:
    """Return the figures of verdicts on tracks: the same for a card and for ``evaluate``."""
    truth, artists = features.genre, features.artist_id
    report = judge(said.probabilities, said.written, truth, artists, features.labels)
    single = heard.logits.argmax(axis=2)  # (n, n_segments)
    report["segment_accuracy"] = float((single == truth[:, None]).mean())
    report["n_novel"] = int(heard.is_novel.sum())
    if features.has_artists:
        report["accuracy_per_artist"] = accuracy_per_artist(
            said.probabilities.argmax(axis=1) == truth, artists
        )
        right = said.together.argmax(axis=1) == truth
        figures = selective(said.written_together, right)
        report["grouped_accuracy"] = float(right.mean())
        report["grouped_coverage"] = figures["coverage"]
        report["grouped_selective_accuracy"] = figures["selective_accuracy"]
    return report


def _is_novel(novelty: Novelty | None, embeddings: FloatArray) -> BoolArray:
    return np.zeros(len(embeddings), bool) if novelty is None else novelty.is_novel(embeddings)


def _relabelled(features: FeatureFile, card: ModelCard) -> FeatureFile:
    unknown = sorted(set(features.labels) - set(card.labels))
    if unknown:
        raise DatasetError(f"has labels that the checkpoint lacks: {', '.join(unknown)}")
    index = np.array([card.labels.index(label) for label in features.labels])
    return replace(features, genre=index[features.genre], labels=card.labels)


def _chosen(features: FeatureFile, card: ModelCard, split: str) -> FeatureFile:
    if split == "all":
        return features
    wanted = card.provenance.get(f"{split}_tracks", [])
    rows = np.flatnonzero(np.isin(features.track_id, wanted))
    if not len(rows):
        raise DatasetError(f"holds none of the tracks that this checkpoint set aside for {split}")
    return features.take(rows)


def _config_of(card: ModelCard) -> FitConfig:
    return FitConfig(
        architecture=card.architecture,
        max_segments=card.max_segments,
        front_end=FrontEndConfig(**card.front_end),
        network=NetworkConfig.from_card(card.network),
    )


def as_text(report: dict[str, Any]) -> str:
    """Return the report in words, for a terminal."""
    lines = [
        *_accuracy_lines(report),
        *_calibration_lines(report),
        *_writing_lines(report),
    ]
    if report["n_tracks_of_trained_artists"]:
        remedy = (
            "--split test judges on the others" if report["has_test_tracks"] else "see its card"
        )
        lines.append(
            f"CAUTION: {report['n_tracks_of_trained_artists']} of these tracks are by artists it "
            f"was trained on; {remedy}"
        )
    for label, figures in report["per_genre"].items():
        lines.append(
            f"  {label:14s} precision {figures['precision']:.2f}  recall {figures['recall']:.2f}"
            f"  F1 {figures['f1']:.2f}  n {figures['n']}"
        )
    return "\n".join(lines)


def _accuracy_lines(report: dict[str, Any]) -> Iterator[str]:
    low, high = report["accuracy_ci95"]
    yield f"tracks              {report['n_tracks']}"
    yield f"accuracy            {report['accuracy']:.1%} (95 % by artist: {low:.1%} to {high:.1%})"
    if "accuracy_per_artist" in report:
        yield f"mean of artists     {report['accuracy_per_artist']:.1%}"
    yield f"macro F1            {report['macro_f1']:.3f}"


def _calibration_lines(report: dict[str, Any]) -> Iterator[str]:
    mean, highest = report["debiased_ece_if_perfect"]
    yield f"calibration error   {report['ece']:.3f}"
    yield (
        f"  debiased          {report['debiased_ece']:.3f} (perfectly calibrated, on so many "
        f"tracks: {mean:.3f}, under {highest:.3f} 19 times of 20)"
    )


def _writing_lines(report: dict[str, Any]) -> Iterator[str]:
    yield f"written by default  {_written(report)}"
    for name, figures in report["mixes"].items():
        yield (
            f"  mostly {name:11s}{_written(figures)}; accuracy {figures['accuracy']:.1%} "
            "were the tracks so mixed"
        )
    for coverage, accuracy, _ in _quarters(report["coverage_curve"]):
        yield f"  the surest {coverage:4.0%}   {accuracy:.1%} right"
    if "grouped_accuracy" in report:
        grouped = {name: report[f"grouped_{name}"] for name in ("coverage", "selective_accuracy")}
        yield f"artists together    {_written(grouped)}; accuracy {report['grouped_accuracy']:.1%}"


def _written(figures: Mapping[str, Any]) -> str:
    right = figures["selective_accuracy"]
    said = "nothing to be right about" if right is None else f"{right:.1%} of it right"
    return f"{figures['coverage']:.1%}, {said}"


def _quarters(curve: list[list[float]]) -> list[list[float]]:
    """Return the points nearest to a quarter, half and three quarters, each once."""
    nearest = [min(curve, key=lambda point: abs(point[0] - share)) for share in (0.25, 0.5, 0.75)]
    return [point for i, point in enumerate(nearest) if point not in nearest[:i]]
