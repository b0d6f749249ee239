"""Hearing many tracks at once: the networks that are asked, the workers, and what comes back."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from tagger.errors import ClusterError
from tagger.hearing.analysis import AnalysisTask, Heard, NetworkRef, analyse_task, load_networks
from tagger.hearing.pool import LocalWorkers, Lost, Workers
from tagger.models.card import ModelCard
from tagger.models.files import networks_of
from tagger.models.onnx_card import is_onnx
from tagger.models.verdict import said_by
from tagger.reasons import Reason, ReasonCode
from tagger.records import Stage, TrackFailure, TrackPrediction
from tagger.tagging.albums import on_albums
from tagger.tagging.request import TagRequest
from tagger.tagging.track import Track

_N_OF_ALBUM = 6  # tracks from which on an album is sure enough with less of each

_Outcome = Heard | TrackFailure | Lost[AnalysisTask]


@dataclass(frozen=True)
class AnalysisPool:
    """The networks by which a model hears, and workers that hear with them.

    Args:
        card: The model's.
        networks: {model_id: checkpoint}.
        workers: Processes, here or on other machines.
        timeout_s: Seconds after which a track counts as hung.
        are_elsewhere: The workers are other machines', which may not see the same files.
        by_album: An album's tracks vote together, so that less of each is heard.
    """

    card: ModelCard
    networks: Mapping[str, Path]
    workers: Workers
    timeout_s: float
    are_elsewhere: bool
    by_album: bool = False

    def hear(self, tracks: Sequence[Track]) -> Iterator[Track]:
        """Yield tracks as each has taken what was heard in it, or why nothing could be.

        A network that has heard a track already is not asked again.

        Raises:
            CheckpointError: a network cannot be loaded.
            ClusterError: the workers cannot be reached any more, or do not see the files.
        """
        by_path = {track.file.path: track for track in tracks}
        is_told = self.by_album and self.card.album_segments > 0
        paths = [track.file.path for track in tracks if is_told]
        of_album = on_albums(paths, _N_OF_ALBUM)
        tasks = [self._task(track, track.file.path in of_album) for track in tracks]
        for outcome in self.workers.map_unordered(
            analyse_task, tasks, timeout_s=self.timeout_s, prepare=load_networks
        ):
            if self.are_elsewhere:
                _check_was_seen(outcome)
            track = by_path[_path_of(outcome)]
            track.take(self._said_of(track, outcome))
            yield track

    def _task(self, track: Track, is_of_album: bool) -> AnalysisTask:
        """Return what is to be heard of a track."""
        most = self.card.album_segments if is_of_album else 0
        return _task(
            track.file.path,
            self.networks,
            {part.model_id for part in track.parts},
            most or self.card.n_at_once,
        )

    def _said_of(self, track: Track, outcome: _Outcome) -> TrackPrediction | TrackFailure:
        if isinstance(outcome, Lost):
            # What crashes the decoder is a fault of the file, and remembered as one.
            stage = Stage.DECODE if outcome.is_for_good else Stage.ANALYSE
            return TrackFailure(outcome.task.path, stage, self._blamed(outcome.reason))
        if isinstance(outcome, TrackFailure):
            return outcome
        return said_by(self.card, (*track.parts, *outcome))

    def _blamed(self, reason: Reason) -> Reason:
        """Return why a track was lost: time may be lost by a network that nobody knows here."""
        if reason.code is ReasonCode.HUNG and any(map(is_onnx, self.networks.values())):
            return Reason(ReasonCode.SLOW_NETWORK, reason.values)
        return reason


@contextmanager
def open_analysis_pool(request: TagRequest) -> Iterator[AnalysisPool]:
    """Give the listeners that a run asks for, while it lasts.

    Raises:
        CheckpointError: a bundled network is damaged.
        ClusterError: workers of other machines cannot be reached or are not fit.
    """
    networks = networks_of(request.card, request.model_path.absolute())
    are_elsewhere = bool(request.scheduler)
    with _open_workers(request, networks) as workers:
        yield AnalysisPool(
            request.card, networks, workers, request.timeout_s, are_elsewhere, request.by_album
        )


def _open_workers(
    request: TagRequest, networks: Mapping[str, Path]
) -> AbstractContextManager[Workers]:
    if not request.scheduler:
        return nullcontext(LocalWorkers(request.n_jobs))
    from tagger.hearing.cluster import connected

    return connected(request.scheduler, load_networks, _task(Path(), networks))


def _task(
    path: Path,
    networks: Mapping[str, Path],
    have_heard: Collection[str] = (),
    n_segments: int = 0,
) -> AnalysisTask:
    asked = [one for one in networks.items() if one[0] not in have_heard]
    return AnalysisTask(path, tuple(NetworkRef.of(*one, n_segments) for one in asked))


def _path_of(outcome: _Outcome) -> Path:
    if isinstance(outcome, Lost):
        return outcome.task.path
    return outcome.path if isinstance(outcome, TrackFailure) else outcome[0].path


_UNSEEN = (ReasonCode.MISSING, ReasonCode.DENIED)


def _check_was_seen(outcome: _Outcome) -> None:
    """Make sure that a file was not looked for where it is not.

    Raises:
        ClusterError: a worker cannot read what can be read here.
    """
    if not isinstance(outcome, TrackFailure) or outcome.stage is not Stage.READ:
        return
    if outcome.reason.code in _UNSEEN and os.access(outcome.path, os.R_OK):
        reason = (
            f"a worker cannot read it ({outcome.reason}): its storage must be mounted at the "
            "same place on all machines"
        )
        raise ClusterError(reason, outcome.path)
