"""A library in which something can be filled: tags to learn from, and files without a genre."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tagger.catalog import Catalog, CatalogEntry, ModelRecord
from tagger.learning.examples import DoubleArray
from tagger.models.card import ModelCard
from tagger.records import AudioFile, FloatArray, Status, TagsFound, TrackPrediction
from tagger.review.filler import Filler
from tagger.review.session import Session
from tagger.tagging.track import stat_again
from tests.catalogs import Location, audio_file
from tests.library import make_track, set_tags
from tests.reviews import default_card, place_of, session_of

N_TAGGED, N_BLANK = 120, 60
_DIMS = 4


def truth(n: int) -> str:
    """The genre of the n-th track, as its owner would say it."""
    return "Dub" if n % 2 else "Fado"


def library(place: Location, music: Path, *, n_blank: int = N_BLANK) -> Catalog:
    """A catalogue of tagged tracks that are not there, and of blank ones that are."""
    card = default_card()
    dim = int(card.network["embedding_dim"])
    catalog = Catalog.open(place)
    catalog.register_model(ModelRecord(card.model_id, card.architecture, card.labels, dim))
    run_id = catalog.begin_run("tag", card.model_id)
    catalog.record(run_id, [*_tagged(card), *_blank(card, music, n_blank)])
    return catalog


def filler_of(
    catalog: Catalog, place: Location, *, most_answers: int | None = None
) -> tuple[Session, Filler]:
    """A session of that catalogue, and what offers to fill, all in this process."""
    session = session_of(catalog, place, cards=(default_card(),), most_answers=most_answers)
    return session, Filler(session, place_of(session), in_process=lambda work, given: work(given))


def _tagged(card: ModelCard) -> Iterator[CatalogEntry]:
    rng = np.random.default_rng(0)
    for n in range(N_TAGGED):
        tags = TagsFound((truth(n),), None, f"Tagged {n}", f"Artist {n // 4}")
        heard = _heard(card, audio_file(f"{n}.mp3").path, n, 0.1 * rng.normal(size=_DIMS))
        yield CatalogEntry(audio_file(f"{n}.mp3"), tags, Status.KEPT, (), 0.0, None, heard)


def _blank(card: ModelCard, music: Path, n_blank: int) -> Iterator[CatalogEntry]:
    rng = np.random.default_rng(1)
    for n in range(n_blank):
        names = {"title": f"Title {n}", "artist": f"Other {n}"}
        path = make_track(music / f"{n:02d}.flac", 0.05)
        set_tags(path, **names)
        file = stat_again(AudioFile(path, music, 0, 0))
        tags = TagsFound((), None, names["title"], names["artist"])
        heard = _heard(card, path, n, 0.02 * rng.normal(size=_DIMS))  # nothing strange
        yield CatalogEntry(file, tags, Status.UNSURE, (), 0.4, None, heard)


def _heard(card: ModelCard, path: Path, n: int, noise: DoubleArray) -> TrackPrediction:
    vector: FloatArray = np.zeros(int(card.network["embedding_dim"]), np.float32)
    vector[:_DIMS] = noise  # in so few dimensions that 120 tracks tell what is usual
    vector[0] += 3 if n % 2 else -3
    even = dict.fromkeys(card.labels, 1 / len(card.labels))
    return TrackPrediction(path, even, 0.1, vector, 4, card.model_id, 30.0)
