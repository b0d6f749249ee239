"""Who is asked whether a genre looks wrong: the owner's own tags, and whatever tells of sound.

`tagger doubtful` and `tagger report` ask the same. What may decide in a run is what is asked here.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from tagger.catalog import Catalog
from tagger.config import Settings, Sourced
from tagger.errors import CheckpointError, LearnError, how_to_install, printable
from tagger.evidence.trials import Kind
from tagger.genre_list import GenreList, load_genre_list
from tagger.learning.doubting import (
    Doubts,
    Sound,
    find_doubtful,
    heard_by,
    learned,
    nothing_heard,
)
from tagger.models.card import ModelCard
from tagger.models.choosing import cards_at_hand, is_named, model_in_force, named_model
from tagger.models.files import read_card

log = logging.getLogger(__name__)

BEST = "musicnn"  # whose embeddings learn best (docs/learning.md), where its file is there


def doubts_in(
    catalog: Catalog,
    folders: Sequence[Path],
    settings: Settings,
    sources: Mapping[str, Sourced],
    *,
    min_tracks: int = 10,
    most_learned: int | None = None,
) -> Doubts:
    """Return the tracks whose genre looks wrong, by all that the settings let decide.

    Args:
        catalog: What is asked; nothing in it changes.
        folders: Only tracks in these; () is anywhere.
        settings: What is set.
        sources: Where each setting comes from.
        min_tracks: Of a genre, for its sound to be learned.
        most_learned: Of more tracks nothing is learned; None is of however many.

    Raises:
        CheckpointError: The model named cannot be read.
    """
    genre_list = load_genre_list(settings.genre_list)
    sound: Sound = nothing_heard
    if "sound" in settings.evidence:
        ask = _Ask(catalog, folders, settings, sources, genre_list)
        sound = _sound(ask, min_tracks, most_learned)
    return find_doubtful(
        catalog,
        folders,
        kinds=tuple(kind for kind in Kind if kind.value in settings.evidence),
        sound=sound,
        treat_as_blank=settings.treat_as_blank,
        kept=catalog.kept_genres(),
        genre_list=genre_list,
    )


@dataclass(frozen=True, slots=True)
class _Ask:
    """What is asked about, and how the settings want it."""

    catalog: Catalog
    folders: Sequence[Path]
    settings: Settings
    sources: Mapping[str, Sourced]
    genre_list: GenreList


def _sound(ask: _Ask, min_tracks: int, most_learned: int | None) -> Sound:
    """Return what tells how tracks sound: the owner's other tracks, or else a model at hand."""
    try:
        require_learning()
        from tagger.learning import teaching

        networks = judging_networks(ask.catalog, ask.folders, ask.settings, ask.sources)
        n_tagged = _n_tagged(ask.catalog, networks[0], ask.folders)
        if most_learned is not None and n_tagged > most_learned:
            raise LearnError(f"{n_tagged} tracks are too many")
        lesson = teaching.gather(
            ask.catalog, networks, ask.folders, min_tracks=min_tracks, genre_list=ask.genre_list
        )
    except LearnError as exc:
        log.info("nothing is learned: %s", exc)
        cards = cards_to_believe(ask.catalog, ask.settings, ask.sources)
        return heard_by(ask.catalog, cards, ask.genre_list)
    return learned(teaching.judged(lesson))


def require_learning() -> None:
    """Check that what learning needs is installed, so that its modules can be imported.

    Raises:
        LearnError: it is not; the reason says how to get it.
    """
    try:
        import_module("tagger.learning.teaching")
    except ModuleNotFoundError as exc:
        if exc.name not in ("sklearn", "scipy", "threadpoolctl"):
            raise
        raise LearnError(
            f"this needs scikit-learn, which tagging does not: {how_to_install('scikit-learn')}"
        ) from exc


def cards_to_believe(
    catalog: Catalog, settings: Settings, sources: Mapping[str, Sourced]
) -> list[ModelCard]:
    """Return the cards of models at hand, that of the model in force first."""
    cards = [card for _, card in cards_at_hand((".pt", ".toml"), catalog.model_files())]
    try:
        first = read_card(model_in_force(catalog, settings, sources).path)
    except CheckpointError as exc:  # a doubt needs no model
        log.warning("%s", exc)
        return cards
    return [first, *(card for card in cards if card.model_id != first.model_id)]


def judging_networks(
    catalog: Catalog,
    folders: Sequence[Path],
    settings: Settings,
    sources: Mapping[str, Sourced],
) -> tuple[str, ...]:
    """Return the networks of the model named, or that which has heard most of the tagged tracks.

    Raises:
        LearnError: none has heard any of them.
        CheckpointError: the model named cannot be read.
    """
    if is_named(sources):
        return read_card(named_model(settings)).heard_by
    heard = {
        model.model_id: _n_tagged(catalog, model.model_id, folders) for model in catalog.models()
    }
    if not any(heard.values()):
        where = f" in {', '.join(map(printable, folders))}" if folders else ""
        raise LearnError(
            f"no track with a genre of yours has been heard yet{where}; run tagger learn or "
            "tagger tag --no-write on your music first"
        )
    # Of those that have heard all, the one that learns best.
    return (max(heard, key=lambda model_id: (heard[model_id], model_id.startswith(BEST))),)


def _n_tagged(catalog: Catalog, model_id: str, folders: Sequence[Path]) -> int:
    return sum(catalog.n_tagged(model_id, folder) for folder in folders or (None,))
