"""Files that hold the same recording: found by its identity, and moved to where they are now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from sqlalchemy import Connection, and_, select, update

from tagger.catalog import embeddings
from tagger.catalog.batches import batches
from tagger.catalog.known_roots import Place
from tagger.catalog.paths import Roots, file_ids_of, move_files
from tagger.catalog.rows.files import SameAudio
from tagger.catalog.tables import files, predictions, roots, tracks
from tagger.catalog.why import reason_from
from tagger.records import AudioFile, TrackPrediction


def copies(connection: Connection, audios: Iterable[str]) -> Mapping[str, list[SameAudio]]:
    """Return the files known to hold each of these recordings, the first one known first."""
    known_roots = Roots(connection)
    column = files.c
    found: dict[str, list[SameAudio]] = defaultdict(list)
    for batch in batches(sorted(set(audios))):
        rows = connection.execute(
            select(
                column.file_id,
                column.root_id,
                column.relative,
                column.audio,
                column.vanished_at,
                roots.c.device,
            )
            .join(roots, roots.c.root_id == column.root_id)
            .where(column.audio.in_(batch), column.track_id.is_not(None))
            .order_by(column.file_id)
        )
        for row in rows:
            path = known_roots.path(row.root_id, row.relative)
            root = known_roots.path(row.root_id, b"")
            gone = row.vanished_at is not None
            found[row.audio].append(SameAudio(row.file_id, path, root, row.device, row.audio, gone))
    return found


def heard_in(
    connection: Connection, asked: Mapping[int, Path], model_id: str
) -> dict[int, TrackPrediction]:
    """Return {file_id: what a model heard there}, embeddings included, where it has heard it.

    Args:
        connection: To the catalogue.
        asked: {file_id: its path}.
        model_id: The model.
    """
    found: dict[int, TrackPrediction] = {}
    of_model = and_(predictions.c.track_id == files.c.track_id, predictions.c.model_id == model_id)
    for batch in batches(list(asked)):
        rows = connection.execute(
            select(files.c.file_id, predictions, tracks.c.duration_s)
            .join(predictions, of_model)
            .join(tracks, tracks.c.track_id == files.c.track_id)
            .where(files.c.file_id.in_(batch))
        ).all()
        vectors = embeddings.load_some(connection, model_id, [row.track_id for row in rows])
        for row in rows:
            found[row.file_id] = TrackPrediction(
                path=asked[row.file_id],
                probabilities=row.probabilities,
                confidence=row.confidence,
                embedding=vectors.get(row.track_id),
                n_segments=row.n_segments,
                model_id=model_id,
                duration_s=row.duration_s or 0.0,
                unheard=reason_from(row.unheard_code, row.unheard_values),
                is_novel=bool(row.is_novel),
            )
    return found


def move(connection: Connection, moved: Sequence[tuple[SameAudio, AudioFile]]) -> list[int]:
    """Let rows follow their files to new places; return the file_ids of those that could.

    A row stays where it is if another one has the new place already.
    """
    known_roots = Roots(connection)
    places = {copy.file_id: known_roots.place_or_add(connection, file) for copy, file in moved}
    taken: set[Place] = set(file_ids_of(connection, places.values()))
    free: dict[int, Place] = {}
    for file_id, place in places.items():
        if place not in taken:
            taken.add(place)
            free[file_id] = place
    move_files(connection, free)
    seen_again = files.c.file_id.in_(list(free))
    connection.execute(update(files).where(seen_again).values(vanished_at=None))
    return list(free)
