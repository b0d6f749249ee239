"""Tracks whose genre looks wrong: by the owner's own tags, and by sound, in one list."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from tagger.catalog import Catalog
from tagger.catalog.batches import batches
from tagger.catalog.witnesses import TaggedFile
from tagger.evidence.outliers import Lone, lone_tracks
from tagger.evidence.trials import Kind, measure
from tagger.evidence.witnesses import value_of
from tagger.genre_list import ANY, GenreList
from tagger.genre_text import key_of
from tagger.models.card import ModelCard
from tagger.tagging.owners import owners_library


@dataclass(frozen=True, slots=True)
class Heard:
    """What a track sounds like.

    Args:
        suggestion: The likeliest genre.
        confidence: Its probability.
        likelihood: That of the likeliest genre that the track bears; None where whoever listened
            knows none of those.
        is_doubt: Whether this alone makes the track's genre doubtful.
    """

    suggestion: str
    confidence: float
    likelihood: float | None
    is_doubt: bool


Sound = Callable[[Sequence[TaggedFile]], Mapping[int, Heard]]
"""Gives {file_id: what it sounds like} for those of some files that were heard."""


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A track whose genre looks wrong.

    Args:
        file_id, track_id: Its numbers in the catalogue.
        path: Its file.
        genres: What a person set.
        rest: What its album or its artist is called instead, where it stands alone.
        heard: What it sounds like, where that is known.
    """

    file_id: int
    track_id: int
    path: Path
    genres: tuple[str, ...]
    rest: Lone | None
    heard: Heard | None

    @property
    def sureness(self) -> float:
        """How sure the doubt is, in [0, 1]: what the rest and the sound say, taken together."""
        if self.rest is None:
            return _lead(self.heard)
        if self.heard is None:
            return self.rest.confidence
        key = key_of(self.heard.suggestion)
        if key in value_of(self.rest.genres):
            return 1 - (1 - self.rest.confidence) * (1 - _lead(self.heard))
        if key in value_of(self.genres):
            return self.rest.confidence * (1 - self.heard.confidence)
        return self.rest.confidence


@dataclass(frozen=True, slots=True)
class Doubts:
    """The tracks whose genre looks wrong.

    Args:
        found: The surest first.
        n_judged: Tracks with a genre of a person's that were looked at.
    """

    found: tuple[Doubtful, ...]
    n_judged: int

    @property
    def n_lone(self) -> int:
        """How many stand alone against their album or artist."""
        return sum(one.rest is not None for one in self.found)

    @property
    def n_by_sound(self) -> int:
        """How many sound like another genre."""
        return sum(one.heard is not None and one.heard.is_doubt for one in self.found)


def nothing_heard(_files: Sequence[TaggedFile]) -> Mapping[int, Heard]:
    """Return what is known of any sound where nobody listened."""
    return {}


def find_doubtful(
    catalog: Catalog,
    folders: Collection[Path] = (),
    *,
    kinds: Collection[Kind] = tuple(Kind),
    sound: Sound = nothing_heard,
    treat_as_blank: Sequence[str] = (),
    kept: Mapping[int, tuple[str, ...]] = MappingProxyType({}),
    genre_list: GenreList = ANY,
) -> Doubts:
    """Return the tracks whose genre looks wrong, the surest first.

    Args:
        catalog: What is asked; no file is looked at, and nothing changes.
        folders: Only tracks in these; () is anywhere. Their albums and artists are asked wherever
            they are.
        kinds: Against whom tracks may stand alone.
        sound: Tells what tracks sound like, as ``heard_by`` or ``learned`` make it.
        treat_as_blank: Genres that count as none.
        kept: {track_id: genres that a person said are right}; those are doubted no more.
        genre_list: The owner's: two words for one genre are no doubt.
    """
    library = owners_library(catalog, treat_as_blank, genre_list=genre_list)
    lone = lone_tracks(library, measure(library)) if kinds else []
    alone = {place: one for one in lone if one.kind in kinds for place in one.places}
    found: list[Doubtful] = []
    n_judged = 0
    for file_ids in batches(sorted(library.columns.place.tolist())):
        files = [one for one in catalog.tagged_files(file_ids) if _is_in(one.file.path, folders)]
        n_judged += len(files)
        heard = sound(files)
        for one in files:
            called = genre_list.telling(one.tags.genres)
            doubt = _doubtful(one, called, alone.get(one.file_id), heard.get(one.file_id))
            if doubt and kept.get(doubt.track_id) != doubt.genres:
                found.append(doubt)
    return Doubts(tuple(sorted(found, key=lambda one: (-one.sureness, one.path))), n_judged)


def _is_in(path: Path, folders: Collection[Path]) -> bool:
    return not folders or any(path.is_relative_to(folder) for folder in folders)


def _doubtful(
    one: TaggedFile, called: Sequence[str], rest: Lone | None, heard: Heard | None
) -> Doubtful | None:
    if rest is not None and value_of(called) == value_of(rest.genres):
        rest = None  # a copy that is called otherwise than the recording's others
    if rest is None and not (heard and heard.is_doubt):
        return None
    return Doubtful(one.file_id, one.track_id, one.file.path, one.tags.genres, rest, heard)


def _lead(heard: Heard | None) -> float:
    """Return how much likelier another genre sounds than a track's own."""
    return 0.0 if heard is None else max(0.0, heard.confidence - (heard.likelihood or 0.0))


class Judged(Protocol):
    """How likely a track's genre is, as ``teaching.judged`` tells."""

    @property
    def path(self) -> Path:
        """Its file."""

    @property
    def likelihood(self) -> float:
        """The probability of its own genre."""

    @property
    def suggestion(self) -> str:
        """The likeliest genre."""

    @property
    def confidence(self) -> float:
        """The probability of that."""


def learned(judged: Iterable[Judged]) -> Sound:
    """Return what was learned of the owner's other tracks as what tells how tracks sound."""
    by_path = {
        one.path: Heard(
            one.suggestion, one.confidence, one.likelihood, one.likelihood < one.confidence
        )
        for one in judged
    }

    def sound(files: Sequence[TaggedFile]) -> Mapping[int, Heard]:
        return {one.file_id: by_path[one.file.path] for one in files if one.file.path in by_path}

    return sound


def heard_by(catalog: Catalog, cards: Sequence[ModelCard], genre_list: GenreList = ANY) -> Sound:
    """Return what models have heard as what tells how tracks sound.

    It doubts a genre only where the model knows that genre as well, and would write another.

    Args:
        catalog: What they heard is in it.
        cards: Theirs, those to be believed first.
        genre_list: The owner's, in whose words both are taken.
    """

    def sound(files: Sequence[TaggedFile]) -> Mapping[int, Heard]:
        said = catalog.said_of([one.track_id for one in files])
        found: dict[int, Heard] = {}
        for one in files:
            by_model = said.get(one.track_id, {})
            card = next((card for card in cards if card.model_id in by_model), None)
            if card is not None:
                heard = by_model[card.model_id]
                found[one.file_id] = _heard(card, heard, one.tags.genres, genre_list)
        return found

    return sound


def _heard(
    card: ModelCard, said: Mapping[str, float], genres: tuple[str, ...], genre_list: GenreList
) -> Heard:
    def key(label: str) -> str:
        return key_of(genre_list.word_for(label))

    likely = {label: said.get(label, 0.0) for label in card.genre_labels}
    own = value_of(genre_list.telling(genres))
    suggestion = max(likely, key=lambda label: likely[label])
    of_own = [p for label, p in likely.items() if key(label) in own]
    is_written = suggestion in card.writable and likely[suggestion] >= card.thresholds[suggestion]
    return Heard(
        suggestion=genre_list.word_for(suggestion),
        confidence=likely[suggestion],
        likelihood=max(of_own, default=None),
        is_doubt=bool(of_own) and is_written and key(suggestion) not in own,
    )
