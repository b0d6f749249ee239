"""Which checkpoint a command uses: the one named, the catalogue's own, or the bundled one."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tagger.config import Settings, Sourced, models_folder
from tagger.errors import CheckpointError
from tagger.models.card import ModelCard
from tagger.models.files import (
    BUNDLED,
    DEFAULT,
    find_bundled,
    find_model,
    is_stand_in,
    name_of_file,
    read_card,
)

if TYPE_CHECKING:  # it brings SQLAlchemy, which questions to a catalogue do without
    from tagger.catalog import Catalog

log = logging.getLogger(__name__)


def is_named(sources: Mapping[str, Sourced]) -> bool:
    """Return whether the user said which model to use."""
    return sources["model"].source != "default"


def named_model(settings: Settings) -> Path:
    """Return the checkpoint that the settings name: bundled, learned, or a file.

    Raises:
        CheckpointError: there is none.
    """
    path = find_model(settings.model, models_folder()).absolute()
    if settings.model == DEFAULT and is_stand_in(path):
        log.warning(
            "the network of the default model is not there: hearing with %s", name_of_file(path)
        )
    return path


def model_in_force(
    catalog: Catalog, settings: Settings, sources: Mapping[str, Sourced]
) -> tuple[Path, bool]:
    """Return the checkpoint to use with a catalogue, and whether a person chose it.

    Raises:
        CheckpointError: it is not there.
    """
    own = None if is_named(sources) else catalog.default_model()
    if own is None:
        return named_model(settings), is_named(sources)
    if not own.is_file():
        raise CheckpointError(
            "this catalogue's own model is gone; make it anew (tagger learn --default PATH), or "
            "name another (--model default)",
            own,
        )
    return own, True


def cards_at_hand(
    kinds: Sequence[str], own: Path | None = None
) -> Iterator[tuple[Path, ModelCard]]:
    """Yield the models learned and bundled, and then a catalogue's own; not those damaged.

    Args:
        kinds: Endings of their files: ``.pt``, or ``.toml`` for networks that are heard as one.
        own: The catalogue's own, if it has one.
    """
    folders = (models_folder(), BUNDLED)
    files = [p for folder in folders for p in sorted(folder.glob("*")) if p.suffix in kinds]
    for path in (*files, own):
        if path is not None and path.is_file():
            try:
                yield path, read_card(path)
            except CheckpointError as exc:
                log.warning("%s", exc)


def name_of(path: Path) -> str:
    """Return what ``--model`` calls a model: by its name alone where it is looked for by that."""
    return name_of_file(path) if path.parent in (models_folder(), BUNDLED) else str(path)


def base_of(path: Path) -> tuple[Path, ModelCard]:
    """Return the model that a checkpoint's embeddings come from, and its card.

    Raises:
        CheckpointError: the checkpoint was learned, and no model that hears as it does is bundled.
    """
    card = read_card(path)
    if card.head is None:
        return path, card
    base = find_bundled(*card.bases)
    if base is None:
        raise CheckpointError(
            f"it was learned on {' and '.join(card.bases)}, by which no bundled model hears; name "
            "what it was learned on",
            path,
        )
    return base, read_card(base)
