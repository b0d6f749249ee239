"""Which tracks are nearest to a point: told by the catalogue's database, or found here by numpy."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tagger.catalog import Ids, Reader, growing_sizes
from tagger.errors import CatalogError
from tagger.recommending.similarity import cosine_similarity
from tagger.records import FloatArray


def nearest_first(
    reader: Reader, model_id: str, targets: FloatArray, shares: FloatArray, among: Ids | None
) -> list[Iterator[Ids]]:
    """Return, for each of some points, all tracks in batches that grow, the nearest first.

    Args:
        reader: The catalogue.
        model_id: Whose embeddings are compared.
        targets: (n_targets, embedding_dim) directions, or means of several.
        shares: (n_points, n_targets) how much of each target makes a point.
        among: Only these tracks; None for any.

    Raises:
        CatalogError: There are no embeddings of that model.
    """
    if not reader.has_embeddings(model_id):
        raise CatalogError(
            f"no track was heard by that model ({model_id}), and embeddings of two models cannot "
            "be compared; name the catalogue's with --model"
        )
    search = reader.search(model_id)
    if search is not None:
        return [search(point, among) for point in shares @ targets]
    ids, alike = _compared(reader, model_id, targets, among)
    return [_highest_first(ids, alike @ share) for share in shares]


def _compared(
    reader: Reader, model_id: str, targets: FloatArray, among: Ids | None
) -> tuple[Ids, FloatArray]:
    """Return the tracks and their cosine similarity to each target: (n,), (n, n_targets)."""
    ids, alike = [], []
    for block_ids, vectors in reader.blocks(model_id):
        ids.append(block_ids)
        alike.append(cosine_similarity(vectors, targets))
    all_ids, all_alike = np.concatenate(ids), np.concatenate(alike)
    is_wanted = all_ids > 0
    if among is not None:
        is_wanted &= np.isin(all_ids, among)
    return all_ids[is_wanted], all_alike[is_wanted]


def _highest_first(ids: Ids, scores: FloatArray) -> Iterator[Ids]:
    """Yield all ids in batches that grow, those of the highest scores first."""
    left, n_left = scores.copy(), len(scores)
    for most in growing_sizes():
        size = min(most, n_left)
        if not size:
            return
        top = np.argpartition(-left, size - 1)[:size]
        batch = top[np.lexsort((ids[top], -left[top]))]
        yield ids[batch]
        left[batch] = -np.inf
        n_left -= size
