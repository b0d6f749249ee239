"""A batch run: scan, skip what is known, analyse in parallel, and hand on to be settled.

One writer: workers decode and compute; only this process, through ``tagger.settling``, touches
tags and the catalogue.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, groupby
from pathlib import Path

from tagger.analysis import AnalysisTask, analyse
from tagger.catalog import Catalog, ModelRecord
from tagger.interrupt import Interrupts
from tagger.pool import Lost, map_unordered
from tagger.records import (
    AudioFile,
    RunSummary,
    Status,
    TrackFailure,
    TrackPrediction,
    TrackResult,
)
from tagger.scan import ScanTally, scan
from tagger.settling import Settler, TagRequest, Track, close_pending

log = logging.getLogger(__name__)

_CHUNK_FILES = 256  # looked up at a time; a folder is not cut unless it is huge
_HUGE_FOLDER = 4096
_FLUSH_FILES = 32  # decided, written and recorded in one go
_FLUSH_S = 0.5


@dataclass
class TagRun:
    """A run, iterated over for the result of each track; its summary is true at any moment.

    Args:
        request: What to do.
        catalog: Where it is recorded; never written to in a dry run.
    """

    request: TagRequest
    catalog: Catalog
    n_analysed: int = 0
    _tally: ScanTally = field(default_factory=ScanTally)
    _by_status: Counter[Status] = field(default_factory=Counter)
    _by_genre: Counter[str] = field(default_factory=Counter)
    _started: float = field(default_factory=time.monotonic)
    _interrupted: bool = False

    @property
    def summary(self) -> RunSummary:
        """Counts so far."""
        return RunSummary(
            by_status=dict(self._by_status),
            by_genre=dict(self._by_genre),
            skipped=dict(self._tally.skipped),
            elapsed_s=time.monotonic() - self._started,
            interrupted=self._interrupted,
        )

    def __iter__(self) -> Iterator[TrackResult]:
        """Yield the result of each track as soon as it stands in the catalogue.

        Raises:
            ScanError: none of the paths is there.
            CatalogError: the catalogue cannot be written.
            CheckpointError: the model cannot be loaded.
            KeyboardInterrupt: after Ctrl-C; what was finished stays finished.
        """
        files = scan(self.request.paths, self.request.scan, self._tally)
        first = next(files, None)  # says now, before anything is recorded, if nothing is there
        files = chain([] if first is None else [first], files)
        with Interrupts() as interrupts:
            run_id = self._begin()
            settler = Settler(self.request, self.catalog, run_id)
            try:
                for chunk in _chunks(files):
                    yield from map(self._counted, self._run_chunk(chunk, settler, interrupts))
                failures = (TrackResult.of_failure(f) for f in self._tally.failures)
                yield from map(self._counted, failures)
            except KeyboardInterrupt:
                self._interrupted = True
                raise
            finally:
                if run_id:
                    self.catalog.end_run(run_id, self.summary)

    def _begin(self) -> int:
        """Note that a run begins; return its number, 0 in a dry run."""
        if self.request.intent.dry_run:
            return 0
        close_pending(self.catalog)
        card = self.request.card
        dim = int(card.network["embedding_dim"])
        self.catalog.register_model(ModelRecord(card.model_id, card.architecture, card.labels, dim))
        return self.catalog.begin_run("tag", card.model_id)

    def _counted(self, result: TrackResult) -> TrackResult:
        self._by_status[result.status] += 1
        if result.status in (Status.WRITTEN, Status.PLANNED, Status.PREDICTED):
            self._by_genre.update(result.genres)
        return result

    def _run_chunk(
        self, files: list[AudioFile], settler: Settler, interrupts: Interrupts
    ) -> Iterator[TrackResult]:
        known = self.catalog.lookup(files, self.request.card.model_id)
        tracks = {f.path: Track(f, k) for f, k in zip(files, known, strict=True)}
        todo = [path for path, track in tracks.items() if not self._is_known(track)]
        units = _Units(tracks.values(), set(todo), by_folder=self.request.by_album)
        heard: list[Track] = []  # since the last flush
        ready = units.complete()
        flushed_at = time.monotonic()
        try:
            for outcome in self._analyse(todo):
                track = tracks[outcome.path]
                track.take(outcome)
                self.n_analysed += 1
                heard.append(track)
                ready += units.done(track)
                if len(heard) >= _FLUSH_FILES or time.monotonic() - flushed_at > _FLUSH_S:
                    with interrupts.held():
                        settler.keep(heard)
                        results = settler.settle(ready)
                    yield from results
                    heard, ready, flushed_at = [], [], time.monotonic()
        except KeyboardInterrupt:
            settler.keep(heard)
            raise
        with interrupts.held():
            results = settler.settle(ready)
        yield from results

    def _is_known(self, track: Track) -> bool:
        """Take what the catalogue knows of a track; return whether that is enough."""
        known = track.known
        if self.request.force or known is None or not known.unchanged:
            return False
        track.prediction, track.tags = known.prediction, known.tags
        return known.prediction is not None

    def _analyse(self, paths: list[Path]) -> Iterator[TrackPrediction | TrackFailure]:
        tasks = [AnalysisTask(path, self.request.model_path) for path in paths]
        outcomes = map_unordered(
            analyse, tasks, n_jobs=self.request.n_jobs, timeout_s=self.request.timeout_s
        )
        for outcome in outcomes:
            if isinstance(outcome, Lost):
                yield TrackFailure(outcome.task.path, "analyse", outcome.reason)
            else:
                yield outcome


class _Units:
    """Tracks that are settled together: a folder's, or each alone; and which still wait.

    Args:
        tracks: All.
        waiting: Paths of those that are being analysed.
        by_folder: Whether a folder's tracks wait for each other.
    """

    def __init__(self, tracks: Iterable[Track], waiting: set[Path], *, by_folder: bool) -> None:
        self._key: Callable[[Track], Path] = (
            (lambda t: t.file.path.parent) if by_folder else (lambda t: t.file.path)
        )
        self._members: dict[Path, list[Track]] = {}
        self._n_waiting: Counter[Path] = Counter()
        for track in tracks:
            key = self._key(track)
            self._members.setdefault(key, []).append(track)
            self._n_waiting[key] += track.file.path in waiting

    def complete(self) -> list[Track]:
        """Return the tracks of units that wait for nothing."""
        return [
            t for key, members in self._members.items() if not self._n_waiting[key] for t in members
        ]

    def done(self, track: Track) -> list[Track]:
        """Note that a track has been analysed; return its unit's tracks if it was the last."""
        key = self._key(track)
        self._n_waiting[key] -= 1
        return [] if self._n_waiting[key] else self._members[key]


def _chunks(files: Iterable[AudioFile]) -> Iterator[list[AudioFile]]:
    """Cut the walk where a folder ends, after some hundred files; a huge folder is cut anywhere.

    >>> from tagger.records import AudioFile
    >>> found = [AudioFile(Path(f"/m/{i // 200}/{i}"), Path("/m"), 1, 1) for i in range(500)]
    >>> [len(chunk) for chunk in _chunks(found)]
    [400, 100]
    """
    chunk: list[AudioFile] = []
    for _, folder in groupby(files, key=lambda file: file.path.parent):
        for file in folder:
            chunk.append(file)
            if len(chunk) >= _HUGE_FOLDER:
                yield chunk
                chunk = []
        if len(chunk) >= _CHUNK_FILES:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def count_files(request: TagRequest) -> int:
    """Return how many files a run over these paths would meet."""
    return sum(1 for _ in scan(request.paths, request.scan, ScanTally()))
