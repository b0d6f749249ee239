"""The records that go into the catalogue and come out of it; no SQL is needed to use them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tagger.reasons import Reason
from tagger.records import (
    AudioFile,
    FileChange,
    FloatArray,
    RunSummary,
    Stage,
    Status,
    TagsFound,
    TagWrite,
    TrackFailure,
    TrackPrediction,
)


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """A network that has heard tracks: its identity, labels and the length of its embeddings."""

    model_id: str
    architecture: str
    labels: tuple[str, ...]
    embedding_dim: int


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """What a run has to record of one track.

    Args:
        file: The file, with what stat(2) said *after* the tag was written.
        tags: Its tags as they stand now: after a write, with what was written.
        status: What became of the track.
        genres: What the tagger decided; () where it is unsure.
        confidence: The calibrated probability of the first of them.
        reason: Why, if there is anything to say.
        prediction: What was heard, or None to leave the recorded one as it is. One that was
            looked up has no embedding; recording it again keeps the stored embedding.
        journal_id: The journal entry of the write that this completes; it is closed in the same
            transaction.
        audio: The identity of its recording; None to leave the recorded one as it is.
    """

    file: AudioFile
    tags: TagsFound
    status: Status
    genres: tuple[str, ...] = ()
    confidence: float = 0.0
    reason: Reason | None = None
    prediction: TrackPrediction | None = None
    journal_id: int | None = None
    audio: str | None = None


@dataclass(frozen=True, slots=True)
class FailedFile:
    """A failure and the file it happened to, as it stood then."""

    file: AudioFile
    failure: TrackFailure


@dataclass(frozen=True, slots=True)
class KnownTrack:
    """What the catalogue knows of a file that was found again.

    Args:
        file_id: The number of the file's row.
        unchanged: The file is, by what stat(2) says, as it was when it was last recorded, or when
            it failed.
        is_as_recorded: It is as it was when its track was recorded.
        tags: Its tags as last recorded.
        status: What became of it last; FAILED as long as its failure stands.
        genres: What the tagger decided last.
        confidence: The calibrated probability of the first of them.
        prediction: What the model asked for heard in it, without the embedding. None if it has
            not heard it. If the file has changed since it may sound differently now.
        failure: Why the file as it is now could not be handled. None once it has changed.
        taken_back: Genres that the tagger wrote and a person took back.
        audio: The identity of its recording; None if it was never told.
        has_vanished: It was found to be gone.
        other_model: A model that has heard it, where the one asked for has not.
    """

    file_id: int
    unchanged: bool
    is_as_recorded: bool
    tags: TagsFound
    status: Status
    genres: tuple[str, ...]
    confidence: float
    prediction: TrackPrediction | None
    failure: TrackFailure | None
    taken_back: tuple[str, ...] = ()
    audio: str | None = None
    has_vanished: bool = False
    other_model: str | None = None


@dataclass(frozen=True, slots=True)
class Copy:
    """A file that holds, or held, a certain recording.

    Args:
        file_id: The number of its row.
        path: Where it was last seen.
        root: The folder whose scan found it.
        device: The number of the device that the root was on, if that was noted.
        audio: The identity of the recording.
        has_vanished: It was found to be gone.
    """

    file_id: int
    path: Path
    root: Path
    device: int | None
    audio: str
    has_vanished: bool


@dataclass(frozen=True, slots=True)
class RootRow:
    """A folder that was scanned.

    Args:
        root_id: The number of its row.
        path: Where it was.
        device: The number of the device that it was on, if that was noted.
        n_files: How many files are known there.
    """

    root_id: int
    path: Path
    device: int | None
    n_files: int


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file, by the number of its row and its path."""

    file_id: int
    path: Path


@dataclass(frozen=True, slots=True)
class PlannedWrite:
    """A tag that is about to be written, and the file as it stands before.

    Args:
        file: The file.
        write: What is to change.
        undoes: The journal entry of the earlier write that this one takes back, if it does.
        kept: The bytes that it replaces, if they are few enough to be kept.
        overwritten: The bytes that it overwrites, if it is made in place; kept until it is closed.
    """

    file: AudioFile
    write: TagWrite
    undoes: int | None = None
    kept: FileChange | None = None
    overwritten: FileChange | None = None


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """A write as the journal has it.

    Args:
        journal_id: Its number.
        run_id: The run that made it.
        file: The file, as it was last recorded.
        write: The genres and our own field before and after.
        kept: What takes it back byte for byte, if that was kept.
        overwritten: What puts it back if a kill broke it off; None for one that is closed, or
            goes through a copy.
    """

    journal_id: int
    run_id: int
    file: AudioFile
    write: TagWrite
    kept: FileChange | None
    overwritten: FileChange | None


@dataclass(frozen=True, slots=True)
class WriteQuery:
    """Which writes to take back.

    Args:
        run_id: Those of one run; None: of the last run that wrote what else is asked for and has
            not been taken back.
        under: In this folder, or of this file.
        genre: That brought or replaced this genre, whatever its case.
    """

    run_id: int | None = None
    under: Path | None = None
    genre: str | None = None


@dataclass(frozen=True, slots=True)
class Years:
    """Years of release from a first to a last one, both among them; None is without end."""

    first: int | None
    last: int | None


class SortKey(StrEnum):
    """What a listing is sorted by."""

    PATH = "path"
    TITLE = "title"
    ARTIST = "artist"
    ALBUM = "album"
    YEAR = "year"
    GENRE = "genre"
    CONFIDENCE = "confidence"
    DURATION = "duration"
    STATUS = "status"


@dataclass(frozen=True, slots=True)
class TrackQuery:
    """Which tracks to list, and in what order.

    Args:
        genre: One of the track's genres, whatever its case.
        min_confidence: Only tracks whose genre is the tagger's, and at least this sure.
        artist: Part of the artist's or the album artist's name, whatever its case.
        years: Only tracks released then; those without a year were not.
        under: A folder (or one file).
        status: What became of the track.
        sort: Ascending, but for confidence: the surest first.
        limit: At most so many.
    """

    genre: str | None = None
    min_confidence: float | None = None
    artist: str | None = None
    years: Years | None = None
    under: Path | None = None
    status: Status | None = None
    sort: SortKey = SortKey.PATH
    limit: int | None = None


ALL_TRACKS = TrackQuery()


@dataclass(frozen=True, slots=True)
class TrackRow:
    """One track of a listing.

    Args:
        tags: What stands in the file; nothing where it was never read.
        genres: Those that stand in the file; if none do, those that the tagger decided on.
        confidence: The calibrated probability of the first of them, or None where the genres
            are a person's and no guess of ours.
        duration_s: Length in seconds, or None while the file has never been decoded.
        reason: Why the track has this status, if there is anything to say.
    """

    track_id: int | None
    path: Path
    tags: TagsFound
    genres: tuple[str, ...]
    confidence: float | None
    duration_s: float | None
    status: Status
    reason: Reason | None

    @property
    def title(self) -> str:
        """Its title, or ""."""
        return self.tags.title

    @property
    def artist(self) -> str:
        """Its artist, or ""."""
        return self.tags.artist


@dataclass(frozen=True, slots=True)
class SurveyedTrack:
    """A track, or a file that failed, as a report counts it.

    Args:
        row: As in a listing.
        root: The folder whose scan found it.
        decided: Genres that the tagger decided on, whether they were written or not.
        confidence: The probability of the first of them, or of the likeliest genre where none
            was sure enough; 0 where nothing was heard.
        failed_at: The stage at which the file failed last, or None.
        has_embedding: Whether there is an embedding by the model asked for.
    """

    row: TrackRow
    root: Path
    decided: tuple[str, ...]
    confidence: float
    failed_at: Stage | None
    has_embedding: bool

    @property
    def tags(self) -> TagsFound:
        """What stands in the file; nothing where it was never read."""
        return self.row.tags


@dataclass(frozen=True, slots=True)
class Leftovers:
    """Files that are gone and not forgotten, and files that hold the same recording as others."""

    n_vanished: int
    n_copies: int


@dataclass(frozen=True, slots=True)
class HeardTrack:
    """A track that may be recommended, and what tells its recording.

    Args:
        row: As in a listing.
        audio: The identity of its sound, the same in all copies of the file; None if unknown.
    """

    row: TrackRow
    audio: str | None = None

    @property
    def track_id(self) -> int:
        """The number of the track."""
        assert self.row.track_id is not None, "only a failure has none, and nothing was heard there"
        return self.row.track_id


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run as recorded.

    Args:
        ended: None while it goes on, or if it was killed.
        paths: What it was asked to look at, for reading.
        n_standing: Tags that it wrote and that have not been taken back.
    """

    run_id: int
    command: str
    model_id: str | None
    started: datetime
    ended: datetime | None
    summary: RunSummary
    paths: tuple[str, ...] = ()
    n_standing: int = 0


@dataclass(frozen=True, slots=True)
class TrackInfo:
    """All that is known of one file.

    Args:
        row: As in a listing.
        probabilities: {model_id: {label: p}}.
        embedded_by: The models whose embedding of it is stored, the latest first.
        runs: The runs that heard it, wrote its tag or decided on it, the latest first.
    """

    row: TrackRow
    probabilities: Mapping[str, Mapping[str, float]]
    embedded_by: tuple[str, ...]
    runs: tuple[RunRow, ...]

    @property
    def tags(self) -> TagsFound:
        """Its tags as last recorded."""
        return self.row.tags


@dataclass(frozen=True, slots=True)
class TaggedTrack:
    """A track that bears a genre, a person's or ours.

    Args:
        track_id: Its number.
        path: Its file.
        tags: What stands in it.
        audio: The identity of its recording, if that was told.
    """

    track_id: int
    path: Path
    tags: TagsFound
    audio: str | None


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there is: tracks, standing failures, tracks by status and by genre."""

    n_tracks: int
    n_failures: int
    by_status: Mapping[Status, int]
    by_genre: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Embeddings:
    """All embeddings of one model.

    Args:
        track_ids: (n_tracks,) int64.
        vectors: (n_tracks, embedding_dim) float32, row by row those tracks'.
    """

    track_ids: NDArray[np.int64]
    vectors: FloatArray
