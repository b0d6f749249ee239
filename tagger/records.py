"""The frozen records that flow through a run, from a file found to a run's summary."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from tagger.errors import TaggerError
from tagger.reasons import Reason
from tagger.tag_fields import TagsFound as TagsFound

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FloatArray: TypeAlias = "NDArray[np.float32]"


@dataclass(frozen=True, slots=True)
class AudioFile:
    """A file found by a scan, with what stat(2) said of it then.

    Args:
        path: Absolute path, as found (links not resolved).
        root: The folder that the scan started from; ``path`` lies under it. For a file that was
            named itself it is the file's folder.
        size_bytes: Its length.
        mtime_ns: Time of its last change, nanoseconds since the epoch.
        ctime_ns: Time of the last change of its inode, likewise; 0 if not known.
        inode: Its number on its device; 0 if not known. Neither tells one file from another here:
            a file that was only renamed or given other rights is the same.
    """

    path: Path
    root: Path
    size_bytes: int
    mtime_ns: int
    ctime_ns: int = field(default=0, compare=False)
    inode: int = field(default=0, compare=False)

    @property
    def folder(self) -> str:
        """The folder it lies in, as text: five times as fast as pathlib's ``parent``."""
        return os.path.dirname(self.path)  # noqa: PTH120


@dataclass(frozen=True, slots=True)
class Segments:
    """Short stretches of one track, decoded alone.

    Args:
        waveforms: (n_segments, n_samples) float32 in [-1, 1], mono.
        starts_s: Where each begins in the track, seconds.
        sample_rate: Samples a second.
        duration_s: The whole track's length, seconds.
    """

    waveforms: FloatArray
    starts_s: tuple[float, ...]
    sample_rate: int
    duration_s: float


@dataclass(frozen=True, slots=True)
class SegmentScores:
    """What the network says of each segment.

    Args:
        logits: (n_segments, n_labels) float32, before softmax or sigmoid.
        embeddings: (n_segments, embedding_dim) float32.
    """

    logits: FloatArray
    embeddings: FloatArray

    def __len__(self) -> int:
        return len(self.logits)

    def joined(self, others: SegmentScores) -> SegmentScores:
        """Return these and others as one."""
        import numpy as np

        return SegmentScores(
            np.concatenate([self.logits, others.logits]),
            np.concatenate([self.embeddings, others.embeddings]),
        )


@dataclass(frozen=True, slots=True)
class TrackPrediction:
    """What was heard in a track.

    Args:
        path: The file.
        probabilities: {label: p}, calibrated; summing to 1 where labels exclude each other.
        confidence: The largest of a genre's, in [0, 1]; 0 where nothing could be heard.
        embedding: (embedding_dim,) float32, or None where nothing could be heard.
        n_segments: How many segments voted.
        model_id: The checkpoint that heard it.
        duration_s: The track's length, seconds.
        unheard: Why nothing could be heard (it is silent, or too short), or None.
        is_novel: It is unlike all that the model was fitted on, so that its confidence was capped.
        parts: What the networks heard from which this follows, if the model joins some or was
            learned on them; not known of a verdict that was looked up.
    """

    path: Path
    probabilities: Mapping[str, float]
    confidence: float
    embedding: FloatArray | None
    n_segments: int
    model_id: str
    duration_s: float
    unheard: Reason | None = None
    is_novel: bool = False
    parts: tuple[TrackPrediction, ...] = ()


class Stage(StrEnum):
    """Where a file can fail.

    ``scan``: it, or a folder, cannot be looked at; ``read``: the file, or its tag; ``decode``: its
    sound; ``analyse``: the network, a crashed or hung worker; ``write``: its new tag; ``record``:
    its row in the catalogue.
    """

    SCAN = "scan"
    READ = "read"
    DECODE = "decode"
    ANALYSE = "analyse"
    WRITE = "write"
    RECORD = "record"


@dataclass(frozen=True, slots=True)
class TrackFailure:
    """A file that could not be handled, the stage it failed at, and why.

    ``trace`` is where an exception that nobody foresaw came from, for the log; "" of any other.
    """

    path: Path
    stage: Stage
    reason: Reason
    trace: str = field(default="", compare=False, repr=False)

    @classmethod
    def of(cls, path: Path, stage: Stage, error: TaggerError) -> TrackFailure:
        """Return the failure of a file that met an error at a stage."""
        return cls(path, stage, error.why, error.trace)


class Status(StrEnum):
    """What became of a track in a run."""

    WRITTEN = "written"
    PLANNED = "planned"
    PREDICTED = "predicted"
    KEPT = "kept"
    UNSURE = "unsure"
    UNCHANGED = "unchanged"
    MOVED = "moved"
    RESTORED = "restored"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A genre that a track may be, and its calibrated probability in [0, 1]."""

    genre: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do with a track's tag.

    Args:
        path: The file.
        genres: What is to be written (WRITTEN), or would be were it allowed; () where unsure.
        status: The outcome if all goes well.
        confidence: The calibrated probability of the first genre, in [0, 1].
        reason: Why, if there is anything to say.
        suggestions: The likeliest genres, the first one first, also where none is written.
        evidence: What decided on the genres: "album", "artist" or "sound"; None where nothing did.
    """

    path: Path
    genres: tuple[str, ...]
    status: Status
    confidence: float
    reason: Reason | None
    suggestions: tuple[Suggestion, ...] = ()
    evidence: str | None = None


@dataclass(frozen=True, slots=True)
class TagWrite:
    """A tag that was written: the genres and our own field before and after."""

    path: Path
    before: tuple[str, ...]
    after: tuple[str, ...]
    provenance_before: str | None
    provenance_after: str | None


@dataclass(frozen=True, slots=True)
class Patch:
    """Bytes of a file that a write replaces.

    Args:
        offset: Where they stand in the file as it is before the write.
        old, new: The bytes before and after; their lengths may differ.
    """

    offset: int
    old: bytes
    new: bytes


@dataclass(frozen=True, slots=True)
class FileChange:
    """All that a write changes in a file's bytes: enough to check it, and to take it back.

    Args:
        patches: In the order of the file, none touching another's bytes; () where they are too
            many to keep, or the write goes through a copy.
        size_before: The file's length before.
        mtime_ns: Its time of change before.
        inode: The file's number on its disk; 0 where it was not noted.
        around: A digest of what stands around the patches; b"" where it was not noted.
        real_path: Where the file is, links resolved; None where it was not noted.
    """

    patches: tuple[Patch, ...]
    size_before: int
    mtime_ns: int
    inode: int = 0
    around: bytes = b""
    real_path: Path | None = None

    @property
    def size_after(self) -> int:
        """The file's length after."""
        return self.size_before + sum(len(p.new) - len(p.old) for p in self.patches)

    def reversed(self) -> FileChange:
        """Return the change that takes this one back.

        >>> change = FileChange((Patch(2, b"", b"xy"), Patch(4, b"e", b"z")), 9, 0)
        >>> change.reversed().patches
        (Patch(offset=2, old=b'xy', new=b''), Patch(offset=6, old=b'z', new=b'e'))
        """
        back, moved = [], 0
        for patch in self.patches:
            back.append(Patch(patch.offset + moved, patch.new, patch.old))
            moved += len(patch.new) - len(patch.old)
        return replace(self, patches=tuple(back), size_before=self.size_after)


@dataclass(frozen=True, slots=True)
class TrackResult:
    """All that a run says of one track; a line of ``--format jsonl``.

    ``tags`` are those that were found, before anything was written; None where they were not read.
    ``said`` is what the owner's tags say of it, whether they decided or not; None is nothing.
    """

    path: Path
    status: Status
    genres: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    prediction: TrackPrediction | None = None
    failure: TrackFailure | None = None
    reason: Reason | None = None
    confidence: float = 0.0
    suggestions: tuple[Suggestion, ...] = ()
    tags: TagsFound | None = None
    evidence: str | None = None
    said: Mapping[str, Any] | None = None
    is_old_failure: bool = False

    @classmethod
    def of_failure(cls, failure: TrackFailure, *, is_old: bool = False) -> TrackResult:
        """Return the result of a file that could not be handled.

        Args:
            failure: Why.
            is_old: It failed so before, and has not changed since.
        """
        return cls(
            failure.path,
            Status.FAILED,
            failure=failure,
            reason=failure.reason,
            is_old_failure=is_old,
        )


@dataclass(frozen=True, slots=True)
class RunSummary:
    """Counts of a run: by status, by genre written or planned, skipped by reason.

    ``fillers`` are genres that say nothing ("Other", "Unknown") of tracks that were kept as they
    are; ``n_vanished`` files that were found to be gone; ``notes`` what else a person should know.
    """

    by_status: Mapping[Status, int] = field(default_factory=dict)
    by_genre: Mapping[str, int] = field(default_factory=dict)
    skipped: Mapping[str, int] = field(default_factory=dict)
    elapsed_s: float = 0.0
    interrupted: bool = False
    fillers: Mapping[str, int] = field(default_factory=dict)
    n_vanished: int = 0
    notes: tuple[str, ...] = ()
