"""What there is to learn from, made up: tracks around centres, and a catalogue of such."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tagger.catalog import Catalog, CatalogEntry
from tagger.learning.examples import Examples
from tagger.records import TagsFound
from tests.catalogs import MODEL, Location, entry, filled, prediction

NAMES = ("Bebop", "Trip-Hop", "Tango")


def blobs(
    n_artists: int, names: int = 3, *, spread: float = 0.7, seed: int = 0, dim: int = 8
) -> Examples:
    """Tracks around a centre for each genre, four an artist."""
    rng = np.random.default_rng(seed)
    centres = np.eye(dim)[:names] * 3
    first = np.repeat(np.arange(n_artists) % names, 4)
    own = np.repeat(rng.normal(0, spread, (n_artists, dim)), 4, axis=0)
    vectors = (centres[first] + own + rng.normal(0, spread, own.shape)).astype(np.float32)
    truth = np.eye(names, dtype=np.bool_)[first]
    return Examples(vectors, truth, first, np.repeat(np.arange(n_artists), 4))


def tagged(
    name: str, number: int, genre: str, artist: str, audio: str | None = None
) -> CatalogEntry:
    tags = TagsFound((genre,), None, f"Title {number}", artist)
    return entry(name, number, tags=tags, genres=(), audio=audio)


def library(place: Location, *, wrong: int = 0) -> Catalog:
    """Ninety tracks of two genres that sound apart; the first ones bear the other's name."""
    rng = np.random.default_rng(0)
    found = []
    for n in range(90):
        is_dub = n % 2 == 0
        genre = "Dub" if is_dub != (n < wrong) else "Fado"
        one = tagged(f"{n:03d}.mp3", n, genre, f"Artist {n // 4}")
        vector = rng.normal(0, 0.5, MODEL.embedding_dim).astype(np.float32)
        vector[0] += 3 if is_dub else -3
        heard = replace(prediction(one.file.path, n), embedding=vector)
        found.append(replace(one, prediction=heard))
    return filled(place, *found)


def half_by_chance(n_tracks: int, seed: int) -> tuple[Examples, Examples]:
    """Twelve genres that sound a little apart, of which the last six are given by chance.

    Args:
        n_tracks: Of each genre, by artists of three each.
        seed: Of everything.

    Returns:
        Tracks to learn from, and 48 of each genre by other artists.
    """
    rng, dim, n_genres = np.random.default_rng(seed), 64, 12
    centres = rng.normal(0, 0.45, (n_genres, dim))

    def drawn(n_each: int) -> Examples:
        sound = np.repeat(np.arange(n_genres), n_each)
        artist = sound * n_each + np.tile(np.arange(n_each) // 3, n_genres)
        own = rng.normal(size=(artist.max() + 1, dim))[artist]
        vectors = (centres[sound] + own + rng.normal(size=own.shape)).astype(np.float32)
        first = sound.copy()
        first[sound >= n_genres // 2] = rng.permutation(first[sound >= n_genres // 2])
        return Examples(vectors, np.eye(n_genres, dtype=np.bool_)[first], first, artist)

    return drawn(n_tracks), drawn(48)
