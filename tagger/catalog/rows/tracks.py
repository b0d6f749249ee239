"""Records of tracks: what a run puts down, what is asked for, what comes back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tagger.catalog.rows.runs import RunRow
from tagger.reasons import Reason
from tagger.records import AudioFile, FloatArray, Stage, Status, TagsFound, TrackPrediction

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_YEAR = re.compile(r"(\d{4})?")


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
        evidence: What the owner's tags said of it, as ``Said.told`` has it; None is nothing.
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
    evidence: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Years:
    """Years of release from a first to a last one, both among them; None is without end."""

    first: int | None
    last: int | None

    @classmethod
    def of_text(cls, text: str) -> Self:
        """Return the years that a text names.

        >>> Years.of_text("1990"), Years.of_text("-1999")
        (Years(first=1990, last=1990), Years(first=None, last=1999))

        Raises:
            ValueError: it names none; says what to write.
        """
        parts = text.split("-")
        if len(parts) > 2 or not any(parts) or not all(_YEAR.fullmatch(part) for part in parts):
            raise ValueError(f"{text!r} names no years; say 1990, 1990-, -1999 or 1990-1999")
        first, last = (int(part) if part else None for part in (parts[0], parts[-1]))
        if first is not None and last is not None and first > last:
            raise ValueError(f"{first} comes after {last}")
        return cls(first, last)

    def __str__(self) -> str:
        """Return the text that names these years.

        >>> str(Years(1990, 1990)), str(Years(None, 1999))
        ('1990', '-1999')
        """
        first, last = ("" if year is None else str(year) for year in (self.first, self.last))
        return first if first == last else f"{first}-{last}"


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
        is_blank: Only tracks in whose file no genre stands.
        sort: Ascending, but for confidence: the surest first.
        limit: At most so many.
    """

    genre: str | None = None
    min_confidence: float | None = None
    artist: str | None = None
    years: Years | None = None
    under: Path | None = None
    status: Status | None = None
    is_blank: bool = False
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
class TrackInfo:
    """All that is known of one file.

    Args:
        row: As in a listing.
        probabilities: {model_id: {label: p}}.
        embedded_by: The models whose embedding of it is stored, the latest first.
        runs: The runs that heard it, wrote its tag or decided on it, the latest first.
        evidence: What the owner's tags said of it when it was decided on; None is nothing.
    """

    row: TrackRow
    probabilities: Mapping[str, Mapping[str, float]]
    embedded_by: tuple[str, ...]
    runs: tuple[RunRow, ...]
    evidence: Mapping[str, Any] | None = None

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
