"""Tracks as they are listed, in plain SQL: a list is told before SQLAlchemy is imported."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tagger.catalog.known_roots import KnownRoots
from tagger.catalog.plain_sql import Ask, Condition, all_of, escaped, strings, within
from tagger.catalog.rows.tracks import ALL_TRACKS, SortKey, TrackQuery, TrackRow
from tagger.catalog.text import fold, key_of
from tagger.catalog.why import reason_from_text
from tagger.records import Status, TagsFound
from tagger.tag_fields import TAG_FIELDS, FieldKind, TagField

_COLUMNS = (
    "files.track_id",
    "files.root_id",
    "files.relative",
    *(f"tracks.{one.name}" for one in TAG_FIELDS),
    "tracks.file_genres",
    "tracks.provenance",
    "tracks.overruled",
    "tracks.tags_read_by",
    "tracks.heard_genres",
    "library.confidence",
    "tracks.duration_s",
    "library.status",
    "library.reason_code",
    "library.reason_values",
    "files.audio",
)
_NAMES = tuple(column.partition(".")[2] for column in _COLUMNS)
ROWS = (
    f"SELECT {', '.join(_COLUMNS)} FROM files "
    "JOIN library ON library.file_id = files.file_id "
    "JOIN roots ON roots.root_id = files.root_id "
    "LEFT JOIN tracks ON tracks.track_id = files.track_id"
)
"""Tracks that are there, and files that failed, each row for ``named``."""

_FIRST_GENRE = (
    "(SELECT track_genres.genre_key FROM track_genres "
    "WHERE track_genres.track_id = files.track_id AND track_genres.position = 0)"
)
_ORDER: Mapping[SortKey, tuple[str, ...]] = {
    SortKey.PATH: (),
    SortKey.TITLE: ("tracks.title_key NULLS LAST",),
    SortKey.ARTIST: ("tracks.artist_key NULLS LAST", "tracks.album_key"),
    SortKey.ALBUM: ("tracks.album_key NULLS LAST",),
    SortKey.YEAR: ("tracks.year NULLS LAST",),
    SortKey.GENRE: (f"{_FIRST_GENRE} NULLS LAST",),
    SortKey.CONFIDENCE: ("library.confidence DESC NULLS LAST",),
    SortKey.DURATION: ("tracks.duration_s NULLS LAST",),
    SortKey.STATUS: ("library.status",),
}
_BY_PATH = ("roots.path", "files.relative")


def listed(ask: Ask, roots: KnownRoots, query: TrackQuery = ALL_TRACKS) -> Iterator[TrackRow]:
    """Yield the tracks that a query asks for; memory stays flat however many they are."""
    where = all_of((Condition("files.vanished_at IS NULL"), *_conditions(query, roots)))
    order = ", ".join((*_ORDER[query.sort], *_BY_PATH))
    sql, values = f"{ROWS} WHERE {where.sql} ORDER BY {order}", where.values
    if query.limit is not None:
        sql, values = f"{sql} LIMIT ?", (*values, query.limit)
    for row in ask(sql, values):
        yield track_row(named(row), roots)


def _conditions(query: TrackQuery, roots: KnownRoots) -> Iterator[Condition]:
    if query.genre is not None:
        having = "SELECT track_genres.track_id FROM track_genres WHERE track_genres.genre_key = ?"
        yield Condition(f"files.track_id IN ({having})", (key_of(query.genre),))
    if query.min_confidence is not None:
        yield Condition("library.confidence >= ?", (query.min_confidence,))
    if query.artist is not None:
        part = f"%{escaped(fold(query.artist))}%"
        yield Condition(r"tracks.artist_key LIKE ? ESCAPE '\'", (part,))
    if query.years is not None and query.years.first is not None:
        yield Condition("tracks.year >= ?", (query.years.first,))
    if query.years is not None and query.years.last is not None:
        yield Condition("tracks.year <= ?", (query.years.last,))
    if query.under is not None:
        yield within(roots, query.under)
    if query.status is not None:
        yield Condition("library.status = ?", (query.status.value,))
    if query.is_blank:
        yield Condition("tracks.file_genres = '[]'")


def named(row: tuple[Any, ...]) -> Mapping[str, Any]:
    """Return the values of a row of ``ROWS`` by their columns."""
    return dict(zip(_NAMES, row, strict=True))


def track_row(row: Mapping[str, Any], roots: KnownRoots) -> TrackRow:
    """Return the track that a row tells of."""
    return TrackRow(
        track_id=row["track_id"],
        path=roots.path(row["root_id"], row["relative"]),
        tags=_tags(row),
        genres=_strings(row["file_genres"]) or _strings(row["heard_genres"]),
        confidence=row["confidence"],
        duration_s=row["duration_s"],
        status=Status(row["status"]),
        reason=reason_from_text(row["reason_code"], row["reason_values"]),
    )


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


def _strings(stored: str | None) -> tuple[str, ...]:
    """Return the strings of a column; none where a file that failed has no track."""
    return strings(stored) if stored else ()
