"""A track on its way through a run: what was known, found, heard and decided, and what came of it.

Knows how to read its own tags; who decides, writes and records is ``tagger.tagging.settling``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tagger.catalog import CatalogEntry, KnownTrack
from tagger.errors import RowError, TagReadError, TagWriteError
from tagger.evidence.trials import Kind
from tagger.evidence.weighing import Said
from tagger.files.stats import audio_file
from tagger.reasons import Reason, ReasonCode, why_system_failed
from tagger.records import (
    AudioFile,
    Decision,
    Stage,
    Status,
    TagsFound,
    TrackFailure,
    TrackPrediction,
    TrackResult,
)
from tagger.tagging.decision import Rival
from tagger.tags import is_ours, overruled_in, read_tags, source_of, taken_out


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
        audio: The identity of its recording, if it was told in this run.
        parts: What some of the networks that the model hears by have heard in it.
        moved_from: Where it was before, if its row has followed it here.
        vote: The probabilities that it is decided on: its own, or its album's.
        said: What the owner's own tags say of it.
        rivals: What other networks have heard in it, or in its album, where that was asked.
        is_left: It is left to another model, and decided on by the owner's own tags alone.
    """

    file: AudioFile
    known: KnownTrack | None
    tags: TagsFound | None = None
    tags_read: bool = False
    prediction: TrackPrediction | None = None
    failure: TrackFailure | None = None
    heard_now: bool = False
    is_overtaken: bool = False
    audio: str | None = None
    parts: tuple[TrackPrediction, ...] = ()
    moved_from: Path | None = None
    vote: Mapping[str, float] | None = None
    said: Said | None = None
    rivals: tuple[Rival, ...] = ()
    decision: Decision | None = None
    is_left: bool = False

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

    def recall(self) -> None:
        """Take what the catalogue knows of it, if it has not changed since."""
        known = self.known
        if known is None or not known.unchanged:
            return
        failure = known.failure
        stage = failure.stage if failure else None
        code = failure.reason.code if failure else None
        self.prediction = known.prediction if known.is_as_recorded else None
        if self.prediction is None:
            # What is in a file that has not changed is at fault again; a system may relent.
            is_in_file = stage is Stage.DECODE or (stage, code) == (Stage.READ, ReasonCode.TAG)
            self.failure = failure if is_in_file else None
            return
        is_told = stage is not Stage.READ and known.tags.is_complete
        self.tags = self._marked(known.tags) if is_told else None

    @property
    def needs_identity(self) -> bool:
        """Whether stat(2) does not tell which recording it holds, or that was never noted."""
        known = self.known
        return known is None or not known.is_as_recorded or known.audio is None

    @property
    def has_same_sound(self) -> bool:
        """Whether it holds the recording that its row says, whatever else has changed."""
        return self.audio is not None and self.known is not None and self.known.audio == self.audio

    @property
    def is_anothers(self) -> bool:
        """Whether only another model has heard its recording."""
        known = self.known
        if self.prediction or self.failure or known is None or known.other_model is None:
            return False
        return known.is_as_recorded or self.has_same_sound

    def take_known(self, prediction: TrackPrediction) -> None:
        """Note what was heard in its recording before, here or elsewhere; tags may be others."""
        self.take_parts(prediction.parts)
        self.prediction = replace(prediction, path=self.file.path, parts=self.parts)
        self.failure = None
        known = self.known
        if known is not None and known.is_as_recorded and known.failure is None:
            self.tags = self._marked(known.tags) if known.tags.is_complete else None

    def take_parts(self, parts: Iterable[TrackPrediction]) -> None:
        """Note what some of the networks that the model hears by have heard in its recording."""
        self.parts = tuple(replace(part, path=self.file.path) for part in parts)

    def forget(self) -> None:
        """Drop what the catalogue knows of its sound, to hear it again."""
        self.prediction, self.failure, self.tags, self.parts = None, None, None, ()

    @property
    def has_stale_row(self) -> bool:
        """Whether its row says less than stands in the file, or something else, or another place.

        Only of a track that is left to another model, which has a row.
        """
        assert self.known is not None, self.file.path
        known = self.known
        return not (known.is_as_recorded and known.tags.is_complete) or self.moved_from is not None

    @property
    def is_ours(self) -> bool:
        """Whether the genre that stands there is the tagger's: by our field, or by the journal."""
        unsigned = self.known.written.unsigned if self.known else ()
        return is_ours(self.found, unsigned if self.found.provenance is None else ())

    @property
    def is_by_evidence(self) -> bool:
        """Whether the owner's tags decided on the genre of ours that stands there."""
        told = source_of(self.found) or (self.known.decided_by if self.known else "")
        return self.is_ours and told in tuple(Kind)

    @property
    def taken_out(self) -> tuple[str, ...]:
        """Genres of ours in whose place none stands: a person took them out."""
        unsigned = self.known.written.unsigned if self.known and not self.found.genres else ()
        return (*taken_out(self.found), *unsigned)

    @property
    def left(self) -> CatalogEntry:
        """Its row where it is left to the model that has heard it: as it was, but for its tags."""
        assert self.known is not None, self.file.path
        is_persons = bool(self.found.genres) and not self.is_ours
        return CatalogEntry(
            file=self.file,
            tags=self.found,
            status=Status.KEPT if is_persons else self.known.status,
            genres=self.known.genres,
            confidence=self.known.confidence,
            reason=heard_by_another(self.known),
            audio=self.audio,
        )

    @property
    def heard_only(self) -> CatalogEntry:
        """Its row while it is not decided on."""
        return CatalogEntry(
            file=self.file,
            tags=self.tags or TagsFound(),
            status=Status.PREDICTED,
            confidence=self.heard.confidence,
            reason=Reason(ReasonCode.UNDECIDED),
            prediction=self.heard,
            audio=self.audio,
        )

    def take(self, outcome: TrackPrediction | TrackFailure) -> None:
        """Note what a worker made of it."""
        self.heard_now = True
        if isinstance(outcome, TrackFailure):
            self.failure = outcome
        else:
            self.prediction = outcome

    def look(self) -> None:
        """Note whether somebody has changed the file since the scan."""
        self.is_overtaken = not is_as_found(self.file)

    @property
    def failed(self) -> TrackResult:
        """What the run says of it; only of a track that failed."""
        assert self.failure is not None, self.file.path
        return TrackResult.of_failure(self.failure, is_old=self.failed_so_before(self.failure))

    def failed_so_before(self, failure: TrackFailure) -> bool:
        """Return whether it has failed for the same reason and has not changed since."""
        before = self.known.failure if self.known else None
        if before is None:
            return False
        return (before.stage, before.reason.code) == (failure.stage, failure.reason.code)

    def note_unrecorded(self, unrecorded: Mapping[Path, RowError]) -> None:
        """Note why its row cannot be recorded, if it is one of those."""
        error = unrecorded.get(self.file.path)
        if error is not None:
            self.failure = TrackFailure.of(self.file.path, Stage.RECORD, error)

    def know_tags(self) -> None:
        """Know its tags: from its row where that says what stands there, or else by reading."""
        assert self.known is not None, self.file.path
        if self.has_stale_row:
            self.read_tags()
        else:
            self.tags = self._marked(self.known.tags)

    def leave_unheard(self, model_id: str) -> None:
        """Note that the model in use has not heard it, and is not to."""
        assert self.known is not None, self.file.path
        self.is_left, self.vote = True, {}
        self.prediction = TrackPrediction(
            path=self.file.path,
            probabilities={},
            confidence=0.0,
            embedding=None,
            n_segments=0,
            model_id=model_id,
            duration_s=0.0,
            unheard=heard_by_another(self.known),
        )

    def read_tags(self) -> None:
        """Read its tags from the file, or note why they cannot be."""
        try:
            self.tags, self.tags_read = self._marked(read_tags(self.file.path)), True
        except TagReadError as exc:
            self.failure = TrackFailure.of(self.file.path, Stage.READ, exc)

    def _marked(self, tags: TagsFound) -> TagsFound:
        """Return what stands in its file, with what a person has replaced of ours."""
        known = self.known
        written = known.written.genres if known else ()
        overruled = overruled_in(tags, written, known.tags if known else None)
        return tags if overruled == tags.overruled else replace(tags, overruled=overruled)


@dataclass(frozen=True, slots=True)
class Finished:
    """A track that was decided on and, if so decided, written."""

    track: Track
    decision: Decision
    file: AudioFile
    tags: TagsFound
    journal_id: int | None = None
    dropped_id: int | None = None
    failure: TrackFailure | None = None

    @property
    def result(self) -> TrackResult:
        """What the run says of it."""
        decision, found = self.decision, self.track.found
        status = self._status
        genres = found.genres if decision.status is Status.KEPT else decision.genres
        return TrackResult(
            path=self.track.file.path,
            status=Status.FAILED if self.failure else status,
            genres=() if self.failure else genres,
            before=found.genres,
            prediction=None if self.track.is_left else self.track.heard,
            failure=self.failure,
            reason=self.failure.reason if self.failure else decision.reason,
            is_old_failure=bool(self.failure and self.track.failed_so_before(self.failure)),
            confidence=decision.confidence,
            suggestions=decision.suggestions,
            tags=found,
            evidence=None if self.failure or decision.status is Status.KEPT else decision.evidence,
            said=self._said,
        )

    def unless_in(self, unrecorded: Mapping[Path, RowError]) -> Finished:
        """Return it, failed if its row cannot be recorded."""
        error = unrecorded.get(self.track.file.path)
        if error is None:
            return self
        return replace(self, failure=TrackFailure.of(self.track.file.path, Stage.RECORD, error))

    @property
    def needs_record(self) -> bool:
        """Whether the catalogue has to be told something of it."""
        track, known = self.track, self.track.known
        if known is None or (known.prediction is None and not track.is_left):
            return True  # its model may have taken it from what another one heard
        if self._is_news or track.moved_from or known.has_vanished:
            return True
        if not known.tags.is_complete or known.tags.overruled != self.tags.overruled:
            return True
        return not known.is_as_recorded or track.audio not in (None, known.audio)

    @property
    def _status(self) -> Status:
        """What the run says became of it."""
        known, status = self.track.known, self.decision.status
        # What would be written were it allowed may be another; that is no news.
        is_kept_again = status is Status.KEPT and known and known.status is status
        if self._is_news and not (is_kept_again and not self._is_new):
            return status
        return Status.MOVED if self.track.moved_from else Status.UNCHANGED

    @property
    def _is_news(self) -> bool:
        """Whether it was heard or written now, or its row is to say something else than before."""
        known = self.track.known
        if known is None or self._is_new:
            return True
        if _tags_differ(known.tags, self.tags):
            return True
        return (known.status, known.genres) != (self._row_status, self.decision.genres)

    @property
    def _is_new(self) -> bool:
        """Whether it was heard now, or sounds otherwise, or was tried in vain before."""
        known = self.track.known
        if self.track.heard_now or known is None or known.failure is not None:
            return True
        return not known.is_as_recorded and not self.track.has_same_sound

    @property
    def _row_status(self) -> Status:
        """What the catalogue calls it: what became of it, not when."""
        if self.failure is not None:
            return Status.PREDICTED
        status = self.decision.status
        return Status.WRITTEN if status is Status.UNCHANGED else status

    @property
    def entry(self) -> CatalogEntry:
        """Its row in the catalogue."""
        return CatalogEntry(
            file=self.file,
            tags=self.tags,
            status=self._row_status,
            genres=self.decision.genres,
            confidence=self.decision.confidence,
            reason=self.decision.reason,
            prediction=None if self.track.is_left else self.track.heard,
            journal_id=self.journal_id,
            audio=self.track.audio,
            evidence=self._said,
        )

    @property
    def _said(self) -> Mapping[str, Any] | None:
        """What the owner's tags say of it, whether that was decided by or not."""
        return None if self.track.said is None else self.track.said.told


def _tags_differ(known: TagsFound, now: TagsFound) -> bool:
    """Return whether tags have changed; that an older version read less of them is no change."""
    if known.is_complete:
        return known != now
    return (known.genres, known.provenance) != (now.genres, now.provenance)


def heard_by_another(known: KnownTrack) -> Reason:
    """Return why a track is left to the model that has heard it."""
    return Reason(ReasonCode.OTHER_MODEL, {"model": known.other_model or ""})


def is_as_found(file: AudioFile) -> bool:
    """Return whether a file has the length and time of change that the scan saw."""
    try:
        return stat_again(file) == file
    except TagWriteError:
        return False


def stat_if_there(file: AudioFile) -> AudioFile:
    """Return a file with what stat(2) says of it now; as it was where it is gone, or out of reach.

    For one that was written: a next run looks at it again, since it is not as it was recorded.
    """
    try:
        return stat_again(file)
    except TagWriteError:
        return file


def stat_again(file: AudioFile) -> AudioFile:
    """Return a file with what stat(2) says of it now.

    Raises:
        TagWriteError: it is gone.
    """
    try:
        stat = file.path.stat()
    except OSError as exc:
        raise TagWriteError(why_system_failed(exc), file.path) from exc
    return audio_file(file.path, file.root, stat)
