"""What the owner's own tags say of albums and artists: blanks they would fill, and mixtures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tagger.catalog import Catalog, SurveyedTrack
from tagger.evidence.library import Library
from tagger.evidence.mixtures import Mixture, mixed_albums, mixed_artists
from tagger.evidence.names import Album, artist_of
from tagger.evidence.trials import BAR, Kind, measure
from tagger.evidence.weighing import Said, weigh
from tagger.evidence.witnesses import About, about
from tagger.genre_list import GenreList
from tagger.report.counting import why_blank
from tagger.report.facts import Blank, Filling, MixedCount, OwnersWord
from tagger.tagging.owners import owners_library

_MOST = 30  # rows of a table
_MOST_GENRES = 6  # of a row
_LEFT_ALONE = (Blank.FAILED, Blank.TAKEN_BACK, Blank.NEVER)

_Key = tuple[str, Album | None, tuple[str, ...], str]


@dataclass(frozen=True, slots=True)
class OwnersRules:
    """By what a run goes when it asks the owner's tags.

    Args:
        treat_as_blank: Genres that count as none.
        kinds: Whose tags are asked.
        genre_list: The owner's genres, in whose words tags are taken.
    """

    treat_as_blank: tuple[str, ...] = ()
    kinds: Collection[Kind] = tuple(Kind)
    genre_list: GenreList = field(default_factory=GenreList)


class OwnersTags:
    """What persons have set, to be asked of each blank track.

    Args:
        catalog: What is asked.
        under: The folder that a report is about.
        rules: By what a run would go.
    """

    def __init__(self, catalog: Catalog, under: Path | None, rules: OwnersRules) -> None:
        self._catalog = catalog
        self._rules = rules
        self._library = self._asked_in(None)
        # Albums elsewhere are asked, and not told of.
        self._here = self._asked_in(under) if under else self._library
        self._rates = measure(self._library)
        self._asked: dict[tuple[str, Album | None], Said | None] = {}
        self._blanks: Counter[_Key] = Counter()
        self._spelt: dict[_Key, tuple[str, str]] = {}

    def _asked_in(self, folder: Path | None) -> Library:
        rules = self._rules
        return owners_library(
            self._catalog, rules.treat_as_blank, under=folder, genre_list=rules.genre_list
        )

    def add(self, track: SurveyedTrack) -> bool:
        """Count a track that bears no genre if these would give it one; return whether so."""
        if why_blank(track) in _LEFT_ALONE:
            return False
        one = about(track.row.path, track.tags)
        said = self._said(one)
        if said is None or said.confidence < BAR:
            return False
        genres = self._rules.genre_list.written(said.genres)
        if not genres:
            return False
        key = (one.artist, one.album, genres, said.kind.value)
        self._blanks[key] += 1
        self._spelt.setdefault(key, (artist_of(track.tags), track.tags.album.strip()))
        return True

    def _said(self, one: About) -> Said | None:
        whose = (one.artist, one.album)
        if whose not in self._asked:
            self._asked[whose] = weigh(one, self._library, self._rates, self._rules.kinds)
        return self._asked[whose]

    def told(self) -> OwnersWord:
        """Return what they say."""
        fillings = sorted(
            (
                Filling(*self._spelt[key], genres=key[2], by=key[3], n_tracks=n)
                for key, n in self._blanks.items()
            ),
            key=lambda one: (-one.n_tracks, one.artist, one.album, one.genres),
        )
        albums, artists = mixed_albums(self._here), mixed_artists(self._here)
        return OwnersWord(
            n_fillable=self._blanks.total(),
            fillings=tuple(fillings[:_MOST]),
            albums=_named(self._catalog, albums[:_MOST], of_album=True),
            artists=_named(self._catalog, artists[:_MOST], of_album=False),
            n_more_fillings=len(fillings[_MOST:]),
            n_more_albums=len(albums[_MOST:]),
            n_more_artists=len(artists[_MOST:]),
        )


def _named(
    catalog: Catalog, mixtures: Sequence[Mixture], *, of_album: bool
) -> tuple[MixedCount, ...]:
    """Return mixtures by the names in the tags of one of their files."""
    tags = {one.file_id: one.tags for one in catalog.tagged_files([m.place for m in mixtures])}
    return tuple(
        MixedCount(
            artist=artist_of(tags[one.place]),
            album=tags[one.place].album.strip() if of_album else "",
            n_tracks=one.n_recordings,
            genres=tuple((", ".join(genres), n) for genres, n in one.genres[:_MOST_GENRES]),
        )
        for one in mixtures
        if one.place in tags  # it may have gone meanwhile
    )
