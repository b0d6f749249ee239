"""The albums that sound most like some tracks, of those that a person gave a genre."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from tagger.catalog import Ids, Reader, TrackRow, fold
from tagger.recommending.nearest import nearest_first
from tagger.recommending.similarity import unit_vectors

_MOST_ASKED = 50  # of the tracks; more say nothing new
_MOST_BATCHES = 2  # of the nearest tracks, that are looked through
_WHOLE = np.ones((1, 1), np.float32)


@dataclass(frozen=True, slots=True)
class NearAlbum:
    """An album, or a lone track, that sounds like others.

    Args:
        name: The album's, or the track's.
        artist: Whose it is, or "".
        genres: What a person calls the track of it that is nearest.
    """

    name: str
    artist: str
    genres: tuple[str, ...]


def nearest_albums(reader: Reader, track_ids: Sequence[int], n: int) -> list[NearAlbum]:
    """Return the albums with a person's genre that are nearest to the mean of some tracks.

    Args:
        reader: The catalogue.
        track_ids: The tracks.
        n: At most so many.
    """
    asked = list(track_ids[:_MOST_ASKED])
    model_id = next((model for model, _ in reader.embedded_by(asked)), None)
    if model_id is None:
        return []
    _, vectors = reader.vectors_of(model_id, np.array(asked, np.int64))
    among = np.setdiff1d(reader.tagged_by_persons(), track_ids)
    mean = unit_vectors(vectors).mean(axis=0)
    (nearest,) = nearest_first(reader, model_id, mean[None], _WHOLE, among)
    found: dict[tuple[str, ...], NearAlbum] = {}
    for row in _rows(reader, islice(nearest, _MOST_BATCHES)):
        found.setdefault(_album_of(row), _near(row))
        if len(found) == n:
            break
    return list(found.values())


def _rows(reader: Reader, nearest: Iterator[Ids]) -> Iterator[TrackRow]:
    """Yield the tracks that have not vanished, the nearest first."""
    for ids in nearest:
        tracks = reader.tracks(ids.tolist())
        yield from (tracks[n].row for n in ids.tolist() if n in tracks)


def _album_of(row: TrackRow) -> tuple[str, ...]:
    album = fold(row.tags.album.strip())
    artist = fold(row.tags.album_artist or row.artist)
    return (album, artist) if album else ("", str(row.path))


def _near(row: TrackRow) -> NearAlbum:
    name = row.tags.album.strip() or row.title.strip() or row.path.stem
    return NearAlbum(name, row.tags.album_artist or row.artist, row.genres)
