"""Records of runs and of the models that they used."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from tagger.records import RunSummary


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """A network that has heard tracks: its identity, labels and the length of its embeddings."""

    model_id: str
    architecture: str
    labels: tuple[str, ...]
    embedding_dim: int


@dataclass(frozen=True, slots=True)
class Remembered:
    """The model that a catalogue keeps for runs that name none.

    Args:
        model_id: Which it was.
        name: What ``--model`` calls it: a name, or the path of its file.
        is_own: It was learned here and made the catalogue's own, and not named by ``tag --model``.
    """

    model_id: str
    name: str
    is_own: bool


class ModelMemory(NamedTuple):
    """What a catalogue keeps of a model, so that it may be used again."""

    model_id: str
    file: bytes | None
    default_since: Any
    named_as: bytes | None

    @property
    def files(self) -> Iterable[Path]:
        """Where its checkpoint was, by all that is known."""
        found = (self.file, self.named_as)
        return (Path(os.fsdecode(one)) for one in found if one and one.startswith(b"/"))


def last_named(memories: Iterable[ModelMemory]) -> Remembered | None:
    """Return the model that was named last of all, or else made the catalogue's own."""
    latest: tuple[Any, Remembered] | None = None
    for one in memories:
        if one.named_as is not None:  # of one model alone, until another is made the own
            return Remembered(one.model_id, os.fsdecode(one.named_as), is_own=False)
        is_own = one.file is not None and one.default_since is not None
        if is_own and (latest is None or one.default_since > latest[0]):
            own = Remembered(one.model_id, os.fsdecode(one.file or b""), is_own=True)
            latest = (one.default_since, own)
    return None if latest is None else latest[1]


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run as recorded.

    Args:
        ended: None while it goes on, or if it was killed.
        paths: What it was asked to look at, for reading.
        n_standing: Tags that it wrote and that have not been taken back.
    """

    run_id: int
    command: str
    model_id: str | None
    started: datetime
    ended: datetime | None
    summary: RunSummary
    paths: tuple[str, ...] = ()
    n_standing: int = 0
