"""Questions for recommendations, in plain SQL: which tracks, their vectors, which recordings.

A large library must be answered in half a second, and importing SQLAlchemy takes longer than to
look at a hundred thousand vectors. So this is SQL on a bare connection, of the kind that any
database understands, over the view ``library`` as far as that goes.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeAlias, TypeVar

from tagger.catalog import asked_about, listing
from tagger.catalog.batches import batches
from tagger.catalog.blocks import block_arrays
from tagger.catalog.known_roots import KnownRoots
from tagger.catalog.plain_sql import escaped, marks, within
from tagger.catalog.rows.answers import Unanswered
from tagger.catalog.rows.runs import ModelMemory, Remembered, last_named
from tagger.catalog.rows.tracks import ALL_TRACKS, HeardTrack, TrackQuery, TrackRow, Years
from tagger.catalog.sqlite.connecting import connection_to_ask
from tagger.catalog.store import Ids, Search
from tagger.catalog.text import fold, key_of
from tagger.catalog.why import reason_from_text
from tagger.errors import printable
from tagger.reasons import Reason
from tagger.records import FloatArray

T = TypeVar("T")

if TYPE_CHECKING:  # a listing does without numpy
    import numpy as np
    from numpy.typing import NDArray

Vectors: TypeAlias = "NDArray[np.float16]"  # (n_tracks, embedding_dim)

_BLOCKS = "SELECT n_rows, track_ids, vectors FROM embedding_blocks"
_FETCHED_AT_ONCE = 5000
_SUGGESTED = 8  # genres named where one was asked for that no track has


@dataclass(frozen=True, slots=True)
class Embedder:
    """A model: its architecture, and of how many tracks there are embeddings by it.

    Places that were given up are counted as well, which saves looking into the blocks.
    """

    architecture: str
    n_tracks: int


class Source(Protocol):
    """Where answers come from."""

    @property
    def where(self) -> Path | str | None:
        """The file, or the URL without its password."""

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
        reader = cls.at_once(location)
        if reader is not None:
            return reader
        from tagger.catalog.sources import opened

        return cls(opened(location))

    @classmethod
    def at_once(cls, location: str | Path) -> Self | None:
        """Open a catalogue that is a sound file of this version; None: there is more to do."""
        if not isinstance(location, Path) and "://" in location:
            return None
        path = Path(location).absolute()
        connection = connection_to_ask(path)
        return None if connection is None else cls(_File(connection, path))

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
        found = self._tracks("files.root_id = ? AND files.relative = ?", tuple(place))
        return next(found, None)

    def paths_named(self, name: str) -> list[Path]:
        """Return the files of tracks whose own name this is, whatever folder they are in."""
        end = escaped(printable(Path(name)))
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
            for one in self._tracks(f"files.track_id IN ({marks(batch)})", tuple(batch))
        }

    def of_artist(self, name: str) -> Ids:
        """Return the tracks by an artist, or of albums by that artist, whatever the case."""
        artist = escaped(fold(name))
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
        return [name for (name,) in self._ask(sql, (f"%{escaped(fold(part))}%", limit))]

    def of_albums(self, names: Sequence[str]) -> Ids:
        """Return the tracks of albums of these names, whoever made them."""
        import numpy as np

        keys = list({fold(name) for name in names})
        found = [
            self._ids(f"SELECT track_id FROM tracks WHERE album_key IN ({marks(some)})", some)
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

    def unknown_genre(self, *genres: str) -> str:
        """Return in words that no track has any of some genres, and which there are."""
        there = ", ".join(self.genres(_SUGGESTED)) or "none"
        return f"no track has the genre {' or '.join(genres)}; there are: {there}"

    def genres(self, limit: int) -> list[str]:
        """Return the genres of most tracks, the most frequent first."""
        sql = (
            "SELECT min(genre) FROM track_genres GROUP BY genre_key "
            "ORDER BY count(*) DESC, genre_key LIMIT ?"
        )
        return [genre for (genre,) in self._ask(sql, (limit,))]

    def under(self, folder: Path) -> Ids:
        """Return the tracks in a folder, or of one file."""
        where = within(self._roots, folder)
        sql = f"SELECT track_id FROM files WHERE track_id IS NOT NULL AND ({where.sql})"
        return self._ids(sql, where.values)

    def listed(self, query: TrackQuery = ALL_TRACKS) -> Iterator[TrackRow]:
        """Yield the tracks that a query asks for; memory stays flat however many they are."""
        return self._sound(listing.listed(self._ask, self._roots, query))

    @property
    def is_empty(self) -> bool:
        """Whether there is no track at all, not even of a file that has vanished."""
        return next(self._ask("SELECT 1 FROM tracks LIMIT 1", ()), None) is None

    # What a review is made of

    def unanswered(
        self, under: Sequence[Path] = (), *, only_blank: bool = True
    ) -> Iterator[Unanswered]:
        """Yield tracks that are there and that no answer has settled, as a catalogue does."""
        found = asked_about.unanswered(self._ask, self._roots, under, only_blank=only_blank)
        return self._sound(found)

    def said_of(self, track_ids: Sequence[int]) -> dict[int, dict[str, Mapping[str, float]]]:
        """Return {track_id: {model_id: {label: p}}} of what models have heard."""
        return asked_about.said_of(self._ask, track_ids)

    def persons_genres(self, artist: str = "") -> dict[tuple[str, ...], int]:
        """Return {genres that a person set: on how many tracks}, of one artist or of all."""
        return asked_about.persons_genres(self._ask, artist)

    # Their embeddings

    def embedded_by(self, track_ids: Sequence[int]) -> list[tuple[str, int]]:
        """Return the models with embeddings of these tracks, and of how many.

        Those with most of them come first; of several, the one that heard any of them last.
        """
        counts: dict[str, tuple[int, int]] = {}
        for batch in batches(track_ids):
            sql = (
                "SELECT model_id, count(*), max(run_id) FROM predictions "
                f"WHERE block_id IS NOT NULL AND track_id IN ({marks(batch)}) GROUP BY model_id"
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
        import numpy as np

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
                f"AND block_id IS NOT NULL AND track_id IN ({marks(batch)})"
            )
            numbers |= {block_id for (block_id,) in self._ask(sql, (model_id, *batch))}
        for number in sorted(numbers):
            for row in self._ask(f"{_BLOCKS} WHERE block_id = ?", (number,)):
                yield block_arrays(*row)

    # Asking

    def _tracks(self, where: str, values: tuple[object, ...]) -> Iterator[HeardTrack]:
        sql = f"{listing.ROWS} WHERE files.track_id IS NOT NULL AND {where}"
        for row in map(listing.named, self._ask(sql, values)):
            yield HeardTrack(listing.track_row(row, self._roots), row["audio"])

    def _ids(self, sql: str, values: tuple[object, ...]) -> Ids:
        import numpy as np

        return np.fromiter((track_id for (track_id,) in self._ask(sql, values)), np.int64)

    def _sound(self, made: Iterator[T]) -> Iterator[T]:
        """Yield what is made of rows; what is stored is JSON, so what no longer is that is damage.

        Raises:
            CatalogError: It is damaged.
        """
        try:
            yield from made
        except json.JSONDecodeError as exc:
            from tagger.catalog import faults

            raise faults.complaint(faults.DAMAGED, self._source.where) from exc

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

    @property
    def where(self) -> Path:
        """The file."""
        return self.path

    def search(self, model_id: str) -> None:
        """Return None: SQLite knows nothing of vectors."""

    def close(self) -> None:
        """Close the file."""
        self.connection.close()
