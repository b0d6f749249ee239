"""What recommendations start from: tracks, an artist, a mix of genres, or a file heard just now.

Each comes down to a target among one model's embeddings, and what must not be recommended.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tagger.catalog import Embedder, HeardTrack, Ids, Reader
from tagger.errors import CatalogError
from tagger.reasons import Reason
from tagger.recommending.similarity import FINER_EARS, unit_vectors
from tagger.records import FloatArray, TrackPrediction

# Enough to know where a genre or an artist lies; a large library has hundreds of thousands.
_SAMPLED = 500
# A model that knows less of the library than that, next to another, would hide the rest of it.
_NEARLY_ALL = 0.9
_SUGGESTED = 8


@dataclass(frozen=True, slots=True)
class Seed:
    """Where to look from.

    Args:
        model_id: Whose embeddings these are.
        unit_vectors: (n_seeds, embedding_dim), one a track.
        weights: (n_seeds,) what each counts, summing to 1.
        tracks: The seeds that are in the catalogue, in the order of ``unit_vectors``; () for a mix
            of genres, of which every track may be named.
        genres: Of the seeds.
    """

    model_id: str
    unit_vectors: FloatArray
    weights: FloatArray
    tracks: tuple[HeardTrack, ...] = ()
    genres: tuple[str, ...] = ()

    @property
    def target(self) -> FloatArray:
        """What times a unit vector is its mean similarity to the seeds, (embedding_dim,)."""
        target: FloatArray = self.weights @ self.unit_vectors
        return target


def from_paths(
    reader: Reader,
    paths: Sequence[Path],
    heard: Mapping[Path, TrackPrediction] | None = None,
    by: str | None = None,
) -> Seed:
    """Return the seed of some tracks, each counting alike.

    Args:
        reader: The catalogue.
        paths: Their files.
        heard: What was heard just now in those that the catalogue does not know.
        by: The model to compare by; None is the one that heard those, or else that suits the rest.

    Raises:
        CatalogError: One is not known, has no embedding, or one by another model only.
    """
    heard = heard or {}
    tracks = {path: _track_at(reader, path) for path in paths if path not in heard}
    model_id = _model_of(reader, tracks, by or next((h.model_id for h in heard.values()), None))
    ids, vectors = reader.vectors_of(
        model_id, np.array([track.track_id for track in tracks.values()], np.int64)
    )
    stored = dict(zip(ids.tolist(), vectors, strict=True))
    # Another process may have dropped one just now.
    found = [track for track in tracks.values() if track.track_id in stored]
    new = [_embedding(one) for one in heard.values()]
    told = [*(g for track in found for g in track.row.genres), *map(_likeliest, heard.values())]
    normed = unit_vectors(np.stack([*(stored[track.track_id] for track in found), *new]))
    return Seed(model_id, normed, _alike(len(normed)), tuple(found), tuple(dict.fromkeys(told)))


def from_artist(reader: Reader, name: str, by: str | None = None) -> Seed:
    """Return the seed of all tracks by an artist.

    Args:
        reader: The catalogue.
        name: The artist.
        by: The model to compare by; None is the one that suits the tracks.

    Raises:
        CatalogError: There is none with an embedding.
    """
    known = reader.tracks(reader.of_artist(name).tolist())
    model_id = by or compared_by(reader, list(known))
    ids, vectors = reader.vectors_of(model_id or "", _sample(np.array(sorted(known), np.int64)))
    if model_id is None or not len(ids):
        others = _or_else(reader.artists_like(name, 3))
        raise CatalogError(f"no track by {name!r} was heard{_by_whom(by)}{others}")
    tracks = tuple(known[track_id] for track_id in ids.tolist())
    genres = dict.fromkeys(genre for track in tracks for genre in track.row.genres)
    return Seed(model_id, unit_vectors(vectors), _alike(len(ids)), tracks, tuple(genres))


def from_mix(reader: Reader, shares: Mapping[str, float], by: str | None = None) -> Seed:
    """Return the seed of genres in some proportion: the middle of each genre's tracks.

    Args:
        reader: The catalogue.
        shares: {genre: how much of it}.
        by: The model to compare by; None is the one that suits the tracks.

    Raises:
        CatalogError: A genre has no track with an embedding.
    """
    sampled = {genre: _sample(reader.of_genre(genre)) for genre in shares}
    all_ids = np.unique(np.concatenate(list(sampled.values()))).tolist()
    model_id = by or compared_by(reader, all_ids)
    middles = []
    for genre, ids in sampled.items():
        _, vectors = reader.vectors_of(model_id or "", ids)
        if not len(vectors):
            others = _or_else(reader.genres(_SUGGESTED))
            raise CatalogError(f"no track of the genre {genre!r} was heard{_by_whom(by)}{others}")
        middles.append(unit_vectors(unit_vectors(vectors).mean(axis=0)[None])[0])
    weights = np.array(list(shares.values()), np.float32)
    assert model_id is not None, "a genre without embeddings was refused"
    return Seed(model_id, np.stack(middles), weights / weights.sum(), (), tuple(shares))


def compared_by(
    reader: Reader, track_ids: Sequence[int], among: Container[str] | None = None
) -> str | None:
    """Return the model whose embeddings tracks are to be compared by, or None if there is none.

    Of those that have heard the most of the tracks, and nearly as much of the library as any of
    them, it is the one with the finer ear, or else the latest.

    Args:
        reader: The catalogue.
        track_ids: The tracks.
        among: The models that can be taken; None is any.
    """
    models = [one for one in reader.embedded_by(track_ids) if among is None or one[0] in among]
    equals = [model_id for model_id, n in models if n == models[0][1]]
    if len(equals) < 2:  # as nearly always; then nothing more is asked
        return next(iter(equals), None)
    known = reader.embedders()
    return _finest({model_id: known[model_id] for model_id in equals})


def comparing_all(reader: Reader, among: Container[str] | None = None) -> str | None:
    """Return the model by whose embeddings most of a library can be compared, or None.

    Args:
        reader: The catalogue.
        among: The models that can be taken; None is any.
    """
    known = {
        model_id: one
        for model_id, one in reader.embedders().items()
        if one.n_tracks and (among is None or model_id in among)
    }
    most_first = sorted(known, key=lambda model_id: known[model_id].n_tracks, reverse=True)
    return _finest({model_id: known[model_id] for model_id in most_first}) if known else None


def _finest(known: Mapping[str, Embedder]) -> str:
    needed = _NEARLY_ALL * max(one.n_tracks for one in known.values())
    wide = [model_id for model_id, one in known.items() if one.n_tracks >= needed]
    return next((m for m in wide if known[m].architecture in FINER_EARS), wide[0])


def _track_at(reader: Reader, path: Path) -> HeardTrack:
    track = reader.track_at(path)
    if track is not None:
        return track
    failure = reader.failure_at(path)
    if failure is None:
        raise CatalogError("it is not in the catalogue; tag it first (tagger tag)", path)
    raise _unheard(path, failure)


def _model_of(reader: Reader, tracks: Mapping[Path, HeardTrack], wanted: str | None) -> str:
    """Return the model that has heard all seeds: the one wanted, or else that suits them."""
    wanted = wanted or compared_by(reader, [track.track_id for track in tracks.values()])
    for path, track in tracks.items():
        own = [model_id for model_id, _ in reader.embedded_by([track.track_id])]
        if not own:
            raise _unheard(path, track.row.reason)
        if wanted not in own:
            raise CatalogError(
                f"it was heard by another model only ({', '.join(own)}, not {wanted}), and "
                "embeddings of two models cannot be compared; hear it again (tagger tag)",
                path,
            )
    assert wanted is not None, "there is a seed"
    return wanted


def _unheard(path: Path, reason: Reason | None) -> CatalogError:
    why = f" ({reason})" if reason else ""
    return CatalogError(f"nothing was heard in it to compare{why}; tag it first (tagger tag)", path)


def _embedding(prediction: TrackPrediction) -> FloatArray:
    if prediction.embedding is None:
        why = f" ({prediction.unheard})" if prediction.unheard else ""
        raise CatalogError(f"nothing was heard in it to compare{why}", prediction.path)
    return prediction.embedding


def _likeliest(prediction: TrackPrediction) -> str:
    by_label = prediction.probabilities
    return max(by_label, key=lambda label: by_label[label], default="")


def _alike(n: int) -> FloatArray:
    return np.full(n, 1 / n, np.float32)


def _sample(ids: Ids) -> Ids:
    return ids[:: len(ids) // _SAMPLED + 1]


def _by_whom(model_id: str | None) -> str:
    return f" by the model named ({model_id})" if model_id else ""


def _or_else(names: Iterable[str]) -> str:
    listed = ", ".join(names)
    return f"; there are: {listed}" if listed else ""
