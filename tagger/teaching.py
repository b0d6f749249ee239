"""Learning a person's own genres: from the tags in a catalogue to a checkpoint, and doubts.

What is learned from are genres that people set, never our own. Tracks of one artist are never on
both sides when it is judged, and of copies of a recording one counts. Fitting stays on one thread:
the matrices are small, and threads that wait for each other on a busy machine make it take twenty
times as long.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from tagger.albums import artist_of
from tagger.card import ModelCard
from tagger.catalog import Catalog, TaggedTrack, fold
from tagger.errors import LearnError
from tagger.heads import Head
from tagger.learning.examples import Examples
from tagger.learning.fitting import (
    Learned,
    folds_of,
    held_out_logits,
    held_out_probabilities,
    learn,
)
from tagger.learning.genres import CleanGenres, clean
from tagger.learning.judging import Report, judge
from tagger.records import FloatArray
from tagger.tags import is_ours

MIN_TRACKS = 10  # of a genre, unless the user says otherwise
_MIN_ARTISTS = 3  # of a genre
_MIN_IN_ALL = 40  # tracks


@dataclass(frozen=True, slots=True)
class Lesson:
    """What there is to learn from.

    Args:
        tracks: Those with a genre that is left.
        genres: What the genres came to; ``genres.tracks`` goes with ``tracks``.
        examples: The same, as arrays.
        n_ours: Tracks left aside since their genre is ours.
        n_copies: Tracks left aside as copies of others.
    """

    tracks: tuple[TaggedTrack, ...]
    genres: CleanGenres
    examples: Examples
    n_ours: int
    n_copies: int


@dataclass(frozen=True, slots=True)
class Doubt:
    """A track whose genre is unlikely.

    Args:
        path: Its file.
        genres: What a person set.
        likelihood: The probability of the likeliest of those.
        suggestion: What it sounds like.
        confidence: The probability of that.
    """

    path: Path
    genres: tuple[str, ...]
    likelihood: float
    suggestion: str
    confidence: float


def gather(
    catalog: Catalog, model_id: str, folders: Sequence[Path], *, min_tracks: int = MIN_TRACKS
) -> Lesson:
    """Return what a catalogue has to learn from.

    Args:
        catalog: Where the tracks are.
        model_id: The model whose embeddings are learned from.
        folders: Where the tracks lie; () is anywhere.
        min_tracks: A genre with fewer is merged into a broader one, or left out.

    Raises:
        LearnError: there is too little.
    """
    found = {
        track.track_id: track
        for folder in folders or (None,)
        for track in catalog.tagged(model_id, folder)
    }
    persons = [track for track in found.values() if not is_ours(track.tags)]
    single = list(_without_copies(persons))
    groups = [_artist(track) for track in single]
    genres = clean(
        [track.tags.genres for track in single],
        groups,
        min_tracks=min_tracks,
        min_groups=_MIN_ARTISTS,
    )
    kept = [n for n, names in enumerate(genres.tracks) if names]
    _refuse_too_little(len(single), len(kept), genres, min_tracks)
    tracks = tuple(single[n] for n in kept)
    genres = replace(genres, tracks=tuple(genres.tracks[n] for n in kept))
    embeddings = catalog.embeddings(model_id)
    rows = {int(track_id): n for n, track_id in enumerate(embeddings.track_ids)}
    vectors = embeddings.vectors[[rows[track.track_id] for track in tracks]]
    examples = _examples(vectors, genres, [groups[n] for n in kept])
    n_ours = len(found) - len(persons)
    return Lesson(tracks, genres, examples, n_ours, len(persons) - len(single))


def teach(lesson: Lesson, base: ModelCard, name: str) -> tuple[ModelCard, Learned, Report]:
    """Return the card of a model that knows a person's genres, how it was learned, and its worth.

    Args:
        lesson: What there is to learn from.
        base: Of the model whose embeddings these are.
        name: The first part of the new model's id.
    """
    names = lesson.genres.names
    with threadpool_limits(1):
        learned = learn(lesson.examples, names, base.model_id)
        report = judge(lesson.examples, learned, names)
    card = replace(
        base,
        model_id=f"{name}-{_digest(learned.head, names)}",
        labels=names,
        writable=tuple(genre for genre in names if learned.thresholds[genre] <= 1),
        thresholds=learned.thresholds,
        temperature=1.0,
        album_temperature=1.0,
        n_parameters=base.n_parameters + learned.head.weight.size + learned.head.bias.size,
        provenance={
            "learned_on": base.model_id,
            "n_tracks": report.n_tracks,
            "n_artists": report.n_artists,
            "accuracy": report.accuracy,
        },
        exclusive=learned.exclusive,
        genres=(),
        broader={},
        head=learned.head,
    )
    return card, learned, report


def doubts(lesson: Lesson) -> list[Doubt]:
    """Return the tracks whose genre is unlikelier than another, the most suspicious first.

    Each is judged by a head that its artist had no part in.
    """
    names, examples = lesson.genres.names, lesson.examples
    with threadpool_limits(1):
        folds = folds_of(examples, seed=0)
        logits = held_out_logits(examples, folds)
        probabilities = held_out_probabilities(examples, logits, folds)
    found = []
    for track, truth, p in zip(lesson.tracks, examples.truth, probabilities, strict=True):
        likeliest = int(p.argmax())
        if not truth[likeliest]:
            own, other = float(p[truth].max()), float(p[likeliest])
            found.append(Doubt(track.path, track.tags.genres, own, names[likeliest], other))
    return sorted(found, key=lambda doubt: (doubt.likelihood - doubt.confidence, doubt.path))


def _without_copies(tracks: Iterable[TaggedTrack]) -> Iterator[TaggedTrack]:
    seen: set[str] = set()
    for track in tracks:
        if track.audio not in seen:
            yield track
        if track.audio is not None:
            seen.add(track.audio)


def _artist(track: TaggedTrack) -> str:
    """Return whose a track is; where no tag says, all of a folder are one artist's."""
    return fold(artist_of(track.tags)) or str(track.path.parent)


def _refuse_too_little(n_tagged: int, n_left: int, genres: CleanGenres, min_tracks: int) -> None:
    if len(genres.names) >= 2 and n_left >= _MIN_IN_ALL:
        return
    known = ", ".join(genres.names) or "none"
    raise LearnError(
        f"there is too little to learn from: {n_tagged} tracks bear a genre that a person set, and "
        f"genres with at least {min_tracks} tracks of {_MIN_ARTISTS} artists are: {known}; at "
        f"least two such genres and {_MIN_IN_ALL} tracks are needed"
    )


def _examples(vectors: FloatArray, genres: CleanGenres, groups: Sequence[str]) -> Examples:
    numbers = {name: n for n, name in enumerate(genres.names)}
    truth = np.zeros((len(genres.tracks), len(numbers)), np.bool_)
    for row, track in zip(truth, genres.tracks, strict=True):
        row[[numbers[name] for name in track]] = True
    first = np.array([numbers[track[0]] for track in genres.tracks], np.int64)
    _, by_number = np.unique(np.array(groups), return_inverse=True)
    return Examples(vectors, truth, first, by_number.astype(np.int64))


def _digest(head: Head, names: Sequence[str]) -> str:
    digest = hashlib.sha256("\0".join((head.base, *names)).encode())
    for array in (head.weight, head.bias, head.novelty.means, head.novelty.whitening):
        digest.update(array.astype("<f4").tobytes())
    return digest.hexdigest()[:10]
