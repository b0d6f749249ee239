"""The protocols by which networks are compared: which tracks are fitted on, and which judge."""

from __future__ import annotations

import numpy as np

from tagger.errors import ConfigError, DatasetError
from training.dataset import (
    FeatureFile,
    IntArray,
    Split,
    folds_at_random,
    folds_by_artist,
    split_by_artist,
)
from training.fma import SPLITS

PROTOCOLS = {
    "artist": "no artist on two sides",
    "random": "tracks drawn at random, duplicates left out: what most papers use",
    "official": "the training, validation and test sets that FMA Small was published with",
}
# One division for all networks and seeds: its differences must be those of the networks.
_SPLIT_SEED = 1
# Of its tenths this and the next hold no artist of more than 39 tracks; in the first, whatever the
# seed, a quarter of the tracks are one artist's, who would decide.
_TEST_TENTH = 8
_N_TENTHS = 10


def split_by(protocol: str, features: FeatureFile) -> Split:
    """Return the one split of a protocol.

    Raises:
        ConfigError: there is no such protocol.
        DatasetError: the features cannot be split so.
    """
    if protocol == "artist":
        return split_by_artist(features, _SPLIT_SEED, _TEST_TENTH)
    if protocol == "random":
        tenths = folds_at_random(features, _N_TENTHS, seed=_SPLIT_SEED)
        test, validation = tenths[_TEST_TENTH], tenths[_TEST_TENTH + 1]
        rest = np.setdiff1d(np.arange(len(features)), np.concatenate([test, validation]))
        return Split(rest, validation, test)
    if protocol == "official":
        return _official(features)
    raise ConfigError(f"no protocol {protocol!r}: {', '.join(PROTOCOLS)}")


def folds_by(protocol: str, features: FeatureFile, n_folds: int) -> list[Split]:
    """Return the splits of a cross-validation; nothing is held out to choose an epoch.

    Raises:
        ConfigError: the protocol is one that has no folds.
        DatasetError: the features cannot be divided so.
    """
    makers = {"artist": folds_by_artist, "random": folds_at_random}
    if protocol not in makers:
        raise ConfigError(f"folds go with the protocols {' and '.join(makers)}, not {protocol}")
    rows = np.arange(len(features))
    nothing: IntArray = np.zeros(0, dtype=np.int64)
    folds = makers[protocol](features, n_folds, seed=_SPLIT_SEED)
    return [Split(np.setdiff1d(rows, fold), nothing, fold) for fold in folds]


def n_shared_artists(split: Split, artist_id: IntArray) -> int:
    """Return how many artists of the test tracks are among those fitted on as well."""
    return len(np.intersect1d(artist_id[split.training], artist_id[split.test]))


def _official(features: FeatureFile) -> Split:
    rows: list[IntArray] = [np.flatnonzero(features.official == name) for name in SPLITS]
    missing = [name for name, part in zip(SPLITS, rows, strict=True) if not len(part)]
    if missing:
        raise DatasetError(
            f"the feature file names no {' or '.join(missing)} tracks of the official split; "
            "prepare --fma makes one that does"
        )
    return Split(*rows)
