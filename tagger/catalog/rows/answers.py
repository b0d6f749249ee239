"""Records of a person's answers in a review, and of the tracks that may be asked about."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tagger.records import AudioFile, Status, TagsFound

REVIEW = "review"
"""What the runs are called in which a person gives answers."""
FILL = "fill"
"""What the runs are called in which the tagger writes what a person let it write in a review."""

RENAMING = "genres"
"""What the runs are called that put the owner's words for genres that stand in files."""


class Action(StrEnum):
    """What an answer says of its files."""

    GENRES = "genres"  # these genres, where none of a person's stands
    CHANGE = "change"  # these genres, in place of those that a person set
    KEEP = "keep"  # the genres that stand there are right
    NEVER = "never"  # do not ask about them
    FILL = "fill"  # the tagger's own genres, which a person let it write


class AnsweredState(StrEnum):
    """How far an answer is with one of its files."""

    OPEN = "open"
    WRITTEN = "written"
    LEFT = "left"
    RESTORED = "restored"


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file as an answer names it: numbers alone may stand for another file by then.

    A number is free again once ``catalog prune`` has forgotten its file.

    Args:
        file_id, track_id: The numbers of its rows when it was asked about.
        path: Where it was then.
        stood: The genres that stood there then; what is kept, or may be changed.
        confidence: Of a fill, the probability of its genre.
    """

    file_id: int
    track_id: int
    path: Path
    stood: tuple[str, ...]
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """What a person says of some files.

    Args:
        action: What is to be done.
        subject: What was asked about, for reading.
        genres: What was answered; () where what stands is kept.
        files: Those that it settles.
    """

    action: Action
    subject: str
    genres: tuple[str, ...]
    files: tuple[NamedFile, ...]


@dataclass(frozen=True, slots=True)
class NotedAnswer:
    """An answer as it was kept.

    Args:
        answer_id: Its number.
        passed_over: Files that are no longer what was asked about; it says nothing of them.
    """

    answer_id: int
    passed_over: tuple[NamedFile, ...] = ()


@dataclass(frozen=True, slots=True)
class AnsweredFile:
    """A file that an answer settles.

    Args:
        file_id: The number of its row.
        file: The file, as it was last recorded.
        confidence: Of a fill, the probability of its genre.
        stood: The genres that stood there when it was asked about.
    """

    file_id: int
    file: AudioFile
    confidence: float | None = None
    stood: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class OpenAnswer:
    """An answer that is not carried out yet, or withdrawn and not taken back yet.

    Args:
        answer_id: Its number.
        run_id: The run that it was given in.
        model_id: That run's model; a fill is written in its name.
        action: What is to be done.
        genres: What was answered.
        is_withdrawn: What was written of it is to be taken back.
        files: Those that are still to be handled.
    """

    answer_id: int
    run_id: int
    model_id: str | None
    action: Action
    genres: tuple[str, ...]
    is_withdrawn: bool
    files: tuple[AnsweredFile, ...]


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A track that may be asked about; there may be ten thousands of them.

    Args:
        file_id, track_id: The numbers of its rows.
        where: The path of its file, as bytes.
        tags: Of what stands in it, what tells its artist, its album and whose its genre is.
    """

    file_id: int
    track_id: int
    where: bytes
    tags: TagsFound

    @property
    def path(self) -> Path:
        """Its file."""
        return Path(os.fsdecode(self.where))

    @property
    def folder(self) -> bytes:
        """The folder of its file, as bytes."""
        return self.where.rpartition(b"/")[0]

    @property
    def named(self) -> NamedFile:
        """As an answer names it."""
        return self.named_with(None)

    def named_with(self, confidence: float | None) -> NamedFile:
        """As a fill names it, with the probability of its genre."""
        return NamedFile(self.file_id, self.track_id, self.path, self.tags.genres, confidence)


def by_status(counts: Mapping[AnsweredState, int]) -> dict[Status, int]:
    """Return how many files of answers that stand became what, as a run tells it."""
    found = {
        Status.WRITTEN: counts.get(AnsweredState.WRITTEN, 0),
        Status.FAILED: counts.get(AnsweredState.LEFT, 0),
    }
    return {status: n for status, n in found.items() if n}
