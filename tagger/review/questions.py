"""What is asked: an artist's unanswered albums, an album, or a lone track."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tagger.catalog import Unanswered, fold
from tagger.evidence.names import artist_id_of, artist_of, is_nobody
from tagger.genre_text import are_among
from tagger.tagging.albums import album_in
from tagger.tags import is_ours


class QuestionKind(StrEnum):
    """What a question is about."""

    ARTIST = "artist"
    ALBUM = "album"
    TRACK = "track"
    PICKED = "picked"  # several, picked by hand


@dataclass(frozen=True, slots=True)
class Suspect:
    """A track whose genre looks wrong.

    Args:
        track: The track.
        likely: What it seems to be, likeliest first.
        whys: What speaks against its genre, in words.
    """

    track: Unanswered
    likely: tuple[str, ...]
    whys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """Tracks that one answer settles.

    Args:
        number: Its own in this session.
        kind: What it is about.
        name: The artist's, the album's, or the track's.
        artist: Whose it is, or "".
        units: The tracks of each album, or lone ones.
    """

    number: int
    kind: QuestionKind
    name: str
    artist: str
    units: tuple[tuple[Unanswered, ...], ...]

    @property
    def tracks(self) -> tuple[Unanswered, ...]:
        """All its tracks."""
        return tuple(track for unit in self.units for track in unit)

    @property
    def albums(self) -> tuple[str, ...]:
        """The names of its albums, without blanks."""
        names = (unit[0].tags.album.strip() for unit in self.units)
        return tuple(dict.fromkeys(filter(None, names)))


class Questions:
    """All questions of a session, by number; those that a split makes are added.

    Args:
        found: Tracks that may be asked about.
        treat_as_blank: Genres that count as none.
    """

    def __init__(self, found: Iterable[Unanswered], treat_as_blank: Sequence[str] = ()) -> None:
        self._by_number: dict[int, Question] = {}
        self._tracks: dict[int, Unanswered] = {}
        self._blank = tuple(treat_as_blank)
        self._suspects: dict[int, Suspect] = {}
        for kind, name, artist, units in self._grouped(_units(found, self._is_blank)):
            self._add(kind, name, artist, units)

    def __getitem__(self, number: int) -> Question:
        return self._by_number[number]

    def __contains__(self, number: int) -> bool:
        return number in self._by_number

    def __iter__(self) -> Iterator[Question]:
        return iter(self._by_number.values())

    def __len__(self) -> int:
        return len(self._by_number)

    def add_suspects(self, suspects: Sequence[Suspect]) -> list[int]:
        """Add the questions about tracks whose genre looks wrong; return their numbers.

        What stands the same in an album is asked about as one.
        """
        self._suspects |= {one.track.file_id: one for one in suspects}
        alike: dict[object, list[Unanswered]] = defaultdict(list)
        for one in suspects:
            key = album_in(one.track.folder, one.track.tags) or one.track.file_id
            alike[key, one.track.tags.genres].append(one.track)
        return [self._of_unit(tuple(unit)).number for unit in alike.values()]

    def suspects(self, question: Question) -> list[Suspect]:
        """Return those of its tracks whose genre looks wrong."""
        ids = (track.file_id for track in question.tracks)
        return [self._suspects[file_id] for file_id in ids if file_id in self._suspects]

    def path_of(self, file_id: int) -> Path | None:
        """Return where the file of that number was when the session began."""
        track = self._tracks.get(file_id)
        return None if track is None else track.path

    def is_blank(self, track: Unanswered) -> bool:
        """Return whether a track has no genre, or one that counts as none."""
        return self._is_blank(track)

    def split(self, question: Question) -> list[Question]:
        """Return the questions that one falls into: an artist's albums, or an album's tracks."""
        if len(question.units) > 1:
            return [self._of_unit(unit) for unit in question.units]
        (unit,) = question.units
        return [self._of_unit((track,)) for track in unit] if len(unit) > 1 else []

    def alone(self, track: Unanswered) -> Question:
        """Return the question about one track of another question."""
        return self._of_unit((track,))

    def without(self, question: Question, file_ids: Collection[int]) -> Question | None:
        """Return what is left of a question without some files; None: nothing is to be asked."""
        if not any(track.file_id in file_ids for track in question.tracks):
            return question
        units = [tuple(t for t in unit if t.file_id not in file_ids) for unit in question.units]
        left = tuple(unit for unit in units if any(map(self._is_blank, unit)))
        if len(left) > 1:
            return self._add(question.kind, question.name, question.artist, left)
        return self._of_unit(left[0]) if left else None

    def join(self, questions: Sequence[Question]) -> Question:
        """Return the question that asks about all these at once."""
        units = tuple(unit for question in questions for unit in question.units)
        artists = {question.artist for question in questions}
        artist = artists.pop() if len(artists) == 1 else ""
        return self._add(QuestionKind.PICKED, ", ".join(q.name for q in questions), artist, units)

    def _is_blank(self, track: Unanswered) -> bool:
        return not track.tags.genres or are_among(track.tags.genres, self._blank)

    def _grouped(
        self, units: Iterable[tuple[Unanswered, ...]]
    ) -> Iterator[tuple[QuestionKind, str, str, tuple[tuple[Unanswered, ...], ...]]]:
        by_artist: dict[str, list[tuple[Unanswered, ...]]] = defaultdict(list)
        for n, unit in enumerate(units):
            artist = artist_of(unit[0].tags)
            is_nobodys = is_nobody(artist, artist_id_of(unit[0].tags))
            by_artist[f"\0{n}" if is_nobodys else fold(artist)].append(unit)
        for some in by_artist.values():
            if len(some) == 1:
                yield (*_about(some[0]), (some[0],))
            else:
                artist = artist_of(some[0][0].tags)
                yield QuestionKind.ARTIST, artist, artist, tuple(some)

    def _of_unit(self, unit: tuple[Unanswered, ...]) -> Question:
        return self._add(*_about(unit), (unit,))

    def _add(
        self, kind: QuestionKind, name: str, artist: str, units: tuple[tuple[Unanswered, ...], ...]
    ) -> Question:
        question = Question(len(self._by_number) + 1, kind, name, artist, units)
        self._by_number[question.number] = question
        self._tracks.update((track.file_id, track) for track in question.tracks)
        return question


def _about(unit: tuple[Unanswered, ...]) -> tuple[QuestionKind, str, str]:
    """Return what a question about one album, or one track, is called."""
    tags = unit[0].tags
    if len(unit) == 1:
        return QuestionKind.TRACK, tags.title.strip() or unit[0].path.stem, artist_of(tags)
    return QuestionKind.ALBUM, tags.album.strip(), artist_of(tags)


def _units(
    found: Iterable[Unanswered], is_blank: Callable[[Unanswered], bool]
) -> Iterator[tuple[Unanswered, ...]]:
    """Yield albums and lone tracks that have a blank; genres of ours in an album come along."""
    albums: dict[object, list[Unanswered]] = defaultdict(list)
    for track in found:
        if is_blank(track) or is_ours(track.tags):
            albums[album_in(track.folder, track.tags) or track.file_id].append(track)
    for unit in albums.values():
        if any(map(is_blank, unit)):
            yield tuple(unit)
