"""By which model tracks are compared, and seeds of files, which are heard by it if they are new."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tagger.catalog import Reader
from tagger.config import Settings, Sourced
from tagger.errors import AudioDecodeError, CatalogError, CheckpointError
from tagger.files.paths import absolute
from tagger.models.choosing import cards_at_hand, is_named, named_model, remembered_file
from tagger.models.files import DEFAULT, find_model, networks_of, read_card
from tagger.nets import tell
from tagger.recommending.seeds import Seed, compared_by, comparing_all, from_paths
from tagger.records import TrackFailure, TrackPrediction

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ear:
    """A model to compare by.

    Args:
        model_id: Whose embeddings are compared.
        path: A checkpoint that makes such embeddings.
    """

    model_id: str
    path: Path


def chosen_ear(reader: Reader, settings: Settings, sources: Mapping[str, Sourced]) -> Ear | None:
    """Return the model that the user named to compare by, or None.

    Of several networks that are heard as one it is the leading one; of a learned model that has
    heard nothing here, the network that it hears with. What is set once and for all counts where
    it has heard anything; what an option names always does.

    Raises:
        CheckpointError: there is no such model.
    """
    if not is_named(sources):
        return None
    ear, has_heard = _ear_of(reader, named_model(settings))
    return ear if has_heard or sources["model"].source == "option" else None


def _ear_of(reader: Reader, path: Path) -> tuple[Ear, bool]:
    """Return the ear of a model, or of the network it leads by, and whether it has heard here."""
    card = read_card(path)
    ids = (card.model_id, *card.bases[:1])
    model_id = next((one for one in ids if reader.has_embeddings(one)), None)
    leading = networks_of(card, path)[card.bases[0]] if card.is_joint else path
    return Ear(model_id or ids[-1], leading), model_id is not None


def seed_of_paths(reader: Reader, paths: Sequence[Path], ear: Ear | None) -> Seed:
    """Return the seed of some files; those that the catalogue does not know are heard now.

    Args:
        reader: The catalogue.
        paths: The files.
        ear: The model to compare by; None is the one that suits the files and the catalogue.
    """
    asked = list(map(absolute, paths))
    known = {path: reader.track_at(path) for path in asked}
    new = [p for p, track in known.items() if track is None and reader.failure_at(p) is None]
    for path in new:
        _check_is_file(path)
    if new and ear is None:
        ids = [track.track_id for track in known.values() if track is not None]
        ear = _comparing_ear(reader, ids)
    heard = {path: _hear(path, ear.path) for path in new} if ear else {}
    return from_paths(reader, asked, heard, ear.model_id if ear else None)


def _comparing_ear(reader: Reader, track_ids: Sequence[int]) -> Ear:
    """Return the model by which tracks, or else most of a catalogue, can be compared.

    Raises:
        CatalogError: none such is at hand.
    """
    remembered = None if track_ids else _remembered_ear(reader)
    if remembered is not None:
        return remembered
    at_hand = _at_hand(reader.model_files())
    best = compared_by(reader, track_ids) or comparing_all(reader)
    if best is None:  # nothing was heard yet
        default = find_model("default")
        return Ear(read_card(default).model_id, default)
    if best in at_hand:
        return Ear(best, at_hand[best])
    next_best = compared_by(reader, track_ids, at_hand) or comparing_all(reader, at_hand)
    if next_best is None:
        raise CatalogError(
            f"these tracks were heard by {best}, whose file is not at hand; name it with --model, "
            "or let another model hear them (tagger tag --refresh)"
        )
    return Ear(next_best, at_hand[next_best])


def _remembered_ear(reader: Reader) -> Ear | None:
    """Return the ear of the model that the catalogue keeps, if it is at hand and has heard here."""
    found = reader.remembered_model()
    path = None if found is None or found.name == DEFAULT else remembered_file(found)
    if path is None:
        return None
    try:
        ear, has_heard = _ear_of(reader, path)
    except CheckpointError as exc:  # tracks can be compared by what else is at hand
        log.warning("%s", exc)
        return None
    return ear if has_heard else None


def _at_hand(others: Sequence[Path]) -> dict[str, Path]:
    """Return {model_id: checkpoint} of the models bundled and learned, and the catalogue's."""
    return {card.model_id: path for path, card in cards_at_hand((".pt",), others)}


def _check_is_file(path: Path) -> None:
    if not path.is_file():
        what = "a folder; name a track" if path.is_dir() else "no such file"
        raise CatalogError(
            f"it is not in the catalogue (tagger tag puts it there), and it is {what}", path
        )


def _hear(path: Path, model: Path) -> TrackPrediction:
    """Return what a model hears in a file; nothing of it is kept."""
    from tagger.hearing.analysis import analyse_file

    heard = analyse_file(path, model)
    if isinstance(heard, TrackFailure):
        tell(path, heard.trace)
        raise AudioDecodeError(heard.reason, path)
    return heard
