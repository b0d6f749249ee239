"""Records of runs and of the models that they used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tagger.records import RunSummary


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """A network that has heard tracks: its identity, labels and the length of its embeddings."""

    model_id: str
    architecture: str
    labels: tuple[str, ...]
    embedding_dim: int


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
