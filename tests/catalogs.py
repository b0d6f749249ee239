"""Catalogues for tests: records made up by number, and a check that all rows fit together."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from sqlalchemy import Connection, create_engine, inspect

from tagger.catalog import Catalog, CatalogEntry, ModelRecord, PlannedWrite, upgrade
from tagger.reasons import Reason
from tagger.records import AudioFile, Status, TagsFound, TagWrite, TrackPrediction

Location = Path | str  # a file, or the URL of a database
MODEL = ModelRecord("cnn-1", "cnn", ("Pop", "Rock"), 8)
MUSIC = Path("/music")
SURE = Reason.told("sure")

run_migrations, _HEAD, _config = upgrade.migrate, upgrade.HEAD, upgrade.alembic_config


def migrate(connection: Connection, revision: str = "head") -> None:
    """Do what ``upgrade.migrate`` does; an empty file gets at once what the migrations make.

    They take a fifth of a second, and most tests begin with a new catalogue.
    """
    as_installed = upgrade.HEAD == _HEAD and upgrade.alembic_config is _config
    is_file = connection.dialect.name == "sqlite"
    if not (as_installed and is_file and revision in ("head", _HEAD)) or _tables(connection):
        run_migrations(connection, revision)
        return
    for statement in _made_by_migrations():
        connection.exec_driver_sql(statement)


def _tables(connection: Connection) -> list[str]:
    return inspect(connection).get_table_names()


@cache
def _made_by_migrations() -> tuple[str, ...]:
    """Return the statements that make what the migrations make of an empty file."""
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        run_migrations(connection)
    raw = engine.raw_connection()
    dump: Callable[[], Iterator[str]] = raw.driver_connection.iterdump  # type: ignore[union-attr]
    made = tuple(one for one in dump() if one not in ("BEGIN TRANSACTION;", "COMMIT;"))
    engine.dispose()
    return made


def audio_file(name: str, *, root: Path = MUSIC, size_bytes: int = 1000) -> AudioFile:
    """A file below a root that need not exist: the catalogue never looks at the disk."""
    time_ns = 1_700_000_000_123_456_789
    return AudioFile(root / name, root, size_bytes, time_ns, time_ns, 77)


def embedding(number: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """(8,) float32, the same for the same number, exact in float16."""
    values = np.random.default_rng(number).integers(-8, 8, MODEL.embedding_dim)
    return values.astype(np.float32)


def prediction(path: Path, number: int, *, rock: float = 0.75) -> TrackPrediction:
    return TrackPrediction(
        path, {"Pop": 1 - rock, "Rock": rock}, rock, embedding(number), 10, MODEL.model_id, 240.5
    )


def entry(name: str, number: int = 0, *, root: Path = MUSIC, **changes: object) -> CatalogEntry:
    """A track in which Rock was heard and written."""
    file = audio_file(name, root=root)
    tags = TagsFound(("Rock",), "Rock; 0.75; cnn-1", f"Title {number}", "Artist", "Album", "")
    whole = CatalogEntry(
        file, tags, Status.WRITTEN, ("Rock",), 0.75, SURE, prediction(file.path, number)
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def entries(start: int, stop: int) -> list[CatalogEntry]:
    return [entry(f"album/{number:05d}.mp3", number) for number in range(start, stop)]


def planned(one: CatalogEntry) -> PlannedWrite:
    write = TagWrite(one.file.path, (), one.genres, None, one.tags.provenance)
    return PlannedWrite(one.file, write)


def begin(catalog: Catalog) -> int:
    """Register the model and begin a run."""
    catalog.register_model(MODEL)
    return catalog.begin_run("tag /music", MODEL.model_id)


def filled(location: Location, *recorded: CatalogEntry) -> Catalog:
    """An open catalogue with some entries of one run."""
    catalog = Catalog.open(location)
    catalog.record(begin(catalog), recorded)
    return catalog


@contextmanager
def database(location: Location) -> Iterator[Any]:
    """A connection to a catalogue for plain SQL, without the code under test."""
    if isinstance(location, Path):
        with closing(sqlite3.connect(location)) as file, file:
            yield file
    else:
        with psycopg.connect(location) as connection:
            yield connection


def assert_consistent(location: Location) -> None:
    """Every row fits the others, by plain SQL and without the code under test."""
    with database(location) as connection:
        if isinstance(location, Path):
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        (orphans,) = connection.execute(
            "SELECT count(*) FROM tracks WHERE track_id NOT IN "
            "(SELECT track_id FROM files WHERE track_id IS NOT NULL)"
        ).fetchone()
        assert orphans == 0
        _assert_places_fit(connection)


def _assert_places_fit(connection: Any) -> None:
    in_blocks: dict[tuple[int, int], int] = {}
    for block_id, n_rows, ids, vectors, dim in connection.execute(
        "SELECT block_id, n_rows, track_ids, vectors, embedding_dim "
        "FROM embedding_blocks JOIN models USING (model_id)"
    ):
        track_ids = np.frombuffer(ids, "<i8")
        assert len(track_ids) == n_rows
        assert len(vectors) == n_rows * dim * 2
        in_blocks |= {(block_id, row): t for row, t in enumerate(track_ids.tolist()) if t}
    in_predictions = {
        (block_id, row): track_id
        for block_id, row, track_id in connection.execute(
            "SELECT block_id, block_row, track_id FROM predictions WHERE block_id IS NOT NULL"
        )
    }
    assert in_blocks == in_predictions
