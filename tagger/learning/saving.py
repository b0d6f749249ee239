"""Keeping a model that was learned from a person's genres, so that later runs find it."""

from __future__ import annotations

from pathlib import Path

from tagger.catalog import ModelRecord
from tagger.config import models_folder
from tagger.errors import CheckpointError
from tagger.files.atomic import replaced
from tagger.models.card import ModelCard
from tagger.models.files import read_card


def is_learned(path: Path) -> bool:
    """Return whether a file is a model that was learned, which another one may replace."""
    try:
        return path.is_file() and read_card(path).head is not None
    except CheckpointError:
        return False


def keep_before(target: Path, card: ModelCard) -> Path | None:
    """Copy the learned model that another one is to replace to a file beside it.

    Args:
        target: Its file.
        card: Of the one that replaces it.

    Returns:
        The copy, ``mine.before.pt`` of ``mine.pt``; None where there is none, or the same.

    Raises:
        TaggerError: It cannot be copied.
    """
    if not is_learned(target) or read_card(target).model_id == card.model_id:
        return None
    copy = target.with_name(f"{target.stem}.before{target.suffix}")
    with replaced(copy) as draft:
        draft.write_bytes(target.read_bytes())
    return copy


def save_learned(target: Path, base_path: Path, card: ModelCard) -> None:
    """Write a learned model's checkpoint, whole or not at all.

    Args:
        target: Where to.
        base_path: The model whose embeddings it was learned on.
        card: Its card, with its head.

    Raises:
        CheckpointError: The base cannot be read, or the new one cannot be written.
    """
    from tagger.models.checkpoint import save_with_head

    if target.parent == models_folder():
        target.parent.mkdir(parents=True, exist_ok=True)
    save_with_head(target, base_path, card)


def record_of(card: ModelCard) -> ModelRecord:
    """Return what a catalogue keeps of a learned model."""
    dim = int(card.network["embedding_dim"])
    return ModelRecord(card.model_id, card.architecture, card.labels, dim)
