"""What a model makes of sounds that are no music: how many would be given a genre, how sure it is.

Synthetic sounds go through the tagger's own path from their segments on, recordings from the file
on; what would be written is what ``tagger tag`` would write by default.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tagger.audio import SegmentPlan, planned_starts
from tagger.files.scan import ScanOptions, ScanTally, scan
from tagger.hearing.analysis import analyse_file, load_model, predict_track
from tagger.models.card import ModelCard
from tagger.models.checkpoint import LoadedModel, load_checkpoint
from tagger.records import FloatArray, Segments, TagsFound, TrackFailure, TrackPrediction
from tagger.tagging.decision import GenrePolicy, Intent, decide, make_policy
from training.odd_sounds import CLIP_S, HELD_OUT_KINDS, TRAINED_KINDS, nth_sound

_WHALE = (
    Path(__file__).parents[1]
    / "examples/National Park Service/Glacier Bay/01 Humpback Whale Song.wav"
)

# Whether training may see a kind, never does, or the sounds are recordings.
TRAINED, HELD_OUT, RECORDED = "trained", "held out", "recorded"

Heard = Sequence[TrackPrediction]


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What was made of the sounds of one kind.

    Args:
        group: TRAINED, HELD_OUT or RECORDED.
        kind: Its name; of recordings, that of their folder.
        n_sounds: How many.
        n_unheard: Those called silent or too short.
        n_written: Those that would be given a genre by default.
        genres: Those genres: {label: how many}.
        heard_as: The likeliest label of those heard: {label: how many}.
        median: Median of the confidence; 0 counts for what was not heard.
        p95: Its 95th percentile.
    """

    group: str
    kind: str
    n_sounds: int
    n_unheard: int
    n_written: int
    genres: Mapping[str, int]
    heard_as: Mapping[str, int]
    median: float
    p95: float


@dataclass(frozen=True, slots=True)
class Oddities:
    """What came out: the model, each kind, and recordings that could not be heard {path: why}."""

    model_id: str
    kinds: Sequence[Verdicts]
    left_out: Mapping[str, str]

    @property
    def n_written(self) -> int:
        """Sounds that would be given a genre; there should be none."""
        return sum(kind.n_written for kind in self.kinds)


def measure_oddities(
    checkpoint: Path,
    n_each: int,
    *,
    seed: int = 0,
    folder: Path | None = None,
    on_kind: Callable[[str], object] = lambda _kind: None,
) -> Oddities:
    """Return what a model makes of every kind of odd sound, of silence and of recordings.

    Args:
        checkpoint: The model.
        n_each: Sounds of each kind.
        seed: Which.
        folder: Recordings of what is no music, besides the example's whale.
        on_kind: Told of each kind before its sounds are made.

    Raises:
        CheckpointError: the checkpoint cannot be used.
        ScanError: the folder cannot be read.
    """
    load_model(checkpoint)  # one thread, as in tagging
    model = load_checkpoint(checkpoint)
    card = model.card
    policy = make_policy(card.genre_labels, card.writable, card.thresholds, broader=card.broader)
    kinds = []
    for group, kind, sounds in _synthetic(card, n_each, seed):
        on_kind(kind)
        kinds.append(verdicts(group, kind, [hear(model, sound) for sound in sounds], policy))
    recordings, left_out = _recordings(checkpoint, folder)
    kinds += [verdicts(RECORDED, name, heard, policy) for name, heard in recordings.items()]
    return Oddities(card.model_id, kinds, left_out)


def _synthetic(
    card: ModelCard, n_each: int, seed: int
) -> Iterator[tuple[str, str, Iterator[FloatArray]]]:
    """Yield each kind with its group and its sounds, which are made when they are taken."""
    rate, n_samples = card.sample_rate, round(CLIP_S * card.sample_rate)
    groups = [(TRAINED, kind) for kind in TRAINED_KINDS]
    groups += [(HELD_OUT, kind) for kind in HELD_OUT_KINDS]
    for group, kind in groups:
        sounds = (nth_sound(kind, i, seed, rate, n_samples) for i in range(n_each))
        yield group, kind, sounds
    yield HELD_OUT, "silence", iter([np.zeros(n_samples, np.float32)])


def hear(model: LoadedModel, waveform: FloatArray) -> TrackPrediction:
    """Return what a model hears in a sound (n_samples,) at its own sample rate."""
    return predict_track(model, Path(), partial(_cut, waveform))


def _cut(waveform: FloatArray, plan: SegmentPlan, heard_s: Sequence[float]) -> Segments:
    """Return the planned segments of a sound, as decoding gives those of a file."""
    duration_s = len(waveform) / plan.sample_rate
    starts_s = planned_starts(duration_s, plan, heard_s)
    waveforms = np.zeros((len(starts_s), plan.n_samples), np.float32)
    for segment, start_s in zip(waveforms, starts_s, strict=True):
        place = round(start_s * plan.sample_rate)
        segment[:] = waveform[place : place + plan.n_samples]
    return Segments(waveforms, starts_s, plan.sample_rate, duration_s)


def verdicts(group: str, kind: str, heard: Heard, policy: GenrePolicy) -> Verdicts:
    """Return what was made of sounds, at least one."""
    written = [genre for prediction in heard for genre in _written(prediction, policy)[:1]]
    audible = [prediction for prediction in heard if not prediction.unheard]
    confidence = [prediction.confidence for prediction in heard]
    return Verdicts(
        group=group,
        kind=kind,
        n_sounds=len(heard),
        n_unheard=len(heard) - len(audible),
        n_written=len(written),
        genres=dict(Counter(written).most_common()),
        heard_as=dict(Counter(_likeliest(prediction) for prediction in audible).most_common()),
        median=float(np.median(confidence)),
        p95=float(np.quantile(confidence, 0.95)),
    )


def _written(prediction: TrackPrediction, policy: GenrePolicy) -> tuple[str, ...]:
    """Return the genres that would be written into a file that has none."""
    probabilities, blank = prediction.probabilities, TagsFound()
    decision = decide(
        prediction, probabilities, blank, ours=False, policy=policy, intent=Intent(dry_run=True)
    )
    return decision.genres


def _likeliest(prediction: TrackPrediction) -> str:
    return max(prediction.probabilities, key=lambda label: prediction.probabilities[label])


def _recordings(
    checkpoint: Path, folder: Path | None
) -> tuple[dict[str, list[TrackPrediction]], dict[str, str]]:
    """Return what is heard in recordings, by the names of their folders, and what is not."""
    heard: dict[str, list[TrackPrediction]] = defaultdict(list)
    left_out: dict[str, str] = {}
    files = list(scan([folder], ScanOptions(), ScanTally())) if folder else []
    paths = [("humpback whale", _WHALE), *((file.path.parent.name, file.path) for file in files)]
    for name, path in paths:
        outcome = analyse_file(path, checkpoint)
        if isinstance(outcome, TrackFailure):
            left_out[str(path)] = str(outcome.reason)
        else:
            heard[name].append(outcome)
    return heard, left_out


def as_text(report: Oddities) -> str:
    """Return the report as a table for a terminal."""
    lines = [
        report.model_id,
        f"{'':9s} {'':16s}{'written':>9s}{'unheard':>9s}{'median':>8s}{'95th':>7s}  heard as",
    ]
    for kind in report.kinds:
        written = f"{kind.n_written}/{kind.n_sounds}"
        heard_as = ", ".join(f"{label} {n}" for label, n in list(kind.heard_as.items())[:3])
        lines.append(
            f"{kind.group:9s} {kind.kind[:16]:16s}{written:>9s}{kind.n_unheard:9d}"
            f"{kind.median:8.2f}{kind.p95:7.2f}  {heard_as}"
        )
    lines += [f"{group}: {_share(report, group)}" for group in (TRAINED, HELD_OUT, RECORDED)]
    lines += [f"left out: {path}: {why}" for path, why in report.left_out.items()]
    return "\n".join(lines)


def _share(report: Oddities, group: str) -> str:
    kinds = [kind for kind in report.kinds if kind.group == group]
    n_sounds = sum(kind.n_sounds for kind in kinds)
    return f"{sum(kind.n_written for kind in kinds)} of {n_sounds} would be given a genre"


def as_json(report: Oddities) -> dict[str, Any]:
    """Return the report as plain values."""
    return {**asdict(report), "n_written": report.n_written}
