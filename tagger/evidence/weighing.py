"""What an owner's own tags come to for one track: a genre, who says it, and how sure that is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from tagger.evidence.library import Library, Word
from tagger.evidence.names import tells_of_no_artist
from tagger.evidence.trials import Class, Kind, Rates, Rest, class_of
from tagger.evidence.witnesses import About


@dataclass(frozen=True, slots=True)
class Said:
    """What a track's album or its artist says of it.

    Args:
        kind: Who says it.
        genres: As the owner spells them.
        confidence: How often such evidence is right in this library, at the least.
        n_agreeing: Recordings that say so.
        n_recordings: Recordings that say anything.
        rest: What the artist's other albums say to it.
        places: The files that say so, by the caller's numbers.
        by_folder: Whether folders tell whose the track is, or some of those that say so.
    """

    kind: Kind
    genres: tuple[str, ...]
    confidence: float
    n_agreeing: int
    n_recordings: int
    rest: Rest
    places: tuple[int, ...]
    by_folder: bool = False

    @property
    def of_class(self) -> Class:
        """Its class."""
        return class_of(self.kind, self.n_agreeing, self.rest)

    @property
    def told(self) -> Mapping[str, Any]:
        """What it says, as it is kept and printed."""
        return {
            "by": self.kind.value,
            "genres": list(self.genres),
            "confidence": self.confidence,
            "n_agreeing": self.n_agreeing,
            "n_recordings": self.n_recordings,
            "rest": self.rest.value,
            "by_folder": self.by_folder,
        }

    @property
    def is_of_one(self) -> bool:
        """Whether a single recording says so, which is believed less than a surer sound."""
        return self.n_agreeing == 1


def weigh(
    track: About, library: Library, rates: Rates, kinds: Collection[Kind] = tuple(Kind)
) -> Said | None:
    """Return what a track's album says of it, or else what its artist says; None is nothing.

    Args:
        track: Which it is; none of its own files is a witness.
        library: What persons have set.
        rates: What each class of evidence is worth there.
        kinds: Who is asked.
    """
    here = library.of_album(track.album)
    elsewhere = library.of_artist(track.artist, track.album)
    if Kind.ALBUM in kinds and here.n_recordings:
        return _said(Kind.ALBUM, here, _rest_of(here, elsewhere), track, library, rates)
    is_disputed = here.n_recordings > 0 and here.value != elsewhere.value
    if Kind.ARTIST not in kinds or is_disputed or elsewhere.value < 0:
        return None
    if tells_of_no_artist(library.values[elsewhere.value]):
        return None
    is_unanimous = elsewhere.n_agreeing == elsewhere.n_recordings
    rest = Rest.AGREES if is_unanimous else Rest.CONTRADICTS
    return _said(Kind.ARTIST, elsewhere, rest, track, library, rates)


def _rest_of(here: Word, elsewhere: Word) -> Rest:
    if not elsewhere.n_recordings:
        return Rest.NOTHING
    return Rest.AGREES if elsewhere.value == here.value else Rest.CONTRADICTS


def _said(
    kind: Kind, word: Word, rest: Rest, track: About, library: Library, rates: Rates
) -> Said | None:
    if word.value < 0:
        return None
    artist = track.artist if kind is Kind.ARTIST else ""
    rows = library.rows_of(word.value, artist=artist, album=track.album)
    return Said(
        kind=kind,
        genres=library.genres_of(rows),
        confidence=rates.confidence(class_of(kind, word.n_agreeing, rest)),
        n_agreeing=word.n_agreeing,
        n_recordings=word.n_recordings,
        rest=rest,
        places=tuple(library.columns.place[rows].tolist()),
    )
