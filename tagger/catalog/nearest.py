"""The tracks whose embeddings are nearest to a target, whatever the catalogue is kept in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from tagger.catalog import embeddings, queries
from tagger.catalog.rows import TrackQuery
from tagger.records import FloatArray

Nearest = list[tuple[int, float]]
"""(track_id, similarity), the most similar first"""


@dataclass(frozen=True, slots=True)
class Measure:
    """How embeddings are compared: by the inner product of what is made of each.

    Args:
        name: Another measure has another name; what a database keeps for one goes by it.
        points: Makes of embeddings (n, embedding_dim) what is compared, of the same shape.
    """

    name: str
    points: Callable[[NDArray[np.floating]], FloatArray]


@dataclass(frozen=True, slots=True)
class NearestQuery:
    """Which tracks to look for.

    Args:
        model_id: Whose embeddings.
        target: (embedding_dim,) float32, a point or the mean of several.
        n: At most so many.
        measure: How they are compared.
        among: Only these tracks; its sort and limit do not matter.
    """

    model_id: str
    target: FloatArray
    n: int
    measure: Measure
    among: TrackQuery = field(default_factory=TrackQuery)


def in_blocks(connection: Connection, query: NearestQuery) -> Nearest:
    """Look through all embeddings of a model, a block at a time."""
    ids, scores = [np.empty(0, np.int64)], [np.empty(0, np.float32)]
    for _, track_ids, vectors in embeddings.stream(connection, query.model_id):
        ids.append(track_ids)
        scores.append(query.measure.points(vectors) @ query.target)
    found, similar = np.concatenate(ids), np.concatenate(scores)
    is_wanted = np.isin(found, queries.track_ids(connection, query.among))  # 0 is none of them
    found, similar = found[is_wanted], similar[is_wanted]
    order = np.lexsort((found, -similar))[: query.n]
    return list(zip(found[order].tolist(), similar[order].tolist(), strict=True))
