"""What came of a run that compares networks: one small JSON file each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from tagger.errors import DatasetError, os_reason
from tagger.files.atomic import FileKind, replaced


@dataclass(frozen=True, slots=True)
class Result:
    """A network judged on tracks that it was not fitted on; shares are 0 to 1.

    Args:
        protocol: A name of ``training.protocols.PROTOCOLS``.
        variant: A name of ``training.plan.VARIANTS``.
        seed: Of the weights and of chance; the split does not depend on it.
        n_folds: Fits, each on all but one fold and judged on that; 0: one fit on one split.
        n_parameters: Of the network.
        n_training: Tracks fitted on; of folds their mean.
        n_validation: Tracks that chose the epoch; of folds 0.
        n_test: Tracks judged on; of folds all.
        n_shared_artists: Artists both fitted on and judged on; of folds their mean.
        epochs: Of each fit.
        seconds: Of all epochs of all fits, one core each.
        validation_accuracy: At the best epoch, or None.
        test_accuracies: Of each fit.
        accuracy: On all tracks judged on.
        accuracy_ci95: Of it, drawn over artists.
        macro_f1: Of it.
        settings: All of them, as plain values.
        identity: A digest of settings and tracks, by which a run is known again.
        features: The feature file's name.
        versions: {library: version}.
    """

    protocol: str
    variant: str
    seed: int
    n_folds: int
    n_parameters: int
    n_training: int
    n_validation: int
    n_test: int
    n_shared_artists: int
    epochs: list[int]
    seconds: float
    validation_accuracy: float | None
    test_accuracies: list[float]
    accuracy: float
    accuracy_ci95: list[float]
    macro_f1: float
    settings: Mapping[str, Any]
    identity: str
    features: str
    versions: Mapping[str, str]

    @property
    def seconds_an_epoch(self) -> float:
        """Mean over all epochs of all fits."""
        return self.seconds / sum(self.epochs)


def save_result(result: Result, path: Path) -> None:
    """Write a result; a kill leaves no half of one.

    Raises:
        DatasetError: it cannot be written.
    """
    with replaced(path, _RESULT) as draft:
        draft.write_text(json.dumps(asdict(result), indent=1) + "\n", encoding="utf-8")


_RESULT = FileKind(b"", "", DatasetError)


def load_result(path: Path) -> Result:
    """Read a result.

    Raises:
        DatasetError: it is none, or cannot be read.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise DatasetError(os_reason(exc), path) from exc
    except ValueError as exc:  # of UTF-8 and of JSON
        raise DatasetError(f"not JSON: {exc}", path) from exc
    names = {field.name for field in fields(Result)}
    if not isinstance(values, dict) or values.keys() != names:
        raise DatasetError("not a result of compare, or one of another version of it", path)
    return Result(**values)


def load_results(folder: Path) -> list[Result]:
    """Read all results of a folder.

    Raises:
        DatasetError: there are none, or one cannot be read.
    """
    paths = sorted(folder.glob("*.json"))
    if not paths:
        raise DatasetError("holds no results of compare", folder)
    return [load_result(path) for path in paths]
