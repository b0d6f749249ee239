"""Tracks that go together, in the order in which they are to be played."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate
from pathlib import Path

from tagger.catalog import Reader, TrackRow
from tagger.errors import CatalogError
from tagger.recommending.albums import Album, nearest_albums
from tagger.recommending.drawing import Draw
from tagger.recommending.ears import Ear, seed_of_paths
from tagger.recommending.playlist import Song
from tagger.recommending.reading import as_catalogued, places_in
from tagger.recommending.recipes import Recipe
from tagger.recommending.recommend import (
    SimilarQuery,
    path_between,
    recommend,
    spread,
    spread_out,
)
from tagger.recommending.seeds import Seed, from_mix, from_paths


def songs_of(reader: Reader, recipe: Recipe, ear: Ear | None) -> list[Song]:
    """Return what a playlist holds, in the order in which it is to be played.

    Args:
        reader: The catalogue.
        recipe: What it is made of.
        ear: The model to compare by; None is the one that suits.

    Raises:
        TaggerError: There is nothing to be named, or a playlist cannot be read.
    """
    before = [] if recipe.extend is None else _songs_in(reader, recipe, recipe.extend)
    never = [song.place for song in before]
    for playlist in recipe.exclude_playlist:
        never += [song.place for song in _songs_in(reader, recipe, playlist)]
    query = replace(
        recipe.query, without=frozenset(place for place in never if isinstance(place, Path))
    )
    draw = None if recipe.seed is None else Draw(recipe.seed)
    if recipe.first and recipe.last:
        rows = step_by_step(reader, (recipe.first, recipe.last), query, ear, draw)
    else:
        seed = _seed(reader, recipe, before, ear)
        last = before[-1].artist if before else ""
        rows = (
            whole_albums(reader, seed, query, draw)
            if recipe.albums
            else _near(reader, seed, query, draw, last)
        )
    return [*before, *map(Song.of, rows)]


def _songs_in(reader: Reader, recipe: Recipe, playlist: Path) -> list[Song]:
    """Return what a playlist names, as the catalogue tells it where it does."""
    songs = []
    for place in places_in(playlist, recipe.mapped):
        known = as_catalogued(reader, place) if isinstance(place, Path) else None
        track = None if known is None else reader.track_at(known)
        songs.append(Song(place) if track is None else Song.of(track.row))
    return songs


def _seed(reader: Reader, recipe: Recipe, before: Sequence[Song], ear: Ear | None) -> Seed:
    like = recipe.like or tuple(_heard(reader, before))
    if like:
        return seed_of_paths(reader, like, ear)
    if recipe.extend and not recipe.genres:
        raise CatalogError("none of its tracks was heard, so nothing goes with it", recipe.extend)
    return from_mix(reader, dict.fromkeys(recipe.genres, 1.0), ear.model_id if ear else None)


def _heard(reader: Reader, songs: Sequence[Song]) -> Iterator[Path]:
    """Yield the files among some songs that the catalogue can compare."""
    for song in songs:
        track = reader.track_at(song.place) if isinstance(song.place, Path) else None
        if track is not None and reader.embedded_by([track.track_id]):
            yield track.row.path


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
    recipe = Recipe(like=tuple(paths), genres=query.genres)
    return _near(reader, _seed(reader, recipe, (), ear), query)


def _near(
    reader: Reader, seed: Seed, query: SimilarQuery, draw: Draw | None = None, last: str = ""
) -> list[TrackRow]:
    n = query.n if draw is None else draw.pool(query.n)
    rows = [match.row for match in recommend(reader, seed, replace(query, n=n))]
    return spread(rows if draw is None else draw.some(rows, query.n), last)


def whole_albums(
    reader: Reader, seed: Seed, query: SimilarQuery, draw: Draw | None = None
) -> list[TrackRow]:
    """Return the tracks of whole albums, until there are as many as are asked for.

    Args:
        reader: The catalogue.
        seed: What they are to be like.
        query: Which tracks may lead to an album; at least so many tracks, since none is cut.
        draw: Takes some of the nearest, in place of the nearest.
    """
    albums = nearest_albums(reader, seed, query)
    chosen = _until(albums, query.n)
    if draw is not None:
        chosen = _until(draw.shuffled(albums[: draw.pool(len(chosen))]), query.n)
    ordered = spread_out([(album.artist, album) for album in chosen])
    return [row for _, album in ordered for row in album.tracks]


def _until(albums: Sequence[Album], n: int) -> list[Album]:
    """Return the first albums that have so many tracks together."""
    n_before = accumulate((len(album.tracks) for album in albums), initial=0)
    return [album for album, before in zip(albums, n_before, strict=False) if before < n]


def step_by_step(
    reader: Reader,
    ends: tuple[Path, Path],
    query: SimilarQuery,
    ear: Ear | None,
    draw: Draw | None = None,
) -> list[TrackRow]:
    """Return tracks that lead from one file to another, both among them."""
    by = ear.model_id if ear else None
    return path_between(reader, from_paths(reader, ends, by=by), query, draw)
