"""From what was heard to tags and rows: vote, decide, journal, write, record.

The order for a track is journal entry, tag, row: a kill between any two loses nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tagger.albums import AlbumKey, album_key
from tagger.card import ModelCard
from tagger.catalog import Catalog, CatalogEntry, FailedFile, KnownTrack, PlannedWrite
from tagger.decision import GenrePolicy, Intent, decide
from tagger.errors import TagReadError, TagWriteError, os_reason
from tagger.records import (
    AudioFile,
    Decision,
    Status,
    TagsFound,
    TagWrite,
    TrackFailure,
    TrackPrediction,
    TrackResult,
)
from tagger.scan import ScanOptions
from tagger.tags import is_ours, provenance_text, read_tags, write_genres
from tagger.voting import vote_together

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TagRequest:
    """What a run is asked to do.

    Args:
        paths: Folders and files.
        model_path: The checkpoint.
        card: Its card.
        policy: Which labels may be written.
        intent: Overwrite, write, dry run.
        scan: What is left out of the walk.
        n_jobs: Worker processes.
        by_album: An album's tracks vote together.
        force: Analyse again what is known.
        provenance: Write our own field beside the genre.
        preserve_mtime: Keep the time of change of files written.
        timeout_s: Seconds after which a track counts as hung.
    """

    paths: tuple[Path, ...]
    model_path: Path
    card: ModelCard
    policy: GenrePolicy
    intent: Intent
    scan: ScanOptions
    n_jobs: int
    by_album: bool = True
    force: bool = False
    provenance: bool = True
    preserve_mtime: bool = False
    timeout_s: float = 60.0


@dataclass(slots=True)
class Track:
    """A file on its way through a run: what the catalogue knew, what was found, what was heard."""

    file: AudioFile
    known: KnownTrack | None
    tags: TagsFound | None = None
    prediction: TrackPrediction | None = None
    failure: TrackFailure | None = None
    heard_now: bool = False

    @property
    def heard(self) -> TrackPrediction:
        """What was heard; only of a track that did not fail."""
        assert self.prediction is not None, self.file.path
        return self.prediction

    @property
    def found(self) -> TagsFound:
        """What its tags say; only of a track that did not fail."""
        assert self.tags is not None, self.file.path
        return self.tags

    def take(self, outcome: TrackPrediction | TrackFailure) -> None:
        """Note what a worker made of it."""
        self.heard_now = True
        if isinstance(outcome, TrackFailure):
            self.failure = outcome
        else:
            self.prediction = outcome


class Settler:
    """Decides, writes and records tracks that have been heard.

    Args:
        request: What the run is asked to do.
        catalog: Where it is recorded.
        run_id: The run's number there.
    """

    def __init__(self, request: TagRequest, catalog: Catalog, run_id: int) -> None:
        self._request = request
        self._catalog = catalog
        self._run_id = run_id

    def keep(self, tracks: Iterable[Track]) -> None:
        """Record what was heard, so that an end of the run costs no second analysis."""
        if self._request.intent.dry_run:
            return
        entries = []
        for track in tracks:
            self._read(track)
            if track.failure is None:
                entries.append(_heard_only(track))
        self._catalog.record(self._run_id, entries)

    def settle(self, tracks: list[Track]) -> list[TrackResult]:
        """Decide on tracks, write what is to be written, record all, and return the results.

        Args:
            tracks: Whole albums, if albums vote.
        """
        for track in tracks:
            self._read(track)
        unheard = [FailedFile(t.file, t.failure) for t in tracks if t.failure is not None]
        results = [TrackResult.of_failure(failed.failure) for failed in unheard]
        ready = [t for t in tracks if t.failure is None]
        votes = self._votes(ready)
        decisions = [self._decide(track, vote) for track, vote in zip(ready, votes, strict=True)]
        finished = self._carry_out(ready, decisions)
        if not self._request.intent.dry_run:
            entries = [f.entry for f in finished if f.is_news]
            self._catalog.record(self._run_id, entries)
            failed = [FailedFile(f.track.file, f.failure) for f in finished if f.failure]
            self._catalog.record_failures(self._run_id, [*unheard, *failed])
        return results + [f.result for f in finished]

    def _read(self, track: Track) -> None:
        if track.tags is not None or track.failure is not None:
            return
        try:
            track.tags = read_tags(track.file.path)
        except TagReadError as exc:
            track.failure = TrackFailure(track.file.path, "read", exc.reason)

    def _votes(self, tracks: list[Track]) -> list[Mapping[str, float]]:
        """Return what each track is decided on: its own probabilities, or its album's."""
        albums: dict[AlbumKey, list[TrackPrediction]] = {}
        keys = [self._album(track) for track in tracks]
        for key, track in zip(keys, tracks, strict=True):
            if key is not None and track.heard.unheard is None:
                albums.setdefault(key, []).append(track.heard)
        pooled = {k: self._together(v) for k, v in albums.items() if len(v) > 1}
        return [
            track.heard.probabilities if key is None else pooled.get(key, track.heard.probabilities)
            for key, track in zip(keys, tracks, strict=True)
        ]

    def _album(self, track: Track) -> AlbumKey | None:
        return album_key(track.file.path, track.found) if self._request.by_album else None

    def _together(self, predictions: list[TrackPrediction]) -> Mapping[str, float]:
        labels = list(predictions[0].probabilities)
        each = np.array([[p.probabilities[label] for label in labels] for p in predictions])
        agreed = vote_together(each, self._request.card.album_temperature)
        return dict(zip(labels, agreed.tolist(), strict=True))

    def _decide(self, track: Track, vote: Mapping[str, float]) -> Decision:
        return decide(
            track.heard,
            vote,
            track.found,
            ours=is_ours(track.found),
            policy=self._request.policy,
            intent=self._request.intent,
        )

    def _carry_out(self, tracks: list[Track], decisions: list[Decision]) -> list[_Finished]:
        """Journal and write what is to be written; whatever fails is noted, not raised."""
        writing = [
            (track, self._planned_write(track, decision))
            for track, decision in zip(tracks, decisions, strict=True)
            if decision.status is Status.WRITTEN
        ]
        planned = [PlannedWrite(track.file, write) for track, write in writing]
        journal_ids = self._catalog.journal(self._run_id, planned) if planned else []
        writes = {
            track.file.path: (write, journal_id)
            for (track, write), journal_id in zip(writing, journal_ids, strict=True)
        }
        finished = []
        for track, decision in zip(tracks, decisions, strict=True):
            write, journal_id = writes.get(track.file.path, (None, None))
            finished.append(self._finish(track, decision, write, journal_id))
        return finished

    def _planned_write(self, track: Track, decision: Decision) -> TagWrite:
        model_id = self._request.card.model_id
        ours = provenance_text(decision.genres, decision.confidence, model_id)
        return TagWrite(
            path=track.file.path,
            before=track.found.genres,
            after=decision.genres,
            provenance_before=track.found.provenance,
            provenance_after=ours if self._request.provenance else None,
        )

    def _finish(
        self, track: Track, decision: Decision, write: TagWrite | None, journal_id: int | None
    ) -> _Finished:
        if write is None:
            return _Finished(track, decision, track.file, track.found, journal_id)
        try:
            self._write(track, write)
            file = stat_again(track.file)
        except TagWriteError as exc:
            failure = TrackFailure(track.file.path, "write", exc.reason)
            return _Finished(track, decision, track.file, track.found, journal_id, failure)
        tags = replace(track.found, genres=write.after, provenance=write.provenance_after)
        return _Finished(track, decision, file, tags, journal_id)

    def _write(self, track: Track, write: TagWrite) -> None:
        now = stat_again(track.file)
        if (now.size_bytes, now.mtime_ns) != (track.file.size_bytes, track.file.mtime_ns):
            raise TagWriteError("changed while it was analysed; the next run takes it", now.path)
        write_genres(
            write.path,
            write.after,
            provenance=write.provenance_after,
            preserve_mtime=self._request.preserve_mtime,
            expected=track.found,
        )


@dataclass(frozen=True, slots=True)
class _Finished:
    """A track that was decided on and, if so decided, written."""

    track: Track
    decision: Decision
    file: AudioFile
    tags: TagsFound
    journal_id: int | None
    failure: TrackFailure | None = None

    @property
    def result(self) -> TrackResult:
        """What the run says of it."""
        decision, heard = self.decision, self.track.heard
        status = decision.status if self.is_news else Status.UNCHANGED
        if self.failure is not None:
            status = Status.FAILED
        return TrackResult(
            path=self.track.file.path,
            status=status,
            genres=() if self.failure else decision.genres,
            before=self.track.found.genres,
            prediction=heard,
            failure=self.failure,
            reason=self.failure.reason if self.failure else decision.reason,
            confidence=decision.confidence,
        )

    @property
    def is_news(self) -> bool:
        """Whether it was heard or written now, or is decided otherwise than before."""
        known, decision = self.track.known, self.decision
        if self.track.heard_now or known is None or not known.unchanged or known.failure:
            return True
        if decision.status is Status.UNCHANGED:
            return False
        return (known.status, known.genres) != (decision.status, self.chosen)

    @property
    def chosen(self) -> tuple[str, ...]:
        """The genres that are the tagger's own choice: none where a person's is kept."""
        return () if self.decision.status is Status.KEPT else self.decision.genres

    @property
    def entry(self) -> CatalogEntry:
        """Its row in the catalogue."""
        decision = self.decision
        status = Status.PREDICTED if self.failure else decision.status
        if status is Status.UNCHANGED:  # the catalogue tells what became of it, not when
            status = Status.WRITTEN if decision.genres else Status.UNSURE
        return CatalogEntry(
            file=self.file,
            tags=self.tags,
            status=status,
            genres=self.chosen,
            confidence=decision.confidence,
            reason=decision.reason,
            prediction=self.track.heard,
            journal_id=self.journal_id,
        )


def _heard_only(track: Track) -> CatalogEntry:
    return CatalogEntry(
        file=track.file,
        tags=track.found,
        status=Status.PREDICTED,
        confidence=track.heard.confidence,
        reason="heard, not decided on yet",
        prediction=track.heard,
    )


def close_pending(catalog: Catalog) -> None:
    """Settle writes that a kill left open: the file holds its old tag or its new one.

    Nothing needs mending: where the new one stands, the file has changed since its row was made,
    and is read anew.
    """
    done, dropped = [], []
    for pending in catalog.pending_writes():
        try:
            stands = read_tags(pending.write.path).genres
        except TagReadError:
            stands = ()
        (done if stands == pending.write.after else dropped).append(pending.journal_id)
    catalog.journal_done(done)
    catalog.journal_dropped(dropped)


def stat_again(file: AudioFile) -> AudioFile:
    """Return a file with what stat(2) says of it now.

    Raises:
        TagWriteError: it is gone.
    """
    try:
        stat = file.path.stat()
    except OSError as exc:
        raise TagWriteError(os_reason(exc), file.path) from exc
    return replace(file, size_bytes=stat.st_size, mtime_ns=stat.st_mtime_ns)
