"""Nearest tracks: the same answer from packed blocks and from pgvector."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from tagger.catalog import Ids, Reader
from tagger.catalog.postgresql import vectors
from tagger.catalog.upkeep import back_up, check
from tagger.errors import CatalogError
from tagger.recommending.nearest import nearest_first
from tagger.recommending.similarity import unit_vectors
from tagger.records import FloatArray
from tests.catalogs import (
    MODEL,
    MUSIC,
    Location,
    begin,
    database,
    embedding,
    entries,
    entry,
    filled,
)

WHOLE = np.ones((1, 1), np.float32)


def pointing(number: int) -> FloatArray:
    """Where a track's embedding points, (1, embedding_dim)."""
    return unit_vectors(embedding(number)[None])


def in_batches(location: Location, target: FloatArray, among: Ids | None = None) -> list[list[int]]:
    """The numbers of the tracks nearest to a target, as they come."""
    with Reader.open(location) as reader:
        (nearest,) = nearest_first(reader, MODEL.model_id, target, WHOLE, among)
        told = [batch.tolist() for batch in nearest]
        titles = {i: one.row.title for batch in told for i, one in reader.tracks(batch).items()}
    return [[int(titles[track_id].split()[-1]) for track_id in batch] for batch in told]


def found(location: Location, target: FloatArray, among: Ids | None = None) -> list[int]:
    """The numbers of the tracks nearest to a target, the nearest first."""
    return list(chain.from_iterable(in_batches(location, target, among)))


def n_kept(url: str) -> int:
    with database(url) as connection:
        return int(connection.execute("SELECT count(*) FROM search_vectors").fetchone()[0])


def test_all_come_in_batches_the_nearest_first(location: Location) -> None:
    filled(location, *entries(0, 600)).close()
    told = in_batches(location, pointing(7))
    assert [len(batch) for batch in told] == [100, 400, 100]
    numbers = list(chain.from_iterable(told))
    assert sorted(numbers) == list(range(600))
    cosines = (unit_vectors(np.stack([embedding(i) for i in numbers])) @ pointing(7)[0]).tolist()
    # pgvector compares with a target of 16 bits a number.
    np.testing.assert_allclose(cosines, sorted(cosines, reverse=True), atol=2e-3)
    assert numbers[0] == 7
    if isinstance(location, str):
        assert n_kept(location) == 600


def test_what_points_nowhere_is_like_and_unlike_nothing(location: Location) -> None:
    silence, same, opposite = (entry(f"{number}.mp3", number) for number in range(3))
    assert silence.prediction is not None and opposite.prediction is not None
    nothing = replace(silence.prediction, embedding=np.zeros(8, np.float32))
    turned = replace(opposite.prediction, embedding=-embedding(1))
    filled(
        location,
        replace(silence, prediction=nothing),
        same,
        replace(opposite, prediction=turned),
    ).close()
    assert found(location, pointing(1)) == [1, 0, 2]


def test_only_those_asked_for_are_among_them(location: Location) -> None:
    filled(location, *entries(0, 20), entry("other/x.mp3", 21), entry("other/y.mp3", 7)).close()
    with Reader.open(location) as reader:
        among = reader.under(MUSIC / "other")
    assert found(location, pointing(7), among) == [7, 21]
    assert found(location, pointing(7), among[:0]) == []


def test_a_model_that_has_heard_nothing_is_refused(location: Location) -> None:
    filled(location, *entries(0, 1)).close()
    with Reader.open(location) as reader, pytest.raises(CatalogError, match="no track was heard"):
        nearest_first(reader, "gru-2", pointing(7), WHOLE, None)


def test_what_was_heard_again_or_forgotten_since_is_known(location: Location) -> None:
    with filled(location, *entries(0, 300)) as catalog:
        assert found(location, pointing(500))[0] not in (3, 501)
        moved = replace(entry("album/00003.mp3", 500), tags=entries(3, 4)[0].tags)
        catalog.record(begin(catalog), [moved, entry("new.mp3", 501)])
        assert found(location, pointing(500))[0] == 3
        assert found(location, pointing(501))[0] == 501
        with database(location) as connection:
            connection.execute(
                "UPDATE files SET vanished_at = '2026-01-31T12:00:00Z' WHERE track_id > 300"
            )
        catalog.prune()
        assert len(found(location, pointing(501))) == 300
    assert check(location).complaints == ()


def test_without_pgvector_the_answer_is_the_same(
    new_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = new_database()
    filled(url, *entries(0, 50)).close()
    by_pgvector = found(url, pointing(7))
    with database(url) as connection:
        connection.execute("DROP TABLE search_vectors, search_blocks")
    monkeypatch.setattr(vectors, "_TABLES", "CREATE EXTENSION no_such_extension")
    with Reader.open(url) as reader:
        assert reader.search(MODEL.model_id) is None
    assert found(url, pointing(7)) == by_pgvector


def test_a_backup_leaves_out_what_can_be_made_again(new_database: Callable[[], str]) -> None:
    url = new_database()
    filled(url, *entries(0, 50)).close()
    found(url, pointing(7))
    assert n_kept(url) == 50
    copy: Path = back_up(url)
    assert check(copy).complaints == ()
    with database(copy) as connection:
        names = connection.execute("SELECT name FROM sqlite_schema WHERE name LIKE 'search%'")
        assert names.fetchall() == []
