"""Records of files: what is known of one that was found, where others hold the same recording."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tagger.catalog.rows.writes import Written
from tagger.records import AudioFile, Status, TagsFound, TrackFailure, TrackPrediction


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
        written: What the tagger wrote there last, as far as that was not taken back.
        decided_by: The code of the reason for what became of it last.
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
    written: Written = field(default_factory=Written)
    decided_by: str = ""


@dataclass(frozen=True, slots=True)
class SameAudio:
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
class FailedFile:
    """A failure and the file it happened to, as it stood then."""

    file: AudioFile
    failure: TrackFailure
