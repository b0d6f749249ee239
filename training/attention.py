"""A picture of what the attention of a network is on: each moment's weight above what sounds there.

The track is a sound file, heard as the tagger hears it, or a row of a feature file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from tagger.audio import load_segments
from tagger.errors import CheckpointError, DatasetError
from tagger.hearing.analysis import segment_plan
from tagger.models.checkpoint import LoadedModel, load_checkpoint
from tagger.models.voting import softmax
from tagger.networks.cnn_gru_attention import CNNGRUAttention
from tagger.networks.frontend import LogMel
from tagger.records import FloatArray
from training.dataset import load_features
from training.drawing import BLUE, GREY, new_figure, save_figure
from training.features import crop, even_starts


@dataclass(frozen=True)
class _Track:
    """A track's segments: log-mels (n, n_mels, n_frames) in dB, and where each begins, seconds."""

    name: str
    log_mel: Tensor
    starts_s: tuple[float, ...]


@dataclass(frozen=True)
class _Attended:
    """A segment: what it is called, how sure, and the weight of each time step (n_steps,)."""

    said: str
    weights: FloatArray


def plot_attention_in_audio(checkpoint: Path, audio: Path, folder: Path) -> Path:
    """Draw the attention over the segments of a sound file; return the picture's path.

    Raises:
        CheckpointError: the checkpoint cannot be used, or its network has no attention.
        AudioDecodeError: the sound cannot be decoded.
        DatasetError: it is too short, or the picture cannot be written.
    """
    model = load_checkpoint(checkpoint)
    card = model.card
    plan = segment_plan(card)
    segments = load_segments(audio, plan)
    if not len(segments.waveforms):
        raise DatasetError(f"too short: at least {card.segment_s:.1f} s are heard", audio)
    with torch.inference_mode():
        log_mel = model.front_end(torch.from_numpy(segments.waveforms))
    return _plot(model, checkpoint, _Track(audio.name, log_mel, segments.starts_s), folder)


def plot_attention_in_features(
    checkpoint: Path, features_path: Path, track_id: int, folder: Path
) -> Path:
    """Draw the attention over a track of a feature file; return the picture's path.

    Raises:
        CheckpointError: the checkpoint cannot be used, or its network has no attention.
        DatasetError: the file cannot be read or lacks the track, or the picture cannot be written.
    """
    model = load_checkpoint(checkpoint)
    features = load_features(features_path)
    rows = np.flatnonzero(features.track_id == track_id)
    if not len(rows):
        raise DatasetError(f"holds no track {track_id}", features_path)
    assert isinstance(model.front_end, LogMel)
    config = model.front_end.config
    starts = even_starts(config, model.card.max_segments)
    mel = torch.from_numpy(features.mel[np.repeat(rows, len(starts))])
    track = _Track(
        f"track {track_id}, {features.labels[features.genre[rows[0]]]}",
        crop(mel, torch.tensor(starts), config),
        tuple(start * config.hop_length / config.sample_rate for start in starts),
    )
    return _plot(model, checkpoint, track, folder)


def _plot(model: LoadedModel, checkpoint: Path, track: _Track, folder: Path) -> Path:
    attended = _attended(model, checkpoint, track)
    return save_figure(_picture(model, track, attended), folder / "attention.png")


def _attended(model: LoadedModel, checkpoint: Path, track: _Track) -> list[_Attended]:
    network, card = model.network, model.card
    if not isinstance(network, CNNGRUAttention):
        raise CheckpointError(f"a {card.architecture} has no attention to draw", checkpoint)
    with torch.inference_mode():
        logits = network(track.log_mel).logits.numpy()
        weights = network.attention(track.log_mel).numpy()
    probabilities = softmax(logits / np.float32(card.temperature))
    return [
        _Attended(f"{card.labels[p.argmax()]} {p.max():.0%}", w)
        for p, w in zip(probabilities, weights, strict=True)
    ]


def _picture(model: LoadedModel, track: _Track, attended: list[_Attended]) -> Figure:
    figure = new_figure(2.0 + 2.2 * len(attended), 4.5)
    grid = figure.subplots(2, len(attended), sharex="col", sharey="row", squeeze=False)
    for column, segment in enumerate(attended):
        start_s = track.starts_s[column]
        span = (start_s, start_s + model.card.segment_s)
        _draw_weights(grid[0, column], segment, span)
        _draw_mel(grid[1, column], track.log_mel[column], span)
    grid[0, 0].set_ylabel("weight of each step")
    grid[1, 0].set_ylabel("mel band")
    figure.supxlabel("seconds", fontsize="medium")
    figure.suptitle(f"Attention over time: {track.name}\n(dashed: to every step alike)")
    return figure


def _draw_weights(axes: Axes, segment: _Attended, span: tuple[float, float]) -> None:
    n_steps = len(segment.weights)
    edges = np.linspace(*span, n_steps + 1)
    axes.stairs(segment.weights, edges, color=BLUE, fill=True, alpha=0.6)
    axes.axhline(1.0 / n_steps, color=GREY, linestyle="--", linewidth=1)
    axes.set_title(segment.said, fontsize="medium")


def _draw_mel(axes: Axes, log_mel: Tensor, span: tuple[float, float]) -> None:
    extent = (*span, 0.0, float(len(log_mel)))
    axes.imshow(log_mel.numpy(), origin="lower", aspect="auto", extent=extent, cmap="magma")
