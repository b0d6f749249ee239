"""Recommendations: the nearest first, never the seed, and filters that filter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tagger.catalog import Catalog, CatalogEntry, FailedFile
from tagger.errors import CatalogError
from tagger.recommend import SimilarQuery, similar, similarity
from tagger.records import Status, TagsFound, TrackFailure
from tests.catalogs import MUSIC, begin, entry


def at(degrees: float, name: str, artist: str = "", genre: str = "Rock") -> CatalogEntry:
    """A track whose embedding points somewhere in a plane; its length says nothing."""
    angle = np.deg2rad(degrees)
    vector = np.zeros(8, np.float32)
    vector[:2] = (2 + degrees % 3) * np.cos(angle), (2 + degrees % 3) * np.sin(angle)
    one = entry(name, tags=TagsFound((genre,), None, name, artist), genres=(genre,))
    assert one.prediction is not None
    return replace(one, prediction=replace(one.prediction, embedding=vector))


SEED = at(0, "seed.mp3", "A")
TRACKS = [
    at(180, "opposite.mp3", "E", "Folk"),
    at(10, "near/a.mp3", "a"),
    at(0, "copy.mp3", "A"),
    at(20, "near/b.mp3", "A", "Pop"),
    at(90, "far/c.mp3", "B", "Pop"),
    at(45, "far/d.mp3", "", "rock"),
]


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    with Catalog.open(tmp_path_factory.mktemp("catalog") / "catalog.db") as opened:
        run_id = begin(opened)
        opened.record(run_id, [SEED, *TRACKS])
        silent = entry("silent.mp3", status=Status.UNSURE, reason="silent")
        assert silent.prediction is not None
        unheard = replace(silent.prediction, embedding=None, unheard="silent")
        opened.record(run_id, [replace(silent, prediction=unheard)])
        bad = entry("bad.mp3").file
        failure = TrackFailure(bad.path, "decode", "it is text")
        opened.record_failures(run_id, [FailedFile(bad, failure)])
        yield opened


def names(catalog: Catalog, **query: object) -> list[str]:
    found = similar(catalog, SEED.file.path, SimilarQuery(**query))  # type: ignore[arg-type]
    return [one.row.path.name for one in found]


def test_the_nearest_come_first_and_the_seed_never(catalog: Catalog) -> None:
    assert names(catalog) == ["copy.mp3", "a.mp3", "b.mp3", "d.mp3", "c.mp3", "opposite.mp3"]


def test_similarity_is_one_for_the_same_and_the_cosine_otherwise(catalog: Catalog) -> None:
    found = similar(catalog, SEED.file.path)
    wanted = np.cos(np.deg2rad([0, 10, 20, 45, 90, 180]))
    # float16 keeps eleven bits of a component.
    np.testing.assert_allclose([one.similarity for one in found], wanted, atol=1e-3)
    assert found[0].similarity == pytest.approx(1.0, abs=1e-6)


def test_n_limits(catalog: Catalog) -> None:
    assert names(catalog, n=2) == ["copy.mp3", "a.mp3"]
    assert names(catalog, n=0) == []


def test_genre_filters_whatever_its_case(catalog: Catalog) -> None:
    assert names(catalog, genre="POP") == ["b.mp3", "c.mp3"]


def test_same_genre_shares_one_with_the_seed(catalog: Catalog) -> None:
    assert names(catalog, same_genre=True) == ["copy.mp3", "a.mp3", "d.mp3"]


def test_under_filters(catalog: Catalog) -> None:
    assert names(catalog, under=MUSIC / "far") == ["d.mp3", "c.mp3"]


def test_an_artist_is_named_at_most_so_often_whatever_the_case(catalog: Catalog) -> None:
    assert names(catalog, max_per_artist=1) == ["copy.mp3", "d.mp3", "c.mp3", "opposite.mp3"]


def test_an_unknown_seed_is_to_be_tagged_first(catalog: Catalog) -> None:
    with pytest.raises(CatalogError, match="not in the catalogue; tag it first"):
        similar(catalog, Path("/music/unknown.mp3"))


@pytest.mark.parametrize(("name", "why"), [("silent.mp3", "silent"), ("bad.mp3", "it is text")])
def test_a_seed_without_an_embedding_says_why(catalog: Catalog, name: str, why: str) -> None:
    with pytest.raises(CatalogError, match=rf"\({why}\); tag it first") as caught:
        similar(catalog, MUSIC / name)
    assert caught.value.path == MUSIC / name


def test_an_empty_catalogue_knows_no_seed() -> None:
    with Catalog.empty() as catalog, pytest.raises(CatalogError, match="tag it first"):
        similar(catalog, SEED.file.path)


def test_similarity_does_not_depend_on_length() -> None:
    vectors = np.random.default_rng(0).standard_normal((50, 16)).astype(np.float32)
    np.testing.assert_allclose(
        similarity(3 * vectors[0], vectors), similarity(vectors[0], 7 * vectors), atol=1e-6
    )
