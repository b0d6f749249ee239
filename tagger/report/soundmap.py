"""The map of a library: where its tracks lie, near to each other where they sound alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tagger.catalog import Catalog
from tagger.records import FloatArray
from tagger.report.facts import ListedTrack, SoundMap
from tagger.report.projection import fitted

FEWEST_DOTS = 3  # of fewer there is nothing to see
_MOST_FITTED = 3000  # tracks that the two directions are found by
_AT_ONCE = 4096  # embeddings in memory


def sound_map(
    catalog: Catalog, model_id: str | None, tracks: Sequence[ListedTrack]
) -> SoundMap | None:
    """Return the map of the tracks that a model has heard; None where they are too few."""
    heard = sorted(track.track_id for track in tracks if track.track_id is not None)
    if model_id is None or len(heard) < FEWEST_DOTS:
        return None
    step = -(-len(heard) // _MOST_FITTED)
    sample = dict(_vectors(catalog, model_id, heard[::step]))
    if not sample:
        return None
    plane = fitted(np.stack(list(sample.values())))
    found: dict[int, tuple[float, float]] = {}
    for start in range(0, len(heard), _AT_ONCE):
        known = dict(_vectors(catalog, model_id, heard[start : start + _AT_ONCE]))
        if known:
            lies = plane.places(np.stack(list(known.values()))).tolist()
            found |= {track_id: (x, y) for track_id, (x, y) in zip(known, lies, strict=True)}
    if len(found) < FEWEST_DOTS:
        return None
    places = tuple(found.get(one.track_id) if one.track_id else None for one in tracks)
    return SoundMap(model_id, places, plane.explained)


def _vectors(
    catalog: Catalog, model_id: str, track_ids: Sequence[int]
) -> Iterator[tuple[int, FloatArray]]:
    """Yield the embeddings that hold numbers."""
    for track_id, vector in catalog.vectors(model_id, track_ids).items():
        if np.isfinite(vector).all():
            yield track_id, vector
