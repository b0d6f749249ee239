"""The feature file: read, checked, cleaned by rule, and split so that no artist stands twice."""

from __future__ import annotations

import zipfile
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from tagger.errors import DatasetError
from training import fma
from training.features import ROW_FRAMES

IntArray = NDArray[np.int64]
_N_TENTHS = 10


@dataclass(frozen=True)
class FeatureFile:
    """Feature rows and what is known of them.

    Args:
        mel: (n, n_mels, 128) uint8.
        genre: (n,) index into ``labels``.
        track_id: (n,).
        artist_id: (n,); each track its own where the file has none.
        labels: Names, in the order of ``genre``.
        has_artists: Whether the file told the artists.
        official: (n,) each track's part of a published split, where the file tells it.
        is_fma: Whether numbers and labels are the Free Music Archive's; of a file that does not
            tell its collection the labels do.
    """

    mel: NDArray[np.uint8]
    genre: IntArray
    track_id: IntArray
    artist_id: IntArray
    labels: tuple[str, ...]
    has_artists: bool = True
    official: NDArray[np.str_] | None = None
    is_fma: bool = False

    def __len__(self) -> int:
        return len(self.genre)

    def take(self, rows: IntArray) -> FeatureFile:
        """Return those rows only."""
        return replace(
            self,
            mel=self.mel[rows],
            genre=self.genre[rows],
            track_id=self.track_id[rows],
            artist_id=self.artist_id[rows],
            official=None if self.official is None else self.official[rows],
        )


@dataclass(frozen=True)
class Split:
    """Rows for fitting, for choosing (early stopping, calibration) and for reporting."""

    training: IntArray
    validation: IntArray
    test: IntArray

    def check_disjoint(self, artist_id: IntArray) -> None:
        """Refuse a split in which an artist stands on two sides.

        Raises:
            DatasetError: an artist does.
        """
        parts = [
            set(artist_id[rows].tolist()) for rows in (self.training, self.validation, self.test)
        ]
        for i, part in enumerate(parts):
            for other in parts[i + 1 :]:
                if part & other:
                    raise DatasetError(
                        f"artist {min(part & other)} stands on two sides of the split"
                    )


def load_features(path: Path) -> FeatureFile:
    """Read and check a feature file.

    Raises:
        DatasetError: it is missing, damaged, incomplete, or its arrays do not fit together.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as exc:
        raise DatasetError(f"not a feature file that can be read: {exc}", path) from exc
    missing = {"mel", "genre", "track_id", "labels"} - found.keys()
    if missing:
        raise DatasetError(f"lacks the arrays {', '.join(sorted(missing))}", path)
    problem = _shape_problem(found)
    if problem:
        raise DatasetError(problem, path)
    has_artists = "artist_id" in found
    labels = tuple(str(label) for label in found["labels"])
    features = FeatureFile(
        mel=found["mel"],
        genre=found["genre"].astype(np.int64),
        track_id=found["track_id"].astype(np.int64),
        artist_id=found["artist_id" if has_artists else "track_id"].astype(np.int64),
        labels=labels,
        has_artists=has_artists,
        official=found["split"].astype(np.str_) if "split" in found else None,
        is_fma=(
            str(found["collection"]) == fma.NAME
            if "collection" in found
            else set(labels) == set(fma.LABELS)
        ),
    )
    problem = _content_problem(features)
    if problem:
        raise DatasetError(problem, path)
    return features


def _shape_problem(found: dict[str, NDArray[np.generic]]) -> str | None:
    mel = found["mel"]
    if mel.dtype != np.uint8 or mel.ndim != 3 or mel.shape[2] != ROW_FRAMES:
        return f"mel must be (n, n_mels, {ROW_FRAMES}) uint8, not {mel.shape} {mel.dtype}"
    for name in ("genre", "track_id", "artist_id"):
        array = found.get(name)
        if array is None:
            continue
        if array.shape != mel.shape[:1] or array.dtype.kind not in "iu":
            return f"{name} must be ({len(mel)},) integers, not {array.shape} {array.dtype}"
    split = found.get("split")
    if split is not None and (split.shape != mel.shape[:1] or split.dtype.kind != "U"):
        return f"split must be ({len(mel)},) names, not {split.shape} {split.dtype}"
    return None


def _content_problem(features: FeatureFile) -> str | None:
    labels = features.labels
    if len(set(labels)) < len(labels) or not all(labels):
        return "labels must be distinct, non-empty names"
    if len(features) == 0:
        return "holds no tracks"
    if features.genre.min() < 0 or features.genre.max() >= len(labels):
        return f"genre must lie in 0..{len(labels) - 1}, one for each of the labels"
    if len(np.unique(features.track_id)) < len(features):
        return "a track_id stands twice"
    return None


def clean(features: FeatureFile) -> FeatureFile:
    """Leave out the known bad clips, and of identical clips all but the first.

    Identical clips that bear different genres are left out altogether: neither can be believed.
    """
    known_bad = fma.KNOWN_BAD_CLIPS if features.is_fma else ()
    keys = [row.tobytes() for row in features.mel]
    genres: dict[bytes, set[int]] = {}
    for key, genre in zip(keys, features.genre.tolist(), strict=True):
        genres.setdefault(key, set()).add(genre)
    seen: Counter[bytes] = Counter()
    kept = []
    for row, key in enumerate(keys):
        seen[key] += 1
        if seen[key] == 1 and len(genres[key]) == 1 and features.track_id[row] not in known_bad:
            kept.append(row)
    return features.take(np.array(kept, dtype=np.int64))


def split_by_artist(features: FeatureFile, seed: int, fold: int = 0) -> Split:
    """Split into eight tenths, a tenth and a tenth; no artist in two of them, genres balanced.

    Args:
        features: The tracks.
        seed: Which of the possible divisions into tenths.
        fold: Which tenth is the test set; the next one is for validation.

    Raises:
        DatasetError: there are too few artists, or tracks of a genre, to split.
    """
    tenths = folds_by_artist(features, _N_TENTHS, seed=seed)
    test, validation = tenths[fold % _N_TENTHS], tenths[(fold + 1) % _N_TENTHS]
    used = np.concatenate([test, validation])
    split = Split(np.setdiff1d(np.arange(len(features)), used), validation, test)
    split.check_disjoint(features.artist_id)
    return split


def folds_by_artist(features: FeatureFile, n_folds: int, *, seed: int) -> list[IntArray]:
    """Divide the rows into folds; no artist in two of them, genres balanced.

    Raises:
        DatasetError: there are too few artists, or tracks of a genre, to divide.
    """
    n_artists = len(np.unique(features.artist_id))
    if n_artists < n_folds:
        raise DatasetError(
            f"{n_artists} artists are too few for an artist-disjoint split (at least {n_folds})"
        )
    if len(np.unique(features.genre)) < 2:
        raise DatasetError("all tracks bear one genre: there is nothing to learn")
    if np.bincount(features.genre).max() < n_folds:
        raise DatasetError(f"no genre has as many as {n_folds} tracks: too few to split")
    folds = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
    return [rows for _, rows in folds.split(features.genre, features.genre, features.artist_id)]


def folds_at_random(features: FeatureFile, n_folds: int, *, seed: int) -> list[IntArray]:
    """Divide the rows into folds by chance, genres balanced, artists on both sides.

    Most published figures are of such splits; they flatter. For comparison only.
    """
    folds = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
    return [rows for _, rows in folds.split(features.genre, features.genre)]
