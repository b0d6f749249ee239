"""Recommendations from a catalogue in PostgreSQL: the same answers as from a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tagger.catalog import Catalog, Reader
from tagger.recommending.recommend import SimilarQuery, path_between, recommend
from tagger.recommending.seeds import from_artist, from_mix, from_paths
from tests.catalogs import MUSIC, begin, database
from tests.library import run_tagger
from tests.test_recommend import SEED, TRACKS, names


def answers(location: str | Path) -> list[list[str]]:
    with Reader.open(location) as reader:
        one = from_paths(reader, [SEED.file.path])
        two = from_paths(reader, [SEED.file.path, TRACKS[0].file.path])
        narrow = SimilarQuery(genres=("pop", "rock"), under=MUSIC / "near", min_duration_s=100)
        return [
            names(recommend(reader, one, SimilarQuery())),
            names(recommend(reader, one, narrow)),
            names(recommend(reader, one, SimilarQuery(same_genre=True))),
            names(recommend(reader, from_artist(reader, "a"), SimilarQuery())),
            names(recommend(reader, from_mix(reader, {"Folk": 2, "Rock": 1}), SimilarQuery())),
            [row.path.name for row in path_between(reader, two, SimilarQuery(n=4))],
        ]


def test_a_server_answers_as_a_file_does(new_database: Callable[[], str], tmp_path: Path) -> None:
    url = new_database()
    for location in (url, tmp_path / "catalog.db"):
        with Catalog.open(location) as catalog:
            catalog.record(begin(catalog), [SEED, *TRACKS])
    assert answers(url) == answers(tmp_path / "catalog.db")
    assert all(answers(url))
    with database(url) as connection:  # which pgvector has looked through
        assert connection.execute("SELECT count(*) FROM search_vectors").fetchone()[0] == 7


def test_the_command_takes_a_url(new_database: Callable[[], str]) -> None:
    url = new_database()
    with Catalog.open(url) as catalog:
        catalog.record(begin(catalog), [SEED, *TRACKS])
    outcome = run_tagger("similar", "--catalog", url, "--format", "jsonl", SEED.file.path)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.records[0]["path"] == str(MUSIC / "nearest.mp3")
    outcome = run_tagger("similar", "--catalog", url, MUSIC / "none.mp3")
    assert outcome.code == 2
    assert "no such file" in outcome.err
