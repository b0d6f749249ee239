"""Nearest neighbours: the same answer from packed blocks and from pgvector."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tagger.catalog import Catalog, Measure, NearestQuery, TrackQuery
from tagger.catalog.postgresql import vectors
from tagger.catalog.upkeep import back_up, check
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


def directions(vectors: NDArray[np.floating]) -> FloatArray:
    """Unit vectors (n, embedding_dim); where there is nothing, zero."""
    values = np.asarray(vectors, np.float32)
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    return np.asarray(values / np.maximum(lengths, 1e-12), np.float32)


COSINE = Measure("cosine", directions)


def query(number: int, n: int = 5, **changes: object) -> NearestQuery:
    target = directions(embedding(number)[None])[0]
    return replace(NearestQuery(MODEL.model_id, target, n, COSINE), **changes)  # type: ignore[arg-type]


def expected(number: int, numbers: range, n: int = 5) -> list[float]:
    """The similarities of the nearest among tracks of these numbers, by plain numpy."""
    every = directions(np.stack([embedding(i) for i in numbers]))
    return sorted((every @ directions(embedding(number)[None])[0]).tolist(), reverse=True)[:n]


def titles(catalog: Catalog, asked: NearestQuery) -> list[str]:
    ids = [track_id for track_id, _ in catalog.nearest(asked)]
    by_id = {row.track_id: row.title for row in catalog.tracks()}
    return [by_id[track_id] for track_id in ids]


def n_kept(location: Location) -> int:
    with database(location) as connection:
        return int(connection.execute("SELECT count(*) FROM search_vectors").fetchone()[0])


def test_the_nearest_come_first_with_their_similarity(location: Location) -> None:
    filled(location, *entries(0, 600)).close()
    with Catalog.open(location, read_only=True) as catalog:
        found = catalog.nearest(query(7))
        similarities = [similarity for _, similarity in found]
        assert similarities == pytest.approx(expected(7, range(600)), abs=1e-3)
        assert titles(catalog, query(7))[0] == "Title 7"
        assert len(catalog.nearest(query(7, n=1000))) == 600
    if isinstance(location, str):
        assert n_kept(location) == 600


def test_only_what_is_asked_for_is_among_them(location: Location) -> None:
    with filled(location, *entries(0, 20), entry("other/x.mp3", 7)) as catalog:
        under = query(7, among=TrackQuery(under=MUSIC / "other"))
        assert titles(catalog, under) == ["Title 7"]
        assert titles(catalog, query(7, among=TrackQuery(genre="Jazz"))) == []
        assert catalog.nearest(query(7, model_id="gru-2")) == []


def test_what_was_heard_again_or_forgotten_since_is_known(location: Location) -> None:
    with filled(location, *entries(0, 300)) as catalog:
        catalog.nearest(query(500))
        moved = replace(entry("album/00003.mp3", 500), tags=entries(3, 4)[0].tags)
        catalog.record(begin(catalog), [moved, entry("new.mp3", 501)])
        assert titles(catalog, query(500, n=1)) == ["Title 3"]
        assert titles(catalog, query(501, n=1)) == ["Title 501"]
        with database(location) as connection:
            connection.execute("UPDATE files SET vanished_at = '2026-01-31T12:00:00Z'")
        catalog.prune()
        assert catalog.nearest(query(500)) == []
    assert check(location).complaints == ()


def test_another_measure_is_made_of_all_anew(location: Location) -> None:
    def positive(vectors: NDArray[np.floating]) -> FloatArray:
        return directions(np.maximum(vectors, 0))

    with filled(location, *entries(0, 50)) as catalog:
        catalog.nearest(query(7))
        target = positive(embedding(9)[None])[0]
        other = query(7, target=target, measure=Measure("positive", positive))
        assert catalog.nearest(other)[0][1] == pytest.approx(1, abs=1e-3)
        assert catalog.nearest(query(7))[0][1] == pytest.approx(1, abs=1e-3)


def test_without_pgvector_the_answer_is_the_same(
    new_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = new_database()
    with filled(url, *entries(0, 50)) as catalog:
        by_pgvector = catalog.nearest(query(7))
        with database(url) as connection:
            connection.execute("DROP TABLE search_vectors, search_blocks")
        monkeypatch.setattr(vectors, "_TABLES", "CREATE EXTENSION no_such_extension")
        by_blocks = catalog.nearest(query(7))
    assert [track_id for track_id, _ in by_blocks] == [track_id for track_id, _ in by_pgvector]
    assert [s for _, s in by_blocks] == pytest.approx([s for _, s in by_pgvector], abs=1e-3)


def test_a_backup_leaves_out_what_can_be_made_again(new_database: Callable[[], str]) -> None:
    url = new_database()
    with filled(url, *entries(0, 50)) as catalog:
        catalog.nearest(query(7))
    copy: Path = back_up(url)
    assert check(copy).complaints == ()
    with database(copy) as connection:
        names = connection.execute("SELECT name FROM sqlite_schema WHERE name LIKE 'search%'")
        assert names.fetchall() == []
