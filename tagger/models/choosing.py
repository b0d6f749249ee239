"""Which checkpoint a command uses: the one named, the catalogue's, or the bundled one."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING

from tagger.config import Settings, Sourced, models_folder
from tagger.errors import CheckpointError, printable
from tagger.models.card import ModelCard
from tagger.models.files import (
    BUNDLED,
    DEFAULT,
    find_base,
    find_model,
    is_stand_in,
    lost_network,
    name_of_file,
    read_card,
)
from tagger.models.onnx_card import network_beside

if TYPE_CHECKING:  # it brings SQLAlchemy, which questions to a catalogue do without
    from tagger.catalog import Catalog, Reader, Remembered

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


class ChosenBy(Enum):
    """Who chose a model."""

    NOBODY = auto()
    PERSON = auto()  # by an option, a variable or the config file
    LEARNING = auto()  # tagger learn --default
    MEMORY = auto()  # tagger tag --model, some time ago


@dataclass(frozen=True, slots=True)
class InForce:
    """The checkpoint to use with a catalogue, and who chose it."""

    path: Path
    chosen_by: ChosenBy

    @property
    def is_chosen(self) -> bool:
        """Whether somebody ever chose it."""
        return self.chosen_by is not ChosenBy.NOBODY

    @property
    def is_asked_to_hear_anew(self) -> bool:
        """Whether what only another model has heard is to be heard by it."""
        return self.chosen_by in (ChosenBy.PERSON, ChosenBy.LEARNING)


def model_in_force(
    catalog: Catalog | Reader, settings: Settings, sources: Mapping[str, Sourced]
) -> InForce:
    """Return the checkpoint to use with a catalogue: what is set always wins over its memory.

    Raises:
        CheckpointError: it is not there.
    """
    if is_named(sources):
        return InForce(named_model(settings), ChosenBy.PERSON)
    found = catalog.remembered_model()
    if found is None:
        return InForce(named_model(settings), ChosenBy.NOBODY)
    path = None if found.name == DEFAULT else remembered_file(found)
    lost = None if path is None else lost_network(path)
    if path is not None and lost is not None:
        log.warning(
            "%s is gone, on which %s was learned: using the default; put it back, or learn anew",
            printable(lost),
            name_of(path),
        )
        return InForce(named_model(settings), ChosenBy.NOBODY)
    if path is not None:
        return InForce(path, ChosenBy.LEARNING if found.is_own else ChosenBy.MEMORY)
    if found.is_own:
        raise CheckpointError(
            "this catalogue's own model is gone; make it anew (tagger learn --default PATH), or "
            "name another (--model default)",
            Path(found.name),
        )
    if found.name != DEFAULT:
        log.warning("%s, which tag --model named last, is gone: using the default", found.name)
    return InForce(named_model(settings), ChosenBy.NOBODY)


def remembered_file(found: Remembered) -> Path | None:
    """Return the file of a model that a catalogue keeps; None where it is gone."""
    try:
        return find_model(found.name, models_folder()).absolute()
    except CheckpointError:
        return None


def name_to_remember(settings: Settings) -> str:
    """Return what a catalogue keeps of the model that the settings name.

    Raises:
        CheckpointError: there is none.
    """
    # The default by its name, whatever file stands in for it now, or is it in a later version.
    return DEFAULT if settings.model == DEFAULT else name_of(named_model(settings))


def name_in_force(catalog: Catalog, settings: Settings, sources: Mapping[str, Sourced]) -> str:
    """Return what ``--model`` calls the model that a command uses which names none."""
    found = None if is_named(sources) else catalog.remembered_model()
    if found is None:
        return settings.model
    return name_of(Path(found.name)) if found.is_own else found.name


def cards_at_hand(
    kinds: Sequence[str], others: Iterable[Path] = ()
) -> Iterator[tuple[Path, ModelCard]]:
    """Yield the models learned and bundled, and then a catalogue's; not those damaged.

    Args:
        kinds: Endings of their files: ``.pt``, or ``.toml`` for networks that are heard as one.
        others: Where a catalogue's were, by all that it knows.
    """
    folders = (models_folder(), BUNDLED)
    files = [p for folder in folders for p in sorted(folder.glob("*")) if p.suffix in kinds]
    for path in dict.fromkeys((*files, *others)):
        is_only_a_card = path.suffix == ".toml" and network_beside(path) is not None
        if path.suffix in kinds and path.is_file() and not is_only_a_card:
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
    base = find_base(card)
    if base is None:
        raise CheckpointError(
            f"it was learned on {' and '.join(card.bases)}, by which no bundled model hears; name "
            "what it was learned on",
            path,
        )
    return base, read_card(base)
