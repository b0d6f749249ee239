"""Which genres are offered for a question: what the ear says, in the owner's words.

What an owner's other tracks by the artist bear comes first; then what was heard, by a head that
learned from the owner or, while there is too little for one, by a bundled model; then what the
owner uses most.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tagger.catalog import Unanswered
from tagger.genre_list import GenreList
from tagger.genre_text import are_among, key_of, why_no_genre
from tagger.models.card import ModelCard
from tagger.review.questions import Question

N_BUTTONS = 9
_LEAST = 0.02  # of what is less likely a button would say nothing


@dataclass(frozen=True, slots=True)
class OfferedGenre:
    """A genre that is offered.

    Args:
        genre: As it would be written.
        confidence: How likely it sounds, in [0, 1]; None where that is not known.
        n_artist: How many of the owner's other tracks by the artist bear it.
    """

    genre: str
    confidence: float | None = None
    n_artist: int = 0


class Heard(Protocol):
    """What a catalogue can say for suggestions."""

    def said_of(self, track_ids: Sequence[int]) -> Mapping[int, Mapping[str, Mapping[str, float]]]:
        """Return {track_id: {model_id: {label: p}}}."""

    def persons_genres(self, artist: str = "") -> Mapping[tuple[str, ...], int]:
        """Return {genres: on how many tracks}."""


@dataclass
class Suggesting:
    """Knows the owner's words, and what each track sounds like.

    Args:
        catalog: What is asked.
        cards: Of the models that may have heard, those to be believed first.
        genre_map: {label: what is written for it; "" is never}.
        treat_as_blank: Genres that count as none.
        genre_list: The owner's, in whose words all is offered.
    """

    catalog: Heard
    cards: Sequence[ModelCard]
    genre_map: Mapping[str, str] = field(default_factory=dict)
    treat_as_blank: Sequence[str] = ()
    genre_list: GenreList = field(default_factory=GenreList)
    _own: Counter[str] = field(default_factory=Counter)
    _learned: Mapping[int, Sequence[tuple[str, float]]] = field(default_factory=dict)
    _spelt: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        for genres, n in self.catalog.persons_genres().items():
            self._count(genres, n)

    @property
    def vocabulary(self) -> list[str]:
        """The owner's genres, the commonest first, then those of the list and the models'."""
        own = [genre for genre, _ in self._own.most_common()]
        models = (self._named(x) for card in self.cards for x in card.genre_labels)
        return list(dict.fromkeys(filter(None, (*own, *self.genre_list.allowed, *models))))

    def use(self, genres: Iterable[str], n: int) -> None:
        """Note that an answer used these genres; a negative number takes that back."""
        self._count(genres, n)
        self._spelt = None

    def _count(self, genres: Iterable[str], n: int) -> None:
        for genre in filter(self._may_be_offered, self.genre_list.written(genres)):
            self._own[genre] += n
            if self._own[genre] <= 0:
                del self._own[genre]

    def _may_be_offered(self, genre: str) -> bool:
        """Return whether a tag can hold a genre, and it is none that counts as no genre."""
        return not why_no_genre(genre) and not are_among([genre], self.treat_as_blank)

    def take(self, learned: Mapping[int, Sequence[tuple[str, float]]]) -> None:
        """Take what a head says that learned from the owner: {track_id: (genre, p) in order}."""
        self._learned = learned

    def of(self, question: Question) -> list[OfferedGenre]:
        """Return the genres to offer, likeliest first."""
        by_artist = self._of_artist(question.artist)
        heard = self.heard(question.tracks)
        names = dict.fromkeys(
            (
                *(genre for genre, _ in by_artist.most_common()),
                *(genre for genre, p in heard if p >= _LEAST),
                *(genre for genre, _ in self._own.most_common(N_BUTTONS)),
                *(genre for genre, _ in heard),
            )
        )
        known = dict(heard)
        return [
            OfferedGenre(genre, known.get(genre), by_artist[genre])
            for genre in list(names)[:N_BUTTONS]
        ]

    def heard(self, tracks: Sequence[Unanswered]) -> list[tuple[str, float]]:
        """Return (genre, p), likeliest first: the mean of what each track sounds like."""
        ids = [track.track_id for track in tracks]
        each = [self._learned[n] for n in ids if n in self._learned] or [
            list(self._said(by_model).items()) for by_model in self.catalog.said_of(ids).values()
        ]
        total: dict[str, float] = defaultdict(float)
        for said in each:
            for genre, p in said:
                total[self.genre_list.named(genre)] += p / len(each)
        offered = ((genre, p) for genre, p in total.items() if self._may_be_offered(genre))
        return sorted(offered, key=lambda item: (-item[1], item[0]))

    def _of_artist(self, artist: str) -> Counter[str]:
        found: Counter[str] = Counter()
        for genres, n in self.catalog.persons_genres(artist).items() if artist else ():
            for genre in filter(self._may_be_offered, self.genre_list.written(genres)):
                found[genre] += n
        return found

    def _said(self, by_model: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
        """Return {genre: p} by the first model that has heard it."""
        for card in self.cards:
            if card.model_id in by_model:
                said = by_model[card.model_id]
                named = ((self._named(x), said[x]) for x in card.genre_labels if x in said)
                return {genre: p for genre, p in named if genre}
        # A model that is no longer here: which of its labels are genres is not known.
        unknown = next(iter(by_model.values()), {})
        return {label: p for label, p in unknown.items() if self._named(label)}

    def _named(self, label: str) -> str:
        """Return what is written for a label: as the owner spells it, if the owner uses it."""
        mapped = self.genre_map.get(label, label)
        genre = self.genre_list.named(mapped) if mapped else ""
        return self._spellings().get(key_of(genre), genre) if genre else ""

    def _spellings(self) -> Mapping[str, str]:
        """Return {key: how the owner spells it most often}."""
        if self._spelt is None:
            rarest_first = reversed(self._own.most_common())
            self._spelt = {key_of(genre): genre for genre, _ in rarest_first}
        return self._spelt
