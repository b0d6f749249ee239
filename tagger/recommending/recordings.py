"""Whether two tracks are the same recording: by their sound, their ids, their names, their vectors.

Nobody wants a song twice in a row because it is there as FLAC and as MP3, or on the album and on
the best-of.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator

import numpy as np

from tagger.catalog import HeardTrack, fold
from tagger.recommending.similarity import NEAR_IDENTICAL
from tagger.records import FloatArray
from tagger.tag_fields import first_code, first_lowered

# Copies of a recording differ so much by leading silence and an encoder's padding; other takes,
# live or remixed, mostly by more.
SAME_LENGTH_S = 3.0


class Recordings:
    """The recordings named so far, to be asked whether a track is one of them."""

    def __init__(self) -> None:
        self._ids: set[Hashable] = set()
        self._lengths: dict[Hashable, list[float | None]] = defaultdict(list)
        self._unit_vectors: list[FloatArray] = []
        self._their_lengths: list[float | None] = []

    def add(self, track: HeardTrack, unit_vector: FloatArray) -> None:
        """Note a track's recording; its unit vector is its embedding's (embedding_dim,)."""
        self._ids.update(_ids(track))
        if (name := _name(track)) is not None:
            self._lengths[name].append(track.row.duration_s)
        self._unit_vectors.append(unit_vector)
        self._their_lengths.append(track.row.duration_s)

    def hold(self, track: HeardTrack, unit_vector: FloatArray) -> bool:
        """Return whether a track is one of these recordings."""
        length_s = track.row.duration_s
        if not self._ids.isdisjoint(_ids(track)):
            return True
        name = _name(track)
        if name in self._lengths and any(_alike(length_s, x) for x in self._lengths[name]):
            return True
        return self._sound_like(unit_vector, length_s)

    def _sound_like(self, unit_vector: FloatArray, length_s: float | None) -> bool:
        if not self._unit_vectors:
            return False
        near = np.flatnonzero(np.stack(self._unit_vectors) @ unit_vector >= NEAR_IDENTICAL)
        return any(_alike(length_s, self._their_lengths[i]) for i in near)


def _ids(track: HeardTrack) -> Iterator[Hashable]:
    if track.audio:
        yield "audio", track.audio
    tags = track.row.tags
    if tags.mb_recording:
        yield "musicbrainz", first_lowered([tags.mb_recording])
    if tags.isrc:
        yield "isrc", first_code([tags.isrc])


def _name(track: HeardTrack) -> Hashable | None:
    artist, title = fold(track.row.artist).strip(), fold(track.row.title).strip()
    return (artist, title) if artist and title else None


def _alike(length_s: float | None, other_s: float | None) -> bool:
    return length_s is None or other_s is None or abs(length_s - other_s) <= SAME_LENGTH_S
