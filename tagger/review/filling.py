"""Filling blanks by what was learned, once their owner has judged some of them drawn by chance.

A set is frozen before any of it is judged, with the model that proposes it; what is learned
meanwhile changes nothing of it. Whatever ends the judging early counts as if it had failed: else
one could draw until chance agrees.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tagger.catalog import FILL, Action, GivenAnswer, NotedAnswer, Unanswered
from tagger.config import models_folder
from tagger.errors import TaggerError, printable
from tagger.genre_list import ANY, GenreList
from tagger.genre_text import key_of
from tagger.models.card import ModelCard

if TYPE_CHECKING:  # the page stands without SQLAlchemy
    from tagger.catalog import Catalog

N_DRAWN = 20  # tracks that are judged before anything is filled
N_ENOUGH = 18  # of these, that have to be right
WORTH = 40  # tracks: fewer are not worth so many answers
HOPED = 0.95  # of what is filled, that is right by what was not learned from
SURER = 0.01  # that more is hoped for, after each time that too little was right
SUREST = 0.995
_NAME = "review"  # of the model, and of its file


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of the process that prepares a set.

    Args:
        location: The catalogue.
        track_ids: Tracks without a genre.
        share: That is hoped to be right.
        genre_list: The owner's, in whose words genres are learned.
    """

    location: str | Path
    track_ids: Sequence[int]
    share: float = HOPED
    genre_list: GenreList = ANY


@dataclass(frozen=True, slots=True)
class Prepared:
    """A model, and what it would write.

    Args:
        card: The model's; None where there is none.
        base: The checkpoint whose network it hears by.
        genres: {track_id: (genre, its probability)}.
        why_not: Why there is none.
    """

    card: ModelCard | None = None
    base: Path = Path()
    genres: Mapping[int, tuple[str, float]] = field(default_factory=dict)
    why_not: str = ""


def prepare(wanted: Wanted) -> Prepared:
    """Learn from all that is tagged and answered; runs in a process of its own."""
    from tagger.catalog import Catalog
    from tagger.learning.filling import fillable
    from tagger.models.choosing import cards_at_hand

    try:
        with Catalog.open(wanted.location, create=False, read_only=True) as catalog:
            bases = list(cards_at_hand((".pt", ".toml"), catalog.model_files()))
            found = fillable(
                catalog,
                wanted.track_ids,
                bases,
                name=_NAME,
                share=wanted.share,
                genre_list=wanted.genre_list,
            )
    except TaggerError as exc:
        return Prepared(why_not=str(exc))
    return Prepared(found.card, found.base, found.genres)


def save(prepared: Prepared) -> str:
    """Keep a model as ``tagger learn`` does, in a process of its own; return why not, or ""."""
    from tagger.learning.saving import is_learned, save_learned

    target = models_folder() / f"{_NAME}.pt"
    if target.exists() and not is_learned(target):
        return f"{printable(target)} is there already and is no model that was learned"
    assert prepared.card is not None, "only what was prepared is kept"
    try:
        save_learned(target, prepared.base, prepared.card)
    except TaggerError as exc:
        return str(exc)
    return ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A track, and what would be written into it."""

    track: Unanswered
    genre: str
    confidence: float


@dataclass(frozen=True)
class FillSet:
    """Tracks that a model would fill; it never changes.

    Args:
        prepared: The model.
        proposals: What it would write, by the numbers of the files.
    """

    prepared: Prepared
    proposals: tuple[Proposal, ...]

    @cached_property
    def drawn(self) -> tuple[Proposal, ...]:
        """Those that are judged: drawn by chance from all, the same of the same model."""
        assert self.prepared.card is not None, "only what was prepared is judged"
        chance = random.Random(self.prepared.card.model_id)
        return tuple(chance.sample(self.proposals, N_DRAWN))

    @property
    def rest(self) -> tuple[Proposal, ...]:
        """Those that nobody has judged."""
        drawn = {one.track.file_id for one in self.drawn}
        return tuple(one for one in self.proposals if one.track.file_id not in drawn)

    @property
    def by_genre(self) -> list[tuple[str, int]]:
        """How many of the rest would get which genre, the commonest first."""
        return Counter(one.genre for one in self.rest).most_common()

    @property
    def answers(self) -> list[GivenAnswer]:
        """What is to be written into the rest, as a review keeps what is to be written."""
        return [
            GivenAnswer(
                Action.FILL,
                genre,
                (genre,),
                tuple(
                    one.track.named_with(one.confidence) for one in self.rest if one.genre == genre
                ),
            )
            for genre, _ in self.by_genre
        ]


def fill_set(prepared: Prepared, blank: Sequence[Unanswered]) -> FillSet:
    """Return what a model would write into tracks without a genre."""
    genres = prepared.genres
    found = [Proposal(t, *genres[t.track_id]) for t in blank if t.track_id in genres]
    return FillSet(prepared, tuple(sorted(found, key=lambda one: one.track.file_id)))


@dataclass
class Judging:
    """A set, and what its owner said of the tracks drawn from it.

    Args:
        filling: The set.
        verdicts: Whether each was right, in the order in which they were drawn.
    """

    filling: FillSet
    verdicts: list[bool] = field(default_factory=list)

    @property
    def asked(self) -> Proposal | None:
        """What is judged now; None: all have been."""
        n = len(self.verdicts)
        return self.filling.drawn[n] if n < N_DRAWN else None

    @property
    def n_right(self) -> int:
        """How many were right so far."""
        return sum(self.verdicts)

    @property
    def has_failed(self) -> bool:
        """Whether enough cannot be right any more."""
        return len(self.verdicts) - self.n_right > N_DRAWN - N_ENOUGH

    @property
    def has_passed(self) -> bool:
        """Whether all were judged, and enough of them are right."""
        return len(self.verdicts) == N_DRAWN and not self.has_failed


def recorded(
    catalog: Catalog, chosen: FillSet, paths: Sequence[Path]
) -> tuple[int, list[NotedAnswer]]:
    """Keep in the catalogue what is to be filled; return the run, and what was noted.

    Raises:
        CatalogError: It cannot be kept; then nothing is written.
    """
    card = chosen.prepared.card
    assert card is not None, "only what was prepared is filled"
    from tagger.learning.saving import record_of

    catalog.register_model(record_of(card))
    run_id = catalog.begin_run(FILL, card.model_id, paths)
    return run_id, catalog.give_answers(run_id, chosen.answers)


def is_right(proposal: Proposal, genres: Sequence[str]) -> bool:
    """Return whether a person gives a track what was proposed, among others it may be."""
    return key_of(proposal.genre) in map(key_of, genres)
