"""From what was heard to tags and rows: vote, decide, journal, write, record.

The order for a track is journal entry, tag, row: a kill between any two loses nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np

from tagger.catalog import Catalog, FailedFile, PlannedWrite
from tagger.errors import RowError, TagWriteError, TornWriteError
from tagger.evidence.trials import Kind
from tagger.evidence.weighing import Said
from tagger.genre_text import are_among
from tagger.models.voting import vote_together
from tagger.nets import net
from tagger.reasons import Reason, ReasonCode
from tagger.records import (
    Decision,
    Stage,
    Status,
    TagWrite,
    TrackFailure,
    TrackPrediction,
    TrackResult,
)
from tagger.tagging import ledger
from tagger.tagging.albums import AlbumKey, album_key
from tagger.tagging.decision import decide
from tagger.tagging.linked import Linked
from tagger.tagging.request import TagRequest
from tagger.tagging.rivals import Rivals
from tagger.tagging.testimony import Testimony
from tagger.tagging.track import Finished, Track, heard_by_another, is_as_found, stat_if_there
from tagger.tags import (
    PreparedWrite,
    carry_out_all,
    prepare_write,
    provenance_text,
    rewritten,
)

_WRITES = (Status.WRITTEN, Status.PLANNED, Status.PREDICTED)


class Settler:
    """Decides, writes and records tracks that have been heard.

    Args:
        request: What the run is asked to do.
        catalog: Where it is recorded.
        run_id: The run's number there.
        testimony: What the owner's own tags say.
        may_follow: Whether genres of ours may follow what these say now.
    """

    def __init__(
        self,
        request: TagRequest,
        catalog: Catalog,
        run_id: int,
        testimony: Testimony,
        *,
        may_follow: bool = True,
    ) -> None:
        self._request = request
        self._catalog = catalog
        self._run_id = run_id
        self._testimony = testimony
        self._may_follow = may_follow
        self._rivals = Rivals(request, catalog)
        self.linked = Linked()

    def keep(self, tracks: Iterable[Track]) -> None:
        """Record what was heard, so that an end of the run costs no second analysis."""
        if self._request.intent.dry_run:
            return
        heard = [track for track in tracks if track.prediction is not None]
        for track in heard:
            track.read_tags()
            track.look()
        kept = [track.heard_only for track in heard if not track.is_overtaken]
        unrecorded = ledger.record(self._catalog, self._run_id, kept)
        for track in heard:
            track.note_unrecorded(unrecorded)

    def leave(self, tracks: Sequence[Track]) -> list[TrackResult]:
        """Leave tracks to the model that has heard them; return the results.

        Only what else became of them is recorded: that they were moved, or tagged elsewhere.
        """
        changed = [track for track in tracks if track.has_stale_row]
        for track in changed:
            if not track.tags_read and track.failure is None:
                track.read_tags()
        entries = [track.left for track in changed if track.failure is None]
        if not self._request.intent.dry_run:
            unrecorded = ledger.record(self._catalog, self._run_id, entries)
            for track in changed:
                track.note_unrecorded(unrecorded)
        return [_left(track) for track in tracks]

    def decide_unheard(self, tracks: Sequence[Track]) -> list[Track]:
        """Decide on tracks that only another model has heard, by the owner's tags alone.

        Returns:
            Those that are to be written; no other is decided on, and is to be left.
        """
        filled = []
        for track in tracks if self._request.evidence else ():
            track.know_tags()
            if track.failure is not None:
                continue
            track.leave_unheard(self._request.card.model_id)
            decision = self._decision(track)
            if decision.evidence in tuple(Kind) and decision.status in _WRITES:
                track.decision = decision
                filled.append(track)
        return filled

    def decide(self, tracks: Sequence[Track]) -> None:
        """Decide on tracks.

        Args:
            tracks: Whole albums, if albums vote.
        """
        for track in tracks:
            if track.tags is None and track.failure is None:
                track.read_tags()
        ready = [track for track in tracks if track.failure is None]
        albums = [self._album(track) for track in ready]
        for track, vote in zip(ready, self._votes(ready, albums), strict=True):
            track.vote = vote
        self._hear_rivals(ready, albums)
        for track in ready:
            track.decision = self._decision(track)

    def _hear_rivals(self, tracks: list[Track], albums: list[AlbumKey | None]) -> None:
        """Ask what other networks have heard where a genre may be written by sound."""
        asked = {n for n, track in enumerate(tracks) if self._may_be_written(track)}
        together = {albums[n] for n in asked} - {None}
        some = [n for n in range(len(tracks)) if n in asked or albums[n] in together]
        if some:
            self._rivals.hear([tracks[n] for n in some], [albums[n] for n in some])

    def _may_be_written(self, track: Track) -> bool:
        """Return whether sound alone would put another genre into a track than stands there."""
        assert track.vote is not None, track.file.path
        intent = self._request.intent
        is_open = intent.overwrite or track.is_ours or self._is_blank(track)
        if not is_open or track.heard.unheard is not None:
            return False
        chosen = self._request.policy.choose(track.vote)
        return bool(chosen) and chosen != track.found.genres

    def settle(self, tracks: Sequence[Track]) -> list[TrackResult]:
        """Write what is to be written, record all, and return the results.

        Args:
            tracks: Decided on.
        """
        self._ask_again(tracks)
        writing = [t for t in tracks if t.failure is None and t.decided.status is Status.WRITTEN]
        with self._catalog.writing() if writing else nullcontext():
            for track in writing:
                self._look_again(track)
            unheard = [track for track in tracks if track.failure is not None]
            finished = self._carry_out([track for track in tracks if track.failure is None])
            if not self._request.intent.dry_run:
                finished = self._record(tracks, finished)
        results = [track.failed for track in unheard] + [f.result for f in finished]
        for result in results:
            self.linked.note(result)
        return results

    def _ask_again(self, tracks: Sequence[Track]) -> None:
        """Decide anew where files that have spoken for a track do not stand as they did."""
        told = [t for t in tracks if t.failure is None and t.decided.evidence in tuple(Kind)]
        while self._testimony.drop_changed(t.said for t in told if t.said is not None):
            for track in told:
                track.decision = self._decision(track)

    def _record(self, tracks: Sequence[Track], finished: Sequence[Finished]) -> list[Finished]:
        """Record tracks; return them, each with what stood in the way of that, if anything did."""
        entries = [f.entry for f in finished if f.needs_record and not f.track.is_overtaken]
        unrecorded = ledger.record(self._catalog, self._run_id, entries)
        self._catalog.journal_dropped([f.dropped_id for f in finished if f.dropped_id is not None])
        failed = [FailedFile(f.track.file, f.failure) for f in finished if f.failure is not None]
        for track in tracks:
            remembered = track.known.failure if track.known else None
            if track.failure is not None and track.failure is not remembered:
                failed.append(FailedFile(track.file, track.failure))
        ledger.record_failures(self._catalog, self._run_id, failed)
        return [f.unless_in(unrecorded) for f in finished]

    def _votes(self, tracks: list[Track], keys: list[AlbumKey | None]) -> list[Mapping[str, float]]:
        """Return what each track is decided on: its own probabilities, or its album's."""
        albums: dict[AlbumKey, list[TrackPrediction]] = {}
        for key, track in zip(keys, tracks, strict=True):
            if key is not None:
                albums.setdefault(key, []).append(track.heard)
        pooled = {k: self._together(v) for k, v in albums.items() if len(v) > 1}
        return [
            track.heard.probabilities if key is None else pooled.get(key, track.heard.probabilities)
            for key, track in zip(keys, tracks, strict=True)
        ]

    def _album(self, track: Track) -> AlbumKey | None:
        """Return which album a track votes with: none if nothing, or nothing usual, was heard."""
        has_a_say = track.heard.unheard is None and not track.heard.is_novel
        return (
            album_key(track.file.path, track.found)
            if self._request.by_album and has_a_say
            else None
        )

    def _together(self, predictions: list[TrackPrediction]) -> Mapping[str, float]:
        labels = list(predictions[0].probabilities)
        each = np.array([[p.probabilities[label] for label in labels] for p in predictions])
        card = self._request.card
        agreed = vote_together(each, card.album_temperature, exclusive=card.exclusive)
        return dict(zip(labels, agreed.tolist(), strict=True))

    def _decision(self, track: Track) -> Decision:
        assert track.vote is not None, track.file.path
        ours = track.is_ours
        track.said = self._said(track) if ours or self._is_blank(track) else None
        decision = decide(
            track.heard,
            track.vote,
            track.found,
            ours=ours,
            policy=self._request.policy,
            intent=self._request.intent,
            was_evidence=track.is_by_evidence,
            said=track.said,
            rivals=track.rivals,
        )
        if self._is_left_for_its_names(decision):
            return replace(decision, status=Status.PREDICTED, reason=Reason(ReasonCode.LINKED))
        if not self._may_follow:
            decision = _unless_it_follows(decision, track)
        if self._request.force:
            return decision
        gone = track.known.taken_back if track.known else ()
        return _unless_taken_back(decision, (*gone, *track.taken_out))

    def _said(self, track: Track) -> Said | None:
        return self._testimony.said(track.file.path, track.found)

    def _is_blank(self, track: Track) -> bool:
        return are_among(track.found.genres, self._request.intent.treat_as_blank)

    def _is_left_for_its_names(self, decision: Decision) -> bool:
        """Return whether a file that would be written has other names, which are to be left."""
        if self._request.ways.linked or decision.status not in (Status.WRITTEN, Status.PLANNED):
            return False
        try:
            return decision.path.stat().st_nlink > 1
        except OSError:  # writing it will say why
            return False

    def _look_again(self, track: Track) -> None:
        """Decide anew on a track that is to be written if its tags may no longer be those known.

        Another run may have written it meanwhile, or a program that keeps the time of change.
        """
        track.look()
        if track.tags_read and not track.is_overtaken:
            return
        track.read_tags()
        if track.failure is None:
            track.decision = self._decision(track)

    def _carry_out(self, tracks: list[Track]) -> list[Finished]:
        """Prepare, journal and write what is to be written; what fails is noted, not raised.

        What a dry run plans is prepared as well: it says what a real run could not write.
        """
        with ExitStack() as opened:
            ready: dict[Path, PreparedWrite] = {}
            refused: dict[Path, TagWriteError | RowError] = {}
            for track in tracks:
                try:
                    if track.decided.status is Status.WRITTEN:
                        ready[track.file.path] = opened.enter_context(self._prepared(track))
                    elif track.decided.status is Status.PLANNED:
                        self._prepared(track).close()
                except TagWriteError as exc:
                    refused[track.file.path] = exc
            journal_ids, unnoted = self._journal([t for t in tracks if t.file.path in ready], ready)
            refused |= unnoted
            ready = {path: one for path, one in ready.items() if path in journal_ids}
            faults = self._write(ready)
            finished = []
            for track in tracks:
                path = track.file.path
                if path in refused:
                    finished.append(self._unwritten(track, refused[path], None))
                elif path in ready:
                    write, fault = ready[path].write, faults[path]
                    if fault is None:
                        self.linked.note_written(ready[path])
                    finished.append(self._finish(track, write, fault, journal_ids[path]))
                else:
                    finished.append(Finished(track, track.decided, track.file, track.found))
        return finished

    def _prepared(self, track: Track) -> PreparedWrite:
        if not is_as_found(track.file):
            raise TagWriteError(Reason(ReasonCode.CHANGED), track.file.path)
        decision, source = track.decided, self._request.card.model_id
        if decision.evidence in tuple(Kind):
            source = str(decision.evidence)
        with net(track.file.path, TagWriteError):
            ours = provenance_text(decision.genres, decision.confidence, source)
        return prepare_write(
            track.file.path,
            decision.genres,
            provenance=ours if self._request.provenance else None,
            expected=track.found,
            ways=self._request.ways,
        )

    def _journal(
        self, tracks: Sequence[Track], ready: Mapping[Path, PreparedWrite]
    ) -> tuple[dict[Path, int], dict[Path, RowError]]:
        """Note writes; return their numbers, and what stands in the way of the others."""
        planned = []
        for track in tracks:
            one = ready[track.file.path]
            planned.append(
                PlannedWrite(track.file, one.write, kept=one.to_keep, overwritten=one.to_roll_back)
            )
        journal_ids: dict[Path, int] = {}

        def note(some: Sequence[PlannedWrite]) -> None:
            numbers = self._catalog.journal(self._run_id, some)
            journal_ids.update(zip([one.file.path for one in some], numbers, strict=True))

        return journal_ids, ledger.put_down(note, planned)

    def _write(self, ready: Mapping[Path, PreparedWrite]) -> Mapping[Path, TagWriteError | None]:
        keeps_time = self._request.preserve_mtime
        faults = carry_out_all(list(ready.values()), preserve_mtime=keeps_time)
        return dict(zip(ready, faults, strict=True))

    def _finish(
        self, track: Track, write: TagWrite, fault: TagWriteError | None, journal_id: int
    ) -> Finished:
        if fault is not None:
            return self._unwritten(track, fault, journal_id)
        file = stat_if_there(track.file)
        tags = rewritten(track.found, write.after, write.provenance_after)
        return Finished(track, track.decided, file, tags, journal_id)

    def _unwritten(
        self, track: Track, error: TagWriteError | RowError, journal_id: int | None
    ) -> Finished:
        """Return how a track stands whose tag could not be written: another run may have done it.

        Its journal entry stays open, to be dropped; or to be put back by the next run, where it
        was left half written.
        """
        torn = isinstance(error, TornWriteError)
        if not torn:
            self._look_again(track)
        failure = track.failure
        if failure is None and track.decided.status in (Status.WRITTEN, Status.PLANNED):
            failure = TrackFailure.of(track.file.path, Stage.WRITE, error)
        finished = Finished(track, track.decided, track.file, track.found, failure=failure)
        return replace(finished, dropped_id=None if torn else journal_id)


def _left(track: Track) -> TrackResult:
    if track.failure is not None:
        return track.failed
    known = track.known
    assert known is not None, track.file.path
    tags = track.tags or known.tags
    return TrackResult(
        path=track.file.path,
        status=Status.MOVED if track.moved_from else Status.UNCHANGED,
        genres=tags.genres or known.genres,
        before=tags.genres,
        reason=heard_by_another(known),
        confidence=known.confidence,
        tags=tags,
    )


def _unless_it_follows(decision: Decision, track: Track) -> Decision:
    """Return a decision, but for one by which a genre of ours would follow the owner's tags."""
    writes = decision.status in (Status.WRITTEN, Status.PLANNED)
    if not (writes and track.is_ours and decision.evidence in tuple(Kind)):
        return decision
    reason = Reason(ReasonCode.HELD_BACK, {"genres": decision.genres}, keeps=True)
    return replace(
        decision, genres=track.found.genres, status=Status.UNCHANGED, reason=reason, evidence=None
    )


def _unless_taken_back(decision: Decision, gone: tuple[str, ...]) -> Decision:
    """Return a decision, but for one to write what a person took back: by an undo, or by hand."""
    writes = decision.status in (Status.WRITTEN, Status.PLANNED, Status.PREDICTED)
    if not writes or not are_among(decision.genres, gone):
        return decision
    reason = Reason(ReasonCode.TAKEN_BACK, {"genres": decision.genres})
    return replace(decision, genres=(), status=Status.KEPT, reason=reason)
