"""Learning a person's own genres: from the tags in a catalogue to a checkpoint, and doubts.

What is learned from are genres that people set, never our own. Tracks of one artist are never on
both sides when it is judged, and of copies of a recording one counts. Fitting stays on one thread:
the matrices are small, and threads that wait for each other on a busy machine make it take twenty
times as long.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
from threadpoolctl import threadpool_limits

from tagger.catalog import Catalog, TaggedTrack, fold
from tagger.errors import LearnError
from tagger.evidence.names import artist_of
from tagger.genre_list import GenreList
from tagger.genre_text import id_of, key_of
from tagger.learning.curve import SHARES
from tagger.learning.examples import Examples
from tagger.learning.fitting import (
    Learned,
    Tick,
    folds_of,
    held_out_logits,
    held_out_probabilities,
    learn,
    no_tick,
)
from tagger.learning.genres import CleanGenres, clean
from tagger.learning.judging import LearningReport, judge
from tagger.models.card import ModelCard
from tagger.models.head import Head
from tagger.records import FloatArray
from tagger.tags import is_ours

MIN_TRACKS = 10  # of a genre, unless the user says otherwise
_MIN_ARTISTS = 3  # of a genre
_MIN_IN_ALL = 40  # tracks
_MOST_TOLD = 12  # genres


@dataclass(frozen=True, slots=True)
class Aside:
    """Tracks with a genre that are not learned from, by why.

    Args:
        n_ours: Their genre is ours.
        n_copies: They are copies of others.
        n_contradicting: Those of the copies that bear other genres than what they are copies of.
        n_unusable: What was heard of them is damaged in the catalogue.
        n_with_others: They were settled together with others by one answer in a review, and such
            an answer is one observation, however many tracks it settles.
    """

    n_ours: int
    n_copies: int
    n_contradicting: int
    n_unusable: int
    n_with_others: int = 0


@dataclass(frozen=True, slots=True)
class Lesson:
    """What there is to learn from.

    Args:
        tracks: Those with a genre that is left.
        genres: What the genres came to; ``genres.tracks`` goes with ``tracks``.
        examples: The same, as arrays.
        aside: How many others there are.
        n_nameless: Tracks whose tags name no artist; those of a folder count as one artist's.
    """

    tracks: tuple[TaggedTrack, ...]
    genres: CleanGenres
    examples: Examples
    aside: Aside
    n_nameless: int


@dataclass(frozen=True, slots=True)
class Doubt:
    """How likely a track's genre is, by its sound.

    Args:
        path: Its file.
        genres: What a person set.
        likelihood: The probability of the likeliest of those.
        suggestion: What it sounds like.
        confidence: The probability of that; the same where it sounds like what it is called.
    """

    path: Path
    genres: tuple[str, ...]
    likelihood: float
    suggestion: str
    confidence: float


def gather(
    catalog: Catalog,
    networks: Sequence[str],
    folders: Sequence[Path],
    *,
    min_tracks: int = MIN_TRACKS,
    genre_list: GenreList | None = None,
) -> Lesson:
    """Return what a catalogue has to learn from.

    Args:
        catalog: Where the tracks are.
        networks: The ids of those whose embeddings are learned from, side by side.
        folders: Where the tracks lie; () is anywhere.
        min_tracks: A genre with fewer is merged into a broader one, or left out.
        genre_list: The owner's, in whose words genres are learned.

    Raises:
        LearnError: there is too little.
    """
    found = _tagged(catalog, networks, folders)
    heard = _vectors(catalog, networks)
    usable = [track for track in found if all(track.track_id in one for one in heard)]
    persons = [track for track in usable if not is_ours(track.tags)]
    unlike = list(_without_copies(persons))
    said = _by_answer(unlike, catalog.answer_of_tracks())
    single = [tracks[0] for tracks in said]
    aside = Aside(
        n_ours=len(usable) - len(persons),
        n_copies=len(persons) - len(unlike),
        n_contradicting=_n_contradicting(persons),
        n_unusable=len(found) - len(usable),
        n_with_others=len(unlike) - len(single),
    )
    groups = [_artist(track) for track in single]
    genres = clean(
        [track.tags.genres for track in single],
        groups,
        min_tracks=min_tracks,
        min_groups=_MIN_ARTISTS,
        genre_list=genre_list,
    )
    n_nameless = sum(not artist_of(track.tags) for track in single)
    kept = [n for n, names in enumerate(genres.tracks) if names]
    if len(genres.names) < 2 or len(kept) < _MIN_IN_ALL:
        raise LearnError(_too_little(groups, n_nameless, aside, _told(single, groups), min_tracks))
    tracks = tuple(single[n] for n in kept)
    genres = replace(genres, tracks=tuple(genres.tracks[n] for n in kept))
    vectors = np.hstack([np.stack([_mean(one, said[n]) for n in kept]) for one in heard])
    examples = _examples(vectors, genres, [groups[n] for n in kept])
    return Lesson(tracks, genres, examples, aside, n_nameless)


def n_fits(lesson: Lesson) -> int:
    """Return how often ``teach`` calls its tick."""
    return (2 + len(SHARES)) * len(folds_of(lesson.examples, seed=0))


def teach(
    lesson: Lesson, base: ModelCard, name: str, *, tick: Tick = no_tick
) -> tuple[ModelCard, Learned, LearningReport]:
    """Return the card of a model that knows a person's genres, how it was learned, and its worth.

    Args:
        lesson: What there is to learn from.
        base: Of the model whose networks' embeddings these are.
        name: The first part of the new model's id.
        tick: Called once a fit.
    """
    names = lesson.genres.names
    with threadpool_limits(1):
        learned = learn(lesson.examples, names, base.heard_by, tick=tick)
        report = judge(lesson.examples, learned, names, tick=tick)
    card = replace(
        base,
        model_id=id_of(name, _digest(learned.head, names)),
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
        joint=None,
        further=learned.further,
    )
    return card, learned, report


def doubts(
    lesson: Lesson, kept: Mapping[int, tuple[str, ...]] = MappingProxyType({})
) -> list[Doubt]:
    """Return the tracks whose genre is unlikelier than another, the most suspicious first.

    Args:
        lesson: What was learned from; all of it is judged.
        kept: {track_id: genres that a person said are right}; those are doubted no more.
    """
    found = [
        doubt
        for track, doubt in zip(lesson.tracks, judged(lesson), strict=True)
        if doubt.likelihood < doubt.confidence and kept.get(track.track_id) != track.tags.genres
    ]
    return sorted(found, key=lambda doubt: (doubt.likelihood - doubt.confidence, doubt.path))


def judged(lesson: Lesson) -> Iterator[Doubt]:
    """Yield how likely each track's genre is, and the likeliest of all.

    Each is judged by a head that its artist had no part in.
    """
    names, examples = lesson.genres.names, lesson.examples
    with threadpool_limits(1):
        folds = folds_of(examples, seed=0)
        logits = held_out_logits(examples, folds)
        probabilities = held_out_probabilities(examples, logits, folds)
    for track, truth, p in zip(lesson.tracks, examples.truth, probabilities, strict=True):
        likeliest = int(p.argmax())
        own, best = float(p[truth].max()), float(p[likeliest])
        yield Doubt(track.path, track.tags.genres, own, names[likeliest], best)


def _tagged(
    catalog: Catalog, networks: Sequence[str], folders: Sequence[Path]
) -> list[TaggedTrack]:
    """Return the tracks in some folders that bear a genre and that all networks have heard."""
    first, *others = [
        {
            track.track_id: track
            for folder in folders or (None,)
            for track in catalog.tagged(network, folder)
        }
        for network in networks
    ]
    return [track for track_id, track in first.items() if all(track_id in one for one in others)]


def _vectors(catalog: Catalog, networks: Sequence[str]) -> Sequence[Mapping[int, FloatArray]]:
    """Return {track_id: its embedding} by each, without those that hold what is no number."""
    found = []
    for network in networks:
        embeddings = catalog.embeddings(network)
        is_whole = np.isfinite(embeddings.vectors).all(axis=1)
        track_ids, vectors = embeddings.track_ids[is_whole], embeddings.vectors[is_whole]
        found.append(dict(zip(track_ids.tolist(), vectors, strict=True)))
    return found


def _without_copies(tracks: Iterable[TaggedTrack]) -> Iterator[TaggedTrack]:
    seen: set[str] = set()
    for track in tracks:
        if track.audio not in seen:
            yield track
        if track.audio is not None:
            seen.add(track.audio)


def _by_answer(
    tracks: Sequence[TaggedTrack], answers: Mapping[int, int]
) -> list[list[TaggedTrack]]:
    """Return tracks by observation: those that one answer gave the same genres are one.

    Args:
        tracks: Those that a person gave a genre.
        answers: {track_id: the answer that settled it}, where one did.
    """
    observations: dict[object, list[TaggedTrack]] = {}
    for track in tracks:
        answer_id = answers.get(track.track_id)
        own = track.track_id if answer_id is None else (answer_id, track.tags.genres)
        observations.setdefault(own, []).append(track)
    return list(observations.values())


def _mean(vectors: Mapping[int, FloatArray], tracks: Sequence[TaggedTrack]) -> FloatArray:
    """Return the mean embedding (embedding_dim,) of tracks that are one observation."""
    mean: FloatArray = np.mean([vectors[track.track_id] for track in tracks], axis=0)
    return mean


def _n_contradicting(tracks: Iterable[TaggedTrack]) -> int:
    """Return how many tracks bear other genres than the first track of the same recording."""
    first: dict[str, frozenset[str]] = {}
    n = 0
    for track in tracks:
        if track.audio is not None:
            said = frozenset(map(key_of, track.tags.genres))
            n += first.setdefault(track.audio, said) != said
    return n


def _artist(track: TaggedTrack) -> str:
    """Return whose a track is; where no tag says, all of a folder are one artist's."""
    return fold(artist_of(track.tags)) or str(track.path.parent)


def _told(tracks: Sequence[TaggedTrack], groups: Sequence[str]) -> str:
    """Return the genres that most tracks bear, each with its tracks and their artists."""
    found = clean([track.tags.genres for track in tracks], groups, min_tracks=1, min_groups=1)
    n_tracks = Counter(genre for genres in found.tracks for genre in genres)
    artists: dict[str, set[str]] = defaultdict(set)
    for genres, group in zip(found.tracks, groups, strict=True):
        for genre in genres:
            artists[genre].add(group)
    told = [
        f"{genre} ({n} by {len(artists[genre])})" for genre, n in n_tracks.most_common(_MOST_TOLD)
    ]
    return ", ".join(told) + ", …" * (len(n_tracks) > _MOST_TOLD)


def _too_little(
    groups: Sequence[str], n_nameless: int, aside: Aside, told: str, min_tracks: int
) -> str:
    """Return in words why nothing can be learned, and what would have to be there."""
    parts = [
        "there is too little to learn from (tracks with a genre that a person set: "
        f"{len(groups)}, their artists: {len(set(groups))}); two genres that each have "
        f"{min_tracks} tracks by {_MIN_ARTISTS} artists are needed, and {_MIN_IN_ALL} tracks in "
        f"all, and there are: {told or 'none'}"
    ]
    if n_nameless:
        parts.append(
            f"tracks that name no artist: {n_nameless}, and those of one folder count as one "
            "artist's, so artist tags would help"
        )
    if aside.n_ours:
        parts.append(f"tracks with a genre of tagger's, which teaches nothing: {aside.n_ours}")
    return "; ".join(parts)


def _examples(vectors: FloatArray, genres: CleanGenres, groups: Sequence[str]) -> Examples:
    numbers = {name: n for n, name in enumerate(genres.names)}
    truth = np.zeros((len(genres.tracks), len(numbers)), np.bool_)
    for row, track in zip(truth, genres.tracks, strict=True):
        row[[numbers[name] for name in track]] = True
    first = np.array([numbers[track[0]] for track in genres.tracks], np.int64)
    _, by_number = np.unique(np.array(groups), return_inverse=True)
    return Examples(vectors, truth, first, by_number.astype(np.int64))


def _digest(head: Head, names: Sequence[str]) -> str:
    assert head.novelty is not None, "what is learned here has one"
    digest = hashlib.sha256("\0".join((*head.bases, *names)).encode())
    for array in (head.weight, head.bias, head.novelty.means, head.novelty.whitening):
        digest.update(array.astype("<f4").tobytes())
    return digest.hexdigest()[:10]
