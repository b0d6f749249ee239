"""Questions for recommendations, in plain SQL: which tracks, their vectors, which recordings.

A large library must be answered in half a second, and importing SQLAlchemy takes longer than to
look at a hundred thousand vectors. So this is SQL on a bare connection, of the kind that any
database understands, over the view ``library`` as far as that goes.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from tagger.catalog.batches import batches
from tagger.catalog.blocks import block_arrays
from tagger.catalog.known_roots import AFTER_SLASH, SLASH, KnownRoots
from tagger.catalog.rows.runs import ModelMemory, Remembered, last_named
from tagger.catalog.rows.tracks import HeardTrack, TrackRow, Years
from tagger.catalog.sqlite.connecting import connection_to_ask
from tagger.catalog.store import Ids, Search
from tagger.catalog.text import fold, key_of
from tagger.catalog.why import reason_from_text
from tagger.errors import printable
from tagger.reasons import Reason
from tagger.records import FloatArray, Status, TagsFound
from tagger.tag_fields import TAG_FIELDS, FieldKind, TagField

Vectors = NDArray[np.float16]  # (n_tracks, embedding_dim)

_COLUMNS = {
    "track_id": "f.track_id",
    "root_id": "f.root_id",
    "relative": "f.relative",
    **{one.name: f"t.{one.name}" for one in TAG_FIELDS},
    "file_genres": "t.file_genres",
    "provenance": "t.provenance",
    "overruled": "t.overruled",
    "tags_read_by": "t.tags_read_by",
    "heard_genres": "t.heard_genres",
    "confidence": "l.confidence",
    "duration_s": "t.duration_s",
    "status": "l.status",
    "reason_code": "l.reason_code",
    "reason_values": "l.reason_values",
    "audio": "f.audio",
}
_ROWS = (
    f"SELECT {', '.join(_COLUMNS.values())} FROM files AS f "
    "JOIN library AS l ON l.file_id = f.file_id JOIN tracks AS t ON t.track_id = f.track_id"
)
_BLOCKS = "SELECT n_rows, track_ids, vectors FROM embedding_blocks"
_FETCHED_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition in SQL and the values of its question marks."""

    sql: str
    values: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Embedder:
    """A model: its architecture, and of how many tracks there are embeddings by it.

    Places that were given up are counted as well, which saves looking into the blocks.
    """

    architecture: str
    n_tracks: int


class Source(Protocol):
    """Where answers come from."""

    def ask(self, sql: str, values: tuple[object, ...]) -> Iterator[tuple[Any, ...]]:
        """Yield the rows that answer a question, whose values stand for its question marks."""

    def search(self, model_id: str) -> Search | None:
        """Return how the database itself finds the nearest of a model's tracks, if it can."""

    def close(self) -> None:
        """Ask no more."""


class Reader:
    """A catalogue that is only asked; nothing in it or beside it is touched.

    Raises:
        CatalogError: From any method, with the catalogue's place and what to do.
    """

    def __init__(self, source: Source) -> None:
        """Take where the answers come from; users call ``open``."""
        self._source = source
        self._roots = KnownRoots(dict(source.ask("SELECT root_id, path FROM roots", ())))

    @classmethod
    def open(cls, location: str | Path) -> Self:
        """Open a catalogue to ask it; one with an older schema is asked in a copy in memory."""
        if isinstance(location, Path) or "://" not in location:
            path = Path(location).absolute()
            connection = connection_to_ask(path)
            if connection is not None:
                return cls(_File(connection, path))
        from tagger.catalog.sources import opened

        return cls(opened(location))

    def __enter__(self) -> Self:
        """Return the reader itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the catalogue."""
        self._source.close()

    # Which tracks

    def track_at(self, path: Path) -> HeardTrack | None:
        """Return the track of a file that has not vanished, or None."""
        place = self._roots.place(path)
        if place is None:
            return None
        found = self._tracks("f.root_id = ? AND f.relative = ?", tuple(place))
        return next(found, None)

    def paths_named(self, name: str) -> list[Path]:
        """Return the files of tracks whose own name this is, whatever folder they are in."""
        end = _escaped(printable(Path(name)))
        sql = (
            "SELECT root_id, relative FROM files WHERE track_id IS NOT NULL "
            "AND (name = ? OR name LIKE ? ESCAPE '\\')"
        )
        found = self._ask(sql, (printable(Path(name)), f"%/{end}"))
        paths = (self._roots.path(*place) for place in found)
        return [path for path in paths if path.name == name]

    def failure_at(self, path: Path) -> Reason | None:
        """Return why a file could not be handled when it was last tried, or None."""
        place = self._roots.place(path)
        sql = (
            "SELECT l.reason_code, l.reason_values FROM files AS f "
            "JOIN library AS l ON l.file_id = f.file_id "
            "WHERE f.track_id IS NULL AND f.root_id = ? AND f.relative = ?"
        )
        found = next(self._ask(sql, tuple(place)), None) if place else None
        return None if found is None else reason_from_text(*found)

    def tracks(self, track_ids: Sequence[int]) -> dict[int, HeardTrack]:
        """Return {track_id: track} of those that have not vanished."""
        return {
            one.track_id: one
            for batch in batches(track_ids)
            for one in self._tracks(f"f.track_id IN ({_marks(batch)})", tuple(batch))
        }

    def of_artist(self, name: str) -> Ids:
        """Return the tracks by an artist, or of albums by that artist, whatever the case."""
        artist = _escaped(fold(name))
        sql = (
            "SELECT track_id FROM tracks "
            "WHERE artist_key LIKE ? ESCAPE '\\' OR artist_key LIKE ? ESCAPE '\\'"
        )
        return self._ids(sql, (f"{artist}\n%", f"%\n{artist}"))

    def artists_like(self, part: str, limit: int) -> list[str]:
        """Return some artists whose name holds this, whatever the case."""
        sql = (
            "SELECT DISTINCT artist FROM tracks WHERE artist_key LIKE ? ESCAPE '\\' "
            "AND artist <> '' ORDER BY artist LIMIT ?"
        )
        return [name for (name,) in self._ask(sql, (f"%{_escaped(fold(part))}%", limit))]

    def of_albums(self, names: Sequence[str]) -> Ids:
        """Return the tracks of albums of these names, whoever made them."""
        keys = list({fold(name) for name in names})
        found = [
            self._ids(f"SELECT track_id FROM tracks WHERE album_key IN ({_marks(some)})", some)
            for some in map(tuple, batches(keys))
        ]
        return np.concatenate([np.empty(0, np.int64), *found])

    def of_years(self, years: Years) -> Ids:
        """Return the tracks that were released in some years."""
        bounds = {"year >= ?": years.first, "year <= ?": years.last}
        asked = {sql: year for sql, year in bounds.items() if year is not None}
        where = " AND ".join(("year IS NOT NULL", *asked))
        return self._ids(f"SELECT track_id FROM tracks WHERE {where}", tuple(asked.values()))

    def of_genre(self, genre: str) -> Ids:
        """Return the tracks of a genre, whatever its case."""
        return self._ids("SELECT track_id FROM track_genres WHERE genre_key = ?", (key_of(genre),))

    def tagged_by_persons(self) -> Ids:
        """Return the tracks that bear a genre which is not ours."""
        sql = "SELECT track_id FROM tracks WHERE file_genres <> '[]' AND provenance IS NULL"
        return self._ids(sql, ())

    def spellings(self, genre: str) -> list[str]:
        """Return how a genre is spelt in the files, or as it was heard: each way once."""
        sql = "SELECT DISTINCT genre FROM track_genres WHERE genre_key = ? ORDER BY genre"
        return [name for (name,) in self._ask(sql, (key_of(genre),))]

    def genres(self, limit: int) -> list[str]:
        """Return the genres of most tracks, the most frequent first."""
        sql = (
            "SELECT min(genre) FROM track_genres GROUP BY genre_key "
            "ORDER BY count(*) DESC, genre_key LIMIT ?"
        )
        return [genre for (genre,) in self._ask(sql, (limit,))]

    def under(self, folder: Path) -> Ids:
        """Return the tracks in a folder, or of one file."""
        where = self._within(folder)
        sql = f"SELECT track_id FROM files WHERE track_id IS NOT NULL AND ({where.sql})"
        return self._ids(sql, where.values)

    def _within(self, folder: Path) -> Condition:
        whole, part = self._roots.parts_under(folder)
        sql = f"root_id IN ({_marks(whole)})" if whole else "root_id < 0"
        values = tuple(whole)
        if part is None:
            return Condition(sql, values)
        sql += " OR root_id = ? AND (relative = ? OR relative > ? AND relative < ?)"
        inside = (part.relative, part.relative + SLASH, part.relative + AFTER_SLASH)
        return Condition(sql, (*values, part.root_id, *inside))

    # Their embeddings

    def embedded_by(self, track_ids: Sequence[int]) -> list[tuple[str, int]]:
        """Return the models with embeddings of these tracks, and of how many.

        Those with most of them come first; of several, the one that heard any of them last.
        """
        counts: dict[str, tuple[int, int]] = {}
        for batch in batches(track_ids):
            sql = (
                "SELECT model_id, count(*), max(run_id) FROM predictions "
                f"WHERE block_id IS NOT NULL AND track_id IN ({_marks(batch)}) GROUP BY model_id"
            )
            for model_id, n, run_id in self._ask(sql, tuple(batch)):
                before, latest = counts.get(model_id, (0, 0))
                counts[model_id] = (before + n, max(latest, run_id))
        ranked = sorted(counts, key=lambda model_id: (counts[model_id], model_id), reverse=True)
        return [(model_id, counts[model_id][0]) for model_id in ranked]

    def embedders(self) -> dict[str, Embedder]:
        """Return {model_id: model} of all that were ever used."""
        sql = (
            "SELECT m.model_id, m.architecture, coalesce(sum(b.n_rows), 0) FROM models AS m "
            "LEFT JOIN embedding_blocks AS b ON b.model_id = m.model_id "
            "GROUP BY m.model_id, m.architecture"
        )
        return {model_id: Embedder(kind, int(n)) for model_id, kind, n in self._ask(sql, ())}

    def remembered_model(self) -> Remembered | None:
        """Return the model that was made the catalogue's own, or was named, last."""
        return last_named(self._memories())

    def model_files(self) -> list[Path]:
        """Return where checkpoints were that were learned here, or named by their paths."""
        return [file for memory in self._memories() for file in memory.files]

    def _memories(self) -> list[ModelMemory]:
        columns = ", ".join(ModelMemory._fields)
        return [ModelMemory(*row) for row in self._ask(f"SELECT {columns} FROM models", ())]

    def has_embeddings(self, model_id: str) -> bool:
        """Return whether any track has an embedding by a model."""
        found = self._ask("SELECT 1 FROM embedding_blocks WHERE model_id = ? LIMIT 1", (model_id,))
        return next(found, None) is not None

    def search(self, model_id: str) -> Search | None:
        """Return how the database itself finds the nearest of a model's tracks, if it can."""
        return self._source.search(model_id)

    def blocks(self, model_id: str) -> Iterator[tuple[Ids, Vectors]]:
        """Yield a model's embeddings, some hundred tracks at a time; track 0 is no track."""
        for row in self._ask(f"{_BLOCKS} WHERE model_id = ? ORDER BY block_id", (model_id,)):
            yield block_arrays(*row)

    def vectors_of(self, model_id: str, track_ids: Ids) -> tuple[Ids, FloatArray]:
        """Return those of the tracks that a model has an embedding of, and the embeddings."""
        found_ids, found = [np.empty(0, np.int64)], []
        for ids, vectors in self._blocks_with(model_id, track_ids):
            is_wanted = np.isin(ids, track_ids) & (ids > 0)
            found_ids.append(ids[is_wanted])
            found.append(vectors[is_wanted].astype(np.float32))
        return np.concatenate(found_ids), np.concatenate(found or [np.empty((0, 0), np.float32)])

    def _blocks_with(self, model_id: str, track_ids: Ids) -> Iterator[tuple[Ids, Vectors]]:
        if len(track_ids) > _FETCHED_AT_ONCE:  # reading all is cheaper then than looking them up
            yield from self.blocks(model_id)
            return
        numbers = set()
        for batch in batches(track_ids.tolist()):
            sql = (
                "SELECT DISTINCT block_id FROM predictions WHERE model_id = ? "
                f"AND block_id IS NOT NULL AND track_id IN ({_marks(batch)})"
            )
            numbers |= {block_id for (block_id,) in self._ask(sql, (model_id, *batch))}
        for number in sorted(numbers):
            for row in self._ask(f"{_BLOCKS} WHERE block_id = ?", (number,)):
                yield block_arrays(*row)

    # Asking

    def _tracks(self, where: str, values: tuple[object, ...]) -> Iterator[HeardTrack]:
        for values_of_row in self._ask(f"{_ROWS} WHERE {where}", values):
            yield self._heard_track(dict(zip(_COLUMNS, values_of_row, strict=True)))

    def _heard_track(self, row: Mapping[str, Any]) -> HeardTrack:
        listed = TrackRow(
            track_id=row["track_id"],
            path=self._roots.path(row["root_id"], row["relative"]),
            tags=_tags(row),
            genres=_strings(row["file_genres"]) or _strings(row["heard_genres"]),
            confidence=row["confidence"],
            duration_s=row["duration_s"],
            status=Status(row["status"]),
            reason=reason_from_text(row["reason_code"], row["reason_values"]),
        )
        return HeardTrack(listed, row["audio"])

    def _ids(self, sql: str, values: tuple[object, ...]) -> Ids:
        return np.fromiter((track_id for (track_id,) in self._ask(sql, values)), np.int64)

    def _ask(self, sql: str, values: tuple[object, ...]) -> Iterator[tuple[Any, ...]]:
        return self._source.ask(sql, values)


@dataclass(frozen=True, slots=True)
class _File:
    """An SQLite file, asked without SQLAlchemy."""

    connection: sqlite3.Connection
    path: Path

    def ask(self, sql: str, values: tuple[object, ...]) -> Iterator[tuple[Any, ...]]:
        """Yield the rows that answer a question."""
        try:
            yield from self.connection.execute(sql, values)
        except sqlite3.DatabaseError:
            from tagger.catalog import faults

            with faults.reported(self.path):
                raise

    def search(self, model_id: str) -> None:
        """Return None: SQLite knows nothing of vectors."""

    def close(self) -> None:
        """Close the file."""
        self.connection.close()


def _tags(row: Mapping[str, Any]) -> TagsFound:
    values = {one.name: _value(one, row[one.name]) for one in TAG_FIELDS}
    return TagsFound(
        genres=_strings(row["file_genres"]),
        provenance=row["provenance"],
        overruled=row["overruled"],
        read_by=row["tags_read_by"] or "",
        **values,
    )


def _value(one: TagField, stored: Any) -> Any:
    """Return what is read of a tag, as SQLAlchemy's types would give it."""
    is_list = one.kind is FieldKind.TEXTS and stored
    return _strings(stored) if is_list else stored or one.kind.value


@lru_cache(maxsize=4096)
def _strings(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))


def _marks(values: Iterable[object]) -> str:
    return ", ".join("?" for _ in values)


def _escaped(part: str) -> str:
    r"""Return text as LIKE takes it literally, with a backslash to escape.

    >>> _escaped("100%_Silk")
    '100\\%\\_Silk'
    """
    return "".join("\\" + c if c in "\\%_" else c for c in part)
