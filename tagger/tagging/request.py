"""What a run is asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tagger.files.scan import ScanOptions
from tagger.models.card import ModelCard
from tagger.tagging.decision import GenrePolicy, Intent
from tagger.tags import SAFE_WAYS, Ways


@dataclass(frozen=True, slots=True)
class TagRequest:
    """What a run is asked to do.

    Args:
        paths: Folders and files.
        model_path: The checkpoint.
        card: Its card.
        policy: Which labels may be written.
        intent: Overwrite, write, dry run.
        scan: What is left out of the walk.
        n_jobs: Worker processes.
        by_album: An album's tracks vote together.
        force: Analyse again what is known, and write again what was taken back.
        refresh: Analyse what only another model has heard; else that is left as it is.
        provenance: Write our own field beside the genre.
        preserve_mtime: Keep the time of change of files written.
        ways: How files may be written.
        timeout_s: Seconds after which a track counts as hung.
        scheduler: Address of a Dask cluster that analyses in place of processes here.
        command: What the user asked for, for the list of runs.
    """

    paths: tuple[Path, ...]
    model_path: Path
    card: ModelCard
    policy: GenrePolicy
    intent: Intent
    scan: ScanOptions
    n_jobs: int
    by_album: bool = True
    force: bool = False
    refresh: bool = True
    provenance: bool = True
    preserve_mtime: bool = False
    ways: Ways = SAFE_WAYS
    timeout_s: float = 60.0
    scheduler: str = ""
    command: str = "tag"
