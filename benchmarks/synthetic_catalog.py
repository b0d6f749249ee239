"""Make a large catalogue of music that is not there: `python -m benchmarks.synthetic_catalog FILE`.

Through the real schema, but past the catalogue's own code, which would take an hour for a million
tracks. Artists have albums, albums twelve tracks; embeddings lie around their genre and artist.
One track in a hundred is a second copy of the one before it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from tagger.catalog import Catalog, ModelRecord, fold

ROOT = Path("/music")
GENRES = ("Electronic", "Experimental", "Folk", "Hip-Hop", "Instrumental", "Pop", "Rock")
DIM = 128
MODEL = ModelRecord("synthetic-1", "cnn-gru-attention", GENRES, DIM)
_BLOCK_ROWS = 256
_ALBUM_TRACKS = 12
_ARTIST_TRACKS = 36
_COPY_EVERY = 100
_SHARES = (0.18, 0.06, 0.14, 0.12, 0.06, 0.2, 0.24)

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Table:
    """Rows that go into a table."""

    name: str
    rows: list[Row]


@click.command()
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
@click.option("-n", "n_tracks", default=100_000, show_default=True, help="How many tracks.")
@click.option("--seed", default=1, show_default=True)
def main(path: Path, n_tracks: int, seed: int) -> None:
    """Make a catalogue of N tracks in FILE."""
    make_catalog(path, n_tracks, seed=seed)


def make_catalog(path: Path, n_tracks: int, *, seed: int = 1) -> None:
    """Make a catalogue of so many tracks, by chance but the same for the same seed."""
    with Catalog.open(path) as catalog:
        catalog.register_model(MODEL)
        catalog.begin_run("tag", MODEL.model_id, [ROOT])
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA synchronous = OFF")
        _insert(database, _Table("roots", [{"root_id": 1, "path": bytes(ROOT), "name": str(ROOT)}]))
        for tables in _batches(n_tracks, np.random.default_rng(seed)):
            for table in tables:
                _insert(database, table)
        database.commit()
        database.execute("ANALYZE")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def track_path(number: int) -> Path:
    """Return the path of a track, numbered from 1.

    >>> track_path(37)
    PosixPath('/music/Artist 000001/Album 0000003/01 Title 000000037.mp3')
    """
    return ROOT / _relative(number)


def artist_of(number: int) -> str:
    """Return a track's artist."""
    return f"Artist {(number - 1) // _ARTIST_TRACKS:06d}"


def _relative(number: int) -> str:
    album = (number - 1) // _ALBUM_TRACKS
    place = (number - 1) % _ALBUM_TRACKS + 1
    return f"{artist_of(number)}/Album {album:07d}/{place:02d} Title {number:09d}.mp3"


def _insert(database: sqlite3.Connection, table: _Table) -> None:
    names = list(table.rows[0])
    marks = ", ".join(f":{name}" for name in names)
    statement = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})"
    database.executemany(statement, table.rows)


def _batches(n_tracks: int, rng: np.random.Generator) -> Iterator[Sequence[_Table]]:
    """Yield the tables' rows, a block of embeddings at a time."""
    centres = rng.standard_normal((len(GENRES), DIM)).astype(np.float32)
    n_artists = n_tracks // _ARTIST_TRACKS + 1
    artist_genres = rng.choice(len(GENRES), n_artists, p=_SHARES)
    artist_seeds = rng.integers(0, 2**32, n_artists)
    for block_id, first in enumerate(range(1, n_tracks + 1, _BLOCK_ROWS), start=1):
        numbers = np.arange(first, min(first + _BLOCK_ROWS, n_tracks + 1))
        artists = (numbers - 1) // _ARTIST_TRACKS
        genres = artist_genres[artists]
        around = _around(artists, artist_seeds)
        vectors = centres[genres] + around + rng.standard_normal((len(numbers), DIM))
        is_copy = numbers % _COPY_EVERY == 0
        vectors[1:][is_copy[1:]] = vectors[:-1][is_copy[1:]]
        durations = rng.uniform(120, 420, len(numbers)).round(2)
        yield _tables(block_id, numbers, genres, vectors.astype("<f2"), durations)


def _around(artists: NDArray[Any], seeds: NDArray[Any]) -> NDArray[Any]:
    """Return where each track's artist lies, seen from the genre: (n, DIM)."""
    return np.stack([_place_of(int(seeds[artist])) for artist in artists.tolist()])


def _place_of(seed: int) -> NDArray[Any]:
    return np.random.default_rng(seed).standard_normal(DIM)


def _tables(
    block_id: int,
    numbers: NDArray[Any],
    genres: NDArray[Any],
    vectors: NDArray[Any],
    durations: NDArray[Any],
) -> Sequence[_Table]:
    ids = numbers.tolist()
    names = [GENRES[genre] for genre in genres.tolist()]
    told = list(zip(ids, names, strict=True))
    long = zip(ids, names, durations.tolist(), strict=True)
    block = {
        "block_id": block_id,
        "model_id": MODEL.model_id,
        "n_rows": len(ids),
        "track_ids": numbers.astype("<i8").tobytes(),
        "vectors": vectors.tobytes(),
    }
    return (
        _Table("embedding_blocks", [block]),
        _Table("tracks", [_track(*one) for one in long]),
        _Table("track_genres", [_genre(*one) for one in told]),
        _Table("files", [_file(number) for number in ids]),
        _Table("predictions", [_prediction(*one, block_id, i) for i, one in enumerate(told)]),
    )


def _track(number: int, genre: str, duration_s: float) -> Row:
    title, artist = f"Title {number:09d}", artist_of(number)
    album = f"Album {(number - 1) // _ALBUM_TRACKS:07d}"
    return {
        "track_id": number,
        "title": title,
        "artist": artist,
        "album": album,
        "album_artist": "",
        "title_key": fold(title),
        "artist_key": fold(f"{artist}\n"),
        "album_key": fold(album),
        "duration_s": duration_s,
        "file_genres": json.dumps([genre]),
        "genre": genre,
        "heard_genres": json.dumps([genre]),
        "confidence": 0.75,
        "status": "written",
        "run_id": 1,
    }


def _genre(number: int, genre: str) -> Row:
    return {"track_id": number, "position": 0, "genre": genre, "genre_key": fold(genre)}


def _file(number: int) -> Row:
    relative = _relative(number)
    recording = number - (number % _COPY_EVERY == 0)
    return {
        "file_id": number,
        "root_id": 1,
        "relative": relative.encode(),
        "name": relative,
        "size_bytes": 5_000_000 + number,
        "mtime_ns": 1_700_000_000_000_000_000 + number,
        "audio": f"synthetic:{recording}",
        "track_id": number,
    }


def _prediction(number: int, genre: str, block_id: int, row: int) -> Row:
    rest = round(0.25 / (len(GENRES) - 1), 7)
    return {
        "track_id": number,
        "model_id": MODEL.model_id,
        "probabilities": json.dumps({name: 0.75 if name == genre else rest for name in GENRES}),
        "confidence": 0.75,
        "n_segments": 4,
        "run_id": 1,
        "block_id": block_id,
        "block_row": row,
    }


if __name__ == "__main__":
    main()
