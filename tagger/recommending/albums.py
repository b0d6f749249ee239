"""Whole albums that go with a seed, each in its own order."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tagger.catalog import HeardTrack, Ids, Reader, TrackRow, fold
from tagger.errors import CatalogError
from tagger.recommending.recommend import SimilarQuery, recommend
from tagger.recommending.recordings import Recordings
from tagger.recommending.seeds import Seed
from tagger.recommending.similarity import unit_vectors
from tagger.records import FloatArray

# Albums are looked for among the nearest tracks; so many for each that is wanted, and at least.
_TRACKS_LOOKED_AT, _AT_LEAST = 8, 200


@dataclass(frozen=True, slots=True)
class Album:
    """An album, and how near it is.

    Args:
        tracks: In the order of the album.
        artist: Whose it is, folded; "" if several made it.
        similarity: The mean of its tracks'.
    """

    tracks: tuple[TrackRow, ...]
    artist: str
    similarity: float


def nearest_albums(reader: Reader, seed: Seed, query: SimilarQuery) -> list[Album]:
    """Return the albums with tracks near to a seed, the nearest first; never a seed's own.

    Args:
        reader: The catalogue.
        seed: Where to look from.
        query: Which tracks may lead to an album; ``max_per_artist`` counts albums.

    Raises:
        CatalogError: There is none.
    """
    n = max(_AT_LEAST, _TRACKS_LOOKED_AT * query.n)
    near = recommend(reader, seed, replace(query, n=n, max_per_artist=None))
    wanted = {_key(match.row) for match in near} - {_key(one.row) for one in seed.tracks} - {None}
    ids = reader.of_albums([match.row.tags.album for match in near if match.row.tags.album])
    members = defaultdict(list)
    for track in reader.tracks(ids.tolist()).values():
        if track.row.path not in query.without:
            members[_key(track.row)].append(track)
    pointing = _pointing(reader, seed.model_id, ids)
    albums = [_album(members[key], pointing, seed) for key in wanted]
    nearest = sorted(albums, key=lambda one: (-one.similarity, one.tracks[0].path))
    if not nearest:
        raise CatalogError("no track that is near has an album in its tags")
    return list(_at_most(nearest, query.max_per_artist))


def _key(row: TrackRow) -> Hashable:
    """Return what the tracks of an album have in common; None of a track without one."""
    tags = row.tags
    if not tags.album:
        return None
    # Albums of one name by several artists: whose they are says the tag, or else the folder.
    owner = fold(tags.album_artist) if tags.album_artist else row.path.parent
    return tags.mb_album or (fold(tags.album), owner)


def _pointing(reader: Reader, model_id: str, ids: Ids) -> Mapping[int, FloatArray]:
    found, vectors = reader.vectors_of(model_id, ids)
    return dict(zip(found.tolist(), unit_vectors(vectors), strict=True))


def _album(members: list[HeardTrack], pointing: Mapping[int, FloatArray], seed: Seed) -> Album:
    ordered = sorted(members, key=lambda one: (one.row.tags.disc or 0, _natural(one.row.path)))
    named, tracks = Recordings(), []
    for one in ordered:
        where = pointing.get(one.track_id)
        if where is None:
            tracks.append(one.row)
        elif not named.hold(one, where):  # nor the same song as FLAC and as MP3
            named.add(one, where)
            tracks.append(one.row)
    near = [
        float(pointing[one.track_id] @ seed.target) for one in members if one.track_id in pointing
    ]
    artists = {fold(row.tags.album_artist or row.artist) for row in tracks}
    artist = artists.pop() if len(artists) == 1 else ""
    return Album(tuple(tracks), artist, float(np.mean(near)))


def _natural(path: Path) -> list[tuple[int, str]]:
    """Return what sorts names as people do: track 2 before track 10."""
    parts = re.split(r"(\d+)", str(path))
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def _at_most(albums: Iterable[Album], most: int | None) -> Iterator[Album]:
    counts: Counter[str] = Counter()
    for album in albums:
        if most is None or not album.artist or counts[album.artist] < most:
            counts[album.artist] += 1
            yield album
