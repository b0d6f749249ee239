"""What networks other than the run's have heard in its tracks, as the catalogue keeps it.

A genre is not written by one network where another is surer of a different one.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from functools import cached_property

import numpy as np

from tagger.catalog import Catalog
from tagger.genre_text import are_among
from tagger.models.card import ModelCard
from tagger.models.choosing import cards_at_hand
from tagger.models.files import BUNDLED
from tagger.models.voting import vote_together
from tagger.tagging.decision import GenrePolicy, Rival
from tagger.tagging.request import TagRequest
from tagger.tagging.track import Track


class Rivals:
    """The other networks that a catalogue knows.

    Args:
        request: What the run is asked to do.
        catalog: Where their hearing is kept.
    """

    def __init__(self, request: TagRequest, catalog: Catalog) -> None:
        self._request = request
        self._catalog = catalog

    def hear(self, tracks: Sequence[Track], albums: Sequence[Hashable | None]) -> None:
        """Let tracks take up what others have heard in them.

        Args:
            tracks: Whole albums.
            albums: What each has in common with those that it votes with; None is nobody.
        """
        asked = {
            t.known.file_id: (t, album)
            for t, album in zip(tracks, albums, strict=True)
            if t.known is not None and (t.known.is_as_recorded or t.has_same_sound)
        }
        if not asked or not self._cards:
            return
        heard = self._catalog.heard_by(list(asked), list(self._cards))
        for model_id, card in self._cards.items():
            groups: dict[Hashable, list[tuple[Track, Mapping[str, float]]]] = {}
            for file_id, said in heard.items():
                if model_id in said:
                    track, album = asked[file_id]
                    key = file_id if album is None else album
                    groups.setdefault(key, []).append((track, said[model_id]))
            for members in groups.values():
                rival = _rival(card, [said for _, said in members])
                if self._counts(rival):
                    for track, _ in members:
                        track.rivals = (*track.rivals, rival)

    def _counts(self, rival: Rival) -> bool:
        """Return whether a rival contradicts the run's model in words that this one knows.

        A model that was learned speaks the owner's words: Shoegaze is no contradiction to Rock.
        """
        card = self._request.card
        is_learned = card.head is not None and self._request.model_path.parent != BUNDLED
        return not is_learned or are_among([rival.label], card.genre_labels)

    @cached_property
    def _cards(self) -> Mapping[str, ModelCard]:
        """The cards of models that have heard anything; of those at hand.

        Not of the networks by which the run's model hears: it has listened to them already. What
        is no longer at hand was replaced by a better one, or is not trusted any more.
        """
        own = (self._request.card.model_id, *self._request.card.bases)
        known = {one.model_id for one in self._catalog.models()} - {*own}
        if not known:
            return {}
        found = cards_at_hand((".pt", ".toml"), self._catalog.model_files())
        return {card.model_id: card for _, card in found if card.model_id in known}


def _rival(card: ModelCard, heard: Sequence[Mapping[str, float]]) -> Rival:
    """Return what a network has heard in a track, or in tracks that vote together."""
    probabilities = heard[0]
    if len(heard) > 1:
        each = np.array([[one[label] for label in card.labels] for one in heard])
        agreed = vote_together(each, card.album_temperature, exclusive=card.exclusive)
        probabilities = dict(zip(card.labels, agreed.tolist(), strict=True))
    genres = frozenset(card.genre_labels)
    policy = GenrePolicy(frozenset(), {}, genres=genres, broader=card.broader)
    likeliest = policy.suggest(probabilities)[0]
    return Rival(card.model_id, likeliest.genre, likeliest.confidence)
