"""The facts of a report, as they flow from the catalogue to the page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from pathlib import Path

from tagger.catalog import RunRow
from tagger.records import Stage

N_BINS = 10


class Whose(Enum):
    """Who set a track's genre, if it has one; UNREAD: nobody knows, the file was never read."""

    PERSONS = auto()
    OURS = auto()
    WAITING = auto()
    NOBODYS = auto()
    UNREAD = auto()


class Blank(Enum):
    """Why a track bears no genre: what is said of it, and what to do."""

    WAITING = (
        "Decided, not written",
        "The tagger knows a genre and was told to write none (--no-write).",
    )
    UNSURE = (
        "Not sure enough",
        "The likeliest genre stays below the confidence from which the tagger writes.",
    )
    UNASKED = (
        "Not asked for",
        "It sounds like a genre that is written only where you ask for it (--genres).",
    )
    UNTRUSTED = (
        "Not to be trusted",
        "It sounds like a genre that the model is too often wrong about.",
    )
    NEVER = (
        "Ruled out by you",
        "Your genre_map or your list of genres says that this genre is never written.",
    )
    SHORT = ("Too short", "There is less music than the model needs to hear.")
    SILENT = ("Silent", "There is nothing to hear.")
    TAKEN_BACK = (
        "Taken back",
        "You undid or removed the tagger's genre; it is not written again unasked.",
    )
    NAMELESS = (
        "No genres yet",
        "The network names none; tagger learn teaches it those of your tags.",
    )
    FAILED = ("Failed", "The file could not be read, heard or written; see Failures.")
    OTHER = ("Another reason", "Each track has its own, which the command below shows.")

    @property
    def title(self) -> str:
        """A few words."""
        return self.value[0]

    @property
    def meaning(self) -> str:
        """A sentence."""
        return self.value[1]


ANSWERABLE = frozenset(
    (
        Blank.UNSURE,
        Blank.UNASKED,
        Blank.UNTRUSTED,
        Blank.SHORT,
        Blank.SILENT,
        Blank.NAMELESS,
        Blank.OTHER,
    )
)
"""Reasons for a blank that a person's answer fills."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What the report is about.

    Args:
        roots: The folders that were scanned, those with the most tracks first.
        under: The folder that it is narrowed down to, if so.
        catalog: Where the catalogue is, as ``--catalog`` takes it; "" for the usual place.
        made: When, in local time.
        version: The tagger's.
    """

    roots: tuple[Path, ...]
    under: Path | None
    catalog: str
    made: datetime
    version: str


@dataclass(frozen=True, slots=True)
class Figures:
    """How much there is.

    Args:
        n_tracks: Files that are there and known.
        n_unmeasured: Those whose length is not known.
        duration_s: The length of all others.
        n_persons, n_ours, n_waiting, n_blank: Tracks whose genre was set by a person, by the
            tagger; that have none, but the tagger knows one; that have none.
        n_unread: Files that never could be read. With the four above that is all.
        n_fillers: Those of a person's whose genre says nothing, such as "Other".
        n_vanished: Files that are gone and not forgotten.
        n_copies: Files that hold a recording that another one holds, too.
    """

    n_tracks: int
    n_unmeasured: int
    duration_s: float
    n_artists: int
    n_albums: int
    n_persons: int
    n_ours: int
    n_waiting: int
    n_blank: int
    n_unread: int
    n_fillers: int
    n_vanished: int
    n_copies: int


@dataclass(frozen=True, slots=True)
class GenreCount:
    """How many tracks are of a genre: by whom it was set; ``n_waiting`` are not written yet."""

    genre: str
    n_persons: int = 0
    n_ours: int = 0
    n_waiting: int = 0

    @property
    def n_tracks(self) -> int:
        """All of them."""
        return self.n_persons + self.n_ours + self.n_waiting


@dataclass(frozen=True, slots=True)
class DecadeCount:
    """Tracks of ten years, from ``first`` on, and the genre that most of them bear, or ""."""

    first: int
    n_tracks: int
    genre: str
    n_of_genre: int


@dataclass(frozen=True, slots=True)
class BlankCount:
    """How many tracks bear no genre for one reason, and what most of them sound like.

    Args:
        sounds_like: (label, how many), the most frequent first.
    """

    why: Blank
    n_tracks: int
    sounds_like: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Sureness:
    """How sure the tagger was of what it heard, in steps of a tenth from 0.

    Args:
        decided: (N_BINS,) tracks of which it was sure enough to name a genre.
        undecided: (N_BINS,) the others.
    """

    decided: tuple[int, ...]
    undecided: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FolderCount:
    """A folder right below a scanned one: its tracks, and the genre that most of them bear."""

    folder: Path
    n_tracks: int
    n_blank: int
    genre: str
    n_of_genre: int


@dataclass(frozen=True, slots=True)
class Suspect:
    """A track whose genre looks wrong; probabilities in [0, 1].

    Args:
        path: Its file.
        genres: What it bears.
        sureness: How sure the doubt is.
        rest: What its album or its artist is called, where it stands alone; else ().
        against: Which of the two, "album" or "artist"; "" where it does not.
        n_agreeing, n_others: How many of the others say so, of how many.
        suggestion: What it sounds like; "" where nobody has heard it.
        confidence: How likely that is.
    """

    path: Path
    genres: tuple[str, ...]
    sureness: float
    rest: tuple[str, ...] = ()
    against: str = ""
    n_agreeing: int = 0
    n_others: int = 0
    suggestion: str = ""
    confidence: float = 0.0


@dataclass(frozen=True, slots=True)
class Suspects:
    """The tracks whose genre looks wrong.

    Args:
        worst: The most suspicious first.
        n_found: How many there are.
        n_judged: Of how many.
        why_none: Why nothing could be judged, in words for a person; "" where it could.
    """

    worst: tuple[Suspect, ...] = ()
    n_found: int = 0
    n_judged: int = 0
    why_none: str = ""


@dataclass(frozen=True, slots=True)
class Filling:
    """Blank tracks of an album that the owner's own tags would fill.

    Args:
        artist, album: Whose they are, and on what; "" where no tag says it.
        genres: What would be written.
        by: Who says so, "album" or "artist".
        n_tracks: How many are blank.
    """

    artist: str
    album: str
    genres: tuple[str, ...]
    by: str
    n_tracks: int


@dataclass(frozen=True, slots=True)
class MixedCount:
    """An album, or an artist (``album`` is "" then), with several genres that persons set.

    Args:
        genres: (genre, how many recordings bear it), the commonest first.
    """

    artist: str
    album: str
    n_tracks: int
    genres: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class OwnersWord:
    """What the owner's own tags say of albums and artists.

    Args:
        n_fillable: Blank tracks that they would fill.
        fillings: By album, the largest first.
        albums, artists: Those with several genres, the most mixed first.
        n_more_fillings, n_more_albums, n_more_artists: How many were left out.
    """

    n_fillable: int = 0
    fillings: tuple[Filling, ...] = ()
    albums: tuple[MixedCount, ...] = ()
    artists: tuple[MixedCount, ...] = ()
    n_more_fillings: int = 0
    n_more_albums: int = 0
    n_more_artists: int = 0


@dataclass(frozen=True, slots=True)
class Promise:
    """How many blanks a command would fill, and how many of them about rightly."""

    n_tracks: int = 0
    n_right: int = 0


@dataclass(frozen=True, slots=True)
class Prospects:
    """What would fill blanks beyond what the owner's own tags fill.

    Args:
        n_answers, n_answered: A few answers of the owner, and how many tracks they settle.
        unasked: What ``--genres all`` would write.
        unsure: What a lower ``--min-confidence`` would.
    """

    n_answers: int = 0
    n_answered: int = 0
    unasked: Promise = Promise()
    unsure: Promise = Promise()


@dataclass(frozen=True, slots=True)
class FailureCount:
    """How many files failed in one way, and some of them."""

    stage: Stage
    reason: str
    n_files: int
    examples: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class ListedTrack:
    """A track as the list of all has it.

    Args:
        title, artist, album: From its tags; "" where they say nothing.
        genres: Those that it bears, or that were decided on; () where there are none.
        year: Of its release, if a tag says it.
        whose: Who set the genre.
        why: Why it has none, where it has none.
        folder, file: Where it lies, as it is shown.
        track_id: Its number, if the model of the map has heard it.
    """

    title: str
    artist: str
    album: str
    genres: tuple[str, ...]
    year: int | None
    whose: Whose
    why: Blank | None
    folder: str
    file: str
    track_id: int | None = None


@dataclass(frozen=True, slots=True)
class SoundMap:
    """Tracks in two dimensions, near to each other where they sound alike.

    Args:
        model: The id of the model that heard them.
        places: Where each listed track lies, (x, y) in [0, 1] from the upper left; None of those
            that were not heard.
        explained: The share of the embeddings' variance that two dimensions keep, in [0, 1].
    """

    model: str
    places: tuple[tuple[float, float] | None, ...]
    explained: float

    @property
    def n_dots(self) -> int:
        """How many tracks lie on it."""
        return len(self.places) - self.places.count(None)


@dataclass(frozen=True, slots=True)
class Models:
    """The models, as next steps need to know of them.

    Args:
        used: What ``--model`` calls those that have heard tracks.
        to_name: What it calls that of the last run that tagged; "" where none need be named.
        has_learned: Whether one was learned from a person's own tags.
    """

    used: frozenset[str]
    to_name: str
    has_learned: bool


@dataclass(frozen=True, slots=True)
class Report:
    """All that a page says.

    Args:
        genres, folders, failures: The largest first.
        decades: By year of release, the latest first.
        n_more_genres, n_more_folders, n_more_failures: How many (failures: files) were left out.
        blanks: In the order of ``Blank``.
        tracks: All of them by path, or as many as one page can bear, evenly picked.
        sound_map: None where too few tracks were heard by one model.
        runs: The latest first.
    """

    subject: Subject
    figures: Figures
    genres: tuple[GenreCount, ...]
    n_more_genres: int
    blanks: tuple[BlankCount, ...]
    sureness: Sureness
    folders: tuple[FolderCount, ...]
    n_more_folders: int
    suspects: Suspects
    failures: tuple[FailureCount, ...]
    n_more_failures: int
    tracks: tuple[ListedTrack, ...]
    sound_map: SoundMap | None
    runs: tuple[RunRow, ...]
    models: Models
    decades: tuple[DecadeCount, ...] = ()
    owners_word: OwnersWord = OwnersWord()
    prospects: Prospects = Prospects()
