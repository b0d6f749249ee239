"""From a path to what is heard there: decode, front end, network, vote. Runs in the workers.

Never raises for a bad file: that is a TrackFailure. Importing it loads neither torch nor a
decoder, since the parent process, which only names ``analyse`` to its workers, needs neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tagger.card import BUNDLED, ModelCard, read_card
from tagger.errors import AudioDecodeError, CheckpointError
from tagger.heads import Head
from tagger.novelty import Novelty, capped
from tagger.records import FloatArray, Segments, SegmentScores, TrackFailure, TrackPrediction
from tagger.voting import vote

if TYPE_CHECKING:
    from tagger.audio import SegmentPlan
    from tagger.checkpoint import LoadedModel

# Below this no listener hears anything at an ordinary volume, and what the front end would lift
# up to full scale is dither and hum.
_SILENCE_RMS = 10 ** (-60 / 20)


@dataclass(frozen=True, slots=True)
class AnalysisTask:
    """A track to be analysed, and the model to do it with.

    Args:
        path: The track.
        model_path: The model's file; a name alone is that of a bundled one, which lies where the
            tagger is installed on the machine that loads it.
        model_id: What that must be, since another machine may have another; "" is any.
        known: What some of several networks that the model joins have heard in it already.
    """

    path: Path
    model_path: Path
    model_id: str = ""
    known: tuple[TrackPrediction, ...] = field(default=(), compare=False)  # no part of its hash


def load_model(task: AnalysisTask) -> None:
    """Load what all tasks with a model share; once a process, whoever calls it again.

    Raises:
        CheckpointError: the model cannot be loaded, or is another one.
    """
    card = _card(task.model_path)
    if task.model_id and card.model_id != task.model_id:
        raise CheckpointError(f"holds {card.model_id}, not {task.model_id}", task.model_path)
    for path in _networks(card, task.model_path).values():
        _model(path)


def analyse(task: AnalysisTask) -> TrackPrediction | TrackFailure:
    """Return what is heard in a track, or why nothing could be.

    Raises:
        CheckpointError: the model cannot be loaded.
    """
    card = _card(task.model_path)
    heard = {one.model_id: one for one in task.known}
    for model_id, model_path in _networks(card, task.model_path).items():
        outcome = heard.get(model_id) or _hear(task.path, model_path)
        if isinstance(outcome, TrackFailure) or card.joint is None:
            return outcome
        heard[model_id] = outcome
    said = derive(card, heard)
    assert said is not None, task.path
    return said


def _networks(card: ModelCard, path: Path) -> dict[str, Path]:
    """Return {model_id: checkpoint} of the networks that a model hears with."""
    if card.joint is None:
        return {card.model_id: path}
    return {member.model_id: member.path for member in card.joint.members}


def _hear(path: Path, model_path: Path) -> TrackPrediction | TrackFailure:
    """Return what one network hears in a track, or why nothing could be heard."""
    from tagger.audio import load_segments

    model = _model(model_path)
    try:
        segments = load_segments(path, segment_plan(model.card))
    except AudioDecodeError as exc:
        # What the system refuses may be granted tomorrow; what the file holds will not change.
        stage = "read" if isinstance(exc.__cause__, OSError) else "decode"
        return TrackFailure(path, stage, exc.reason)
    except MemoryError:
        return TrackFailure(path, "analyse", "there is not enough memory for it; try --jobs 1")
    return predict(model, path, segments)


def segment_plan(card: ModelCard) -> SegmentPlan:
    """Return what a model is to hear of each track: segments, and in them its frames alone."""
    from tagger.audio import SegmentPlan

    return SegmentPlan(
        card.sample_rate,
        card.n_samples,
        card.max_segments,
        n_fft=card.front_end["n_fft"],
        hop_length=card.front_end["hop_length"],
    )


def predict(model: LoadedModel, path: Path, segments: Segments) -> TrackPrediction:
    """Return what a model hears in a track's segments."""
    heard = _audible(model, segments.waveforms)
    if not len(heard):
        return _unheard(model, path, segments)
    scores = score(model, heard)
    embedding = scores.embeddings.mean(axis=0)
    head = model.card.head
    logits = scores.logits if head is None else head.logits(embedding[None])
    novelty = model.novelty if head is None else head.novelty
    return _said(
        model.card,
        TrackPrediction(
            path=path,
            probabilities={},
            confidence=0.0,
            embedding=embedding,
            n_segments=len(heard),
            model_id=model.card.model_id,
            duration_s=segments.duration_s,
        ),
        logits,
        novelty,
    )


def derive(card: ModelCard, heard: Mapping[str, TrackPrediction]) -> TrackPrediction | None:
    """Return what a model says of a track that its bases have heard.

    Args:
        card: The model's, with a head, or joining several.
        heard: {model_id: what that heard}, with the embedding.

    Returns:
        The same as if the model had heard the track itself; None if that takes more to be heard.
    """
    bases = tuple(heard[model_id] for model_id in card.bases if model_id in heard)
    if not bases or len(bases) < len(card.bases):
        return None
    unheard = next((base.unheard for base in bases if base.unheard), None)
    parts = () if card.joint is None else bases
    own = replace(bases[0], model_id=card.model_id, unheard=unheard, parts=parts)
    if unheard is not None:
        return replace(own, probabilities=_even(card.labels), confidence=0.0, embedding=None)
    if any(base.embedding is None for base in bases):
        return None
    return _joined(card, own) if card.head is None else _headed(card.head, card, own)


def _headed(head: Head, card: ModelCard, heard: TrackPrediction) -> TrackPrediction:
    assert heard.embedding is not None, heard.path
    return _said(card, heard, head.logits(heard.embedding[None]), head.novelty)


def _joined(card: ModelCard, heard: TrackPrediction) -> TrackPrediction:
    """Return what several networks say together; strange is what is strange to any of them."""
    assert card.joint is not None, card.model_id
    by_label = card.joint.probabilities({part.model_id: part for part in heard.parts})
    is_novel = any(part.is_novel for part in heard.parts)
    values = np.array([[by_label[label] for label in card.labels]], np.float32)
    (values,) = capped(values, np.array([is_novel]))
    return replace(
        heard,
        probabilities=dict(zip(card.labels, values.tolist(), strict=True)),
        confidence=float(values.max()),
        embedding=None,  # each part has its own
        n_segments=sum(part.n_segments for part in heard.parts),
        is_novel=is_novel,
    )


def _said(
    card: ModelCard, heard: TrackPrediction, logits: FloatArray, novelty: Novelty | None
) -> TrackPrediction:
    """Return what is said of a track by its logits (n_segments, n_labels)."""
    probabilities = vote(logits, card.temperature, exclusive=card.exclusive)
    is_novel = False
    if novelty is not None:
        assert heard.embedding is not None, heard.path
        novel = novelty.is_novel(heard.embedding[None])
        probabilities = capped(probabilities[None], novel)[0]
        is_novel = bool(novel[0])
    by_label = dict(zip(card.labels, probabilities.tolist(), strict=True))
    confidence = max(by_label[genre] for genre in card.genre_labels)
    return replace(heard, probabilities=by_label, confidence=confidence, is_novel=is_novel)


def score(model: LoadedModel, waveforms: FloatArray) -> SegmentScores:
    """Return the network's logits and embeddings of waveforms (n_segments, n_samples)."""
    import torch

    with torch.inference_mode():
        output = model.network(model.front_end(torch.from_numpy(waveforms)))
    return SegmentScores(output.logits.numpy(), output.embedding.numpy())


def _audible(model: LoadedModel, waveforms: FloatArray) -> FloatArray:
    """Return the segments in whose frames there is anything to hear."""
    import torch

    frames = model.front_end.frames(torch.from_numpy(waveforms))
    audible = (frames.square().mean(dim=(1, 2)).sqrt() > _SILENCE_RMS).numpy()
    return waveforms if audible.all() else waveforms[audible]  # a copy of 5 MB takes its time


def _unheard(model: LoadedModel, path: Path, segments: Segments) -> TrackPrediction:
    needed = model.card.segment_s
    why = (
        "silent"
        if len(segments.waveforms)
        else f"too short: {segments.duration_s:.1f} s, at least {needed:.1f} s needed"
    )
    return TrackPrediction(
        path=path,
        probabilities=_even(model.card.labels),
        confidence=0.0,
        embedding=None,
        n_segments=0,
        model_id=model.card.model_id,
        duration_s=segments.duration_s,
        unheard=why,
    )


def _even(labels: tuple[str, ...]) -> dict[str, float]:
    return dict.fromkeys(labels, 1.0 / len(labels))


@lru_cache(maxsize=2)
def _card(path: Path) -> ModelCard:
    return read_card(_file(path))


def _file(path: Path) -> Path:
    """Return where a model's file lies here."""
    return BUNDLED / path if path == Path(path.name) else path


@lru_cache(maxsize=4)
def _model(path: Path) -> LoadedModel:
    import torch

    from tagger.checkpoint import load_checkpoint
    from tagger.networks.folding import fold_batch_norms

    torch.set_num_threads(1)  # the workers are the parallelism
    model = load_checkpoint(_file(path))
    fold_batch_norms(model.network)
    return model
