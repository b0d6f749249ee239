"""Recommendations from a catalogue in PostgreSQL: the same answers as from a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tagger.catalog import Catalog, CatalogEntry, Reader
from tagger.recommending.recommend import SimilarQuery, path_between, recommend
from tagger.recommending.seeds import from_artist, from_mix, from_paths
from tests.catalogs import MUSIC, begin, database
from tests.library import run_tagger
from tests.test_recommend import SEED, TRACKS, names


def on_album(one: CatalogEntry) -> CatalogEntry:
    return replace(one, tags=replace(one.tags, album="Album of 100%"))


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
            sorted(str(one) for one in reader.of_albums(["ALBUM of 100%", "other"])),
            [*map(str, reader.paths_named("b.mp3")), *map(str, reader.paths_named("%.mp3"))],
            reader.spellings("ROCK"),
        ]


def test_a_server_answers_as_a_file_does(new_database: Callable[[], str], tmp_path: Path) -> None:
    url = new_database()
    for location in (url, tmp_path / "catalog.db"):
        with Catalog.open(location) as catalog:
            catalog.record(begin(catalog), [SEED, *map(on_album, TRACKS)])
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
