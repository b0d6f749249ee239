"""Putting down what a run found: files, tracks, predictions, failures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, Table, bindparam, delete, func, insert, select, update

from tagger.catalog import embeddings, journal
from tagger.catalog.batches import batches
from tagger.catalog.columns import now
from tagger.catalog.paths import add_files
from tagger.catalog.rows.files import FailedFile
from tagger.catalog.rows.tracks import CatalogEntry
from tagger.catalog.rows.writes import PlannedWrite
from tagger.catalog.tables import failures, files, predictions, track_genres, tracks
from tagger.catalog.tag_columns import tag_values
from tagger.catalog.text import fold, key_of
from tagger.catalog.why import reason_columns
from tagger.records import FloatArray, TrackPrediction

_Values = dict[str, Any]
_Row = Row[*tuple[Any, ...]]


def record(connection: Connection, run_id: int, entries: Sequence[CatalogEntry]) -> None:
    """Put down all entries; of two for the same file the later one counts."""
    for batch in batches(entries):
        _record(connection, run_id, batch)


def _record(connection: Connection, run_id: int, entries: Sequence[CatalogEntry]) -> None:
    latest = {entry.file.path: entry for entry in entries}
    file_ids = add_files(connection, [entry.file for entry in latest.values()])
    known = _recorded(connection, file_ids.values())
    recorded = {path: known[file_id] for path, file_id in file_ids.items() if file_id in known}
    old = {recorded[path].track_id: entry for path, entry in latest.items() if path in recorded}
    new = [entry for path, entry in latest.items() if path not in recorded]
    sounds_otherwise = {
        one.track_id: latest[path]
        for path, one in recorded.items()
        if one.audio is not None and latest[path].audio not in (None, one.audio)
    }
    _forget_other_sound(connection, sounds_otherwise)
    _update_tracks(connection, run_id, old)
    by_track = old | _add_tracks(connection, run_id, new)
    _update_files(connection, file_ids, by_track)
    _set_genres(connection, by_track)
    _set_predictions(connection, run_id, by_track)
    _clear_failures(connection, file_ids.values())
    done = [entry.journal_id for entry in entries if entry.journal_id is not None]
    journal.close(connection, done, journal.State.DONE)


def record_failures(connection: Connection, run_id: int, failed: Sequence[FailedFile]) -> None:
    """Put down failures, one a file; what was known of the file before stays."""
    for batch in batches(failed):
        _record_failures(connection, run_id, batch)


def _record_failures(connection: Connection, run_id: int, failed: Sequence[FailedFile]) -> None:
    latest = {one.file.path: one for one in failed}
    file_ids = add_files(connection, [one.file for one in latest.values()])
    _clear_failures(connection, file_ids.values())
    rows = [
        {
            "file_id": file_ids[path],
            "stage": one.failure.stage.value,
            **reason_columns("reason", one.failure.reason),
            "size_bytes": one.file.size_bytes,
            "mtime_ns": one.file.mtime_ns,
            "failed_at": now(),
            "run_id": run_id,
        }
        for path, one in latest.items()
    ]
    _insert_all(connection, failures, rows)


def note_writes(connection: Connection, run_id: int, planned: Sequence[PlannedWrite]) -> list[int]:
    """Note tags that are about to be written, with new rows for files not known yet.

    Returns:
        A number for each, to be given to CatalogEntry or journal_done.
    """
    return [
        number
        for batch in batches(planned)
        for number in journal.note(
            connection, run_id, batch, add_files(connection, [one.file for one in batch])
        )
    ]


def _recorded(connection: Connection, file_ids: Iterable[int]) -> dict[int, _Row]:
    """Return {file_id: its track_id and audio} of those files that have a track."""
    column = files.c
    rows = connection.execute(
        select(column.file_id, column.track_id, column.audio).where(
            column.file_id.in_(list(file_ids)), column.track_id.is_not(None)
        )
    )
    return {row.file_id: row for row in rows}


def _forget_other_sound(connection: Connection, by_track: Mapping[int, CatalogEntry]) -> None:
    """Forget what was heard in tracks whose files hold another recording now.

    What this entry says is put down afterwards; what other models heard holds no longer.
    """
    if not by_track:
        return
    of_tracks = predictions.c.track_id.in_(list(by_track))
    heard_by = connection.scalars(select(predictions.c.model_id).where(of_tracks).distinct())
    for model_id in heard_by.all():
        embeddings.drop(connection, model_id, by_track)
    connection.execute(delete(predictions).where(of_tracks))


def _add_tracks(
    connection: Connection, run_id: int, entries: Sequence[CatalogEntry]
) -> dict[int, CatalogEntry]:
    if not entries:
        return {}
    statement = insert(tracks).returning(tracks.c.track_id, sort_by_parameter_order=True)
    track_ids = connection.scalars(statement, [_track_values(run_id, one) for one in entries])
    return dict(zip(track_ids, entries, strict=True))


def _update_tracks(
    connection: Connection, run_id: int, by_track: Mapping[int, CatalogEntry]
) -> None:
    rows = []
    for track_id, entry in by_track.items():
        values = _track_values(run_id, entry)
        rows.append({"of_track": track_id, "heard_s": values.pop("duration_s"), **values})
    if rows:
        column = tracks.c
        connection.execute(
            update(tracks)
            .where(column.track_id == bindparam("of_track"))
            .values(duration_s=func.coalesce(bindparam("heard_s"), column.duration_s)),
            rows,
        )


def _track_values(run_id: int, entry: CatalogEntry) -> _Values:
    tags = entry.tags
    return {
        **tag_values(tags),
        "title_key": fold(tags.title),
        # Both, on two lines, so that a search finds either and never a mix of the two.
        "artist_key": fold(f"{tags.artist}\n{tags.album_artist}"),
        "album_key": fold(tags.album),
        "genre": "; ".join(_shown(entry)),
        "heard_genres": entry.genres,
        "confidence": entry.confidence,
        "status": entry.status.value,
        **reason_columns("reason", entry.reason),
        "evidence": entry.evidence,
        "run_id": run_id,
        "duration_s": None if entry.prediction is None else entry.prediction.duration_s,
    }


def _shown(entry: CatalogEntry) -> tuple[str, ...]:
    """Return the genres a listing shows: the file's own, or else the tagger's."""
    return entry.tags.genres or entry.genres


def _update_files(
    connection: Connection, file_ids: Mapping[Path, int], by_track: Mapping[int, CatalogEntry]
) -> None:
    rows = [
        {
            "of_file": file_ids[entry.file.path],
            "size_bytes": entry.file.size_bytes,
            "mtime_ns": entry.file.mtime_ns,
            "ctime_ns": entry.file.ctime_ns or None,
            "inode": entry.file.inode or None,
            "told_audio": entry.audio,
            "vanished_at": None,
            "track_id": track_id,
        }
        for track_id, entry in by_track.items()
    ]
    if rows:
        column = files.c
        connection.execute(
            update(files)
            .where(column.file_id == bindparam("of_file"))
            .values(audio=func.coalesce(bindparam("told_audio"), column.audio)),
            rows,
        )


def _set_genres(connection: Connection, by_track: Mapping[int, CatalogEntry]) -> None:
    connection.execute(delete(track_genres).where(track_genres.c.track_id.in_(list(by_track))))
    rows = [
        row for track_id, entry in by_track.items() for row in _genre_rows(track_id, _shown(entry))
    ]
    _insert_all(connection, track_genres, rows)


def _genre_rows(track_id: int, listed: Sequence[str]) -> Iterator[_Values]:
    for i, genre in enumerate(listed):
        yield {"track_id": track_id, "position": i, "genre": genre, "genre_key": key_of(genre)}


def _set_predictions(
    connection: Connection, run_id: int, by_track: Mapping[int, CatalogEntry]
) -> None:
    by_model: dict[str, dict[int, TrackPrediction]] = defaultdict(dict)
    for track_id, entry in by_track.items():
        if entry.prediction is not None:
            for one in (entry.prediction, *entry.prediction.parts):
                by_model[one.model_id][track_id] = one
    for model_id, heard in by_model.items():
        _upsert_predictions(connection, run_id, model_id, heard)
        unheard = [track_id for track_id, one in heard.items() if one.unheard is not None]
        embeddings.drop(connection, model_id, unheard)
        embeddings.store(connection, model_id, _vectors(heard))


def _vectors(heard: Mapping[int, TrackPrediction]) -> dict[int, FloatArray]:
    return {
        track_id: one.embedding
        for track_id, one in heard.items()
        if one.embedding is not None and one.unheard is None
    }


def _upsert_predictions(
    connection: Connection, run_id: int, model_id: str, heard: Mapping[int, TrackPrediction]
) -> None:
    column = predictions.c
    of_model = column.model_id == model_id
    known = set(
        connection.scalars(
            select(column.track_id).where(of_model, column.track_id.in_(list(heard)))
        )
    )
    rows = {track_id: _prediction_values(run_id, one) for track_id, one in heard.items()}
    new = [{"track_id": t, "model_id": model_id, **v} for t, v in rows.items() if t not in known]
    old = [{"of_track": t, **v} for t, v in rows.items() if t in known]
    _insert_all(connection, predictions, new)
    if old:
        of_track = column.track_id == bindparam("of_track")
        connection.execute(update(predictions).where(of_model, of_track), old)


def _prediction_values(run_id: int, prediction: TrackPrediction) -> _Values:
    return {
        "probabilities": prediction.probabilities,
        "confidence": prediction.confidence,
        "n_segments": prediction.n_segments,
        **reason_columns("unheard", prediction.unheard),
        "is_novel": prediction.is_novel,
        "run_id": run_id,
    }


def _insert_all(connection: Connection, table: Table, rows: list[_Values]) -> None:
    if rows:
        connection.execute(insert(table), rows)


def _clear_failures(connection: Connection, file_ids: Iterable[int]) -> None:
    connection.execute(delete(failures).where(failures.c.file_id.in_(list(file_ids))))


SAID = (
    "heard_genres",
    "confidence",
    "status",
    "reason_code",
    "reason_values",
    "evidence",
    "overruled",
    "run_id",
)
"""The columns of a track that say what was decided of it, and by which run."""


def say_again(connection: Connection, track_id: int, said: Mapping[str, Any]) -> None:
    """Let a track's row say what it said before; what stands in its file is as recorded.

    Args:
        connection: To the catalogue.
        track_id: The track.
        said: The columns ``SAID``.
    """
    of_track = tracks.c.track_id == track_id
    file_genres = connection.execute(select(tracks.c.file_genres).where(of_track)).scalar_one()
    listed = tuple(file_genres) or tuple(said["heard_genres"])
    values = {**said, "heard_genres": tuple(said["heard_genres"]), "genre": "; ".join(listed)}
    connection.execute(update(tracks).where(of_track).values(values))
    connection.execute(delete(track_genres).where(track_genres.c.track_id == track_id))
    _insert_all(connection, track_genres, list(_genre_rows(track_id, listed)))
