"""From a path to what is heard there: decode, front end, network, vote. Runs in the workers.

Never raises for a bad file: that is a TrackFailure. Importing it loads neither torch nor a
decoder, since the parent process, which only names ``analyse_task`` to its workers, needs neither.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tagger.errors import AudioDecodeError, CheckpointError, HearingError, TaggerError, TagReadError
from tagger.hearing.memory import bounded
from tagger.models.card import ModelCard
from tagger.models.files import BUNDLED, networks_of, read_card
from tagger.models.verdict import even_chances, judge, said_by
from tagger.models.voting import is_clear
from tagger.nets import net
from tagger.reasons import Reason, ReasonCode
from tagger.records import (
    FloatArray,
    Segments,
    SegmentScores,
    Stage,
    TrackFailure,
    TrackPrediction,
)
from tagger.tags import check_limits

if TYPE_CHECKING:
    from tagger.audio import SegmentPlan
    from tagger.models.checkpoint import LoadedModel

# Below this no listener hears anything at an ordinary volume, and what the front end would lift
# up to full scale is dither and hum.
_SILENCE_RMS = 10 ** (-60 / 20)


@dataclass(frozen=True, slots=True)
class NetworkRef:
    """A network that is to hear a track.

    Args:
        model_id: What it must be, since another machine may have another under that path.
        path: Its checkpoint; a name alone is that of a bundled one, which lies where the tagger
            is installed on the machine that loads it.
        n_segments: How many it is to hear, at most, and all at once; 0 is as its card says.
    """

    model_id: str
    path: Path
    n_segments: int = 0

    @classmethod
    def of(cls, model_id: str, file: Path, n_segments: int = 0) -> NetworkRef:
        """Return the network in a file, by its name alone if it is bundled."""
        path = Path(file.name) if file.parent == BUNDLED else file
        return cls(model_id, path, n_segments)


@dataclass(frozen=True, slots=True)
class AnalysisTask:
    """A track, and the networks that are to hear it: one at least."""

    path: Path
    listeners: tuple[NetworkRef, ...]


class UnheardError(TaggerError):
    """A track could not be heard, for a reason that nobody foresaw."""


Heard = tuple[TrackPrediction, ...]
"""What each network of a task heard, in their order."""

Loader = Callable[["SegmentPlan", Sequence[float]], Segments]
"""Gives the planned segments of a track, but for those that overlap some heard before, which begin
at those seconds."""


def load_networks(task: AnalysisTask) -> None:
    """Load the networks of a task; once a process, whoever calls it again.

    Raises:
        CheckpointError: one cannot be loaded, or is another one.
    """
    for listener in task.listeners:
        model_id = _model(listener.path).card.model_id
        if model_id != listener.model_id:
            raise CheckpointError(f"holds {model_id}, not {listener.model_id}", listener.path)


def analyse_task(task: AnalysisTask) -> Heard | TrackFailure:
    """Return what each network hears in a track, or why nothing could be heard.

    Raises:
        CheckpointError: a network cannot be loaded.
    """
    try:
        check_limits(task.path)
    except TagReadError as exc:
        return TrackFailure.of(task.path, Stage.READ, exc)
    heard = []
    for listener in task.listeners:
        try:
            with net(task.path, UnheardError):
                outcome = _hear(task.path, listener.path, listener.n_segments)
        except UnheardError as exc:
            outcome = TrackFailure.of(task.path, Stage.ANALYSE, exc)
        if isinstance(outcome, TrackFailure):
            return outcome
        heard.append(outcome)
    return tuple(heard)


def load_model(path: Path) -> None:
    """Load the networks that a model hears with, as workers do: one thread each.

    Raises:
        CheckpointError: one cannot be loaded.
    """
    for network in networks_of(_card(path), path).values():
        _model(network)


def analyse_file(
    path: Path, model_path: Path, n_segments: int = 0
) -> TrackPrediction | TrackFailure:
    """Return what a model says of a track, or why nothing could be heard, in this process.

    Args:
        path: The file.
        model_path: The model.
        n_segments: How many it is to hear, at most, and all at once; 0 is as its card says.

    Raises:
        CheckpointError: the model cannot be loaded.
    """
    card = _card(model_path)
    networks = networks_of(card, model_path)
    listeners = (NetworkRef.of(*one, n_segments or card.n_at_once) for one in networks.items())
    heard = analyse_task(AnalysisTask(path, tuple(listeners)))
    return heard if isinstance(heard, TrackFailure) else said_by(card, heard)


def _hear(path: Path, model_path: Path, n_segments: int) -> TrackPrediction | TrackFailure:
    """Return what one network hears in a track, or why nothing could be heard."""
    model = _model(model_path)
    try:
        return predict_track(model, path, partial(_load, path), n_segments)
    except AudioDecodeError as exc:
        # What the system refuses may be granted tomorrow; what the file holds will not change.
        stage = Stage.READ if isinstance(exc.__cause__, OSError) else Stage.DECODE
        return TrackFailure(path, stage, exc.why)
    except HearingError as exc:
        return TrackFailure(path, Stage.ANALYSE, exc.why)
    except MemoryError:
        return TrackFailure(path, Stage.ANALYSE, Reason(ReasonCode.NO_MEMORY))


def _load(path: Path, plan: SegmentPlan, heard_s: Sequence[float]) -> Segments:
    """Return the planned segments of a file, with no more memory than a sane one needs.

    Raises:
        AudioDecodeError: Nothing in it can be decoded, or not with so much.
    """
    from tagger.audio import load_segments

    with bounded(path):
        return load_segments(path, plan, heard_s)


def segment_plan(card: ModelCard, max_segments: int = 0) -> SegmentPlan:
    """Return what a model is to hear of each track: segments, and in them its frames alone.

    Args:
        card: The model's.
        max_segments: How many at most; 0 is as many as it ever hears.
    """
    from tagger.audio import SegmentPlan

    return SegmentPlan(
        card.sample_rate,
        card.n_samples,
        max_segments or card.max_segments,
        n_fft=card.front_end["n_fft"],
        hop_length=card.front_end["hop_length"],
    )


def predict_track(
    model: LoadedModel, path: Path, load: Loader, n_segments: int = 0
) -> TrackPrediction:
    """Return what a model hears in a track.

    Args:
        model: Its network hears as many segments as the verdict takes; see ``score_track``.
        path: The file.
        load: Gives its segments.
        n_segments: How many it is to hear, at most, and all at once; 0 is as its card says.

    Raises:
        AudioDecodeError: raised by ``load``.
    """
    scores, segments = score_track(model, load, n_segments)
    if not len(scores):
        return _unheard(model, path, segments)
    embedding = scores.embeddings.mean(axis=0)
    head = model.card.head
    logits = scores.logits if head is None else head.logits(embedding[None])
    novelty = model.novelty if head is None else head.novelty
    return judge(
        model.card,
        TrackPrediction(
            path=path,
            probabilities={},
            confidence=0.0,
            embedding=embedding,
            n_segments=len(scores),
            model_id=model.card.model_id,
            duration_s=segments.duration_s,
        ),
        logits,
        novelty,
    )


def score_track(
    model: LoadedModel, load: Loader, n_segments: int = 0
) -> tuple[SegmentScores, Segments]:
    """Return what a network makes of a track's audible segments, and those that were heard first.

    Where a few of them leave it open which genre is the likeliest, or some of the few are silent or
    damaged, the rest are heard as well.

    Raises:
        AudioDecodeError: raised by ``load``.
    """
    card = model.card
    segments = load(segment_plan(card, n_segments or card.first_segments), ())
    scores = _score_audible(model, segments.waveforms)
    if n_segments or _are_enough(card, scores) or not _leave_some(card, segments):
        return scores, segments
    rest = load(segment_plan(card), segments.starts_s)
    return scores.joined(_score_audible(model, rest.waveforms)), segments


def _are_enough(card: ModelCard, scores: SegmentScores) -> bool:
    """Return whether a verdict takes no more than the segments heard first."""
    if not card.first_segments:
        return True
    return len(scores) >= card.first_segments and is_clear(_main_logits(card, scores))


def _leave_some(card: ModelCard, segments: Segments) -> bool:
    """Return whether a track has segments that overlap none of these."""
    from tagger.audio import planned_starts

    return bool(planned_starts(segments.duration_s, segment_plan(card), segments.starts_s))


def _main_logits(card: ModelCard, scores: SegmentScores) -> FloatArray:
    logits = scores.logits if card.head is None else card.head.logits(scores.embeddings)
    return logits[:, [card.labels.index(genre) for genre in card.main_genres]]


def score_segments(model: LoadedModel, waveforms: FloatArray) -> SegmentScores:
    """Return the network's logits and embeddings of waveforms (n_segments, n_samples).

    Raises:
        HearingError: they are no numbers, as what finite weights are multiplied to may be.
    """
    import torch

    with torch.inference_mode():
        output = model.network(model.front_end(torch.from_numpy(waveforms)))
    scores = SegmentScores(output.logits.numpy(), output.embedding.numpy())
    if not (np.isfinite(scores.logits).all() and np.isfinite(scores.embeddings).all()):
        raise HearingError(Reason(ReasonCode.NO_NUMBER))
    return scores


def _score_audible(model: LoadedModel, waveforms: FloatArray) -> SegmentScores:
    """Return the scores of the segments in whose frames there is anything to hear."""
    import torch

    frames = model.front_end.frames(torch.from_numpy(waveforms))
    audible = (frames.square().mean(dim=(1, 2)).sqrt() > _SILENCE_RMS).numpy()
    if not audible.any():
        n_labels, dim = len(model.card.labels), model.network.config.embedding_dim
        return SegmentScores(np.empty((0, n_labels), np.float32), np.empty((0, dim), np.float32))
    # Choosing copies: of all segments 5 MB, which takes its time.
    return score_segments(model, waveforms if audible.all() else waveforms[audible])


def _unheard(model: LoadedModel, path: Path, segments: Segments) -> TrackPrediction:
    return TrackPrediction(
        path=path,
        probabilities=even_chances(model.card.labels),
        confidence=0.0,
        embedding=None,
        n_segments=0,
        model_id=model.card.model_id,
        duration_s=segments.duration_s,
        unheard=_why_unheard(model.card, segments),
    )


def _why_unheard(card: ModelCard, segments: Segments) -> Reason:
    if len(segments.waveforms):
        return Reason(ReasonCode.SILENT)
    lengths = {"duration_s": segments.duration_s, "needed_s": card.segment_s}
    return Reason(ReasonCode.TOO_SHORT, lengths)


@lru_cache(maxsize=2)
def _card(path: Path) -> ModelCard:
    return read_card(_file(path))


def _file(path: Path) -> Path:
    """Return where a model's file lies here."""
    return BUNDLED / path if path == Path(path.name) else path


@lru_cache(maxsize=4)
def _model(path: Path) -> LoadedModel:
    import torch

    from tagger.models.checkpoint import load_checkpoint
    from tagger.networks.folding import fold_batch_norms

    torch.set_num_threads(1)  # the workers are the parallelism
    model = load_checkpoint(_file(path))
    fold_batch_norms(model.network)
    return model
