"""Counting a library: tracks come one after the other, and only sums and a sample are kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from tagger.catalog import SurveyedTrack, fold
from tagger.evidence.names import artist_of
from tagger.genre_text import say_nothing
from tagger.reasons import Reason, ReasonCode
from tagger.records import Stage, Status
from tagger.report.facts import (
    N_BINS,
    Blank,
    BlankCount,
    DecadeCount,
    FailureCount,
    Figures,
    FolderCount,
    GenreCount,
    Sureness,
    Whose,
)
from tagger.tags import is_ours

T = TypeVar("T")
_EXAMPLES = 3
_UNWRITTEN = {
    ReasonCode.TOO_SHORT: Blank.SHORT,
    ReasonCode.SILENT: Blank.SILENT,
    ReasonCode.NEVER: Blank.NEVER,
    ReasonCode.NOT_LISTED: Blank.NEVER,
    ReasonCode.UNTRUSTED: Blank.UNTRUSTED,
    ReasonCode.NO_LABELS: Blank.NAMELESS,
    ReasonCode.UNASKED: Blank.UNASKED,
    ReasonCode.UNASKED_UNSURE: Blank.UNSURE,
    ReasonCode.UNSURE: Blank.UNSURE,
    ReasonCode.HEARD_OTHERWISE: Blank.UNSURE,
}


def whose(track: SurveyedTrack) -> Whose:
    """Return who set a track's genre."""
    if track.row.track_id is None:
        return Whose.UNREAD
    if track.tags.genres:
        return Whose.OURS if is_ours(track.tags) else Whose.PERSONS
    return Whose.WAITING if why_blank(track) is Blank.WAITING else Whose.NOBODYS


def why_blank(track: SurveyedTrack) -> Blank:
    """Return why a track without a genre has none."""
    row = track.row
    if track.failed_at is not None:
        return Blank.FAILED
    if row.status in (Status.RESTORED, Status.KEPT):
        return Blank.TAKEN_BACK
    if track.decided:
        return Blank.WAITING
    return blank_for(row.reason)


def blank_for(reason: Reason | None) -> Blank:
    """Return what a reason for which nothing was written comes to."""
    return Blank.OTHER if reason is None else _UNWRITTEN.get(reason.code, Blank.OTHER)


class Thinned(Generic[T]):
    """Evenly spread ones of things that come in an order, however many there will be.

    Args:
        most: At most so many are kept, and no fewer than half of that once there are more.

    >>> few = Thinned(4)
    >>> for n in range(10): few.add(n)
    >>> few.kept
    [0, 4, 8]
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._step = 1
        self.n = 0
        self.kept: list[T] = []

    def add(self, one: T) -> None:
        """Take one more thing into account."""
        if self.n % self._step == 0:
            self.kept.append(one)
        self.n += 1
        if len(self.kept) > self._most:
            self.kept = self.kept[::2]
            self._step *= 2


@dataclass
class Genres:
    """Tracks by genre, whatever its case."""

    _names: dict[str, str] = field(default_factory=dict)
    _by_whom: dict[Whose, Counter[str]] = field(
        default_factory=lambda: {one: Counter() for one in Whose}
    )

    def add(self, track: SurveyedTrack, by: Whose) -> None:
        """Count a track in each of its genres."""
        for genre in track.tags.genres or (track.decided if by is Whose.WAITING else ()):
            key = fold(genre)
            self._names.setdefault(key, genre)
            self._by_whom[by][key] += 1

    def counts(self) -> list[GenreCount]:
        """Return how many tracks each genre has, the largest first."""
        persons, ours, waiting = (
            self._by_whom[one] for one in (Whose.PERSONS, Whose.OURS, Whose.WAITING)
        )
        found = [
            GenreCount(name, persons[key], ours[key], waiting[key])
            for key, name in self._names.items()
        ]
        return sorted(found, key=lambda one: (-one.n_tracks, one.genre))


@dataclass
class Decades:
    """Tracks by the ten years that they were released in."""

    _counts: Counter[int] = field(default_factory=Counter)
    _genres: dict[int, Counter[str]] = field(default_factory=dict)

    def add(self, track: SurveyedTrack) -> None:
        """Count a track whose year is known, in its first genre."""
        if track.tags.year is not None:
            first = track.tags.year // 10 * 10
            self._counts[first] += 1
            self._genres.setdefault(first, Counter()).update(track.row.genres[:1])

    def counts(self) -> list[DecadeCount]:
        """Return how many tracks each has, the latest first."""
        found = []
        for first, n_tracks in sorted(self._counts.items(), reverse=True):
            genre, n = next(iter(_largest(self._genres[first], 1)), ("", 0))
            found.append(DecadeCount(first, n_tracks, genre, n))
        return found


@dataclass
class Blanks:
    """Tracks without a genre, by why."""

    _counts: Counter[Blank] = field(default_factory=Counter)
    _sounds: dict[Blank, Counter[str]] = field(default_factory=dict)

    def add(self, track: SurveyedTrack) -> None:
        """Count a track that bears no genre."""
        why = why_blank(track)
        self._counts[why] += 1
        sounds = track.decided[:1] if why is Blank.WAITING else _heard_label(track)
        self._sounds.setdefault(why, Counter()).update(sounds)

    def counts(self, most: int) -> tuple[BlankCount, ...]:
        """Return how many there are for each reason, and at most so many labels of each."""
        return tuple(
            BlankCount(why, self._counts[why], tuple(_largest(self._sounds[why], most)))
            for why in Blank
            if self._counts[why]
        )


def _heard_label(track: SurveyedTrack) -> tuple[str, ...]:
    """Return what a track sounds like that was not written for what was heard, or nothing."""
    reason = track.row.reason
    return (str(reason.values["label"]),) if reason and "label" in reason.values else ()


@dataclass
class Confidences:
    """How sure the tagger was."""

    _decided: list[int] = field(default_factory=lambda: [0] * N_BINS)
    _undecided: list[int] = field(default_factory=lambda: [0] * N_BINS)

    def add(self, track: SurveyedTrack) -> None:
        """Count a track in which something was heard."""
        if track.confidence > 0:
            counts = self._decided if track.decided else self._undecided
            counts[min(int(track.confidence * N_BINS), N_BINS - 1)] += 1

    def counts(self) -> Sureness:
        """Return how many there are in each step."""
        return Sureness(tuple(self._decided), tuple(self._undecided))


@dataclass
class Folders:
    """The folders right below those that were scanned.

    Args:
        under: In its stead, right below this one.
    """

    under: Path | None
    _tracks: Counter[str] = field(default_factory=Counter)
    _blank: Counter[str] = field(default_factory=Counter)
    _genres: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, track: SurveyedTrack) -> None:
        """Count a track in its folder."""
        base = str(self.under or track.root).rstrip("/")
        first, slash, _ = str(track.row.path)[len(base) + 1 :].partition("/")
        folder = f"{base}/{first}" if slash else base or "/"
        self._tracks[folder] += 1
        self._genres.setdefault(folder, Counter()).update(track.row.genres[:1])
        self._blank[folder] += not track.row.genres

    def counts(self) -> list[FolderCount]:
        """Return what is in each folder, the largest first."""
        found = []
        for folder, n_tracks in _largest(self._tracks):
            genre, n = next(iter(_largest(self._genres[folder], 1)), ("", 0))
            found.append(FolderCount(Path(folder), n_tracks, self._blank[folder], genre, n))
        return found


@dataclass
class Failures:
    """Files that failed, by how."""

    _counts: Counter[tuple[Stage, str]] = field(default_factory=Counter)
    _examples: dict[tuple[Stage, str], list[Path]] = field(default_factory=dict)

    def add(self, track: SurveyedTrack) -> None:
        """Count a file if it failed."""
        if track.failed_at is not None:
            how = (track.failed_at, str(track.row.reason))
            self._counts[how] += 1
            examples = self._examples.setdefault(how, [])
            if len(examples) < _EXAMPLES:
                examples.append(track.row.path)

    def counts(self) -> list[FailureCount]:
        """Return how many failed in each way, the most frequent first."""
        return [
            FailureCount(*how, n, tuple(self._examples[how])) for how, n in _largest(self._counts)
        ]


@dataclass
class Totals:
    """What the figures are made of."""

    roots: Counter[Path] = field(default_factory=Counter)
    _by_whom: Counter[Whose] = field(default_factory=Counter)
    _artists: set[str] = field(default_factory=set)
    _albums: set[tuple[str, str]] = field(default_factory=set)
    _duration_s: float = 0.0
    _n_unmeasured: int = 0
    _n_fillers: int = 0

    def add(self, track: SurveyedTrack, by: Whose) -> None:
        """Count a track."""
        self.roots[track.root] += 1
        self._by_whom[by] += 1
        self._duration_s += track.row.duration_s or 0.0
        self._n_unmeasured += track.row.duration_s is None
        self._n_fillers += by is Whose.PERSONS and say_nothing(track.tags.genres)
        if artist := artist_of(track.tags):
            self._artists.add(fold(artist))
        if album := track.tags.album.strip():
            self._albums.add((str(track.row.path).rpartition("/")[0], fold(album)))

    def figures(self, *, n_vanished: int, n_copies: int) -> Figures:
        """Return the figures."""
        by = self._by_whom
        return Figures(
            n_tracks=by.total(),
            n_unmeasured=self._n_unmeasured,
            duration_s=self._duration_s,
            n_artists=len(self._artists),
            n_albums=len(self._albums),
            n_persons=by[Whose.PERSONS],
            n_ours=by[Whose.OURS],
            n_waiting=by[Whose.WAITING],
            n_blank=by[Whose.NOBODYS],
            n_unread=by[Whose.UNREAD],
            n_fillers=self._n_fillers,
            n_vanished=n_vanished,
            n_copies=n_copies,
        )


Key = TypeVar("Key", bound="str | tuple[str, str] | Path")


def _largest(counts: Counter[Key], most: int | None = None) -> Iterable[tuple[Key, int]]:
    """Return counts, the largest first; of equal ones as the keys sort."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most]
