"""From what was heard to tags and rows: vote, decide, journal, write, record.

The order for a track is journal entry, tag, row: a kill between any two loses nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
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
from tagger.tags import clean_leftovers, is_ours, provenance_text, read_tags, write_genres
from tagger.voting import vote_together


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
    """A file on its way through a run: what was known, found, heard and decided.

    Args:
        file: As the scan found it.
        known: What the catalogue knew of it.
        tags: What its tags say; from the catalogue unless ``tags_read``.
        tags_read: The tags were read from the file in this run.
        heard_now: It was analysed in this run.
        is_overtaken: Somebody has changed the file since the scan; another run, it may be, which
            records it as well. What stands there now is for the next run to look at.
        vote: The probabilities that it is decided on: its own, or its album's.
    """

    file: AudioFile
    known: KnownTrack | None
    tags: TagsFound | None = None
    tags_read: bool = False
    prediction: TrackPrediction | None = None
    failure: TrackFailure | None = None
    heard_now: bool = False
    is_overtaken: bool = False
    vote: Mapping[str, float] | None = None
    decision: Decision | None = None

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

    @property
    def decided(self) -> Decision:
        """What is to be done; only of a track that was decided on."""
        assert self.decision is not None, self.file.path
        return self.decision

    def recall(self) -> bool:
        """Take what the catalogue knows of it; return whether that spares an analysis."""
        known = self.known
        if known is None or not known.unchanged:
            return False
        stage = known.failure.stage if known.failure else None
        self.prediction = known.prediction
        if known.prediction is None:
            # The sound in a file that has not changed fails to decode again; a system may relent.
            self.failure = known.failure if stage == "decode" else None
            return self.failure is not None
        self.tags = None if stage == "read" else known.tags
        return True

    def take(self, outcome: TrackPrediction | TrackFailure) -> None:
        """Note what a worker made of it."""
        self.heard_now = True
        if isinstance(outcome, TrackFailure):
            self.failure = outcome
        else:
            self.prediction = outcome

    def read_tags(self) -> None:
        """Read its tags from the file, or note why they cannot be."""
        try:
            self.tags, self.tags_read = read_tags(self.file.path), True
        except TagReadError as exc:
            self.failure = TrackFailure(self.file.path, "read", exc.reason)


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
        heard = [track for track in tracks if track.prediction is not None]
        for track in heard:
            track.read_tags()
            track.is_overtaken = not _is_as_found(track.file)
        entries = [_heard_only(track) for track in heard if not track.is_overtaken]
        self._catalog.record(self._run_id, entries)

    def decide(self, tracks: Sequence[Track]) -> None:
        """Decide on tracks.

        Args:
            tracks: Whole albums, if albums vote.
        """
        for track in tracks:
            if track.tags is None and track.failure is None:
                track.read_tags()
        ready = [track for track in tracks if track.failure is None]
        for track, vote in zip(ready, self._votes(ready), strict=True):
            track.vote = vote
            track.decision = self._decision(track)

    def settle(self, tracks: Sequence[Track]) -> list[TrackResult]:
        """Write what is to be written, record all, and return the results.

        Args:
            tracks: Decided on.
        """
        for track in tracks:
            if track.failure is None and track.decided.status is Status.WRITTEN:
                self._look_again(track)
        unheard = [(track.file, track.failure) for track in tracks if track.failure is not None]
        finished = self._carry_out([track for track in tracks if track.failure is None])
        if not self._request.intent.dry_run:
            self._record(tracks, finished)
        results = [TrackResult.of_failure(failure) for _, failure in unheard]
        return results + [f.result for f in finished]

    def _record(self, tracks: Sequence[Track], finished: Sequence[_Finished]) -> None:
        entries = [f.entry for f in finished if f.is_news and not f.track.is_overtaken]
        self._catalog.record(self._run_id, entries)
        undone = [f for f in finished if f.failure is not None]
        self._catalog.journal_dropped([f.journal_id for f in undone if f.journal_id is not None])
        failed = [FailedFile(f.track.file, f.failure) for f in undone if f.failure is not None]
        for track in tracks:
            remembered = track.known.failure if track.known else None
            if track.failure is not None and track.failure is not remembered:
                failed.append(FailedFile(track.file, track.failure))
        self._catalog.record_failures(self._run_id, failed)

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

    def _decision(self, track: Track) -> Decision:
        assert track.vote is not None, track.file.path
        return decide(
            track.heard,
            track.vote,
            track.found,
            ours=is_ours(track.found),
            policy=self._request.policy,
            intent=self._request.intent,
        )

    def _look_again(self, track: Track) -> None:
        """Decide anew on a track that is to be written if its tags may no longer be those known.

        Another run may have written it meanwhile, or a program that keeps the time of change.
        """
        track.is_overtaken = not _is_as_found(track.file)
        if track.tags_read and not track.is_overtaken:
            return
        track.read_tags()
        if track.failure is None:
            track.decision = self._decision(track)

    def _carry_out(self, tracks: list[Track]) -> list[_Finished]:
        """Journal and write what is to be written; whatever fails is noted, not raised."""
        writing = [
            (track, self._planned_write(track, track.decided))
            for track in tracks
            if track.decided.status is Status.WRITTEN
        ]
        planned = [PlannedWrite(track.file, write) for track, write in writing]
        journal_ids = self._catalog.journal(self._run_id, planned) if planned else []
        writes = {
            track.file.path: (write, journal_id)
            for (track, write), journal_id in zip(writing, journal_ids, strict=True)
        }
        nothing = (None, None)
        return [self._finish(track, *writes.get(track.file.path, nothing)) for track in tracks]

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

    def _finish(self, track: Track, write: TagWrite | None, journal_id: int | None) -> _Finished:
        if write is None:
            return _Finished(track, track.decided, track.file, track.found, journal_id)
        try:
            self._write(track, write)
            file = stat_again(track.file)
        except TagWriteError as exc:
            failure = TrackFailure(track.file.path, "write", exc.reason)
            return _Finished(track, track.decided, track.file, track.found, journal_id, failure)
        tags = replace(track.found, genres=write.after, provenance=write.provenance_after)
        return _Finished(track, track.decided, file, tags, journal_id)

    def _write(self, track: Track, write: TagWrite) -> None:
        if not _is_as_found(track.file):
            raise TagWriteError("it changed while it was analysed; run again", write.path)
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
        decision, found, known = self.decision, self.track.found, self.track.known
        status = decision.status if self.is_news else Status.UNCHANGED
        if status is Status.KEPT and known and known.status is status and not self._is_new:
            status = Status.UNCHANGED  # what would be written were it allowed is another
        genres = found.genres if decision.status is Status.KEPT else decision.genres
        return TrackResult(
            path=self.track.file.path,
            status=Status.FAILED if self.failure else status,
            genres=() if self.failure else genres,
            before=found.genres,
            prediction=self.track.heard,
            failure=self.failure,
            reason=self.failure.reason if self.failure else decision.reason,
            confidence=decision.confidence,
        )

    @property
    def is_news(self) -> bool:
        """Whether it was heard or written now, or its row is to say something else than before."""
        known = self.track.known
        if known is None or self._is_new:
            return True
        stands = (known.status, known.genres, known.tags)
        return stands != (self._row_status, self.decision.genres, self.tags)

    @property
    def _is_new(self) -> bool:
        """Whether it was heard now, or tried in vain before."""
        known = self.track.known
        if self.track.heard_now or known is None:
            return True
        return not known.unchanged or known.failure is not None

    @property
    def _row_status(self) -> Status:
        """What the catalogue calls it: what became of it, not when."""
        if self.failure is not None:
            return Status.PREDICTED
        status = self.decision.status
        return Status.WRITTEN if status is Status.UNCHANGED else status

    @property
    def entry(self) -> CatalogEntry:
        """Its row in the catalogue; a write that failed leaves its journal entry open."""
        return CatalogEntry(
            file=self.file,
            tags=self.tags,
            status=self._row_status,
            genres=self.decision.genres,
            confidence=self.decision.confidence,
            reason=self.decision.reason,
            prediction=self.track.heard,
            journal_id=None if self.failure else self.journal_id,
        )


def _heard_only(track: Track) -> CatalogEntry:
    return CatalogEntry(
        file=track.file,
        tags=track.tags or TagsFound(),
        status=Status.PREDICTED,
        confidence=track.heard.confidence,
        reason="heard, not decided on yet",
        prediction=track.heard,
    )


def close_pending(catalog: Catalog) -> None:
    """Settle writes that a kill left open: the file holds its old tag or its new one.

    Nothing else needs mending: before a file is written its tags are read again, whatever its row
    says. The copy that a kill may have left beside it is removed.
    """
    done: list[int] = []
    dropped: list[int] = []
    for pending in catalog.pending_writes():
        path = pending.write.path
        clean_leftovers(Path(os.path.realpath(path)).parent)
        try:
            stands = read_tags(path).genres
        except TagReadError:
            stands = ()
        (done if stands == pending.write.after else dropped).append(pending.journal_id)
    catalog.journal_done(done)
    catalog.journal_dropped(dropped)


def _is_as_found(file: AudioFile) -> bool:
    try:
        return stat_again(file) == file
    except TagWriteError:
        return False


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
