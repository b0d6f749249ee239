"""Whether a track is heard alike however it is encoded: the same music as other files.

Each track of a folder is decoded as a whole and written anew in several ways; the tagger's own
analysis hears the decoded sound and each of those files. What it hears should not differ.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.errors import AudioDecodeError, DatasetError
from tagger.files.scan import ScanOptions, ScanTally, scan
from tagger.hearing.analysis import analyse_file, load_model
from tagger.models.card import ModelCard
from tagger.models.files import read_card
from tagger.records import TrackFailure, TrackPrediction
from training.encoding import Channels, Encoding, encode, load_stereo

# What is demanded of each variant, and of all together.
LEAST_AGREEMENT = 0.95
MOST_CHANGE = 0.05


@dataclass(frozen=True, slots=True)
class Variant:
    """One way of writing a track.

    Args:
        ending: Of the file's name.
        encoding: How it is written.
        gain: What its samples are multiplied by.
        is_mono: Whether its channels are mixed down.
    """

    ending: str
    encoding: Encoding
    gain: float = 1.0
    is_mono: bool = False

    def write(self, sound: Channels, folder: Path) -> Path:
        """Write a sound to a file in a folder, and return its path."""
        if self.is_mono:
            sound = sound.mean(axis=0, keepdims=True)
        path = folder / f"track{self.ending}"
        encode(sound * np.float32(self.gain), self.encoding, path)
        return path


_FLOAT_WAV = Encoding("pcm_f32le", "flt", "wav")
REFERENCE = Variant(".wav", _FLOAT_WAV)


def _mp3(bit_rate: int) -> Variant:
    return Variant(".mp3", Encoding("libmp3lame", "fltp", "mp3", bit_rate=bit_rate))


VARIANTS: dict[str, Variant] = {
    "MP3 320": _mp3(320_000),
    "MP3 128": _mp3(128_000),
    "MP3 64": _mp3(64_000),
    "AAC 96": Variant(".m4a", Encoding("aac", "fltp", "ipod", bit_rate=96_000)),
    "Opus 48": Variant(".opus", Encoding("libopus", "flt", "opus", 48_000, 48_000)),
    "22.05 kHz mono": Variant(".wav", Encoding("pcm_s16le", "s16", "wav", 22_050), is_mono=True),
    "12 dB quieter": Variant(".wav", _FLOAT_WAV, gain=10 ** (-12 / 20)),
}


@dataclass(frozen=True, slots=True)
class HeardTrack:
    """A track as it is, and as each variant; a variant that could not be heard is None."""

    reference: TrackPrediction
    variants: Mapping[str, TrackPrediction | None]


@dataclass(frozen=True, slots=True)
class Figures:
    """How alike one variant of the tracks, or all variants, were heard.

    Args:
        n_heard: Files compared with their reference.
        n_lost: Files in which nothing could be heard; each disagrees.
        n_confident: Files whose reference is confident.
        agreement: Share of those with the same likeliest genre; None where there is none.
        mean_change: Mean absolute change of a probability, over labels and files.
        largest_change: The largest one.
    """

    n_heard: int
    n_lost: int
    n_confident: int
    agreement: float | None
    mean_change: float
    largest_change: float

    @property
    def holds(self) -> bool:
        """Whether what is demanded was met; without a confident track, by the changes alone."""
        agrees = self.agreement is None or self.agreement >= LEAST_AGREEMENT
        return agrees and self.mean_change < MOST_CHANGE and not self.n_lost


@dataclass(frozen=True, slots=True)
class Robustness:
    """What came out.

    Args:
        model_id: The model's.
        threshold: Least confidence of a confident track.
        n_tracks: Tracks compared.
        n_confident: Those that are confident as they are.
        overall: All variants together.
        variants: Each alone.
        left_out: Tracks that could not be compared: {path: why}.
    """

    model_id: str
    threshold: float
    n_tracks: int
    n_confident: int
    overall: Figures
    variants: Mapping[str, Figures]
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether each variant, and all together, meet what is demanded."""
        return self.overall.holds and all(figures.holds for figures in self.variants.values())


def measure_robustness(
    folder: Path,
    checkpoint: Path,
    n_tracks: int,
    on_track: Callable[[Path], object] = lambda _path: None,
) -> Robustness:
    """Return how alike some tracks of a folder are heard in all variants.

    Args:
        folder: Searched through for sound files.
        checkpoint: The model.
        n_tracks: At most so many, spread evenly over the folder.
        on_track: Told of each track before it is looked at.

    Raises:
        CheckpointError: the checkpoint cannot be used.
        ScanError, DatasetError: the folder cannot be read, or no track in it can be judged.
    """
    load_model(checkpoint)
    card = read_card(checkpoint)
    heard, left_out = [], {}
    for path in chosen_tracks(folder, n_tracks):
        on_track(path)
        outcome = hear_variants(path, checkpoint)
        if isinstance(outcome, HeardTrack):
            heard.append(outcome)
        else:
            left_out[str(path)] = outcome
    if not heard:
        raise DatasetError("no track in it can be judged", folder)
    return _summary(heard, card, left_out)


def chosen_tracks(folder: Path, n_tracks: int) -> list[Path]:
    """Return at most so many sound files of a folder, evenly spread over its order.

    Raises:
        ScanError, DatasetError: the folder cannot be read or holds none.
    """
    paths = [file.path for file in scan([folder], ScanOptions(), ScanTally())]
    if not paths:
        raise DatasetError("holds no sound files", folder)
    n_chosen = min(n_tracks, len(paths))
    return [paths[i * len(paths) // n_chosen] for i in range(n_chosen)]


def hear_variants(path: Path, checkpoint: Path) -> HeardTrack | str:
    """Return what is heard in a track as it is and as each variant, or why it cannot be judged."""
    try:
        sound = load_stereo(path)
    except AudioDecodeError as exc:
        return exc.reason
    with tempfile.TemporaryDirectory(prefix="robustness-") as name:
        reference = analyse_file(REFERENCE.write(sound, Path(name)), checkpoint)
        if isinstance(reference, TrackFailure):
            return str(reference.reason)
        if reference.unheard:
            return str(reference.unheard)
        heard = {
            variant_name: _heard(variant.write(sound, Path(name)), checkpoint)
            for variant_name, variant in VARIANTS.items()
        }
    return HeardTrack(reference, heard)


def _heard(path: Path, checkpoint: Path) -> TrackPrediction | None:
    outcome = analyse_file(path, checkpoint)
    return None if isinstance(outcome, TrackFailure) or outcome.unheard else outcome


def _summary(
    heard: Sequence[HeardTrack], card: ModelCard, left_out: Mapping[str, str]
) -> Robustness:
    threshold = min(card.thresholds.values(), default=1.0)
    by_variant = {
        name: [(track.reference, track.variants[name]) for track in heard] for name in VARIANTS
    }
    return Robustness(
        model_id=card.model_id,
        threshold=threshold,
        n_tracks=len(heard),
        n_confident=sum(track.reference.confidence >= threshold for track in heard),
        overall=compare((pair for pairs in by_variant.values() for pair in pairs), threshold),
        variants={name: compare(pairs, threshold) for name, pairs in by_variant.items()},
        left_out=left_out,
    )


def compare(
    pairs: Iterable[tuple[TrackPrediction, TrackPrediction | None]], threshold: float
) -> Figures:
    """Return how alike tracks (reference, variant) were heard.

    Args:
        pairs: At least one.
        threshold: Least confidence of a confident reference.
    """
    pairs = list(pairs)
    changes = [_changes(before, after) for before, after in pairs if after is not None]
    agreeing = [
        after is not None and _top(before) == _top(after)
        for before, after in pairs
        if before.confidence >= threshold
    ]
    return Figures(
        n_heard=len(changes),
        n_lost=len(pairs) - len(changes),
        n_confident=len(agreeing),
        agreement=sum(agreeing) / len(agreeing) if agreeing else None,
        mean_change=float(np.mean(changes)) if changes else 0.0,
        largest_change=float(np.max(changes)) if changes else 0.0,
    )


def _changes(before: TrackPrediction, after: TrackPrediction) -> NDArray[np.float64]:
    return np.array(
        [abs(p - after.probabilities[label]) for label, p in before.probabilities.items()]
    )


def _top(prediction: TrackPrediction) -> str:
    return max(prediction.probabilities, key=lambda label: prediction.probabilities[label])


def as_text(report: Robustness) -> str:
    """Return the report as a table for a terminal."""
    lines = [
        f"{report.model_id}: {report.n_tracks} tracks, {report.n_confident} of them confident "
        f"(at least {report.threshold:.0%})",
        f"{'':16s}{'same genre':>12s}{'mean change':>13s}{'largest':>9s}",
    ]
    for name, figures in {**report.variants, "all": report.overall}.items():
        agreement = "–" if figures.agreement is None else f"{figures.agreement:.1%}"
        verdict = "" if figures.holds else "  TOO MUCH"
        lost = f"  {figures.n_lost} not heard" if figures.n_lost else ""
        lines.append(
            f"{name:16s}{agreement:>12s}{figures.mean_change:13.4f}{figures.largest_change:9.3f}"
            f"{verdict}{lost}"
        )
    lines += [f"left out: {path}: {why}" for path, why in report.left_out.items()]
    return "\n".join(lines)


def as_json(report: Robustness) -> dict[str, Any]:
    """Return the report as plain values."""
    return {**asdict(report), "holds": report.holds}
