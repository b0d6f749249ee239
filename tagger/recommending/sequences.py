"""Tracks that go together, in the order in which they are to be played."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tagger.catalog import Reader, TrackRow
from tagger.recommending.ears import Ear, seed_of_paths
from tagger.recommending.recipes import Recipe
from tagger.recommending.recommend import SimilarQuery, path_between, recommend, spread
from tagger.recommending.seeds import from_mix, from_paths


def tracks_of(reader: Reader, recipe: Recipe, ear: Ear | None) -> list[TrackRow]:
    """Return the tracks of a playlist, in the order in which they are to be played.

    Args:
        reader: The catalogue.
        recipe: What it is made of.
        ear: The model to compare by; None is the one that suits.
    """
    if recipe.first and recipe.last:
        return step_by_step(reader, (recipe.first, recipe.last), recipe.query, ear)
    return alike(reader, recipe.like, recipe.query, ear)


def alike(
    reader: Reader, paths: Sequence[Path], query: SimilarQuery, ear: Ear | None
) -> list[TrackRow]:
    """Return tracks like some files or, where none is named, of the genres that are asked for.

    Args:
        reader: The catalogue.
        paths: The files.
        query: Which tracks may be named.
        ear: The model to compare by; None is the one that suits them.
    """
    if paths:
        seed = seed_of_paths(reader, paths, ear)
    else:
        by = ear.model_id if ear else None
        seed = from_mix(reader, dict.fromkeys(query.genres, 1.0), by)
    return spread([match.row for match in recommend(reader, seed, query)])


def step_by_step(
    reader: Reader, ends: tuple[Path, Path], query: SimilarQuery, ear: Ear | None
) -> list[TrackRow]:
    """Return tracks that lead from one file to another, both among them."""
    by = ear.model_id if ear else None
    return path_between(reader, from_paths(reader, ends, by=by), query)
