"""Files with a genre in them: what can speak for others of the same artist or album."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, Row, Select, and_, select

from tagger.catalog import journal
from tagger.catalog.batches import batches
from tagger.catalog.known_roots import Place
from tagger.catalog.lookup import is_as_recorded
from tagger.catalog.paths import FILE_COLUMNS, Roots, by_root
from tagger.catalog.rows.answers import RENAMING, REVIEW
from tagger.catalog.tables import files, runs, track_genres, tracks
from tagger.catalog.tables import journal as writes
from tagger.catalog.tag_columns import TAG_COLUMNS, tags_of
from tagger.catalog.text import fold
from tagger.records import AudioFile, TagsFound

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_Row = Row[*tuple[Any, ...]]
_original = files.alias("original")
_is_unsigned = and_(
    journal.stands,
    writes.c.undoes.is_(None),
    writes.c.provenance_after.is_(None),
    runs.c.command.not_in((RENAMING, REVIEW)),
)


@dataclass(frozen=True, slots=True)
class TaggedFile:
    """A file as it was recorded last.

    Args:
        file_id: The number of its row.
        file: The file.
        tags: Its tags.
        written: The genres that the tagger wrote there last; () if it never did.
        decided_by: The code of the reason for what became of it last.
        track_id: The number of its track.
    """

    file_id: int
    file: AudioFile
    tags: TagsFound
    written: tuple[str, ...]
    decided_by: str = ""
    track_id: int = 0


class Before(NamedTuple):
    """What is recorded of a file that has changed since.

    Args:
        tags: What its tags said.
        written: The genres that the tagger wrote there last.
    """

    tags: TagsFound = TagsFound()
    written: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recorded:
    """What is recorded of files that were found.

    Args:
        unchanged: {row: its number} of those that are as they were recorded.
        tagged: Of these, those that bear a genre.
        blank: And what the tags of the others say.
        changed: {row: what is recorded of it} of others that are known.
    """

    unchanged: Mapping[int, int]
    tagged: Sequence[TaggedFile]
    blank: Sequence[tuple[AudioFile, TagsFound]]
    changed: Mapping[int, Before]


def recorded(connection: Connection, found: Sequence[AudioFile]) -> Recorded:
    """Return what is recorded of files, by the rows of ``found``."""
    known_roots = Roots(connection)
    rows = {known_roots.place(file.path): n for n, file in enumerate(found)}
    unchanged: dict[int, int] = {}
    changed: dict[int, tuple[int, TagsFound]] = {}
    bearing: list[tuple[_Row, AudioFile]] = []
    blank: list[tuple[AudioFile, TagsFound]] = []
    for root_id, relatives in by_root([place for place in rows if place is not None]):
        chosen = and_(files.c.root_id == root_id, files.c.relative.in_(relatives))
        for row in connection.execute(_statement().where(chosen)):
            n = rows[Place(root_id, row.relative)]
            if is_as_recorded(found[n], row):
                unchanged[n] = row.file_id
                if row.file_genres:
                    bearing.append((row, found[n]))
                else:
                    blank.append((found[n], tags_of(row)))
            else:
                changed[row.file_id] = n, tags_of(row)
    written = _written(connection, list(changed))
    before = {n: Before(tags, written.get(i, ())) for i, (n, tags) in changed.items()}
    return Recorded(unchanged, _tagged(connection, bearing), blank, before)


def tagged_ids(connection: Connection) -> NDArray[np.int64]:
    """Return the rows of all files that bear a genre and have not vanished, in order."""
    rows = connection.scalars(
        select(files.c.file_id)
        .join(tracks, tracks.c.track_id == files.c.track_id)
        .where(files.c.vanished_at.is_(None), tracks.c.file_genres != ())
    )
    import numpy as np

    return np.sort(np.fromiter(rows, np.int64))


def tagged_files(connection: Connection, file_ids: Sequence[int]) -> Iterator[TaggedFile]:
    """Yield files by the numbers of their rows."""
    known_roots = Roots(connection)
    for batch in batches(file_ids):
        rows = connection.execute(_statement().where(files.c.file_id.in_(batch))).all()
        yield from _tagged(connection, [(row, known_roots.file(row)) for row in rows])


def tagged_names(connection: Connection) -> list[TagsFound]:
    """Return whose the files are that bear a genre, and of what: each artist and album once."""
    column = tracks.c
    rows = connection.execute(
        select(
            column.artist,
            column.album,
            column.album_artist,
            column.mb_artists,
            column.mb_album_artists,
        )
        .where(column.file_genres != ())
        .distinct()
    )
    return [
        TagsFound(
            artist=row.artist,
            album=row.album,
            album_artist=row.album_artist,
            mb_artists=row.mb_artists or (),
            mb_album_artists=row.mb_album_artists or (),
        )
        for row in rows
    ]


def bears(connection: Connection, genre: str) -> bool:
    """Return whether any track has a genre."""
    one = select(track_genres.c.track_id).where(track_genres.c.genre_key == fold(genre)).limit(1)
    return connection.scalar(one) is not None


def written_unsigned(
    connection: Connection, sizes: Collection[int]
) -> set[tuple[int, tuple[str, ...]]]:
    """Return (length, genres) of files of these lengths that bear a write of ours with no field.

    A file that comes up under a new path with both is taken for a copy of such a one.
    """
    found: set[tuple[int, tuple[str, ...]]] = set()
    for batch in batches(sorted(sizes)):
        rows = connection.execute(
            select(files.c.size_bytes, writes.c.genres_after)
            .join(writes, writes.c.file_id == files.c.file_id)
            .join(runs, runs.c.run_id == writes.c.run_id)
            .join(tracks, tracks.c.track_id == files.c.track_id)
            .where(files.c.size_bytes.in_(batch), _is_unsigned, tracks.c.overruled.is_(None))
        )
        found |= {(row.size_bytes, row.genres_after) for row in rows}
    return found


def _statement() -> Select[*tuple[Any, ...]]:
    return select(
        files.c.file_id,
        *FILE_COLUMNS,
        files.c.ctime_ns,
        files.c.inode,
        files.c.track_id,
        *TAG_COLUMNS,
        tracks.c.reason_code,
    ).join(tracks, tracks.c.track_id == files.c.track_id)


def _tagged(connection: Connection, rows: Sequence[tuple[_Row, AudioFile]]) -> list[TaggedFile]:
    written = _written(connection, [row.file_id for row, _ in rows])
    return [
        TaggedFile(
            row.file_id,
            file,
            tags_of(row),
            written.get(row.file_id, ()),
            row.reason_code or "",
            row.track_id,
        )
        for row, file in rows
    ]


def _written(connection: Connection, file_ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """Return {file_id: what our last write there that stands has put down}.

    An undo puts down what somebody else had set, and an answer what a person said: neither is ours.
    """
    found = _written_in_copies(connection, file_ids)
    for batch in batches(file_ids):
        rows = connection.execute(
            select(
                writes.c.file_id,
                writes.c.genres_before,
                writes.c.genres_after,
                writes.c.provenance_after,
                runs.c.command,
            )
            .join(runs, runs.c.run_id == writes.c.run_id)
            .where(writes.c.file_id.in_(batch), journal.stands, writes.c.undoes.is_(None))
            .order_by(writes.c.journal_id)
        )
        for row in rows:
            is_signed = row.provenance_after is not None
            is_ours = is_signed or journal.stays_ours(row, found.get(row.file_id, ()))
            found[row.file_id] = row.genres_after if is_ours else ()
    return found


def _written_in_copies(
    connection: Connection, file_ids: Sequence[int]
) -> dict[int, tuple[str, ...]]:
    """Return {file_id: what we wrote, with no field of ours, into a file that it is a copy of}."""
    found: dict[int, tuple[str, ...]] = {}
    is_copy = and_(
        _original.c.audio == files.c.audio,
        _original.c.size_bytes == files.c.size_bytes,
        _original.c.file_id != files.c.file_id,
    )
    for batch in batches(file_ids):
        rows = connection.execute(
            select(files.c.file_id, writes.c.genres_after)
            .join(_original, is_copy)
            .join(tracks, tracks.c.track_id == _original.c.track_id)
            .join(writes, writes.c.file_id == _original.c.file_id)
            .join(runs, runs.c.run_id == writes.c.run_id)
            .where(files.c.file_id.in_(batch), _is_unsigned, tracks.c.overruled.is_(None))
            .order_by(writes.c.journal_id)
        )
        found |= {row.file_id: row.genres_after for row in rows}
    return found
